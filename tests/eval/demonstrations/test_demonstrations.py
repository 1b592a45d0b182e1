"""A perfect transcript passes every check, and each planted fault is caught by the check that is there for it."""

from dataclasses import replace

import pytest

from eval.demonstrations import novel, paper_review, two_styles, yearly_outlooks
from eval.demonstrations.case import Case, Library, find_demonstrations
from pipeline.passages.document_groups import DocumentCard
from pipeline.readers.common.sections import find_sections
from pipeline.records import Document, Evidence, Example

YEARS = range(2018, 2023)
GROWTH = dict(zip(YEARS, (4.0, 2.5, -3.1, 5.2, 3.3), strict=True))
PAPER = """## TORVA: Reading Rain Gauges

#### Abstract

We propose TORVA, which gains 6.9 points on average over Dynoar (Ashgate and Zellmere, 2006). Figure 2 shows how.

## 1 Introduction

Ashgate and Zellmere (2006) read gauges by hand. Table 4 removes parts. Without the memory bank it loses 0.9 points.

## 8 Limitations

TORVA was not tested on gauges with gaps of more than a day.
"""
REVIEWS = """# Reviews of TORVA

Venue: SAMPLE 2024

## Review 1

### Summary

It reads gauges.

### Weaknesses

The variant without the memory bank loses only 0.9 points. No experiment addresses gaps of more than a day.
"""
BOOK = """Chapter 1

Orla Venwick kept the lamp of the tower. Orla Venwick was the strongest woman on the coast.

In the spring the harbour master broke her oath book, because he feared what Orla Venwick had written about the fire.

Orla Venwick wept, and afterwards she could not lift the lamp, for her strength had come from the oath.
"""
ANSWER = "Her strength had come from the oath, and the harbour master broke her oath book."
REVIEW = """Summary of contributions:
TORVA gains 6.9 points over Dynoar.
Strong points:
Table 4 removes parts one by one.
Weak points:
Without the memory bank it loses only 0.9 points, and no experiment addresses gaps of more than a day.
Recommendation: Accept
Reasons:
The gain is large.
Questions:
Who chose the stations?
Additional feedback:
Report intervals, and test TORVA elsewhere.
"""
STYLES = "Paper A: {A}. Paper B: {B}. One cites by number in brackets, the other by author and year."


def card(document: Document, date: str = "2020", group: str = "", split: str = "test") -> DocumentCard:
    return DocumentCard(
        document.doc_id, document.category, document.title, (), date, split, group, document.source, 100
    )


def report(year: int) -> Document:
    text = f"In {year} growth of output was put at {GROWTH[year]} percent. The banks waited for the rain."
    return Document(f"r{year}", "report", f"{year}.txt", f"Outlook {year}", text=text)


@pytest.fixture
def library() -> Library:
    book = Document("b", "book", "b.txt", "The Lamp", text=BOOK)
    paper, other = (Document(name, "paper", f"{name}.txt", "TORVA", text=PAPER) for name in ("p", "q"))
    reviews = Document("v", "review", "v.json", "Reviews of TORVA", text=REVIEWS, sections=find_sections(REVIEWS))
    reports = [report(year) for year in YEARS]
    quotes = ("harbour master broke her oath book", "her strength had come from the oath")
    evidence = tuple(Evidence("b", BOOK.index(quote), BOOK.index(quote) + len(quote), quote) for quote in quotes)
    why = Example("e", "why", "Why could Orla Venwick not lift the lamp?", ANSWER, ("b",), evidence)
    cards = [card(book), card(paper, group="g"), card(other), card(reviews, group="g")]
    cards += [card(one, one.source[:4]) for one in reports]
    documents = {one.doc_id: one for one in (book, paper, other, reviews, *reports)}
    return Library(documents, cards, [why], lambda text: len(text.split()), 10_000, 1)


def failed(case: Case, reply: str) -> set[str]:
    return {one.check for one in find_demonstrations()[case.demonstration].check(case, reply) if not one.passed}


def write_outlooks(case: Case, **changes: str) -> str:
    """Return a perfect summary of the reports of a case, with the lines of some years changed."""
    lines = {str(year): f"{year}: output grew by {GROWTH[year]} percent." for year in YEARS}
    lines |= {year: f"{year}: the report of this year is missing." for year in case.gold["missing"]}
    lines["2023"] = "2023: growth will probably stay between the last two."
    return "\n".join((lines | {year.strip("y"): line for year, line in changes.items()}).values())


def test_every_demonstration_is_found_and_has_cases(library):
    found = find_demonstrations()
    assert set(found) == {"novel", "paper review", "two styles", "yearly outlooks"}
    assert {name: len(list(one.make_cases(library))) for name, one in found.items()} == {
        "novel": 4, "paper review": 1, "two styles": 2, "yearly outlooks": 3
    }  # fmt: skip


def test_a_library_without_the_documents_has_no_cases(library):
    empty = replace(library, documents={}, cards=(), examples=())
    assert all(not list(one.make_cases(empty)) for one in find_demonstrations().values())


@pytest.mark.parametrize("reply", ["", "...", "I do not know.", "2019 2020 [1] ICLR CVPR Paper A\n\n|"])
def test_a_reply_without_any_sense_fails_some_check_of_every_case(library, reply):
    for one in find_demonstrations().values():
        assert all(failed(case, reply) for case in one.make_cases(library))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_perfect_summary_of_outlooks_passes(library, number):
    case = list(yearly_outlooks.make_cases(library))[number]
    assert failed(case, write_outlooks(case)) == set()


