"""The documentation cannot go stale: what it names exists, and what exists it names."""

import importlib
import importlib.util
import inspect
import re
import shlex
from pathlib import Path

import pytest
import yaml

from eval.ablation import parser as methods_parser
from eval.answer import parser as answer_parser
from eval.chat import parser as chat_parser
from pipeline.bench import build_parser
from pipeline.benchmarks.benchmark import all_benchmarks
from pipeline.cli import MODULES, STAGES, TRAINING_BENCHMARKS
from pipeline.find import KINDS
from pipeline.find import build_parser as find_parser
from pipeline.storage.parquet import DOCUMENT_SCHEMA, EXAMPLE_SCHEMA, MIXED_SCHEMA
from train.bench import parser as bench_parser
from train.benchmarks.memory import parser as memory_parser
from train.plan import parser as plan_parser

ROOT = Path(__file__).parent.parent
PARSERS = {"plan": plan_parser, "methods": methods_parser, "chat": chat_parser, "answer": answer_parser}
MAKE_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


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


PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def check_command(words: list[str], root: Path) -> None:
    """Parse a command of ours as the program would; commands of others are theirs."""
    program, rest = words[0], words[1:]
    if program == "make":
        targets = MAKE_TARGET.findall((root / "Makefile").read_text())
        assert {word for word in rest if "=" not in word} <= set(targets), words
    elif program == "longalpaca":
        check_longalpaca(rest)
    elif words[:2] == ["python", "-m"] and words[2].split(".")[0] in ("pipeline", "train", "eval"):
        assert words[2] in STAGES.values() or (root / f"{words[2].replace('.', '/')}.py").is_file(), words
    elif words[:2] == ["dvc", "repro"] and len(words) > 2:
        assert words[-1] in STAGES, words
    elif program == "accelerate":
        assert (root / words[words.index("--config_file") + 1]).is_file(), words
        assert words[words.index("-m") + 1] in STAGES.values(), words


def check_longalpaca(words: list[str]) -> None:
    command, options = words[0], words[1:]
    if "N" in options or "--help" in words or "COMMAND" in words:
        return
    if len(options) < 2:  # named in a sentence, not run
        assert command in MODULES, words
        assert command != "bench" or not options or options[0] in {*all_benchmarks(), *TRAINING_BENCHMARKS}, words
        return
    if command == "find":
        find_parser(options[:1]).parse_args(options)
    elif command == "bench" and options[0] == "memory":
        memory_parser().parse_args(options[1:])
    elif command == "bench":
        (bench_parser if options[0] in TRAINING_BENCHMARKS else build_parser)().parse_args(options)
    elif command in PARSERS:
        PARSERS[command]().parse_args(options)
    else:
        known = inspect.signature(importlib.import_module(MODULES[command]).run).parameters
        given = {word.removeprefix("--").replace("-", "_") for word in options if word.startswith("--")}
        assert given <= {*known, "params"}, words


@pytest.mark.parametrize("page", PAGES)
def test_every_command_parses(root: Path, page: str) -> None:
    text = (root / page).read_text(encoding="utf-8")
    inline = [shlex.split(command) for command in re.findall(r"`((?:longalpaca|make) [^`…]*)`", text)]
    for words in [*commands_of(text), *inline]:
        check_command(words, root)


def test_every_benchmark_and_finder_is_described(root: Path) -> None:
    text = "".join((root / page).read_text(encoding="utf-8") for page in PAGES)
    for name in (*all_benchmarks(), *TRAINING_BENCHMARKS):
        assert f"longalpaca bench {name}" in text, name
    sources = (root / "docs" / "sources.md").read_text(encoding="utf-8")
    assert all(f"`{kind}`" in sources for kind in KINDS)


def test_every_command_is_in_the_readme(readme: str) -> None:
    for name in MODULES:
        assert f"`{name}`" in readme or f"longalpaca {name}" in readme, name


def test_every_parameter_that_the_readme_sets_exists(root: Path, readme: str) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text())
    for setting in re.findall(r"-S ([\w.]+)=", readme):
        value = params
        for key in setting.split("."):
            assert key in value, setting
            value = value[key]


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(root: Path, page: str) -> None:
    text = (root / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:pipeline|train|eval|longalpaca|tests)/[\w./-]+)`", text)
    assert not [path for path in named if not (root / path).exists() and "NAME" not in path]


@pytest.mark.parametrize(
    ("page", "place", "make"), [("README.md", "TREE", "tree"), ("docs/architecture.md", "GRAPH", "graph")]
)
def test_what_is_drawn_is_the_code(root: Path, page: str, place: str, make: str) -> None:
    spec = importlib.util.spec_from_file_location("structure", root / ".ci" / "structure.py")
    assert spec is not None
    structure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(structure)
    found = getattr(structure, place).search((root / page).read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == getattr(structure, make)(root), f"run .ci/structure.py --{make} --write"


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
