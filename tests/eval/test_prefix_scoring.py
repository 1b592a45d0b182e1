"""Scores behind a shared beginning are those of a whole reading, and only what differs is read."""

from pathlib import Path

import pytest
import torch

from eval.prefix_scoring import PrefixScorer, join_answer
from eval.scoring import load_model, load_tokenizer, score_tokens


@pytest.mark.parametrize("tokens_per_read", [7, 4_096])
def test_scores_are_those_of_reading_the_whole_prompt(tiny_model: Path, monkeypatch, tokens_per_read: int) -> None:
    monkeypatch.setattr("eval.prefix_scoring.TOKENS_PER_READ", tokens_per_read)
    model, draw = load_model(tiny_model, "float32"), torch.Generator().manual_seed(0)
    first = torch.randint(10, 300, (120,), generator=draw)
    other = torch.cat([first[:80], torch.randint(10, 300, (60,), generator=draw)])
    scorer = PrefixScorer(model)
    for ids in (first, other, first, first[:90], other):
        losses, hits = scorer.score_last(ids, 5)
        expected, expected_hits = score_tokens(model, ids[None], 5)
        torch.testing.assert_close(losses, expected[0], atol=1e-5, rtol=1e-5)
        assert torch.equal(hits, expected_hits[0])


def test_what_two_prompts_begin_with_is_read_once(tiny_model: Path) -> None:
    scorer = PrefixScorer(load_model(tiny_model, "float32"))
    ids = torch.arange(10, 110)
    scorer.score_last(ids, 5)
    changed = ids.clone()
    changed[60] = 9
    scorer.score_last(changed, 5)
    assert scorer.num_read == 100 + 40
    scorer.score_last(changed, 5)
    assert scorer.num_read == 140 + 6  # the scored tokens and the one before them


def test_the_tokens_of_an_answer_are_counted(tiny_model: Path) -> None:
    tokenizer = load_tokenizer(tiny_model)
    ids, num_answer = join_answer(tokenizer, "The fox sat on", " the wall")
    assert tokenizer.decode(ids[-num_answer:]) == " the wall"
