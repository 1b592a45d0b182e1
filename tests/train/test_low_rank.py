"""An adapter split for a server of adapters is the same model, and each half says what it is."""

import json
import os
import subprocess

import pytest
import torch
from peft import AutoPeftModelForCausalLM, PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

import train.base
import train.merge
import train.sft
from pipeline.errors import InputError
from tests.train.test_stages import dataset, load_params, run  # noqa: F401

SERVE = """
import sys
from vllm import LLM, SamplingParams
from vllm.lora.request import LoRARequest

base, adapter = sys.argv[1:]
model = LLM(base, dtype="float32", enable_lora=True, enforce_eager=True, max_model_len=64, skip_tokenizer_init=True)
wish = SamplingParams(max_tokens=12, temperature=0.0, detokenize=False, ignore_eos=True, logprobs=1)
for request in (None, LoRARequest("tuned", 1, adapter)):
    found = model.generate({"prompt_token_ids": [5, 6, 7, 8]}, wish, lora_request=request)[0].outputs[0]
    print("FOUND", [list(found.token_ids), found.cumulative_logprob])
"""
ONE_PROCESS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
SERVED = {"hidden_size": 128, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64}  # sizes that vLLM has


@pytest.fixture
def tuned(tmp_path, tiny_model, dataset):
    """An adapter, and its model with the files of a licence."""
    (tiny_model / "LICENSE.txt").write_text("Do as you like.\n")
    (tiny_model / "USE_POLICY.md").write_text("No harm.\n")
    run(train.sft, tmp_path, {"learning_rate": 0.01}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    return tmp_path / "sft"


def split(tmp_path, model, adapter, **changes):
    params = load_params(train.merge.MergeParams, tmp_path, **changes)
    train.merge.run(params, model=model, adapter=adapter, out=tmp_path / "split", low_rank=True)
    return tmp_path / "split" / "base", tmp_path / "split" / "adapter"


def test_both_halves_together_are_the_model_that_was_trained(tmp_path, tiny_model, tuned, monkeypatch):
    base, adapter = split(tmp_path, tiny_model, tuned)
    ids = torch.randint(3, 300, (1, 20))
    expected = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), tuned)(ids).logits
    together = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)(ids).logits
    torch.testing.assert_close(together, expected, atol=1e-5, rtol=0)
    assert not torch.allclose(AutoModelForCausalLM.from_pretrained(base)(ids).logits, expected)
    monkeypatch.chdir(adapter)
    torch.testing.assert_close(AutoPeftModelForCausalLM.from_pretrained(adapter)(ids).logits, together)


def test_the_adapter_has_low_rank_updates_of_linear_layers_alone(tmp_path, tiny_model, tuned):
    _, adapter = split(tmp_path, tiny_model, tuned)
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["modules_to_save"] is None
    assert config["base_model_name_or_path"] == "../base"
    with safe_open(adapter / "adapter_model.safetensors", "pt") as tensors:
        assert all(name.endswith(("lora_A.weight", "lora_B.weight")) for name in tensors.keys())  # noqa: SIM118
    assert "license: apache-2.0" in (adapter / "README.md").read_text()


def test_the_files_of_a_licence_go_along_with_every_model(tmp_path, tiny_model, tuned):
    base, adapter = split(tmp_path, tiny_model, tuned, licence="llama3.1")
    run(train.merge, tmp_path, model=tiny_model, adapter=tuned, out=tmp_path / "merged")
    for folder in (tuned, base, adapter, tmp_path / "merged"):
        assert (folder / "LICENSE.txt").read_text() == "Do as you like.\n"
        assert (folder / "USE_POLICY.md").is_file()
    assert (base / "NOTICE").read_text().startswith("Llama 3.1 is licensed under")
    assert not (tmp_path / "merged" / "NOTICE").exists()


def test_what_was_trained_whole_cannot_be_split(tmp_path, tiny_model, dataset):
    whole = {"method": "full", "lora_targets": [], "fully_trained": []}
    run(train.sft, tmp_path, whole, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    with pytest.raises(InputError, match="no low-rank update"):
        split(tmp_path, tiny_model, tmp_path / "sft")
    assert not (tmp_path / "split").exists()


def test_a_model_without_rotary_positions_gets_a_card(tmp_path):
    params = load_params(train.merge.MergeParams, tmp_path)
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=32, n_head=2, vocab_size=64))
    assert "| RoPE | `null` |" in train.merge.write_model_card(model, tmp_path, params, torch.zeros(2))


def test_a_quantised_base_is_one_line(tmp_path, tiny_model, dataset):
    config = json.loads((tiny_model / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4, "group_size": 128}
    (tiny_model / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="quantised by gptq"):
        run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


@pytest.mark.long
def test_vllm_serves_the_halves(tmp_path, tiny_model, tiny_config, dataset):
    python = os.environ.get("LONGALPACA_VLLM_PYTHON")
    if not python:
        pytest.skip("set LONGALPACA_VLLM_PYTHON to the Python of an environment with vllm or vllm-cpu")
    tiny_config.update(SERVED)
    AutoModelForCausalLM.from_config(tiny_config).save_pretrained(tiny_model)
    run(train.sft, tmp_path, {"learning_rate": 0.01}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    base, adapter = split(tmp_path, tiny_model, tmp_path / "sft")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ONE_PROCESS
    command = [python, "-c", SERVE, base, adapter]
    served = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert served.returncode == 0, served.stderr
    lines = [json.loads(line.removeprefix("FOUND ")) for line in served.stdout.splitlines() if "FOUND" in line]
    plain = AutoModelForCausalLM.from_pretrained(base)
    models = [plain, PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)]
    for model, (tokens, score) in zip(models, lines, strict=True):
        ids = torch.tensor([[5, 6, 7, 8, *tokens]])
        scores = model(ids).logits.log_softmax(-1)[0, 3:-1].gather(1, ids[0, 4:, None])
        assert scores.sum().item() == pytest.approx(score, abs=1e-3)
    assert lines[0][1] != pytest.approx(lines[1][1], abs=0.1)
