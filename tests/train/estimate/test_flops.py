"""The paper's count of operations."""

import pytest

from tests.train.attention.s2_reference import row_mask
from train.estimate.flops import LLAMA_2_7B, count_forward_flops, count_pairs

TABLE_11 = {  # tokens: total of full attention, total of S2-Attn, attention alone, in TFLOP
    8_192: (143.5, 117.1, 35.2),
    16_384: (357.2, 251.7, 140.7),
    32_768: (996.0, 573.8, 562.9),
    65_536: (3118.0, 1429.1, 2251.8),
}


@pytest.mark.parametrize("num_tokens", TABLE_11)
def test_every_total_of_table_11_is_met_within_a_fifth_of_a_tflop(num_tokens):
    full, sparse, attention = TABLE_11[num_tokens]
    parts = count_forward_flops(LLAMA_2_7B, num_tokens)
    assert sum(parts.values()) / 1e12 == pytest.approx(full, abs=0.2)
    assert parts["attention"] / 1e12 == pytest.approx(attention, abs=0.2)
    assert sum(
        count_forward_flops(LLAMA_2_7B, num_tokens, group_size=num_tokens // 4).values()
    ) / 1e12 == pytest.approx(sparse, abs=0.2)


@pytest.mark.parametrize(("num_tokens", "saved"), [(8_192, 0.107), (65_536, 0.433)])
def test_of_causal_attention_s2_saves_less(num_tokens, saved):
    full, sparse = (
        sum(count_forward_flops(LLAMA_2_7B, num_tokens, group_size=size, is_causal=True).values())
        for size in (None, num_tokens // 4)
    )
    assert 1 - sparse / full == pytest.approx(saved, abs=0.001)


@pytest.mark.parametrize(("num_tokens", "group_size"), [(64, 16), (61, 16), (7, 16), (40, 9)])
def test_causal_pairs_are_those_of_the_mask(num_tokens, group_size):
    mask = row_mask(2, group_size, [0] * num_tokens)
    assert count_pairs(num_tokens, group_size, is_causal=True) == mask.sum() / 2
