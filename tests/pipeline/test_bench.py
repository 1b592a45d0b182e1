"""The benchmarks run on small input and count right; how fast anything is, no test asks."""

import json
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from reportlab.pdfgen.canvas import Canvas

from pipeline.bench import build_parser, main
from pipeline.benchmarks.alone import count_in_child, with_pypdf, with_pypdfium2
from pipeline.benchmarks.benchmark import all_benchmarks
from pipeline.benchmarks.hostile import is_valid
from pipeline.benchmarks.mutants import make_mutant, written_seeds
from pipeline.benchmarks.reading import run_tool
from pipeline.records import Document, Evidence, Example
from pipeline.storage.parquet import write_examples
from pipeline.tables import Table, to_markdown_table

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks watch processes by /proc")
DOCUMENT = Document(doc_id="0" * 64, category="book", source="a")


@pytest.fixture
def settings(tmp_path, word_tokenizer):
    section = yaml.safe_load((ROOT / "params.yaml").read_text())["extract"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"extract": section | {"tokenizer": str(word_tokenizer)}}))
    return path


@pytest.fixture
def folder(tmp_path):
    """A text, a PDF of two pages, and a broken PDF."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.txt").write_text("some words")
    canvas = Canvas(str(folder / "b.pdf"))
    for number in range(2):
        canvas.drawString(72, 700, f"words on page no {number}")
        canvas.showPage()
    canvas.save()
    (folder / "c.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    return folder


def load_tables(out, name):
    tables = json.loads((out / f"{name}.json").read_text())["tables"]
    assert all(table["caption"] in (out / f"{name}.md").read_text() for table in tables)
    return [{row[0]: row[1:] for row in table["rows"]} for table in tables]


@linux
def test_hostile_counts_rows_and_reasons_and_compares_with_each_engine(settings, folder, tmp_path):
    main(["hostile", "--documents", str(folder), "--out", str(tmp_path / "out"), "--params", str(settings)])

    summary, reasons, texts, missed = load_tables(tmp_path / "out", "hostile")
    assert summary["files"] == summary["rows"] == [3]
    assert summary["rows that are not valid text"] == summary["exit code"] == summary["processes left"] == [0]
    assert reasons == {"text": [1, 1, 0, 2], "broken": [1, 0, 0, 1]}
    assert texts.pop("the stage, but all words are hidden") == [0]
    assert texts == {"pypdfium2 alone": [1], "pypdf alone": [1], "either of them": [1], "the stage": [1]}
    assert missed == {}


@linux
@pytest.mark.slow
def test_every_hostile_file_is_a_row_and_no_pdf_is_missed_that_one_engine_can_read(shared, tmp_path, settings):
    if not (shared / "hostile").is_dir():
        pytest.skip(f"{shared / 'hostile'} does not exist: no odd files to read")

    main(["hostile", "--documents", str(shared / "hostile"), "--out", str(tmp_path), "--params", str(settings)])

    summary, reasons, texts, missed = load_tables(tmp_path, "hostile")
    assert summary["files"] == summary["rows"] == [reasons["text"][-1] + sum_of_errors(reasons)]
    assert summary["rows that are not valid text"] == summary["exit code"] == summary["processes left"] == [0]
    assert not {"crash", "killed", "memory", "reader"} & set(reasons)
    assert all("hidden" in reason for *_, reason in missed.values())
    hidden, union = texts["the stage, but all words are hidden"][0], texts["either of them"][0]
    assert texts["the stage"][0] + hidden >= union


def sum_of_errors(reasons):
    return sum(numbers[-1] for reason, numbers in reasons.items() if reason != "text")


@linux
@pytest.mark.slow
def test_hundreds_of_mutants_do_no_harm(settings, tmp_path):
    main(["mutants", "--count", "600", "--seed", "11", "--out", str(tmp_path), "--params", str(settings)])

    outcomes, _ = load_tables(tmp_path, "mutants")
    assert outcomes["in all"] == [600]
    assert set(outcomes) <= {"in all", "read", "broken", "empty", "encrypted", "too large", "timeout", "crash"}


@linux
def test_faithful_compares_words_columns_and_figures(settings, folder, tmp_path):
    (folder / "c.pdf").unlink()
    arguments = ["--documents", str(folder), "--out", str(tmp_path / "out"), "--params", str(settings)]

    main(["faithful", "--count", "5", "--seed", "7", *arguments])

    words, columns, figures, facts = load_tables(tmp_path / "out", "faithful")
    assert words["b.pdf"][:4] == [2, 10, 1.0, 2]
    assert columns == figures == facts == {}


@linux
def test_tables_are_drawn_and_shown_beside_their_sources(settings, folder, tmp_path):
    rows = "".join(f"<tr><td>Row {number}</td><td>{number}7</td></tr>" for number in range(3))
    (folder / "d.html").write_text(f"<html><table>{rows}</table></html>")
    options = ["--out", str(tmp_path / "out"), "--params", str(settings)]

    main(["tables", "--folder", str(folder), "--count", "5", "--seed", "7", *options])

    counts, drawn = load_tables(tmp_path / "out", "tables")
    assert counts["d.html"] == [1, 1]
    assert drawn[1] == ["d.html", 1, None, 3, 2]
    page = (tmp_path / "out" / "tables.html").read_text()
    assert page.count("Row 2") == 2


@linux
def test_every_mutant_has_an_outcome(settings, folder, tmp_path):
    arguments = ["--documents", str(folder), "--out", str(tmp_path / "out"), "--params", str(settings)]

    main(["mutants", "--count", "30", "--seed", "7", *arguments])

    outcomes, reasons = load_tables(tmp_path / "out", "mutants")
    assert outcomes.pop("in all") == [30]
    assert sum(number for (number,) in outcomes.values()) == 30
    assert reasons


@linux
def test_small_files_are_written_read_and_watched(settings, tmp_path):
    main(["files", "--count", "20", "--seed", "7", "--out", str(tmp_path / "out"), "--params", str(settings)])

    (runs,) = load_tables(tmp_path / "out", "files")
    assert list(runs) == [2, 20]
    assert all(exit_code == 0 and left == 0 for exit_code, *_, left in runs.values())
    assert all(peak > 10 for *_, peak, _ in runs.values())


@linux
@pytest.mark.slow
def test_reading_measures_each_file_the_sandbox_and_the_workers(settings, folder, tmp_path):
    (folder / "d.html").write_text("<html><p>words</p></html>" * 1_000)
    arguments = ["--documents", str(folder), "--out", str(tmp_path / "out"), "--params", str(settings)]

    main(["reading", *arguments, "--tools-python", sys.executable])

    pdfs, tools, others, small, workers = load_tables(tmp_path / "out", "reading")
    assert pdfs["b.pdf"][0] == 2
    assert all(speed > 0 for speed in pdfs["b.pdf"])
    assert "broken" in pdfs["c.pdf"][1]
    assert set(others) == {"a.txt", "d.html"}
    assert set(small) == {"text of a few words"}
    assert set(workers) == {1, 2}
    assert tools["pdfplumber"][0].startswith("not installed")


def test_a_tool_that_is_not_installed_says_so(folder):
    assert "not installed" in run_tool(Path(sys.executable), "pymupdf4llm", folder / "b.pdf")["error"]
    assert run_tool(Path(sys.executable), "pypdf", folder / "b.pdf")["pages"] == 2


def test_an_engine_alone_counts_letters_and_its_death_is_a_failure(folder):
    assert [count_in_child(engine, folder / "b.pdf") for engine in (with_pypdf, with_pypdfium2)] == [
        2 * len("wordsonpageno0")
    ] * 2
    assert count_in_child(with_pypdf, folder / "c.pdf") == -1
    assert count_in_child(lambda path: sys.exit(1), folder / "b.pdf") == -1


@pytest.mark.parametrize(
    ("row", "valid"),
    [
        ({"text": "words"}, True),
        ({"error": "broken: it"}, True),
        ({}, False),
        ({"text": "words", "error": "broken: it"}, False),
        ({"text": "nul \0"}, False),
        ({"text": "half \ud800"}, False),
        ({"text": "e\u0301"}, False),
        ({"text": "words", "title": "bell \a"}, False),
    ],
)
def test_a_row_is_valid_if_it_has_clean_text_or_a_reason(row, valid):
    assert is_valid(Document(**vars(DOCUMENT) | row)) is valid


def test_mutants_are_the_same_for_a_seed_and_differ_from_what_they_were_made_of():
    seeds = tuple(written_seeds(7))
    mutants = [make_mutant(seeds, random.Random(f"7-{number}")) for number in range(200)]

    assert seeds == tuple(written_seeds(7))
    assert mutants == [make_mutant(seeds, random.Random(f"7-{number}")) for number in range(200)]
    assert Counter(mutant in seeds for mutant in mutants)[True] < 10
    assert len(set(mutants)) > 190


def test_a_table_is_markdown_whatever_stands_in_it():
    table = Table("Speeds", ("file", "speed"), (("a|b", 3.14159), ("c\nd", None), ("e", 1234.5)))

    assert to_markdown_table(table).splitlines() == [
        "Speeds",
        "",
        "| file | speed |",
        "| --- | --- |",
        "| a\\|b | 3.14 |",
        "| c d | – |",
        "| e | 1234 |",
    ]


def test_a_fault_of_the_input_is_one_line_and_exit_2(settings, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    options = ["--out", str(tmp_path / "out"), "--params", str(settings)]
    for arguments in (
        ["hostile", "--documents", str(tmp_path / "empty"), *options],
        ["mutants", "--count", "0", "--seed", "1", *options],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", all_benchmarks())
def test_a_benchmark_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args([name, "--help"])
    assert stopped.value.code == 0
    assert "--out" in capsys.readouterr().out


def test_requests_to_a_scripted_teacher_are_counted_and_replayed(settings, tmp_path):
    main(["endpoint", "--count", "40", "--out", str(tmp_path / "out"), "--params", str(settings)])
    (runs,) = load_tables(tmp_path / "out", "endpoint")
    assert {name: row[0] for name, row in runs.items()} == {"asked": 40, "replayed": 40}


def test_examples_are_drawn_from_every_task_in_turn(settings, tmp_path):
    examples = [
        Example(f"{task}{number}", task, f"Question {number}?", "Answer.", ("d",), (Evidence("d", 0, 6, "Answer"),))
        for task, num in (("cell", 9), ("speech", 2))
        for number in range(num)
    ]
    write_examples(tmp_path / "verify" / "examples-00000.parquet", examples)
    options = ["--documents", str(tmp_path / "verify"), "--out", str(tmp_path / "out"), "--params", str(settings)]
    main(["questions", "--count", "6", "--seed", "3", *options])
    totals, drawn = json.loads((tmp_path / "out" / "questions.json").read_text())["tables"]
    assert totals["rows"] == [["cell", 9], ["speech", 2]]
    assert [row[1] for row in drawn["rows"]] == ["cell"] * 4 + ["speech"] * 2


@pytest.mark.slow
def test_small_files_are_fetched_from_many_hosts_and_the_second_time_from_none(tmp_path) -> None:
    main(["fetch", "--count", "60", "--out", str(tmp_path), "--params", str(ROOT / "params.yaml")])
    (table,) = json.loads((tmp_path / "fetch.json").read_text())["tables"]
    first, second = (dict(zip(table["header"], row, strict=True)) for row in table["rows"])
    assert first["files"] == second["files"] == 60
    assert first["hosts"] == 20
    assert first["MB"] == second["MB"] > 0
