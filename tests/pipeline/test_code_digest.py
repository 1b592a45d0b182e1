"""The key of finished work changes with the code that made it, and with no other."""

import shutil
from pathlib import Path

import grimp
import pytest

import pipeline.code_digest as code_digest
from pipeline.cli import STAGES
from pipeline.code_digest import OWN_PACKAGES, digest_code, imported_code

FOUND_BY_NAME = {  # modules that import every module of their folder by name
    "pipeline.tasks.task": "pipeline.tasks",
    "pipeline.readers.formats.format": "pipeline.readers.formats",
    "eval.report_parts.part": "eval.report_parts",
    "eval.demonstrations.case": "eval.demonstrations",
}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(*OWN_PACKAGES, cache_dir=None)


@pytest.fixture
def copy(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the code that digests are taken of."""
    for package in OWN_PACKAGES:
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_digest, "ROOT", tmp_path)
    digest_code.cache_clear()
    yield tmp_path
    digest_code.cache_clear()


def digest_after(path: Path, text: str, module: str) -> str:
    path.write_text(text + path.read_text())
    digest_code.cache_clear()
    return digest_code(module)


@pytest.mark.parametrize("name", STAGES)
def test_the_imported_files_are_those_of_the_import_graph(graph, root: Path, name: str) -> None:
    module = STAGES[name]
    modules = {module, *graph.find_upstream_modules(module)}
    for finder, package in FOUND_BY_NAME.items():
        if finder in modules:
            found = graph.find_descendants(package)
            modules |= found.union(*(graph.find_upstream_modules(each) for each in found))
    modules |= {name.rsplit(".", level)[0] for name in modules for level in range(1, name.count(".") + 1)}
    paths = [root.joinpath(*name.split(".")) for name in modules]
    files = {path / "__init__.py" if path.is_dir() else path.with_suffix(".py") for path in paths}
    assert imported_code(module)[0] == files


@pytest.mark.parametrize("changed", ["pipeline/publish.py", "pipeline/sample.py", "train/sft.py"])
def test_a_change_elsewhere_changes_no_key(copy: Path, changed: str) -> None:
    before = digest_code("pipeline.ask")
    assert digest_after(copy / changed, "# changed\n", "pipeline.ask") == before


@pytest.mark.parametrize(
    ("module", "changed"),
    [
        ("pipeline.ask", "pipeline/tasks/cell.py"),
        ("pipeline.ask", "pipeline/engine.py"),
        ("pipeline.extract", "pipeline/engine.py"),
        ("pipeline.extract", "pipeline/errors.py"),
        ("pipeline.extract", "pipeline/readers/formats/openreview.py"),
        ("pipeline.extract", "pipeline/readers/latex/archive.py"),
    ],
)
def test_a_change_in_code_that_runs_changes_the_key(copy: Path, module: str, changed: str) -> None:
    before = digest_code(module)
    assert digest_after(copy / changed, "# changed\n", module) != before


def test_a_task_that_is_added_changes_the_key(copy: Path) -> None:
    before = digest_code("pipeline.ask")
    (copy / "pipeline/tasks/new.py").write_text("TASK = None\n")
    digest_code.cache_clear()
    assert digest_code("pipeline.ask") != before


def test_another_version_of_a_library_changes_the_key(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest_code("pipeline.extract")
    real = code_digest.version
    monkeypatch.setattr(code_digest, "version", lambda name: "0.0" if name == "lxml" else real(name))
    digest_code.cache_clear()
    assert digest_code("pipeline.extract") != before
