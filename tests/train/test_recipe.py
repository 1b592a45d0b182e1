"""`recipe:` in params.yaml finds the file that holds the sections of the stages that train."""

import pytest
import yaml

import train.recipe
from pipeline.errors import InputError
from train.base import BaseParams
from train.extend import ExtendParams
from train.merge import MergeParams
from train.recipe import RECIPES, SHARED, list_recipes
from train.sft import SftParams

SECTIONS = [BaseParams, ExtendParams, SftParams, MergeParams]
MINE = {
    "base": {"source": "a/model"},
    "extend": {"max_length": 4_096, "rope": {"type": "linear", "factor": 2.0}, "group_size": 1_024},
    "sft": {"prompt": "chat"},
    "merge": {"hub_name": "Mine", "base_model": "a/model", "licence": "mit"},
}


def load(section, folder, recipe):
    """Read a section of a recipe of one's own, as its stage does."""
    (folder / "params.yaml").write_text("recipe: mine.yaml\n")
    (folder / "mine.yaml").write_text(yaml.safe_dump(recipe))
    return section.load(folder / "params.yaml")


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.section)
@pytest.mark.parametrize("recipe", list_recipes().values(), ids=lambda file: file.stem)
def test_every_recipe_has_every_section_and_nothing_else(recipe, section, tmp_path):
    (tmp_path / "params.yaml").write_text(f"recipe: {recipe.stem}\n")
    section.load(tmp_path / "params.yaml")
    assert set(yaml.safe_load(recipe.read_text())) == {section.section for section in SECTIONS}


def test_every_recipe_has_its_page():
    assert set(list_recipes()) == {file.stem for file in RECIPES.glob("*.md")}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.section)
def test_a_recipe_states_only_what_differs_from_the_shared_values(section):
    shared = yaml.safe_load(SHARED.read_text())
    names = section.shared_sections()
    values = {key: value for name in reversed(names) for key, value in shared[name].items()}
    own = [yaml.safe_load(file.read_text())[section.section] for file in list_recipes().values()]
    for recipe in own:
        assert not [key for key in recipe if key in values and recipe[key] == values[key]]
    assert not [key for key in values if all(key in recipe for recipe in own)], "no recipe uses a shared value"


def test_a_recipe_of_a_few_lines_is_filled_from_the_shared_values(tmp_path):
    extend, sft = load(ExtendParams, tmp_path, MINE), load(SftParams, tmp_path, MINE)
    assert (extend.lora_rank, extend.num_steps, extend.learning_rate) == (8, 1_000, 2.0e-5)
    assert (sft.max_length, sft.num_epochs, sft.learning_rate) == (32_768, 5, 2.0e-5)
    changed = {**MINE, "sft": {**MINE["sft"], "learning_rate": 1.0e-5, "num_epochs": 1}}
    sft = load(SftParams, tmp_path, changed)
    assert (sft.learning_rate, sft.num_epochs) == (1.0e-5, 1)
    assert load(MergeParams, tmp_path, MINE).dtype == load(BaseParams, tmp_path, MINE).dtype == "bfloat16"


def test_a_fault_names_the_file_and_section_that_hold_the_key(tmp_path, monkeypatch):
    shared = yaml.safe_load(SHARED.read_text())
    for section, key, value in (("training", "lora_rank", 0), ("sft", "num_epochs", "two")):
        changed = {**shared, section: {**shared[section], key: value}}
        (tmp_path / "shared.yaml").write_text(yaml.safe_dump(changed))
        monkeypatch.setattr(train.recipe, "SHARED", tmp_path / "shared.yaml")
        with pytest.raises(InputError, match=rf"shared\.yaml: {section}\.{key}: found {value!r}"):
            load(SftParams, tmp_path, MINE)
        own = {**MINE, "sft": {**MINE["sft"], key: value}}
        with pytest.raises(InputError, match=rf"mine\.yaml: sft\.{key}: found {value!r}"):
            load(SftParams, tmp_path, own)
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"mine\.yaml: sft\.prompt: found no such key"):
        load(SftParams, tmp_path, {**MINE, "sft": {}})


@pytest.mark.parametrize(
    ("key", "value"),
    [("lora_dropout", 1.0), ("group_size", 1), ("batch_size", 0), ("learning_rate", -1.0), ("num_checkpoints", 0)],
)
def test_a_value_out_of_bounds_is_refused(tmp_path, key, value):
    with pytest.raises(InputError, match=rf"sft\.{key}: found {value}; expected (less|greater) than"):
        load(SftParams, tmp_path, {**MINE, "sft": {**MINE["sft"], key: value}})


@pytest.mark.parametrize("name", ["smollm3", "shared"])
def test_an_unknown_recipe_is_answered_with_those_that_exist(tmp_path, name):
    (tmp_path / "params.yaml").write_text(f"recipe: {name}\n")
    with pytest.raises(InputError, match=rf"recipe: found '{name}'; expected one of .*qwen3-8b, smollm2-135m, or"):
        SftParams.load(tmp_path / "params.yaml")


def test_params_without_a_recipe_are_refused(tmp_path):
    (tmp_path / "params.yaml").write_text("fetch: {}\n")
    with pytest.raises(InputError, match="no such key"):
        SftParams.load(tmp_path / "params.yaml")


def test_a_recipe_of_ones_own_is_beside_the_params(tmp_path):
    own = {"dtype": "float32", "max_logit_difference": 0.1, "hub_name": "n", "base_model": "b", "licence": "l"}
    assert load(MergeParams, tmp_path, {"merge": own}).dtype == "float32"


def test_a_recipe_without_a_section_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"mine\.yaml: found no section 'sft'"):
        load(SftParams, tmp_path, {"merge": MINE["merge"]})


def test_a_mistyped_value_names_recipe_section_and_key(tmp_path):
    (tmp_path / "params.yaml").write_text("recipe: mine.yaml\n")
    (tmp_path / "mine.yaml").write_text("merge: {dtype: float32, max_logit_difference: 1e-3}\n")
    with pytest.raises(InputError, match=r"mine\.yaml: merge\.max_logit_difference: found '1e-3'.*1\.0e-3"):
        MergeParams.load(tmp_path / "params.yaml")
