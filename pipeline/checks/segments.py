"""The parts of a company that a filing reports on, and which of them a figure is of."""

import re
from functools import lru_cache

from pipeline.checks.evidence_figures import Figure, place_tables
from pipeline.checks.sentences import content_words
from pipeline.checks.word_lists import LINE_ITEMS
from pipeline.passages.markdown_tables import row_label
from pipeline.passages.tagged_figures import MONTHS
from pipeline.records import Document

MAX_REPEATS = 2  # of a heading that names a topic; 'Year 2018 results' under every segment names none
MAX_TOPIC_CHARACTERS = 8_000  # that a heading is taken to speak for
MAX_NAME_WORDS = 6
PERIODS = frozenset(content_words("year ended fiscal 30 31 28 months quarter")) | frozenset(
    month for name in MONTHS for month in content_words(name)
)


def words_of(name: str) -> set[str]:
    """Return the words of the name of a segment."""
    return set(content_words(name))


def find_segment(figure: Figure, document: Document) -> str:
    """Return the part of the company that a figure is of, '' for the whole or if it is not known."""
    names = segment_names(document)
    context = set(content_words(f"{figure.context} {figure.row} {figure.column}"))
    named = [name for name in names if words_of(name) <= context]
    if named:
        return max(named, key=len)
    if "total" in context or "consolidated" in figure.context.lower():
        return ""
    topic = topic_heading(document, figure.position)
    return topic if topic in names else ""


@lru_cache(maxsize=64)
def segment_names(document: Document) -> frozenset[str]:
    """Return the names of a company's parts: headings that label a row or a column too, and name no quantity."""
    if document.category != "statement":
        return frozenset()
    labels = set()
    for table in place_tables(document.text).tables:
        labels |= {strip_line_items(row_label(cells)) for cells, _ in table.rows if len(cells) > 1}
        labels |= {strip_line_items(heading) for heading in table.header}
    found = set()
    for section in document.sections:
        name = clean_heading(section.path[-1])
        words = words_of(name)
        is_part = 0 < len(words) <= MAX_NAME_WORDS and not words & LINE_ITEMS and not any(map(str.isdigit, words))
        if is_part and key(name) in labels:
            found.add(name)
    return frozenset(found)


def strip_line_items(label: str) -> str:
    """Return a label without the quantity and the period that it is of: 'clean rooms' for 'Revenue, Clean Rooms'."""
    words = key(label).split()
    while words and (words[0].isdigit() or content_words(words[0]) == [] or set(content_words(words[0])) <= PERIODS):
        words = words[1:]
    while words and set(content_words(words[0])) <= LINE_ITEMS | PERIODS:
        words = words[1:]
    return " ".join(words)


def key(words: str) -> str:
    """Return words in lower case with single spaces, for comparing headings with labels."""
    return " ".join(re.sub(r"[^\w&]+", " ", words.lower()).split())


def clean_heading(heading: str) -> str:
    """Return a heading without remarks: 'Industrial' for 'Industrial Business (37 %)'."""
    bare = re.sub(r"\([^)]*\)|[:*_#]", " ", heading)
    return " ".join(re.sub(r"\b(?:business|segment)s?\b", " ", bare, flags=re.IGNORECASE).split())


def topic_heading(document: Document, position: int) -> str:
    """Return the nearest heading above a place that does not repeat all over the document."""
    repeats = heading_counts(document)
    above = [one for one in document.sections if position - MAX_TOPIC_CHARACTERS <= one.start <= position]
    for section in reversed(above):
        name = section.path[-1]
        if repeats[name] <= MAX_REPEATS:
            return clean_heading(name)
    return ""


@lru_cache(maxsize=64)
def heading_counts(document: Document) -> dict[str, int]:
    """Return how often each heading occurs."""
    found: dict[str, int] = {}
    for section in document.sections:
        found[section.path[-1]] = found.get(section.path[-1], 0) + 1
    return found
