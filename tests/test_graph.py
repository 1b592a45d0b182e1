"""dvc.yaml, params.yaml and the modules tell one story."""

import ast
import importlib
import inspect
import shlex
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml

from eval.chat_page.params import ChatParams
from pipeline.cli import COMMANDS, STAGES
from pipeline.code_digest import OWN_PACKAGES, imported_code
from train.recipe import RecipeParams

TEMPLATES = {  # beside flat modules
    "eval/report.py": ("eval/report.html",),
    "train/merge.py": ("train/model_card.md", "train/adapter_card.md"),
}


@pytest.fixture(scope="module")
def graph(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "dvc.yaml").read_text())["stages"]


def command_of(stage: dict[str, Any]) -> list[str]:
    return shlex.split(stage["cmd"])


def options_of(stage: dict[str, Any]) -> dict[str, str]:
    words = command_of(stage)[3:]
    return {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}


def test_the_graph_has_every_stage_in_order(graph) -> None:
    assert list(graph) == list(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_its_own_module(graph, name: str) -> None:
    assert command_of(graph[name])[:3] == ["python", "-m", STAGES[name]]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_own_section_and_what_recipes_share_with_it(graph, name: str) -> None:
    sections = graph[name]["params"]
    params = get_type_hints(importlib.import_module(STAGES[name]).run)["params"]
    if issubclass(params, RecipeParams):
        shared = sorted(params.shared_sections())
        own, others = sections
        assert own == {"train/recipes/${recipe}.yaml": [name]}
        assert {file: sorted(names) for file, names in others.items()} == {"train/recipes/shared.yaml": shared}
    else:
        assert sections == [name]


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


def has_code(file: Path) -> bool:
    """Whether there is more in a file than its docstring."""
    body = ast.parse(file.read_text()).body
    return not all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def covering(file: Path, root: Path) -> str:
    """The package below `pipeline`, `train` or `eval` that a file is in, or the file where it lies flat."""
    parts = file.relative_to(root).parts
    return "/".join(parts[:2])


@pytest.mark.parametrize("name", STAGES)
def test_the_code_dependencies_are_the_packages_and_modules_that_are_imported(graph, root: Path, name: str) -> None:
    files = {file for file in imported_code(STAGES[name])[0] if file.parent.parent != root or has_code(file)}
    data = {template for file, templates in TEMPLATES.items() if root / file in files for template in templates}
    listed = [dep for dep in graph[name]["deps"] if dep.startswith(tuple(f"{package}/" for package in OWN_PACKAGES))]
    assert sorted(listed) == sorted({covering(file, root) for file in files} | data)


def test_params_yaml_has_no_section_that_no_stage_reads(root: Path) -> None:
    sections = set(yaml.safe_load((root / "params.yaml").read_text())) - {"recipe"}
    recipe = set(yaml.safe_load((root / "train/recipes/smollm2-135m.yaml").read_text()))
    commands = {module.rpartition(".")[2] for module in COMMANDS.values()}
    assert sections | recipe == set(STAGES) | commands | {ChatParams.section}
    assert not sections & recipe