@pytest.mark.parametrize(
    ("changes", "checks"),
    [
        ({"y2020": "2020: output fell by 7.7 percent."}, {"no invented figure", "figures of the right year"}),
        ({"y2020": "2020: output grew by 5.2 percent."}, {"figures of the right year"}),
        ({"y2019": ""}, {"every year"}),
        ({"y2023": ""}, {"forecast"}),
        ({"y2018": "2019: output grew by 2.5 percent.", "y2019": "2018: output grew by 4.0 percent."}, {"in order"}),
        (
            {f"y{year}": f"{year}: things went on." for year in (2018, 2019, 2020, 2021)},
            {"growth of most years"},
        ),
    ],
)
def test_each_fault_of_a_summary_is_caught(library, changes, checks):
    case = next(yearly_outlooks.make_cases(library))
    assert failed(case, write_outlooks(case, **changes)) == checks


def test_a_missing_year_must_be_said_to_be_missing(library):
    case = list(yearly_outlooks.make_cases(library))[2]
    (year,) = case.gold["missing"]
    assert f"Outlook {year}" not in case.prompt.document
    made_up = write_outlooks(case, **{f"y{year}": f"{year}: output grew by {GROWTH[int(year)]} percent."})
    assert failed(case, made_up) >= {"missing year said"}


def test_shuffled_reports_are_the_same_reports(library):
    in_order, shuffled, _ = yearly_outlooks.make_cases(library)
    assert in_order.doc_ids != shuffled.doc_ids
    assert sorted(in_order.doc_ids) == sorted(shuffled.doc_ids)


def test_a_perfect_review_passes(library):
    case = next(paper_review.make_cases(library))
    assert len(case.gold["weaknesses"]) == 2
    assert failed(case, REVIEW) == set()


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("Questions:\nWho chose the stations?\n", "", "every part"),
        ("6.9", "8.9", "figures of the paper"),
        ("Recommendation: Accept", "Recommendation: none yet", "one recommendation"),
        ("Recommendation: Accept", "Recommendation: Accept, or Reject", "one recommendation"),
        ("Report intervals, and test TORVA elsewhere.", "Thank you.", "advice"),
        (
            "Without the memory bank it loses only 0.9 points, and no experiment addresses gaps of more than a day.",
            "The prose is dry.",
            "weaknesses found",
        ),
    ],
)
def test_each_fault_of_a_review_is_caught(library, old, new, check):
    case = next(paper_review.make_cases(library))
    assert old in REVIEW
    assert failed(case, REVIEW.replace(old, new)) == {check}


def test_papers_are_set_in_the_conventions_of_their_conference():
    iclr, cvpr = (two_styles.set_for(venue, PAPER) for venue in ("ICLR", "CVPR"))
    assert "## 1 INTRODUCTION" in iclr
    assert "(Ashgate and Zellmere, 2006)" in iclr
    assert "## 1. Introduction" in cvpr
    assert "Dynoar [1]. Fig. 2 shows how." in cvpr
    assert "Ashgate and Zellmere [1] read gauges by hand. Tab. 4" in cvpr


def test_an_attribution_has_to_swap_with_the_papers(library):
    as_they_are, swapped = two_styles.make_cases(library)
    assert as_they_are.gold["A"] == swapped.gold["B"]
    assert as_they_are.doc_ids == swapped.doc_ids[::-1]
    right = STYLES.format(**as_they_are.gold)
    assert failed(as_they_are, right) == set()
    assert failed(swapped, right) == {"right attribution"}
    assert failed(swapped, STYLES.format(**swapped.gold)) == set()


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("Paper A is set for ICLR. Paper B is for CVPR.", {"A": "ICLR", "B": "CVPR"}),
        ("ICLR is Paper B, and CVPR is Paper A.", {"A": "CVPR", "B": "ICLR"}),
        ("Paper A is not for CVPR. Paper A is for ICLR.", {"A": "ICLR"}),
        ("Both are for ICLR.", {}),
    ],
)
def test_attributions_are_read_from_sentences(reply, found):
    assert two_styles.attribute(reply) == found


def test_the_gold_reason_passes_and_another_does_not(library):
    case = next(novel.make_cases(library))
    assert failed(case, ANSWER) == set()
    assert failed(case, "Because she was tired after the long winter.") == {"the gold reason"}


def test_names_are_replaced_everywhere_and_the_old_ones_may_not_come_back(library):
    *_, renamed = novel.make_cases(library)
    assert renamed.gold["old_names"] == ["Orla", "Venwick"]
    for text in (renamed.prompt.document, renamed.prompt.question):
        assert "Orla" not in text
        assert "Venwick" not in text
    assert "harbour master" in renamed.prompt.document
    assert failed(renamed, ANSWER) == set()
    assert failed(renamed, f"{ANSWER} So Orla could not lift it.") == {"no name from memory"}


def test_a_long_document_is_shown_by_the_passages_that_matter(library):
    text = "\n\n".join(
        f"Passage {number} about boats and rain in the harbour of the town. " * 8 for number in range(30)
    )
    text += "\n\nGrowth of output in 2019 was 2.5 percent, a forecast said."
    found = library.excerpt(text, "growth of output in 2019", 120)
    assert "2.5 percent" in found
    assert len(found.split()) <= 120
