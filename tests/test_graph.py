"""dvc.yaml, params.yaml and the modules tell one story."""

import importlib
import inspect
import shlex
from pathlib import Path
from typing import Any, get_type_hints

import grimp
import pytest
import yaml

from pipeline.cli import COMMANDS, STAGES

PACKAGES = ("pipeline", "train", "eval")
TEMPLATES = {
    "eval/report.py": "eval/report.html",
    "pipeline/card.py": "pipeline/card.md",
    "pipeline/evidence_page.py": "pipeline/evidence_page.html",
    "pipeline/preview.py": "pipeline/preview.html",
    "train/merge.py": "train/model_card.md",
}


@pytest.fixture(scope="module")
def graph(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "dvc.yaml").read_text())["stages"]


@pytest.fixture(scope="module")
def imports():
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def command_of(stage: dict[str, Any]) -> list[str]:
    return shlex.split(stage["cmd"])


def options_of(stage: dict[str, Any]) -> dict[str, str]:
    words = command_of(stage)[3:]
    return {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}


def file_of(module: str, root: Path) -> Path:
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_the_graph_has_every_stage_in_order(graph) -> None:
    assert list(graph) == list(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_its_own_module(graph, name: str) -> None:
    assert command_of(graph[name])[:3] == ["python", "-m", STAGES[name]]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_own_section_alone(graph, name: str) -> None:
    sections = graph[name]["params"]
    section = sections[0]
    assert len(sections) == 1
    assert section == name or section == {"train/recipes/${recipe}.yaml": [name]}


@pytest.mark.parametrize("name", STAGES)
def test_the_section_is_named_after_the_stage(name: str) -> None:
    params = get_type_hints(importlib.import_module(STAGES[name]).run)["params"]
    assert params.section == name


@pytest.mark.parametrize("name", STAGES)
def test_every_option_is_in_the_command_and_every_path_is_a_dependency_or_an_output(graph, name: str) -> None:
    options = options_of(graph[name])
    run = importlib.import_module(STAGES[name]).run
    hints = get_type_hints(run)
    parameters = inspect.signature(run).parameters.items()
    names = [n for n, p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY and hints[n] is not bool]
    assert sorted(options) == sorted(option.replace("_", "-") for option in names)
    (output,) = graph[name]["outs"]
    assert (output if isinstance(output, str) else next(iter(output))) == options.pop("out")
    for path in options.values():
        assert any(dep == path or dep.startswith(f"{path}/") for dep in graph[name]["deps"]), path


@pytest.mark.parametrize("name", STAGES)
def test_the_code_dependencies_are_the_modules_that_are_imported(graph, imports, root: Path, name: str) -> None:
    module = STAGES[name]
    modules = {module, *imports.find_upstream_modules(module)}
    if "pipeline.tasks.task" in modules:  # which imports every module of its folder by name
        tasks = imports.find_descendants("pipeline.tasks")
        modules |= tasks.union(*(imports.find_upstream_modules(task) for task in tasks))
    modules |= {name.rsplit(".", level)[0] for name in modules for level in range(1, name.count(".") + 1)}
    imported = {path for path in (file_of(m, root) for m in modules) if path.read_text().strip()}
    listed = [root / dep for dep in graph[name]["deps"] if dep.startswith(tuple(f"{package}/" for package in PACKAGES))]
    files = [
        file for dep in listed for file in (dep.rglob("*.py") if dep.is_dir() else [dep]) if file.read_text().strip()
    ]
    data = {root / template for file, template in TEMPLATES.items() if root / file in imported}
    assert sorted(files) == sorted(imported | data)


def test_params_yaml_has_no_section_that_no_stage_reads(root: Path) -> None:
    sections = set(yaml.safe_load((root / "params.yaml").read_text())) - {"recipe"}
    recipe = set(yaml.safe_load((root / "train/recipes/smollm2-135m.yaml").read_text()))
    commands = {module.rpartition(".")[2] for module in COMMANDS.values()}
    assert sections | recipe == set(STAGES) | commands
    assert not sections & recipe
