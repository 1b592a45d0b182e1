"""`import longalpaca` is enough, in any folder, in any order, and loads nothing heavy."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

MODEL = """
import torch
from transformers import AutoModelForCausalLM, LlamaConfig
config = LlamaConfig(vocab_size=64, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=4,
                     attn_implementation="s2")
config.s2_group_size = 8
model = AutoModelForCausalLM.from_config(config, attn_implementation="s2").train()
ids = torch.arange(32)[None]
model(ids, labels=ids, use_cache=False).loss.backward()
print(model.config._attn_implementation)
"""
COLLISIONS = ("train.py", "eval.py", "pipeline.py")


def run_script(folder: Path, text: str, root: Path, name: str = "train.py") -> str:
    (folder / name).write_text(text)
    command = [sys.executable, name]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": f"{folder}:{root}"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in COLLISIONS:
        (tmp_path / name).write_text(f"MINE = {name!r}\n")
    return tmp_path


@pytest.mark.parametrize("first", ["import longalpaca\n", "import transformers.modeling_utils, longalpaca\n"])
def test_a_script_called_train_trains_with_s2(root: Path, folder: Path, first: str) -> None:
    assert run_script(folder, first + MODEL, root) == "s2"


def test_the_users_own_modules_keep_their_names(root: Path, folder: Path) -> None:
    text = "import eval\nimport longalpaca\nlongalpaca.register()\nimport train, pipeline\nimport eval as again\n"
    text += "assert eval is again\nprint(train.MINE, eval.MINE, pipeline.MINE)"
    assert run_script(folder, text, root, "script.py") == "train.py eval.py pipeline.py"


def test_s2_attention_is_part_of_the_surface(root: Path, folder: Path) -> None:
    text = "import torch, longalpaca\nq = torch.ones(1, 2, 8, 4)\nprint(longalpaca.s2_attention(q, q, q, 4).shape)"
    assert run_script(folder, text, root) == "torch.Size([1, 2, 8, 4])"


def test_without_a_collision_the_modules_are_the_same(root: Path, tmp_path: Path) -> None:
    text = "import longalpaca, train.attention\nprint(longalpaca.s2_attention is train.attention.s2_attention)"
    assert run_script(tmp_path, text, root, "script.py") == "True"


def test_importing_it_loads_nothing_heavy(root: Path, tmp_path: Path) -> None:
    text = "import sys, longalpaca\nprint({'torch', 'transformers', 'pyarrow', 'pydantic'} & set(sys.modules))"
    assert run_script(tmp_path, text, root, "script.py") == "set()"


def test_the_version_is_that_of_the_project(root: Path, tmp_path: Path) -> None:
    assert run_script(tmp_path, "import longalpaca\nprint(longalpaca.__version__)", root, "s.py") == version(
        "longalpaca"
    )


def test_an_unknown_name_is_an_attribute_error(root: Path, tmp_path: Path) -> None:
    text = "import longalpaca\nprint(hasattr(longalpaca, 's3_attention'))"
    assert run_script(tmp_path, text, root, "script.py") == "False"
