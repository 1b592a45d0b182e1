"""The graph runs: every stage alone, the whole of it again without work, and on other documents."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM

from pipeline.cli import STAGES

pytestmark = pytest.mark.slow

MODEL = {
    "dtype": "float32",
    "quantized": None,
    "template": "chat",
    "max_context_tokens": 8_192,
    "max_cache_bytes": 10**8,
}
SAMPLING = {"max_tokens": 4, "temperature": 0.6, "top_p": 0.9, "seed": 2023}
PARAMS = {
    "extract": {"documents_per_shard": 4},
    "mix": {"num_long": 6, "num_short": 2, "num_test": 2, "max_tokens": 20_000},
    "perplexity": {"lengths": [64, 512], "num_documents": 2, "num_resamples": 100, "dtype": "float32"},
    "passkey": {"lengths": [300], "num_trials": 2, "dtype": "float32"},
    "needle": {"lengths": [1_200], "num_depths": 2, "num_haystacks": 1, "model": MODEL},
    "ruler": {"lengths": [1_500], "tasks": ["niah_single_1", "qa_1"], "max_reply_tokens": 4, "model": MODEL},
}
PARAMS["longqa"] = {"lengths": [1_500], "questions_per_document": 1, "sampling": SAMPLING, "model": MODEL}
PARAMS["demos"] = {"max_tokens": 1_500, "sampling": SAMPLING, "model": MODEL}
RECIPE = {
    "base": {"dtype": "float32"},
    "extend": {
        "max_length": 2_048,
        "rope": {"type": "linear", "factor": 8.0},
        "group_size": 128,
        "num_steps": 2,
        "dtype": "float32",
    },
    "sft": {"max_length": 2_048, "group_size": 512, "accumulation_steps": 2, "dtype": "float32"},
    "merge": {"dtype": "float32"},
}


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory, make_tiny_config, tiny_tokenizer) -> Path:
    """A copy of the repository, with a recipe for a tiny random model."""
    folder = tmp_path_factory.mktemp("project")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, folder / name)
    model = folder / "tiny-model"
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(make_tiny_config()).save_pretrained(model)
    tiny_tokenizer.save_pretrained(model)
    tokenizer = {"tokenizer": str(model)}
    changes = {**PARAMS, "extract": PARAMS["extract"] | tokenizer, "mix": PARAMS["mix"] | tokenizer}
    rewrite(folder / "params.yaml", folder / "params.yaml", {**changes, "recipe": "tiny"})
    recipes = folder / "train" / "recipes"
    rewrite(
        recipes / "smollm2-135m.yaml",
        recipes / "tiny.yaml",
        {**RECIPE, "base": {"source": str(model), "dtype": "float32"}},
    )
    for command in (
        ["init", "--quiet"],
        ["config", "user.name", "Test"],
        ["config", "user.email", "test@example.org"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "Start"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def rewrite(source: Path, target: Path, changes: dict[str, object]) -> None:
    """Write a YAML file anew with some values changed."""
    content = yaml.safe_load(source.read_text())
    for section, values in changes.items():
        content[section] = {**content[section], **values} if isinstance(values, dict) else values
    target.write_text(yaml.safe_dump(content))


def dvc(project: Path, *arguments: str) -> str:
    """Run DVC with the interpreter of the tests, and return what it printed."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_alone_once_those_before_it_have_run(project: Path, name: str) -> None:
    printed = dvc(project, "repro", "--single-item", name)
    assert f"Running stage '{name}'" in printed
    assert printed.count(f"\n{name}: ") == 1  # the closing line
    (out,) = yaml.safe_load((project / "dvc.yaml").read_text())["stages"][name]["outs"]
    out = out if isinstance(out, str) else next(iter(out))
    assert any((project / out.replace("${recipe}", "tiny")).iterdir())


def test_then_all_is_up_to_date_and_the_metrics_can_be_shown(project: Path) -> None:
    assert "Data and pipelines are up to date." in dvc(project, "repro")
    assert "perplexity" in dvc(project, "metrics", "show", "--json")
    assert (project / "data" / "report" / "report.html").stat().st_size > 10_000


def test_nothing_written_names_a_place_on_this_machine(project: Path) -> None:
    files = [
        path for path in (project / "data").rglob("*") if path.suffix in {".json", ".jsonl", ".md", ".html", ".csv"}
    ]
    assert len(files) > 20
    for path in files:
        assert str(project.parent) not in path.read_text(encoding="utf-8"), path


def test_another_sources_file_goes_through_the_same_graph_to_a_dataset(project: Path) -> None:
    folder = project / "mine"
    folder.mkdir()
    for source in sorted((project / "data" / "sample").rglob("*.*"))[:12]:
        if source.suffix in {".epub", ".txt", ".pdf", ".html"}:
            shutil.copy2(source, folder / source.name)
    entry = {"glob": "*", "category": "book", "licence": "CC0-1.0"}
    (folder / "sources.yaml").write_text(yaml.safe_dump([{**entry, "glob": f"*.{kind}"} for kind in kinds_in(folder)]))
    printed = dvc(project, "exp", "run", "mix", "-S", "fetch.sources=mine/sources.yaml")
    assert "Running stage 'mix'" in printed


def kinds_in(folder: Path) -> list[str]:
    return sorted({path.suffix.removeprefix(".") for path in folder.iterdir()})
