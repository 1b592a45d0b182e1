"""Rows that others have made become rows of ours."""

import csv
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError
from pipeline.importing import ImportingParams, run
from pipeline.records import MixedExample, Turn
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


SAID = [("system", "Be brief."), ("user", "Who?"), ("assistant", "He."), ("user", "Why?"), ("assistant", "So.")]
TURNS = tuple(Turn(role, words) for role, words in SAID)
MESSAGES = [{"role": role, "content": words} for role, words in SAID]
JOINED = "Be brief.\n\nUser: Who?\n\nAssistant: He.\n\nUser: Why?"


@pytest.mark.parametrize(
    "row",
    [
        {"messages": MESSAGES},
        {"system": "Be brief.", "conversations": [{"from": role, "value": words} for role, words in SAID[1:]]},
        {"instruction": "Why?", "output": "So.", "system": "Be brief.", "history": [["Who?", "He."]]},
        {"prompt": MESSAGES[:-1], "completion": MESSAGES[-1:]},
        {"prompt": MESSAGES[:-1], "completion": "So."},
        {"messages": [{"role": m["role"], "content": [{"type": "text", "text": m["content"]}]} for m in MESSAGES]},
    ],
)  # fmt: skip
def test_a_conversation_keeps_its_turns_in_every_format(tmp_path: Path, imported, row) -> None:
    (tmp_path / "rows.json").write_text(json.dumps([row]))
    (mixed,), refused, _ = imported(tmp_path / "rows.json")
    assert not refused
    assert (mixed.instruction, mixed.output, mixed.turns) == (JOINED, "So.", TURNS)


def test_context_is_used_and_the_indent_of_code_stays(tmp_path: Path, imported) -> None:
    rows = [
        {"instruction": "Why?", "context": "A text.", "response": "So.", "category": "closed_qa"},
        {"instruction": "    if x:\n        y()", "output": "\n \n    return 1\n", "input": None},
    ]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    first, second = imported(tmp_path / "rows.json")[0]
    assert first.instruction == "Why?\n\nA text."
    assert (second.instruction, second.output) == ("    if x:\n        y()", "    return 1")


UNUSABLE = [
    ({"instruction": "Why?", "output": float("nan")}, "no output"),
    ({"instruction": "Why?", "context": float("nan"), "output": "So."}, "not text: nan in 'context'"),
    ({"instruction": "Why?", "output": ["So."]}, "not text: a list in 'output'"),
    ({"instruction": {"a": 1}, "output": "So."}, "not text: a dict in 'instruction'"),
    ({"instruction": "Why \ud83d?", "output": "So."}, "lone surrogate: in 'instruction'"),
    ({"messages": [{"role": "user", "content": "\udc00"}, MESSAGES[-1]]}, "lone surrogate: in 'messages'"),
    ({"instruction": "Why?", "output": "So.", "tools": "[{}]"}, "tools: 'tools', which a row has no place for"),
    (
        {"messages": [MESSAGES[1], {**MESSAGES[-1], "reasoning_content": "Hm."}]},
        "reasoning: 'reasoning_content'",
    ),
    ({"instruction": "Why?", "output": "So.", "images": ["a.png"]}, "media: 'images', which"),
    ({"messages": ["Why?"]}, "not text: a str in 'messages'"),
    ({"instruction": "Why?", "output": "So.", "history": "x"}, "not text: 'history' is no list"),
]


@pytest.mark.parametrize(("row", "reason"), UNUSABLE)
def test_what_a_row_has_no_place_for_refuses_that_row_alone(tmp_path: Path, imported, row, reason) -> None:
    good = {"instruction": "Why?", "output": "So.", "tools": [], "reasoning_content": None, "history": []}
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(each) for each in (row, good)))
    (mixed,), (refused,), _ = imported(tmp_path / "rows.jsonl")
    assert mixed.output == "So."
    assert refused.startswith(reason)


def test_turns_after_the_last_answer_are_counted(tmp_path: Path, imported) -> None:
    (tmp_path / "rows.json").write_text(json.dumps([{"messages": [*MESSAGES, {"role": "user", "content": "And?"}]}]))
    (mixed,), _, report = imported(tmp_path / "rows.json")
    assert mixed.turns == TURNS
    assert report["unanswered_turns_left_out"] == 1


def write_packed(folder: Path, kind: str) -> Path:
    """Write one row as a file of some kind; return the file."""
    row = {"instruction": "Why, \u00e9?", "output": "So.\nYes."}
    if kind in ("csv", "tsv"):
        with (folder / f"rows.{kind}").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(row), delimiter="," if kind == "csv" else "\t")
            writer.writeheader()
            writer.writerow(row)
    elif kind == "utf-16":
        (folder / "rows.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-16")
    elif kind == "gz":
        (folder / "rows.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    else:
        with pa.output_stream(str(folder / "rows.json.zst"), compression="zstd") as file:
            file.write(json.dumps([row]).encode())
    return next(folder.glob("rows.*"))


@pytest.mark.parametrize("in_folder", [True, False])
@pytest.mark.parametrize("kind", ["csv", "tsv", "utf-16", "gz", "zst"])
def test_files_are_read_as_they_come(tmp_path: Path, imported, kind: str, in_folder: bool) -> None:
    (tmp_path / "in").mkdir()
    file = write_packed(tmp_path / "in", kind)
    (mixed,), _, _ = imported(file.parent if in_folder else file)
    assert (mixed.instruction, mixed.output) == ("Why, \u00e9?", "So.\nYes.")


def test_a_truncated_file_is_one_line(tmp_path: Path, imported) -> None:
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(json.dumps(ALIGN).encode() * 99)[:-20])
    with pytest.raises(InputError, match="a broken file"):
        imported(tmp_path / "rows.jsonl.gz")


def test_columns_are_mapped(tmp_path: Path, imported) -> None:
    (tmp_path / "rows.csv").write_text("ask,ctx,reply\nWhy?,A text.,So.\n")
    (mixed,), _, _ = imported(tmp_path / "rows.csv", columns={"ask": "question", "ctx": "context", "reply": "answer"})
    assert (mixed.instruction, mixed.output) == ("Why?\n\nA text.", "So.")
    with pytest.raises(InputError, match=r"section 'importing', key 'source'.*importing.columns"):
        imported(tmp_path / "rows.csv")


@pytest.mark.parametrize("num_rows", [2, 3, 12, 40])
def test_a_small_set_keeps_a_document_to_test_with(tmp_path: Path, imported, num_rows: int) -> None:
    rows = [{"instruction": f"Question {n}?", "output": "So."} for n in range(num_rows)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    _, _, report = imported(tmp_path / "rows.json", test_fraction=1e-6)
    assert report["splits"] == {"test": 1, "train": num_rows - 1}


def test_a_long_system_prompt_does_not_put_all_rows_on_one_side(tmp_path: Path, imported) -> None:
    rows = [{"system": "x " * 1_500, "instruction": f"Question {n}?", "output": "So."} for n in range(40)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    _, _, report = imported(tmp_path / "rows.json", test_fraction=0.5, max_tokens=9_000)
    assert set(report["splits"]) == {"test", "train"}
