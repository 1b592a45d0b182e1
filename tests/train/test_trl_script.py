"""TRL's own training script, with nothing of ours but the attention."""

import json
import subprocess
import sys

import pytest

WITH_S2 = 'import runpy, train.attention; runpy.run_module("trl.scripts.sft", run_name="__main__")'


def first_losses(tmp_path, root, model, attention):
    """Run TRL's script for two steps on packed rows and return its losses."""
    out = tmp_path / attention
    options = {
        "model_name_or_path": model,
        "attn_implementation": attention,
        "dataset_name": tmp_path / "rows",
        "output_dir": out,
        "max_steps": 2,
        "save_steps": 2,
        "logging_steps": 1,
        "max_length": 64,
        "per_device_train_batch_size": 1,
        "report_to": "none",
        "bf16": "false",
        "use_cpu": "true",
        "packing": "true",
        "use_peft": "true",
        "disable_tqdm": "true",
        "seed": 1,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-W", "ignore", "-c", WITH_S2, *words]
    subprocess.run(command, check=True, cwd=root, capture_output=True)
    history = json.loads((out / "checkpoint-2" / "trainer_state.json").read_text())["log_history"]
    return [entry["loss"] for entry in history if "loss" in entry]


@pytest.mark.slow
def test_trls_own_script_trains_with_the_attention(tmp_path, root, tiny_model):
    config = tiny_model / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"s2_group_size": 8}))
    rows = tmp_path / "rows" / "train.jsonl"
    rows.parent.mkdir()
    rows.write_text("".join(json.dumps({"text": f"The fox sat on wall {n}. " * 4}) + "\n" for n in range(20)))
    sparse, full = (first_losses(tmp_path, root, tiny_model, name) for name in ("s2", "sdpa"))
    assert len(sparse) == len(full) == 2
    assert sparse != full
    assert all(abs(one - other) < 0.5 for one, other in zip(sparse, full, strict=True))
