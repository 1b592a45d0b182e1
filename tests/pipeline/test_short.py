"""Short examples from Alpaca-format files."""

import json
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.records import Example, read_examples
from pipeline.short import ShortParams, run

ROWS = [
    {"instruction": "Name a bird.", "input": "", "output": "A wren."},
    {"instruction": "Make it plural.", "input": "goose", "output": "geese"},
]


def short(folder: Path, content: str) -> tuple[list[Example], list[Example]]:
    source = folder / "alpaca.json"
    source.write_text(content, encoding="utf-8")
    run(ShortParams(source=str(source), licence="CC0-1.0", teacher="human"), out=folder / "short")
    return tuple(list(read_examples(folder / "short", f"{name}*.parquet")) for name in ("examples", "rejected"))


@pytest.mark.parametrize("content", [json.dumps(ROWS), "\n".join(map(json.dumps, ROWS)) + "\n"])
def test_a_list_and_an_object_a_line_are_read_alike(tmp_path: Path, content: str) -> None:
    accepted, rejected = short(tmp_path, content)
    assert [(e.question, e.answer) for e in accepted] == [
        ("Name a bird.", "A wren."),
        ("Make it plural.\n\ngoose", "geese"),
    ]
    assert {e.licence for e in accepted} == {"CC0-1.0"}
    assert not rejected


def test_a_line_separator_within_a_row_does_not_cut_it(tmp_path: Path) -> None:
    row = {"instruction": "Name\u2028a bird.", "output": "A wren."}
    accepted, _ = short(tmp_path, json.dumps(row, ensure_ascii=False) + "\n")
    assert [e.question for e in accepted] == ["Name\u2028a bird."]


def test_rows_that_cannot_be_used_are_kept_with_their_reasons(tmp_path: Path) -> None:
    rows = [*ROWS, ROWS[0], {"instruction": "Why?"}, {"output": "So."}, "no object", {"instruction": None, "output": 1}]
    accepted, rejected = short(tmp_path, json.dumps(rows))
    assert len(accepted) == 2
    assert [e.reason for e in rejected] == [
        "instruction asked twice: row 2",
        "no output: row 3",
        "no instruction: row 4",
        "no instruction: row 5",
        "no instruction: row 6",
    ]


@pytest.mark.parametrize(
    ("content", "words"), [("[{", "broken JSON"), ("[]", "0 rows, none with"), ('[{"text": "x"}]', "1 rows, none with")]
)
def test_a_file_of_another_kind_is_an_error(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        short(tmp_path, content)
    assert not (tmp_path / "short").exists()


def test_a_missing_file_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"key 'source': found nowhere\.json"):
        run(ShortParams(source="nowhere.json", licence="", teacher="human"), out=tmp_path / "short")


def test_the_projects_own_short_examples_are_all_usable(root: Path, tmp_path: Path) -> None:
    accepted, rejected = short(tmp_path, (root / "data" / "sources" / "short.json").read_text(encoding="utf-8"))
    assert len(accepted) >= 40
    assert not rejected
