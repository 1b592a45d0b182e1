"""A fault in params.yaml is one line that names file, key, what was found and the remedy."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.params import Params


class BrewParams(Params):
    minutes: int
    strength: float
    leaves: str


GOOD = "brew: {minutes: 3, strength: 0.5, leaves: green}"


def write(folder: Path, content: str) -> Path:
    file = folder / "params.yaml"
    file.write_text(content, encoding="utf-8")
    return file


def test_a_section_is_read_into_its_model(tmp_path: Path) -> None:
    assert BrewParams.load(write(tmp_path, GOOD)) == BrewParams(minutes=3, strength=0.5, leaves="green")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("brew: {minutes: 3, strength: 0.5}", ["brew.leaves", "no such key", "Add it"]),
        ("brew: {minutes: 3, strength: 0.5, leaves: green, milk: 1}", ["brew.milk", "unknown key", "spelling"]),
        ("brew: {minutes: '3', strength: 0.5, leaves: green}", ["brew.minutes", "'3'", "valid integer"]),
        ("brew: {minutes: 3.5, strength: 0.5, leaves: green}", ["brew.minutes", "3.5", "integer"]),
        ("brew: {minutes: 3, strength: 2e-5, leaves: green}", ["brew.strength", "'2e-5'", "like '2.0e-5'"]),
        ("brew: {minutes: 3, strength: 0.5, leaves: no}", ["brew.leaves", "False", "string"]),
        ("tea: {}", ["no section 'brew'", "minutes, strength, leaves"]),
        ("brew:", ["brew", "None"]),
        ("- brew", ["a list at the top"]),
        ("brew: {minutes: ", ["broken YAML"]),
        ("brew: !!python/object/apply:os.getcwd []", ["broken YAML"]),
    ],
)
def test_a_fault_names_file_key_finding_and_remedy(tmp_path: Path, content: str, words: list[str]) -> None:
    file = write(tmp_path, content)
    with pytest.raises(InputError) as caught:
        BrewParams.load(file)
    message = str(caught.value)
    assert str(file) in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        BrewParams.load(tmp_path / "none.yaml")


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="more than 1 MB"):
        BrewParams.load(write(tmp_path, GOOD + "\n#" + "x" * 1_000_000))


def test_a_section_cannot_be_changed(tmp_path: Path) -> None:
    params = BrewParams.load(write(tmp_path, GOOD))
    with pytest.raises(ValueError, match="frozen"):
        params.minutes = 4
