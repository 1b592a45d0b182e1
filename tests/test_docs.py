"""The documentation cannot go stale: what it names exists, and what exists it names."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from eval.ablation import parser as methods_parser
from pipeline.bench import build_parser
from pipeline.benchmarks.benchmark import all_benchmarks
from pipeline.cli import COMMANDS, STAGES
from pipeline.find import KINDS
from pipeline.find import build_parser as find_parser
from pipeline.storage.parquet import DOCUMENT_SCHEMA, EXAMPLE_SCHEMA, MIXED_SCHEMA
from train.bench import parser as bench_parser
from train.benchmarks.memory import parser as measure_parser
from train.plan import parser as plan_parser

MAKE_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reading(root: Path) -> str:
    return (root / "docs" / "reading.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def dataset(root: Path) -> str:
    return (root / "docs" / "dataset.md").read_text(encoding="utf-8")


def commands_of(text: str) -> list[list[str]]:
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip() and not line.startswith("#")]


def test_every_column_is_described(root: Path) -> None:
    text = (root / "docs" / "data-format.md").read_text(encoding="utf-8")
    for schema in (DOCUMENT_SCHEMA, EXAMPLE_SCHEMA, MIXED_SCHEMA):
        for name in schema.names:
            assert f"`{name}`" in text, name


def test_every_stage_is_in_the_readme(readme: str) -> None:
    for name in STAGES:
        assert f"`{name}`" in readme, name
    for name in COMMANDS:
        assert f"`longalpaca {name}`" in readme, name


def test_every_command_in_the_readme_exists(root: Path, readme: str) -> None:
    targets = set(MAKE_TARGET.findall((root / "Makefile").read_text()))
    checked = 0
    for words in commands_of(readme):
        checked += 1
        if words[0] == "make":
            assert set(words[1:]) <= targets, words
        elif words[:2] == ["longalpaca", "find"]:
            find_parser(words[2:3]).parse_args(words[2:])
        elif words[0] == "longalpaca":
            assert words[1] in {**STAGES, **COMMANDS}, words
        elif words[:3] == ["python", "-m", "train.plan"]:
            plan_parser().parse_args(words[3:])
        elif words[:2] == ["python", "-m"]:
            assert words[2] in STAGES.values(), words
        elif words[:2] == ["dvc", "repro"] and len(words) > 2:
            assert words[-1] in STAGES, words
        else:
            assert words[0] in {"git", "cd", "dvc", "source"}, words
    assert checked >= 5


def test_every_parameter_that_the_readme_sets_exists(root: Path, readme: str) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text())
    for setting in re.findall(r"-S ([\w.]+)=", readme):
        value = params
        for key in setting.split("."):
            assert key in value, setting
            value = value[key]


def test_every_file_of_the_readmes_tree_exists(root: Path, readme: str) -> None:
    tree = re.search(r"```text\n(.*?)```", readme, re.DOTALL)
    assert tree is not None
    folder = root
    for line in tree[1].splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = root / name if name.endswith("/") else root
            assert (root / name).exists(), name
        else:
            assert (folder / name).exists(), f"{folder}/{name}"


def test_every_command_about_reading_parses(reading: str) -> None:
    for words in commands_of(reading):
        assert words[:3] == ["python", "-m", "pipeline.bench"], words
        build_parser().parse_args(words[3:])


def test_every_benchmark_is_described(root: Path) -> None:
    texts = [file.read_text(encoding="utf-8") for file in sorted((root / "docs").glob("*.md"))]
    commands = [
        words for text in texts for words in commands_of(text) if words[:3] == ["python", "-m", "pipeline.bench"]
    ]
    assert {build_parser().parse_args(words[3:]).name for words in commands} == set(all_benchmarks())


def test_every_command_about_sources_parses_and_every_finder_is_described(root: Path) -> None:
    text = (root / "docs" / "sources.md").read_text(encoding="utf-8")
    for words in commands_of(text):
        if words[:2] == ["longalpaca", "find"]:
            find_parser(words[2:3]).parse_args(words[2:])
        elif words[0] == "python":
            assert build_parser().parse_args(words[3:]).name == "fetch"
        else:
            assert words[:3] == ["dvc", "exp", "run"], words
    assert all(f"`{kind}`" in text for kind in KINDS)


def test_every_command_about_training_parses(root: Path) -> None:
    text = "".join((root / "docs" / name).read_text(encoding="utf-8") for name in ("training.md", "reproducing.md"))
    inline = [shlex.split(command) for command in re.findall(r"`(python -m train\.[^`]*)`", text)]
    parsers = {
        "train.plan": plan_parser,
        "train.benchmarks.memory": measure_parser,
        "train.bench": bench_parser,
        "eval.ablation": methods_parser,
    }
    names = set()
    for words in [*commands_of(text), *inline]:
        if words[0] == "python" and "N" not in words:
            parsers[words[2]]().parse_args(words[3:])
            names.add(words[2])
        elif words[0] == "accelerate":
            assert (root / words[words.index("--config_file") + 1]).is_file()
            assert words[words.index("-m") + 1] in STAGES.values()
    assert names == set(parsers)


def test_every_command_about_the_dataset_parses(dataset: str) -> None:
    for words in commands_of(dataset):
        if words[:3] == ["python", "-m", "pipeline.bench"]:
            build_parser().parse_args(words[3:])
        elif words[0] == "longalpaca":
            assert words[1] in COMMANDS, words
        else:
            assert words[2] in STAGES.values(), words


def test_every_parameter_of_the_dataset_that_is_described_exists(root: Path, dataset: str) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text())
    named = re.findall(r"`(\w+)\.(\w+)(?:: \w+)?`", dataset)
    named = [(section, key) for section, key in named if section in params and key != "json"]
    assert len(named) > 20
    for section, key in named:
        assert key in params[section], f"{section}.{key}"


@pytest.mark.parametrize("folder", ["README.md", "docs"])
def test_links_lead_somewhere(root: Path, folder: str) -> None:
    files = [root / folder] if folder.endswith(".md") else sorted((root / folder).glob("*.md"))
    for file in files:
        for target in re.findall(r"\]\((?!http)([^)#]+)", file.read_text(encoding="utf-8")):
            assert (file.parent / target).exists(), f"{file.name}: {target}"
