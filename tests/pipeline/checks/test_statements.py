"""A statement rests on its own quotes."""

from dataclasses import replace

from pipeline.checks.run import Bounds, list_checks
from pipeline.records import Document, Evidence, Example, Statement

MADE, SOLD = "The mill made 1,250 lamps in a year.", "In all it sold 980 of them to the harbour."
TEXT = f"{MADE} {SOLD}"
DOCUMENT = Document("d" * 64, "book", "mill.txt", text=TEXT, language="en")
EVIDENCE = (
    Evidence(DOCUMENT.doc_id, 0, len(MADE), MADE),
    Evidence(DOCUMENT.doc_id, len(MADE) + 1, len(TEXT), SOLD),
)
EXAMPLE = Example(
    "e" * 16, "lookup", "How many lamps were made and sold?", "The mill made 1,250. It sold 980.",
    (DOCUMENT.doc_id,), EVIDENCE, teacher="a model",
)  # fmt: skip
CHECK = list_checks(Bounds(100, 100))["statements_rest_on_their_quotes"]


def kinds(*statements: Statement) -> list[tuple[str, bool]]:
    found = CHECK(replace(EXAMPLE, statements=statements), {DOCUMENT.doc_id: DOCUMENT})
    return [(finding.reason.kind, finding.is_certain) for finding in found]


def test_statements_with_their_quotes_are_sound() -> None:
    assert kinds(Statement("The mill made 1,250.", (0,)), Statement("It sold 980.", (1,))) == []


def test_a_figure_that_another_quote_has_is_in_doubt() -> None:
    assert kinds(Statement("It sold 980.", (0,))) == [("figure of another quote", False)]


def test_a_quote_that_is_not_there_is_a_fault_and_other_words_are_a_doubt() -> None:
    assert kinds(Statement("It sold 980.", (2,))) == [("statement without its quote", True)]
    assert kinds(Statement("It sold hardly any.", (1,))) == [("statement not in the answer", False)]
