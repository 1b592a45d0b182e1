"""Checks on the order and the places of evidence: timelines, and questions that need several places."""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from pipeline.checks.citations import without_citations
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.sentences import content_words, split_sentences
from pipeline.passages.tagged_figures import MONTHS
from pipeline.records import Document, Evidence, Example

APART_CHARACTERS = 500  # quotes nearer than this are one place
SEVERAL_PLACES = ("multi_hop", "timeline", "order")
IN_ORDER = ("timeline",)
ITEM = re.compile(r"(?:^|\n)\s*(?:\(?\d{1,2}[.)]|[-•*])\s+(.+)")
STEP = re.compile(
    r"\b(?:first|then|next|after that|afterwards|later|finally|lastly|at last|eventually)\b", re.IGNORECASE
)
DATE = re.compile(
    rf"(?P<month>{'|'.join(MONTHS)})\s+(?P<day>\d{{1,2}}),?\s+(?P<year>(?:1[5-9]|20)\d\d)(?!\d)"
    rf"|(?P<day2>\d{{1,2}})\s+(?P<month2>{'|'.join(MONTHS)})\s+(?P<year2>(?:1[5-9]|20)\d\d)(?!\d)"
    rf"|(?P<month3>{'|'.join(MONTHS)})\s+(?P<year3>(?:1[5-9]|20)\d\d)(?!\d)|(?<!\d)(?P<year4>(?:1[5-9]|20)\d\d)(?!\d)"
)
MIN_SHARED = 2  # words that an item shares with its quote


def quotes_are_apart(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt a question for several places whose quotes are in one, and refuse one whose quotes overlap."""
    if not is_by_model(example) or example.task not in SEVERAL_PLACES:
        return
    places = count_places(example.evidence)
    if places < 2:
        spans = sorted(example.evidence, key=lambda span: (span.doc_id, span.start))
        overlaps = len(spans) > 1 and all(one.end > other.start for one, other in pairwise(spans))
        yield fault("quotes overlap") if overlaps else doubt("quotes from one place", f"{len(spans)} of them")


def count_places(evidence: Sequence[Evidence]) -> int:
    """Return from how many places quotes are, those within 500 characters of each other being one."""
    spans = sorted(evidence, key=lambda span: (span.doc_id, span.start))
    return sum(
        number == 0 or span.doc_id != spans[number - 1].doc_id or span.start - spans[number - 1].end > APART_CHARACTERS
        for number, span in enumerate(spans)
    )


def events_are_in_order(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a timeline whose dates go back, and doubt one whose places in the document do."""
    if not is_by_model(example) or not (example.task in IN_ORDER or asks_for_order(example.question)):
        return
    items = list_items(without_citations(example.answer))
    dates = [date for item in items for date in [find_date(item)] if date]
    if len(dates) > 1 and dates != sorted(dates):
        yield fault("events out of order", " before ".join(map(str, dates[:3])))
        return
    if len(dates) == len(items):
        return
    places = [place for item in items for place in [find_place(item, example)] if place is not None]
    if len(places) > 1 and places != sorted(places):
        yield doubt("events out of order", "not in the order of their places")


def asks_for_order(question: str) -> bool:
    """Say whether a question asks for the order of events."""
    return bool(
        re.search(
            r"\b(?:in (?:what|which) order|chronolog\w+|order of (?:time|events)|sequence of)\b",
            question,
            re.IGNORECASE,
        )
    )


def list_items(answer: str) -> list[str]:
    """Return the events of an answer: the items of its list, else the sentences that a 'then' orders."""
    items = ITEM.findall(answer)
    if len(items) > 1:
        return [" ".join(item.split()) for item in items]
    parts = [part for span in split_sentences(answer) for part in re.split(r";\s+(?:and )?(?:then)?", span.text)]
    return parts if len(parts) > 1 and STEP.search(answer) else []


def find_date(item: str) -> datetime.date | None:
    """Return the first date of an event, None if it has none; a year alone is its first day."""
    match = DATE.search(item)
    if match is None:
        return None
    groups = match.groupdict()
    month = groups["month"] or groups["month2"] or groups["month3"]
    year = next(groups[name] for name in ("year", "year2", "year3", "year4") if groups[name])
    day = int(groups["day"] or groups["day2"] or 1)
    try:
        return datetime.date(int(year), MONTHS.index(month) + 1 if month else 1, day)
    except ValueError:
        return None


def find_place(item: str, example: Example) -> tuple[int, int] | None:
    """Return where in the documents the quote of an event is, None if no quote is clearly its own."""
    stated = [statement for statement in example.statements if statement.text in item or item in statement.text]
    if stated and stated[0].quotes and stated[0].quotes[0] < len(example.evidence):
        return rank(example.evidence[stated[0].quotes[0]], example)
    words = set(content_words(item))
    counted = [(len(words & set(content_words(span.quote))), span.start, span) for span in example.evidence]
    shared = sorted(counted, key=lambda one: one[:2], reverse=True)
    if not shared or shared[0][0] < MIN_SHARED or (len(shared) > 1 and shared[0][0] == shared[1][0]):
        return None
    return rank(shared[0][2], example)


def rank(span: Evidence, example: Example) -> tuple[int, int]:
    """Return the place of a quote: its document's number and its start."""
    return (example.doc_ids.index(span.doc_id) if span.doc_id in example.doc_ids else -1, span.start)
