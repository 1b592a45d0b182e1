"""What an answer may take numbers and names from, beside its quotes: the question, titles, heads, words nearby."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from pipeline.checks.evidence_figures import column_headings, place_tables
from pipeline.records import Document, Example

NEAR_CHARACTERS = 4_000  # on either side of a quote: about two pages


def join_sources(example: Example, others: Iterable[str] = ()) -> str:
    """Return all words that an answer may take numbers and names from: the evidence, the question, and others."""
    turns = (turn.content for turn in example.earlier)
    return " ".join([*(span.quote for span in example.evidence), example.question, *turns, *others])


def document_names(example: Example, documents: Mapping[str, Document]) -> list[str]:
    """Return what the documents of an example are called: their titles, and who filed a report or statement."""
    shown = [documents[doc_id] for doc_id in example.doc_ids]
    filed = [document for document in shown if document.category in ("report", "statement")]
    return [*(document.title for document in shown), *(author for document in filed for author in document.authors)]


def distinguishing_years(example: Example, documents: Mapping[str, Document]) -> list[str]:
    """Return what tells several documents apart by year: the titles of two or more, the dates of a series."""
    shown = [documents[doc_id] for doc_id in example.doc_ids]
    titles = [document.title for document in shown] if len(shown) > 1 else []
    return [*titles, *(document.date[:4] for document in shown if len(shown) > 2)]


def words_above(example: Example, documents: Mapping[str, Document]) -> list[str]:
    """Return the headings and heads of tables that evidence is under."""
    found = []
    for span in example.evidence:
        document = documents[span.doc_id]
        inside = [section for section in document.sections if section.start <= span.start < section.end]
        found += [heading for section in inside for heading in section.path]
        found += last_headings(document, span.start)
        for table in place_tables(document.text).overlapping(span.start, span.end):
            found += [*column_headings(table), table.title]
    return found


def last_headings(document: Document, position: int) -> list[str]:
    """Return the two nearest headings above a place."""
    return [section.path[-1] for section in document.sections if section.start <= position][-2:]


def words_near(example: Example, documents: Mapping[str, Document], characters: int = NEAR_CHARACTERS) -> str:
    """Return the text around the quotes of an example."""
    return "\n".join(
        documents[span.doc_id].text[max(0, span.start - characters) : span.end + characters]
        for span in example.evidence
    )


@lru_cache(maxsize=64)
def words_in(text: str) -> frozenset[str]:
    """Return the words that a text has, in lower case."""
    return frozenset(re.findall(r"[^\W\d_]+", text.lower()))


@lru_cache(maxsize=64)
def lower_case_words(text: str) -> frozenset[str]:
    """Return the words that a text has in lower case."""
    return frozenset(re.findall(r"(?<![\w’'-])[a-z]{3,}(?![\w-])", text))


@lru_cache(maxsize=64)
def lower_case_beginnings(text: str) -> frozenset[str]:
    """Return the first five letters of the words that a text has in lower case."""
    return frozenset(word[:5] for word in lower_case_words(text))


@lru_cache(maxsize=256)
def flat(text: str) -> str:
    """Return a text in lower case with single spaces and plain quotation marks."""
    return " ".join(text.lower().replace("’", "'").split())
