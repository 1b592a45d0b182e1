"""Several processes that share a model, or its rows, give the losses and weights of one, by `accelerate launch`."""

import json
import socket
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import train.extend
import train.merge
import train.sft
from pipeline.records import Document
from pipeline.storage.parquet import write_documents
from tests.train.test_stages import SENTENCE, jsonl, load_params, run, write_dataset
from tests.train.trainer.test_checkpoints import killing_after

CLOSE = 1e-5
KINDS = ("lora_A", "lora_B", "embed_tokens", "input_layernorm", "post_attention_layernorm", "model.norm")
FSDP = "tests/train/fsdp_on_cpu.py"
NODES = [["--num_machines", 2, "--machine_rank", rank, "--main_process_ip", "127.0.0.1"] for rank in (0, 1)]


@pytest.fixture
def model(tmp_path, tiny_config, tiny_tokenizer):
    """A tiny model with 8 heads, of which 4 share keys and values."""
    tiny_config.update({"tie_word_embeddings": False, "hidden_size": 32})
    tiny_config.update({"num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 4})
    torch.manual_seed(0)
    folder = tmp_path / "model"
    AutoModelForCausalLM.from_config(tiny_config).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", 8)


@pytest.fixture
def documents(tmp_path):
    rows = [Document(f"{n}", "book", f"{n}.txt", text=SENTENCE * (60 + 40 * n), split="train") for n in range(3)]
    write_documents(tmp_path / "documents/00.parquet", rows)
    return tmp_path / "documents"


def launch(root, stage, params, *, config="ddp", script="-m", processes=2, words=(), **paths):
    """Start a stage as a user does, once for each list of words; return what all said."""
    given = [f"--{name.replace('_', '-')}" + (f"={path}" if path else "") for name, path in paths.items()]
    launched = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "accelerate.commands.launch"),
                *("--config_file", str(root / f"train/accelerate/{config}.yaml")),
                *("--num_processes", str(processes), "--mixed_precision", "no"),
                *map(str, own or ["--main_process_port", 0]),
                *((script, stage) if script != "-m" else ("-m", f"train.{stage}")),
                *given,
                f"--params={params}",
            ],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for own in (words or [[]])
    ]
    everything = ""
    for process in launched:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said[-4_000:]
        everything += said
    return everything


def assert_same(one, two):
    """Compare the losses, and every weight that was written."""
    losses = [[row["loss"] for row in jsonl(folder / "log.jsonl")] for folder in (one, two)]
    assert losses[1] == pytest.approx(losses[0], abs=CLOSE)
    name = "adapter_model.safetensors" if (one / "adapter_model.safetensors").is_file() else "model.safetensors"
    weights = [load_file(folder / name) for folder in (one, two)]
    assert weights[0].keys() == weights[1].keys()
    for key, value in weights[0].items():
        torch.testing.assert_close(weights[1][key], value, rtol=0, atol=CLOSE)


