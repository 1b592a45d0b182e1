"""`recipe:` in params.yaml finds the file that holds the sections of the stages that train."""

import pytest
import yaml

from pipeline.errors import InputError
from train.base import BaseParams
from train.extend import ExtendParams
from train.merge import MergeParams
from train.recipe import RECIPES
from train.sft import SftParams

SECTIONS = [BaseParams, ExtendParams, SftParams, MergeParams]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.section)
@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_recipe_has_every_section_and_nothing_else(recipe, section, tmp_path):
    (tmp_path / "params.yaml").write_text(f"recipe: {recipe.stem}\n")
    section.load(tmp_path / "params.yaml")
    assert set(yaml.safe_load(recipe.read_text())) == {section.section for section in SECTIONS}


def test_every_recipe_has_its_page():
    assert {file.stem for file in RECIPES.glob("*.yaml")} == {file.stem for file in RECIPES.glob("*.md")}


def test_an_unknown_recipe_is_answered_with_those_that_exist(tmp_path):
    (tmp_path / "params.yaml").write_text("recipe: smollm3\n")
    with pytest.raises(InputError, match=r"recipe: found 'smollm3'; expected one of .*smollm2-135m"):
        SftParams.load(tmp_path / "params.yaml")


def test_params_without_a_recipe_are_refused(tmp_path):
    (tmp_path / "params.yaml").write_text("fetch: {}\n")
    with pytest.raises(InputError, match="no such key"):
        SftParams.load(tmp_path / "params.yaml")


def test_a_recipe_of_ones_own_stands_beside_the_params(tmp_path):
    (tmp_path / "params.yaml").write_text("recipe: mine.yaml\n")
    (tmp_path / "mine.yaml").write_text(
        "merge: {dtype: float32, max_logit_difference: 0.1, hub_name: n, base_model: b, licence: l}\n"
    )
    assert MergeParams.load(tmp_path / "params.yaml").dtype == "float32"


def test_a_mistyped_value_names_recipe_section_and_key(tmp_path):
    (tmp_path / "params.yaml").write_text("recipe: mine.yaml\n")
    (tmp_path / "mine.yaml").write_text("merge: {dtype: float32, max_logit_difference: 1e-3}\n")
    with pytest.raises(InputError, match=r"mine\.yaml: merge\.max_logit_difference: found '1e-3'.*1\.0e-3"):
        MergeParams.load(tmp_path / "params.yaml")
