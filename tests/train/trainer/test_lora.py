"""LoRA+ trains what it says, and nothing of it is lost by saving or merging, tied or not."""

import json

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from pipeline.errors import InputError
from train.recipe import LoraParams
from train.trainer.lora import add_lora, count_trainable, merge_adapter, save_adapter

# PEFT still asks transformers by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")

PARAMS = LoraParams(
    method="lora",
    lora_rank=2,
    lora_alpha=4,
    lora_dropout=0.0,
    lora_targets=["q_proj", "k_proj", "v_proj", "o_proj"],
    fully_trained=["embed_tokens", "norm", "input_layernorm", "post_attention_layernorm"],
)
IDS = torch.arange(40)[None]


def trained(config, params=PARAMS):
    """Return an adapted model all of whose trainable parameters have moved."""
    torch.manual_seed(0)
    model = add_lora(AutoModelForCausalLM.from_config(config), params, "sft").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model


@pytest.mark.parametrize("is_tied", [True, False])
def test_saved_and_merged_models_give_the_same_logits(tiny_config, tmp_path, is_tied):
    tiny_config.tie_word_embeddings = is_tied
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_config(tiny_config)
    base.save_pretrained(tmp_path / "base")
    model = trained(tiny_config)
    wanted = model(IDS).logits
    save_adapter(model, tmp_path / "adapter")

    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    loaded = PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    assert torch.equal(loaded(IDS).logits, wanted)

    merge_adapter(loaded, torch.float32).save_pretrained(tmp_path / "merged")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    torch.testing.assert_close(again(IDS).logits, wanted, rtol=1e-4, atol=1e-5)
    assert again.config.tie_word_embeddings == is_tied
    assert (again.lm_head.weight is again.model.embed_tokens.weight) == is_tied


def test_trainable_parameters_are_counted_by_kind(tiny_config):
    counts = count_trainable(trained(tiny_config))
    heads, width, layers = 36, 36, 4
    lora = layers * 2 * (2 * (width + heads) + 2 * (width + 12))
    norm = (2 * layers + 1) * width
    embedding = tiny_config.vocab_size * width
    assert counts == {
        "lora": lora,
        "norm": norm,
        "embedding": embedding,
        "other": 0,
        "total": lora + norm + embedding,
    }


def test_what_is_trained_is_kept_in_float32_and_the_rest_is_not(tiny_config):
    torch.manual_seed(0)
    model = add_lora(AutoModelForCausalLM.from_config(tiny_config).bfloat16(), PARAMS, "sft")
    for parameter in model.parameters():
        assert parameter.dtype == (torch.float32 if parameter.requires_grad else torch.bfloat16)


@pytest.mark.parametrize("key", ["lora_targets", "fully_trained"])
def test_a_module_that_does_not_exist_is_named_with_those_that_do(tiny_config, key):
    params = PARAMS.model_copy(update={key: ["query_key_value"]})
    with pytest.raises(InputError, match=rf"sft\.{key}: found 'query_key_value'.*k_proj.*q_proj"):
        trained(tiny_config, params)


def test_equal_adapters_are_equal_files_with_one_order(tiny_config, tmp_path):
    for name in ("one", "two"):
        save_adapter(trained(tiny_config), tmp_path / name)
    files = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert files == ["adapter_config.json", "adapter_model.safetensors"]
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    config = json.loads((tmp_path / "one" / "adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])
