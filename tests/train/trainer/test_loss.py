"""Weights of tokens and of examples: what they are, and that they do in a packed row what they do in rows apart."""

import pytest
import torch

from train.data.token_cache import IGNORED
from train.trainer.loss import count_examples, number_examples, weigh_tokens

LABELS = torch.tensor([[IGNORED, 5, 6, IGNORED, IGNORED, 7, IGNORED, 8]])
POSITIONS = torch.tensor([[0, 1, 2, 0, 1, 2, 0, 1]])


def test_what_is_packed_is_told_apart_by_positions():
    assert number_examples(LABELS, POSITIONS).tolist() == [[0, 0, 0, 1, 1, 1, 2, 2]]
    assert number_examples(LABELS.view(2, 4), None).tolist() == [[0, 0, 0, 0], [1, 1, 1, 1]]
    assert count_examples(LABELS, POSITIONS) == 3
    assert count_examples(LABELS.view(2, 4), None) == 2


def test_tokens_weigh_one():
    assert weigh_tokens(LABELS, POSITIONS, "token").tolist() == [[0, 1, 1, 0, 0, 1, 0, 1]]


def test_examples_weigh_one():
    assert weigh_tokens(LABELS, POSITIONS, "example").tolist() == [[0, 0.5, 0.5, 0, 0, 1, 0, 1]]


def test_an_example_without_an_answer_counts_for_nothing():
    labels = LABELS.clone()
    labels[0, 5] = IGNORED
    assert count_examples(labels, POSITIONS) == 2
    assert weigh_tokens(labels, POSITIONS, "example").sum() == 2


def test_the_first_token_of_a_row_is_not_learned():
    labels = torch.full((1, 4), 3)
    assert weigh_tokens(labels, None, "example").tolist() == [
        [0, pytest.approx(1 / 3), pytest.approx(1 / 3), pytest.approx(1 / 3)]
    ]
