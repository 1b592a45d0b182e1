"""The picture shows what the attention really sees."""

import numpy as np
import pytest
import torch

from tests.train.attention.s2_reference import segment_mask
from train.attention.visibility import draw_masks, our_mask, paper_mask
from train.benchmarks.attention import roll_and_regroup


@pytest.mark.parametrize("is_shifted", [False, True])
@pytest.mark.parametrize(("num_tokens", "group_size"), [(16, 4), (13, 5), (3, 4)])
def test_ours_is_the_mask_of_the_definition(num_tokens, group_size, is_shifted):
    wanted = segment_mask(num_tokens, group_size, is_shifted=is_shifted)
    assert np.array_equal(our_mask(num_tokens, group_size, is_shifted=is_shifted), wanted.int().numpy())


def test_the_original_is_what_gradients_through_roll_and_regroup_show():
    inputs = [torch.randn(1, 2, 16, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    out = roll_and_regroup(*inputs, 4)
    for head, is_shifted in ((0, False), (1, True)):
        drawn = paper_mask(16, 4, is_shifted=is_shifted)
        for query in range(16):
            (grad,) = torch.autograd.grad(out[0, head, query].sum(), inputs[2], retain_graph=True)
            assert np.array_equal(grad[0, head].abs().sum(-1).numpy() > 0, drawn[query] > 0)
    assert (paper_mask(16, 4, is_shifted=True) == 2).sum() == 4  # (G/2)^2
    assert (paper_mask(16, 4, is_shifted=False) < 2).all()


def test_the_picture_has_a_panel_for_each_half():
    assert [axis.get_title() for axis in draw_masks().axes] == [
        "plain heads, both",
        "shifted heads, Algorithm 1",
        "shifted heads, here",
    ]
