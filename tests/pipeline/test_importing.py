"""Rows that others have made become rows of ours."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError
from pipeline.importing import ImportingParams, run
from pipeline.records import MixedExample
from pipeline.storage.parquet import read_mixed

LONG = "Below is a paper. Memorize it. A text.\n Now the material ends. Why?"
ALIGN = {"messages": [{"role": "user", "content": "Read. Why?"}, {"role": "assistant", "content": "So."}], "length": 9}
SHARED = {"id": "a", "conversations": [{"from": "human", "value": "Read. Why?"}, {"from": "gpt", "value": "So."}]}


@pytest.fixture
def imported(tmp_path: Path, word_tokenizer: Path):
    def import_(source: Path | str, **changes: object) -> tuple[list[MixedExample], list[str], dict]:
        given = {"licence": "CC-BY-NC-4.0", "teacher": "unknown", "test_fraction": 0.0, "max_tokens": 50, "seed": 1}
        params = ImportingParams(source=str(source), tokenizer=str(word_tokenizer), **{**given, **changes})
        run(params, out=tmp_path / "out")
        refused = (tmp_path / "out" / "refused.jsonl").read_text().splitlines()
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        return list(read_mixed(tmp_path / "out", "*.parquet")), [json.loads(row)["reason"] for row in refused], report

    return import_


@pytest.mark.parametrize(
    ("row", "instruction", "question", "kind"),
    [
        ({"instruction": LONG, "output": "So."}, LONG, "Why?", "alpaca"),
        ({"instruction": "Why?", "input": "A text.", "output": "So."}, "Why?\n\nA text.", "Why?\n\nA text.", "alpaca"),
        (ALIGN, "Read. Why?", "Read. Why?", "messages"),
        (SHARED, "Read. Why?", "Read. Why?", "sharegpt"),
        ({"prompt": "Read. Why?", "response": "So."}, "Read. Why?", "Read. Why?", "prompt and answer"),
        ({"query": "Read. Why?", "answer": "So."}, "Read. Why?", "Read. Why?", "prompt and answer"),
    ],
)
@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet"])
def test_every_format_becomes_a_row_with_its_licence(
    tmp_path, imported, row, instruction, question, kind, suffix
) -> None:
    source = tmp_path / f"rows.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist([row]), source)
    else:
        source.write_text(json.dumps([row] if suffix == "json" else row), encoding="utf-8")
    (mixed,), refused, report = imported(source)
    assert not refused
    assert (mixed.instruction, mixed.output) == (instruction, "So.")
    assert mixed.example.question == question
    assert mixed.example.licence == "CC-BY-NC-4.0"
    assert mixed.num_tokens > 3
    assert report["formats"] == {kind: 1}


def test_earlier_turns_stand_in_the_instruction(tmp_path: Path, imported) -> None:
    said = [
        ("system", "Be brief."),
        ("user", "Who?"),
        ("assistant", "He."),
        ("user", "Why?"),
        ("assistant", "So."),
        ("user", "?"),
    ]
    row = {"messages": [{"role": role, "content": words} for role, words in said]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    (mixed,), _, _ = imported(tmp_path / "rows.jsonl")
    assert mixed.instruction == "Be brief.\n\nUser: Who?\n\nAssistant: He.\n\nUser: Why?"
    assert mixed.output == "So."


def test_what_cannot_be_used_is_named_by_its_row(tmp_path: Path, imported) -> None:
    good = {"instruction": "Why?", "output": "So."}
    rows = [good, good, {"instruction": "Why?"}, 7, {"messages": [{"role": "user", "content": "Why?"}]}]
    rows += [
        {"messages": [{"role": "tool", "content": "x"}, *ALIGN["messages"]]},
        {"instruction": "a " * 99, "output": "b"},
    ]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    mixed, refused, report = imported(tmp_path / "rows.json")
    assert len(mixed) == 1
    assert refused == [
        "repeated row",
        "no output",
        "no instruction",
        "no output",
        "unknown role",
        "long: more than 50 tokens",
    ]
    assert sum(report["refused_by_reason"].values()) == 6


def test_rows_about_one_document_stay_on_one_side(tmp_path: Path, imported) -> None:
    rows = [
        {"instruction": f"Document {d} {'x' * 2_000}\nNow the material ends. Question {q}?", "output": "So."}
        for d in range(30)
        for q in range(3)
    ]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    imported(tmp_path / "rows.json", test_fraction=0.5)
    sides = [
        {row.instruction.split()[1] for row in read_mixed(tmp_path / "out", f"{split}*.parquet")}
        for split in ("train", "test")
    ]
    assert all(sides)
    assert not sides[0] & sides[1]


@pytest.mark.parametrize("content", ["[]", '[{"text": "x"}]'])
def test_a_file_without_rows_is_an_error(tmp_path: Path, imported, content: str) -> None:
    (tmp_path / "rows.json").write_text(content)
    with pytest.raises(InputError, match="no row that can be used"):
        imported(tmp_path / "rows.json")
    assert not (tmp_path / "out").exists()


def test_our_own_dataset_can_be_imported_again(tmp_path: Path, imported) -> None:
    rows = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(5)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    first, _, _ = imported(tmp_path / "rows.json")
    again, _, _ = imported(tmp_path / "out" / "LongAlpaca-12k.json")
    assert again == first
