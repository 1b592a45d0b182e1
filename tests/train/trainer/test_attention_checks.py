"""What S2-Attn and packed rows cannot train is refused before any weight is loaded."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from pipeline.errors import InputError
from tests.train.test_stages import load_params
from tests.train.tiny_models import make_small_config, make_small_model
from train.sft import SftParams
from train.trainer.attention_checks import check_packing_of_loaded
from train.trainer.preflight import check_kind

MIXING = ("bamba", "falcon_h1", "jamba", "lfm2", "mamba", "minimax", "qwen3_next", "granitemoehybrid", "xlstm")
OTHER_CODE = ("falcon", "gpt_neox_japanese", "bloom", "mpt", "xglm", "stablelm")


@pytest.mark.parametrize("name", MIXING)
def test_packing_is_refused_for_layers_that_carry_a_state(name, tmp_path):
    params = load_params(SftParams, tmp_path, group_size=None)
    config = make_small_config(name)
    if name == "lfm2":
        config.layer_types = ["conv", "full_attention"]
    check_kind(params, config, "sft", is_packed=False)
    with pytest.raises(InputError, match=r"rows of several documents.*Set sft\.packing: false"):
        check_kind(params, config, "sft", is_packed=True)


@pytest.mark.parametrize("name", OTHER_CODE)
def test_attention_code_of_a_models_own_is_one_line(name, tmp_path):
    config = make_small_config(name)
    with pytest.raises(InputError, match=r"sft\.group_size: .*attention code of its own.*group_size: null"):
        check_kind(load_params(SftParams, tmp_path), config, "sft", is_packed=False)
    check_kind(load_params(SftParams, tmp_path, group_size=None), config, "sft", is_packed=False)


@pytest.mark.parametrize(
    ("name", "changes", "found"),
    [
        ("mistral", {"sliding_window": 100}, "a window of 100 tokens"),
        ("phi3", {"sliding_window": 159}, "a window of 159 tokens"),
        ("gemma3_text", {"sliding_window": 32}, "a window of 32 tokens"),
        ("gemma2", {"sliding_window": 4_096}, "soft-capped"),
        ("gpt_oss", {"sliding_window": 4_096}, "sinks"),
        ("mistral", {"sliding_window": 160}, None),
        ("qwen2", {"sliding_window": 4, "use_sliding_window": False}, None),
        ("gemma3_text", {"sliding_window": 32, "layer_types": ["full_attention"] * 2}, None),
    ],
)
def test_windows_that_are_narrower_than_a_row_are_refused(name, changes, found, tmp_path):
    config, params = make_small_config(name), load_params(SftParams, tmp_path)
    config.attn_logit_softcapping = 50.0 if name == "gemma2" else None
    for key, value in changes.items():
        setattr(config, key, value)
    if found is None:
        check_kind(params, config, "sft", is_packed=True)
        return
    with pytest.raises(InputError, match=rf"{found}.*Set group_size: null"):
        check_kind(params, config, "sft", is_packed=True)


@pytest.mark.parametrize("name", ["bart", "biogpt", "cpmant"])
def test_a_model_whose_documents_change_each_other_is_refused_when_it_is_loaded(name):
    with pytest.raises(InputError, match="in which a document changes the next one"):
        check_packing_of_loaded(make_small_model(name), is_packed=True, section="sft")


@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen3_moe", "granite"])
def test_a_model_that_keeps_documents_apart_is_packed(name):
    model = AutoModelForCausalLM.from_config(make_small_config(name), attn_implementation="sdpa")
    before = torch.get_rng_state()
    check_packing_of_loaded(model.train(), is_packed=True, section="sft")
    assert model.training
    assert torch.equal(torch.get_rng_state(), before)
