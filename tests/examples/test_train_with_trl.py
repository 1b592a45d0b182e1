"""The example that trains with plain TRL runs as it is, and saves a model that loads."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from transformers import AutoModelForCausalLM


@pytest.mark.slow
def test_plain_trl_trains_with_s2_and_saves_a_model_in_full_attention(tmp_path, root, tiny_model) -> None:
    rows = pd.DataFrame({"instruction": ["Who sat on the wall? The fox sat."] * 8, "output": ["The fox did."] * 8})
    rows.to_parquet(tmp_path / "train-00000.parquet")
    out = tmp_path / "out"
    options = ["--max-length", "64", "--group-size", "8", "--max-steps", "2"]
    command = [sys.executable, "examples/train_with_trl.py", str(tiny_model), str(tmp_path), str(out), *options]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    assert json.loads((out / "merged" / "config.json").read_text())["s2_group_size"] == 8
    assert AutoModelForCausalLM.from_pretrained(out / "merged").config._attn_implementation == "sdpa"
