"""A dataset of the Hub is read by its name, configuration and split."""

import json
from pathlib import Path

import pytest

from pipeline.dataset.row_files import read_hub_rows
from pipeline.errors import InputError

CARD = """---
configs:
- config_name: plain
  data_files: [{split: train, path: plain.jsonl}, {split: test, path: held.jsonl}]
- config_name: other
  data_files: [{split: train, path: other.jsonl}]
---
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch) -> None:
    """A dataset with two configurations where `datasets` looks before it asks the Hub: in a folder of its name."""
    folder = tmp_path / "me" / "rows"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    for name in ("plain", "held", "other"):
        (folder / f"{name}.jsonl").write_text(json.dumps({"instruction": name}) + "\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("name", "row"),
    [("me/rows:other:train", "other"), ("me/rows:plain:test", "held"), ("me/rows:plain:train", "plain")],
)
def test_a_configuration_and_a_split_are_read(name: str, row: str) -> None:
    assert [found["instruction"] for found in read_hub_rows(name, "importing.source")] == [row]


@pytest.mark.usefixtures("repository")
def test_a_split_that_is_not_there_is_one_line() -> None:
    with pytest.raises(InputError, match=r"expected a dataset of the Hub with a split nothing"):
        list(read_hub_rows("me/rows:plain:nothing", "importing.source"))
