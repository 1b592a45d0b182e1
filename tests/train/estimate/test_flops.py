"""The paper's count of operations."""

import pytest
import torch
from transformers import AutoModelForCausalLM, DeepseekV3Config, GPT2Config, MixtralConfig

from tests.train.attention.s2_reference import row_mask
from train.estimate.flops import LLAMA_2_7B, count_forward_flops, count_pairs, read_architecture
from train.plan import load_base_config

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


def read(config):
    with torch.device("meta"):
        return read_architecture(AutoModelForCausalLM.from_config(config), config)


def test_the_sizes_of_a_model_are_read_off_its_weights():
    assert read(load_base_config("llama2-7b")) == LLAMA_2_7B


def test_of_a_mixture_only_the_experts_that_a_token_goes_through_count():
    found = read(MixtralConfig(num_hidden_layers=2, num_local_experts=8, num_experts_per_tok=2))
    assert found.feed_forward == 2 * (2 * 3 * 4096 * 14_336 + 8 * 4096)  # two experts and the router


def test_experts_that_every_token_goes_through_count_whole():
    sizes = {"num_hidden_layers": 1, "first_k_dense_replace": 0, "moe_intermediate_size": 16, "hidden_size": 32}
    found = read(DeepseekV3Config(**sizes, n_routed_experts=8, num_experts_per_tok=2, n_shared_experts=1))
    assert found.feed_forward == (2 + 1) * 3 * 32 * 16 + 8 * 32
    assert found.attention_width == 128 * (192 + 128) / 2  # queries and keys are wider than values


def test_a_model_without_gates_has_two_matrices():
    found = read(GPT2Config())
    assert found.feed_forward == 12 * 2 * 768 * 4 * 768
    assert found.projections == 12 * 4 * 768 * 768
    assert found.head == 50_257 * 768
