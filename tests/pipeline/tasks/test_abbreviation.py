"""What abbreviations stand for."""

import pytest

from pipeline.tasks.abbreviation import find_term
from tests.pipeline.tasks.test_tasks import asked, document

TEXT = """# Lamps

The time to plasma cell malignancy (PCM) was known for most of the lamps in the hall. After PCM nothing was seen.

All mail user agents (MUAs) of the harbour were switched off for the winter. MUAs are not kept. No MUA was lit.

The lamps of the Office for Lamps (OL) were never lit in the year of the flood. They stayed dark, and PCM was seen.
"""


def test_an_abbreviation_that_is_explained_once_and_used_often_is_asked_for() -> None:
    assert set(asked("abbreviation", document(TEXT, "paper")).values()) == {
        "“PCM” stands for “plasma cell malignancy”.",
        "“MUAs” stands for “mail user agents”.",
    }


def test_an_abbreviation_with_two_explanations_is_left_out() -> None:
    other = "\nOthers say that the power of coal mines (PCM) is what the lamps of the harbour were lit by. PCM ends.\n"
    assert (
        "“PCM” stands for “plasma cell malignancy”."
        not in asked("abbreviation", document(TEXT + other, "paper")).values()
    )


@pytest.mark.parametrize(("before", "short", "term"), [
    ("told by the Securities and Exchange Commission", "SEC", "Securities and Exchange Commission"),
    ("a list of names of the Department of Labor", "DOL", "Department of Labor"),
    ("the grouped-query attention", "GQA", "grouped-query attention"),
    ("in the Center for the National Interest", "CNI", "Center for the National Interest"),
    ("a table of lamps", "ABC", ""),
    ("", "AB", ""),
])  # fmt: skip
def test_a_term_begins_where_its_first_letter_is(before: str, short: str, term: str) -> None:
    assert find_term(before, short) == term
