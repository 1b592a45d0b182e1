"""Questions whose answers can be read off the text."""

import json
from pathlib import Path

import pytest

from pipeline.ask import AskParams, run
from pipeline.errors import InputError
from pipeline.passages.document_groups import alone
from pipeline.passages.markdown_tables import find_tables, is_figure
from pipeline.passages.passages import Passages
from pipeline.records import Document
from pipeline.storage.parquet import write_documents
from pipeline.tasks import cell, continuation, figure, section, series, speech
from pipeline.tasks.task import all_tasks
from pipeline.teachers.rule_based import make_examples
from tests.pipeline.discussions import REVIEW_RULES
from tests.pipeline.endpoint.test_client import PARAMS as PARAMS_OF_CLIENT

TASKS = [task for task in all_tasks().values() if task.candidates and task.related is alone]
ENDPOINT = PARAMS_OF_CLIENT.model_copy(update={"base_url": "http://127.0.0.1:9/v1", "max_tokens": 0, "max_cost": 0.0})
PARAMS = AskParams(
    human=REVIEW_RULES,
    endpoint=ENDPOINT,
    teacher="extractive",
    executor="local",
    num_workers=1,
    units_per_shard=2,
    num_per_document=3,
    cited_fraction=0.0,
    max_failed_fraction=0.2,
    quotas=[],
    max_shares={},
    num_known=0,
    steps="at_once",
    questions_per_request=4,
    evidence_places={},
    seed=1,
)


def asking(documents: Path, out: Path, **changed) -> None:
    known = out.parent / "known.jsonl"
    known.touch()
    run(PARAMS.model_copy(update=changed), documents=documents, known=known, out=out, dry_run=False)


def asked(task, document: Document) -> dict[str, str]:
    return {example.question: example.answer for example in task.candidates([Passages(document)])}


def test_speech_is_attributed_to_the_speaker_after_it(documents) -> None:
    answers = asked(speech, documents["book"])
    assert len(answers) == 2
    assert {answer for question, answer in answers.items() if "while I can stand" in question} == {
        "Torvin Hale says this."
    }
    assert {answer for question, answer in answers.items() if "like your father" in question} == {
        "Mrs. Quell says this."
    }


def test_a_continuation_is_the_next_sentence_of_the_same_paragraph(documents) -> None:
    answers = asked(continuation, documents["book"])
    assert "The miller counted them on the beam above his door." in answers.values()
    assert not any("valley road" in answer or "In the morning" in answer for answer in answers.values())


def test_a_section_question_names_the_heading(documents) -> None:
    answers = asked(section, documents["paper"])
    assert {a for q, a in answers.items() if "patience" in q} == {"It stands under “1 Introduction”."}


def test_a_missing_figure_is_the_only_number_of_its_sentence(documents) -> None:
    assert list(asked(figure, documents["paper"]).values()) == ["37.5."]


def test_a_cell_is_named_by_row_and_column(documents) -> None:
    answers = asked(cell, documents["report"])
    assert len(answers) == 6
    assert "The table gives (0.4) for “Estholm” under “2017”." in answers.values()


def test_a_series_lists_every_year_in_order(documents) -> None:
    answers = asked(series, documents["report"])
    assert "Norvania: 2017: 2.1; 2018: 2.4; 2019 forecast: 3.0." in answers.values()


def test_tables_with_the_same_title_or_rows_with_the_same_label_are_not_asked_about() -> None:
    table = "Output\n\n| Economy | 2017 |\n|---|---|\n| Norvania | 2.1 |\n| Twice | 1.0 |\n| Twice | 2.0 |\n\n"
    one = Document("d", "report", "s", text=table)
    assert [label for t in Passages(one).named_tables for label in (row.label for row in t.figures)] == ["Norvania"]
    assert not Passages(Document("d", "report", "s", text=table + table)).named_tables


def test_a_table_at_the_end_of_a_text_without_a_newline_is_whole() -> None:
    (table,) = find_tables("Title\n| a | b |\n|---|---|\n| row one | 1 |")
    assert table.rows[0][0] == ("row one", "1")


@pytest.mark.parametrize(
    ("above", "title"),
    [
        ("### Balance Sheets\n\nAmounts in thousands of dollars.\n\n", "Balance Sheets"),
        ("### Balance Sheets\n\n(in millions)\n", "Balance Sheets"),
        ("**Growth**\n", "Growth"),
        ("| another | table |\n", ""),
        ("(1) A footnote to the table above.\n", ""),
        ("", ""),
    ],
)
def test_a_tables_title_is_the_line_above_it_and_not_its_unit(above: str, title: str) -> None:
    (table,) = find_tables(above + "| | 2017 |\n|---|---|\n| Cash | 1 |\n")
    assert table.title == title


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        *((words, True) for words in ("1,234", "$ (1,234)", "(0.4)%", "12 %", "2019", "-3.5")),
        *((words, False) for words in ("PG29B", "1,23,4,", "n/a", "", "12 of 20", "May 3")),
    ],
)
def test_a_figure_is_a_number_and_its_signs(words: str, expected: bool) -> None:
    assert is_figure(words) is expected


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_evidence_is_where_the_example_says(documents, task) -> None:
    for document in documents.values():
        for example in task.candidates([Passages(document)]):
            assert example.evidence
            for span in example.evidence:
                assert document.text[span.start : span.end] == span.quote


def test_a_document_gives_no_more_than_it_is_asked_for_and_its_tasks_take_turns(documents) -> None:
    def asked_tasks(category: str) -> list[str]:
        return [example.task for example in make_examples([Passages(documents[category])], alone, 3, seed=1)]

    assert asked_tasks("report") == ["cell", "section", "series"]
    assert asked_tasks("book") == ["continuation", "section", "speakers"]
    assert asked_tasks("paper") == ["figure", "section", "section"]


def test_a_task_with_a_greatest_share_leaves_its_place_to_others(documents) -> None:
    def asked_tasks(**max_shares: float) -> list[str]:
        found = make_examples([Passages(documents["report"])], alone, 8, seed=1, max_shares=max_shares)
        return [example.task for example in found]

    assert asked_tasks().count("cell") > 1
    assert asked_tasks(cell=0.1).count("cell") == 1  # one at least
    assert asked_tasks(cell=0.25).count("cell") == 2


def test_a_document_without_anything_to_ask_is_listed(tmp_path: Path, documents) -> None:
    bare = Document("0" * 64, "report", "bare.txt", text="word " * 50, split="train")
    write_documents(tmp_path / "curate" / "documents-00000.parquet", [documents["book"], bare])
    asking(tmp_path / "curate", tmp_path / "ask")
    assert json.loads((tmp_path / "ask" / "report.json").read_text())["documents_without_examples"] == ["bare.txt"]


def test_nothing_to_ask_at_all_is_an_error(tmp_path: Path) -> None:
    write_documents(tmp_path / "curate" / "documents-00000.parquet", [Document("0" * 64, "report", "a", text="word")])
    with pytest.raises(InputError, match="no document that a question could be asked about"):
        asking(tmp_path / "curate", tmp_path / "ask")
    assert not (tmp_path / "ask" / "examples-00000.parquet").exists()