@pytest.fixture
def free_port():
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def needs_deepspeed(config):
    if config.startswith("zero") and find_spec("deepspeed") is None:
        pytest.skip("DeepSpeed is not installed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "script", "words"),
    [
        pytest.param("fsdp2", FSDP, (), id="fsdp2"),
        pytest.param("fsdp2_offload", FSDP, (), id="fsdp2_offload", marks=pytest.mark.long),
        pytest.param("fsdp2_nodes", FSDP, NODES, id="fsdp2_nodes", marks=pytest.mark.long),
        pytest.param("zero2", "-m", (), id="zero2"),
        pytest.param("zero3", "-m", (), id="zero3"),
        pytest.param("zero3_offload", "-m", (), id="zero3_offload", marks=pytest.mark.long),
    ],
)
def test_two_processes_train_what_one_does(tmp_path, root, model, dataset, free_port, config, script, words):
    needs_deepspeed(config)
    run(train.sft, tmp_path, {"accumulation_steps": 2}, model=model, dataset=dataset, out=tmp_path / "one")
    load_params(train.sft.SftParams, tmp_path, accumulation_steps=1)
    words = [[*own, "--main_process_port", free_port] for own in words]
    paths = {"model": model, "dataset": dataset, "out": tmp_path / "two"}
    launch(root, "sft", tmp_path / "params.yaml", config=config, script=script, words=words, **paths)

    one, two = tmp_path / "one", tmp_path / "two"
    assert_same(one, two)
    weights = load_file(one / "adapter_model.safetensors")
    assert all(any(kind in key for key in weights) for kind in KINDS)
    said = [json.loads((folder / "metrics.json").read_text())["answer_nll"] for folder in (one, two)]
    assert said[1] == pytest.approx(said[0], abs=CLOSE)
    for name in ("one", "two"):
        run(train.merge, tmp_path, model=model, adapter=tmp_path / name, out=tmp_path / f"merged-{name}")
    one, two = (load_file(tmp_path / f"merged-{name}/model.safetensors") for name in ("one", "two"))
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=0, atol=CLOSE)


@pytest.mark.slow
def test_two_processes_go_on_where_one_was_killed(tmp_path, root, model, dataset):
    paths = {"model": model, "dataset": dataset, "out": tmp_path / "sft"}
    with killing_after(2):
        run(train.sft, tmp_path, {"accumulation_steps": 2}, **paths)
    run(train.sft, tmp_path, {"accumulation_steps": 2}, **{**paths, "out": tmp_path / "whole"})
    load_params(train.sft.SftParams, tmp_path, accumulation_steps=1)
    said = launch(root, "sft", tmp_path / "params.yaml", **paths, resume_anyway=None)
    assert "number of processes (1, now 2)" in said
    assert "goes on from" in said
    assert_same(tmp_path / "whole", tmp_path / "sft")


@pytest.mark.slow
@pytest.mark.parametrize(("config", "script"), [("ddp", "-m"), ("fsdp2", FSDP), ("zero3", "-m")])
@pytest.mark.parametrize(
    "group_size", [pytest.param(64, id="s2"), pytest.param(None, id="full", marks=pytest.mark.long)]
)
def test_two_processes_extend_on_rows_that_they_share(tmp_path, root, model, documents, config, script, group_size):
    needs_deepspeed(config)
    changes = {"max_length": 399, "group_size": group_size, "accumulation_steps": 2, "num_steps": 3}
    changes["checkpointing"] = "layers" if config == "zero3" else "attention"
    run(train.extend, tmp_path, changes, model=model, documents=documents, out=tmp_path / "one")
    load_params(train.extend.ExtendParams, tmp_path, **changes, sequence_parallel=2)
    paths = {"model": model, "documents": documents, "out": tmp_path / "two"}
    launch(root, "extend", tmp_path / "params.yaml", config=config, script=script, **paths)
    assert_same(tmp_path / "one", tmp_path / "two")
    said = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("one", "two")]
    assert said[1] == {key: pytest.approx(value, abs=CLOSE) for key, value in said[0].items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "packing", [pytest.param(False, id="padded", marks=pytest.mark.long), pytest.param(True, id="packed")]
)
def test_four_processes_tune_on_rows_that_pairs_share(tmp_path, root, model, dataset, packing):
    changes = {"packing": packing, "loss_weighting": "example", "batch_size": 2, "max_length": 251}
    run(train.sft, tmp_path, {**changes, "accumulation_steps": 2}, model=model, dataset=dataset, out=tmp_path / "one")
    load_params(train.sft.SftParams, tmp_path, **changes, accumulation_steps=1, sequence_parallel=2)
    paths = {"model": model, "dataset": dataset, "out": tmp_path / "two"}
    launch(root, "sft", tmp_path / "params.yaml", processes=4, **paths)
    assert_same(tmp_path / "one", tmp_path / "two")
