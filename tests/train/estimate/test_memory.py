"""Two layers and three give the peak of any number of layers, where all are alike."""

import pytest
from transformers import DeepseekV3Config, GPT2Config, GPTNeoXConfig

import train.estimate.memory
from train.estimate.memory import estimate_memory
from train.plan import load_base_config, load_section

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")
SMALL = {"num_hidden_layers": 4, "hidden_size": 32, "num_attention_heads": 4, "vocab_size": 64}
FULL = {"method": "full", "lora_targets": [], "fully_trained": [], "group_size": None, "mlp_tile": None}


def run_whole(monkeypatch, *arguments):
    monkeypatch.setattr(train.estimate.memory, "are_alike", lambda layers: False)
    return estimate_memory(*arguments)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"checkpointing": "none", "accumulation_steps": 1},
        {"checkpointing": "attention", "method": "qlora", "fully_trained": []},
        {"offload_activations": True},
        {"method": "full", "lora_targets": [], "fully_trained": []},
    ],
)
def test_the_extrapolated_peak_is_that_of_the_whole_model(monkeypatch, changes):
    params = load_section("smollm2-135m", "extend", changes)
    config = load_base_config("smollm2-135m")
    config.num_hidden_layers = 6
    found = estimate_memory(params, config, "extend", 1_024)
    assert found == run_whole(monkeypatch, params, config, "extend", 1_024)


def test_a_model_whose_layers_differ_is_run_whole(monkeypatch):
    config = DeepseekV3Config(
        **SMALL,
        intermediate_size=64,
        moe_intermediate_size=16,
        n_routed_experts=4,
        num_experts_per_tok=2,
        n_group=1,
        topk_group=1,
        first_k_dense_replace=1,
        q_lora_rank=8,
        kv_lora_rank=8,
    )
    low_rank = {"method": "lora", "lora_targets": ["q_a_proj"], "group_size": None, "mlp_tile": None}
    params = load_section("smollm2-135m", "extend", {**low_rank, "fully_trained": []})
    found = estimate_memory(params, config, "extend", 64)
    assert found == run_whole(monkeypatch, params, config, "extend", 64)


@pytest.mark.parametrize("config", [GPT2Config(**SMALL), GPTNeoXConfig(**SMALL, intermediate_size=64)])
def test_a_model_with_other_names_is_estimated_too(monkeypatch, config):
    params = load_section("smollm2-135m", "extend", FULL)
    found = estimate_memory(params, config, "extend", 64)
    assert found == run_whole(monkeypatch, params, config, "extend", 64)
