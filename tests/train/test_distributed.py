"""Two processes that share a model give the losses and the weights of one, through the real `accelerate launch`."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import train.merge
import train.sft
from pipeline.records import write_mixed
from tests.train.test_stages import jsonl, mixed, params_of, run

CLOSE = 1e-5
CONFIGS = [
    pytest.param("fsdp2", "tests/train/fsdp_on_cpu.py", id="fsdp2"),
    pytest.param("zero2", "-m", id="zero2"),
    pytest.param("zero3", "-m", id="zero3"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("config", "script"), CONFIGS)
def test_two_processes_train_what_one_does(tmp_path, root, tiny_config, tiny_tokenizer, config, script):
    if config.startswith("zero") and find_spec("deepspeed") is None:
        pytest.skip("DeepSpeed is not installed")
    tiny_config.tie_word_embeddings = False
    torch.manual_seed(0)
    model, dataset = tmp_path / "model", tmp_path / "dataset"
    AutoModelForCausalLM.from_config(tiny_config).save_pretrained(model)
    tiny_tokenizer.save_pretrained(model)
    write_mixed(dataset / "train.parquet", [mixed(n) for n in range(8)])
    write_mixed(dataset / "test.parquet", [mixed(n) for n in range(8, 10)])

    run(train.sft, tmp_path, {"accumulation_steps": 2}, model=model, dataset=dataset, out=tmp_path / "one")
    params_of(train.sft.SftParams, tmp_path, accumulation_steps=1)
    words = [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        *("--config_file", root / f"train/accelerate/{config}.yaml", "--num_processes", 2),
        *("--mixed_precision", "no", "--main_process_port", 0),
        *([script, "sft"] if script != "-m" else ["-m", "train.sft"]),
        *("--model", model, "--dataset", dataset, "--out", tmp_path / "two", "--params", tmp_path / "params.yaml"),
    ]
    done = subprocess.run([str(word) for word in words], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]

    one, two = (jsonl(tmp_path / name / "log.jsonl") for name in ("one", "two"))
    assert [row["loss"] for row in two] == pytest.approx([row["loss"] for row in one], abs=CLOSE)
    one, two = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("one", "two"))
    for moment in ("before", "after"):
        assert two["answer_nll"][moment] == pytest.approx(one["answer_nll"][moment], abs=CLOSE)

    one, two = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for kind in ("lora_A", "lora_B", "embed_tokens", "input_layernorm", "post_attention_layernorm", "model.norm"):
        assert any(kind in key for key in one), kind
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=0, atol=CLOSE)
    for name in ("one", "two"):
        run(train.merge, tmp_path, model=model, adapter=tmp_path / name, out=tmp_path / f"merged-{name}")
    one, two = (load_file(tmp_path / f"merged-{name}/model.safetensors") for name in ("one", "two"))
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=0, atol=CLOSE)
