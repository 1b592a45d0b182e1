"""Positions are scaled as asked, on top of what the model has, and saved with it."""

import math

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from transformers import AutoConfig, Gemma3TextConfig, GPT2Config, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from pipeline.errors import InputError
from train.rope import RopeParams, ScaledRope, ThetaRope, count_positions, scale_rope

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128,
}


def config(**parameters):
    parameters = parameters or {"rope_type": "default", "rope_theta": 10_000.0}
    return LlamaConfig(hidden_size=64, num_attention_heads=2, max_position_embeddings=1024, rope_parameters=parameters)


def frequencies(of):
    return LlamaRotaryEmbedding(of).inv_freq


def test_linear_divides_every_frequency():
    scaled = config()
    scale_rope(scaled, ScaledRope(type="linear", factor=4.0), max_length=4096)
    torch.testing.assert_close(frequencies(scaled), frequencies(config()) / 4)
    assert scaled.max_position_embeddings == 4096
    assert scaled.rope_parameters["rope_theta"] == 10_000.0


def test_yarn_keeps_the_fast_frequencies_and_divides_the_slow_ones():
    scaled = config()
    scale_rope(scaled, ScaledRope(type="yarn", factor=4.0), max_length=4096)
    ratio = frequencies(config()) / frequencies(scaled)
    assert ratio[0] == pytest.approx(1.0)
    assert ratio[-1] == pytest.approx(4.0)
    assert scaled.rope_parameters["original_max_position_embeddings"] == 1024


@pytest.mark.parametrize(
    ("kind", "old"),
    [
        ("linear", {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}),
        ("yarn", {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0, "original_max_position_embeddings": 512}),
        ("llama3", LLAMA3),
    ],
)
def test_a_model_that_is_scaled_already_is_scaled_further(kind, old):
    scaled = config(**old)
    scale_rope(scaled, ScaledRope(type=kind, factor=4.0), max_length=4096)
    assert scaled.rope_parameters == {**old, "factor": old["factor"] * 4}
    assert scaled.max_position_embeddings == 4096


def test_a_factor_of_one_changes_nothing():
    scaled = config()
    scale_rope(scaled, ScaledRope(type="yarn", factor=1.0), max_length=1024)
    assert scaled.to_dict() == config().to_dict()


def test_a_scheme_is_never_overwritten_with_another():
    with pytest.raises(InputError, match="scaled by 'llama3'; expected type llama3"):
        scale_rope(config(**LLAMA3), ScaledRope(type="linear", factor=2.0), max_length=1024)


def test_too_small_a_factor_names_the_one_that_is_needed():
    with pytest.raises(InputError, match=r"Set the factor to 5\.0"):
        scale_rope(config(), ScaledRope(type="yarn", factor=2.0), max_length=4_097)


def test_a_factor_below_one_is_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        ScaledRope(type="yarn", factor=0.5)


def test_a_model_without_rotary_positions_is_refused():
    with pytest.raises(InputError, match="rotary"):
        scale_rope(GPT2Config(), ScaledRope(type="yarn", factor=2.0), max_length=16)


def test_the_scaling_is_saved_with_the_model(tmp_path):
    scaled = config()
    scale_rope(scaled, ScaledRope(type="yarn", factor=4.0), max_length=4096)
    scaled.save_pretrained(tmp_path)
    assert torch.equal(frequencies(AutoConfig.from_pretrained(tmp_path)), frequencies(scaled))


def test_theta_replaces_the_base_and_nothing_else():
    scaled = config()
    scale_rope(scaled, ThetaRope(type="theta", factor=4.0, theta=500_000.0), max_length=4096)
    assert scaled.rope_parameters == {"rope_type": "default", "rope_theta": 500_000.0}
    assert scaled.max_position_embeddings == 4096
    assert frequencies(scaled)[0] == frequencies(config())[0]
    assert frequencies(scaled)[-1] < frequencies(config())[-1]


@pytest.mark.parametrize("rope", [{"type": "theta", "factor": 2.0}, {"type": "linear", "factor": 2.0, "theta": 1e6}])
def test_theta_belongs_to_its_own_type(rope):
    with pytest.raises(ValidationError, match=r"theta"):
        TypeAdapter(RopeParams).validate_python(rope)


def test_dynamic_positions_grow_with_the_row_and_reach_the_factor():
    scaled = config()
    scale_rope(scaled, ScaledRope(type="dynamic", factor=4.0), max_length=4096)
    assert scaled.max_position_embeddings == 1024
    assert count_positions(scaled) == 4096
    rotary = LlamaRotaryEmbedding(scaled)
    plain = rotary.inv_freq.clone()
    rotary(torch.zeros(1, 1, 64), torch.arange(4096)[None])
    assert torch.equal(plain, frequencies(config()))
    assert rotary.inv_freq[-1] < plain[-1]


def test_a_dynamic_model_is_scaled_further():
    scaled = config(rope_type="dynamic", rope_theta=1e4, factor=2.0)
    assert count_positions(scaled) == 2048
    scale_rope(scaled, ScaledRope(type="dynamic", factor=2.0), max_length=4096)
    assert count_positions(scaled) == 4096


def test_longrope_divides_its_long_frequencies_and_keeps_the_short_ones():
    old = {
        "rope_type": "longrope",
        "rope_theta": 10_000.0,
        "short_factor": [1.0] * 16,
        "long_factor": [float(number) for number in range(1, 17)],
        "original_max_position_embeddings": 256,
    }
    scaled = config(**old)
    scale_rope(scaled, ScaledRope(type="longrope", factor=2.0), max_length=2048)
    rotary, before = LlamaRotaryEmbedding(scaled), LlamaRotaryEmbedding(config(**old))
    assert rotary.attention_scaling == pytest.approx(math.sqrt(1 + math.log(8) / math.log(256)))
    assert torch.equal(rotary.inv_freq, before.inv_freq)
    for one in (rotary, before):
        one(torch.zeros(1, 1, 64), torch.arange(512)[None])
    torch.testing.assert_close(rotary.inv_freq, before.inv_freq / 2)


def test_longrope_cannot_be_begun():
    with pytest.raises(InputError, match="type longrope for a model scaled by 'default'; expected linear, dyn"):
        scale_rope(config(), ScaledRope(type="longrope", factor=2.0), max_length=1024)


def test_only_the_layers_that_attend_to_the_whole_row_are_scaled():
    kinds = {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        "full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0},
    }
    scaled = Gemma3TextConfig(num_hidden_layers=6, max_position_embeddings=1024, rope_parameters=kinds)
    scale_rope(scaled, ScaledRope(type="linear", factor=2.0), max_length=2048)
    assert scaled.rope_parameters["sliding_attention"] == kinds["sliding_attention"]
    assert scaled.rope_parameters["full_attention"]["factor"] == 16.0
    assert scaled.max_position_embeddings == 2048


def test_the_attention_factor_of_yarn_follows_its_factor():
    twice = config(
        rope_type="yarn",
        rope_theta=10_000.0,
        factor=4.0,
        attention_factor=0.1 * math.log(4) + 1,
        original_max_position_embeddings=1024,
    )
    scale_rope(twice, ScaledRope(type="yarn", factor=4.0), max_length=4096)
    assert twice.rope_parameters["factor"] == 16.0
    assert LlamaRotaryEmbedding(twice).attention_scaling == pytest.approx(0.1 * math.log(16) + 1)
