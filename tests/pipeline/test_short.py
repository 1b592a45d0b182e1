"""Short examples from Alpaca-format files."""

import json
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.records import Example
from pipeline.short import ShortParams, run
from pipeline.storage.parquet import read_examples

ROWS = [
    {"instruction": "Name a bird.", "input": "", "output": "A wren."},
    {"instruction": "Make it plural.", "input": "goose", "output": "geese"},
]

RARE = [("Sort", "list"), ("Translate", "letter"), ("Prove", "theorem"), ("Summarise", "talk"), ("Debug", "script")]
RARE += [("Plan", "journey"), ("Compare", "engines"), ("Explain", "tides"), ("Rank", "cities"), ("Invent", "recipe")]


def params_of(source: object, **changes: object) -> ShortParams:
    given = {"licence": "CC0-1.0", "teacher": "human", "num_examples": 100, "repeated_similarity": 0.9}
    given |= {"evaluation_sets": "", "overlap_words": 13}
    return ShortParams(source=str(source), **{**given, **changes})


def short(folder: Path, content: str, **changes: object) -> tuple[list[Example], list[Example]]:
    source = folder / "alpaca.json"
    source.write_text(content, encoding="utf-8")
    run(params_of(source, **changes), out=folder / "short")
    return tuple(list(read_examples(folder / "short", f"{name}*.parquet")) for name in ("examples", "rejected"))


@pytest.mark.parametrize("content", [json.dumps(ROWS), "\n".join(map(json.dumps, ROWS)) + "\n"])
def test_a_list_and_an_object_a_line_are_read_alike(tmp_path: Path, content: str) -> None:
    accepted, rejected = short(tmp_path, content)
    assert {(e.question, e.answer) for e in accepted} == {
        ("Name a bird.", "A wren."),
        ("Make it plural.\n\ngoose", "geese"),
    }
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
        run(params_of("nowhere.json"), out=tmp_path / "short")


def test_the_projects_own_short_examples_are_all_usable(root: Path, tmp_path: Path) -> None:
    accepted, rejected = short(tmp_path, (root / "data" / "sources" / "short.json").read_text(encoding="utf-8"))
    assert len(accepted) >= 40
    assert not rejected


def test_instructions_that_ask_the_same_are_taken_once_and_what_is_left_over_says_so(tmp_path: Path) -> None:
    asked = (
        "Name a small bird that sings.",
        "Name a small bird that sings!",
        "Translate the letter.",
        "Add two and two.",
    )
    rows = [{"instruction": words, "output": f"Answer {number}."} for number, words in enumerate(asked)]
    accepted, rejected = short(tmp_path, json.dumps(rows))
    assert len(accepted) == 3
    assert [e.reason.rsplit(" ", 1)[0] for e in rejected] == ["repeats an instruction:"]
    accepted, rejected = short(tmp_path, json.dumps(rows), num_examples=2)
    assert len(accepted) == 2
    assert "not needed for variety" in {e.reason for e in rejected}


def test_the_order_of_the_rows_decides_nothing(tmp_path: Path) -> None:
    rows = [{"instruction": f"Do thing {n} with {n * n} of it.", "output": "Done."} for n in range(50)]
    first, _ = short(tmp_path, json.dumps(rows), num_examples=10)
    second, _ = short(tmp_path, json.dumps(rows[::-1]), num_examples=10)
    assert first == second


def test_the_chosen_are_more_various_than_a_draw(tmp_path: Path) -> None:
    common = [{"instruction": f"Write a poem about thing{n}.", "output": "Ok."} for n in range(190)]
    rare = [{"instruction": f"{verb} the {noun}.", "output": "Ok."} for verb, noun in RARE]
    accepted, _ = short(tmp_path, json.dumps([*common, *rare]), num_examples=20)
    chosen = {e.question for e in accepted}
    assert sum(row["instruction"] in chosen for row in rare) == 10  # a draw of 20 of 200 would have one


def test_a_licence_of_the_row_goes_before_that_of_the_source(tmp_path: Path) -> None:
    accepted, _ = short(tmp_path, json.dumps([{**ROWS[0], "license": "MIT"}, ROWS[1]]))
    assert {e.licence for e in accepted} == {"MIT", "CC0-1.0"}


def test_what_a_model_is_to_be_tested_on_is_not_used(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(40)]
    (tmp_path / "sets").mkdir()
    sample = {"context": " ".join(words), "input": "Name a bird."}
    (tmp_path / "sets" / "qa.jsonl").write_text(json.dumps(sample))
    rows = [
        {"instruction": "name a BIRD", "output": "A wren."},
        {"instruction": "Go on from here.", "output": f"So: {' '.join(words[5:18]).upper()}."},
        {"instruction": "Stop in time.", "output": f"So: {' '.join(words[5:17])}."},
    ]
    accepted, rejected = short(tmp_path, json.dumps(rows), evaluation_sets=str(tmp_path / "sets"))
    assert [e.question for e in accepted] == ["Stop in time."]
    assert {e.question: e.reason for e in rejected} == {
        "name a BIRD": "question of an evaluation set: row 0",
        "Go on from here.": "overlap: 13 words with qa.jsonl: row 1",
    }


def test_an_empty_folder_of_evaluation_sets_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="section 'short', key 'evaluation_sets'"):
        short(tmp_path, json.dumps(ROWS), evaluation_sets=str(tmp_path / "sets"))
