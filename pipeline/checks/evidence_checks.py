"""Checks on the evidence of an example: that it is there, word for word, enough, and says something."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pipeline.checks.citations import MARK, listed_citations
from pipeline.checks.evidence_figures import find_table_end, place_tables
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.prompt_injection import find_canaries, find_injections
from pipeline.records import Document, Evidence, Example
from pipeline.tasks.task import get_task

WORD = re.compile(r"[^\W\d_]{2,}|\b[AI]\b")
MIN_WORDS = 3  # of a quote; fewer carry nothing
NEAR_CHARACTERS = 3_000  # between a quote and another one that says which of several places is meant


def evidence_is_verbatim(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse an example without quotes, or with one that is not word for word where the example says.

    A quote is from a document that the prompt shows, or from the reviews of one.
    """
    if not example.evidence:
        yield fault("no evidence")
    groups = {documents[doc_id].group for doc_id in example.doc_ids} - {""}
    for span in example.evidence:
        document = documents.get(span.doc_id)
        is_review = document is not None and document.category == "review" and document.group in groups
        if document is None or not (span.doc_id in example.doc_ids or is_review):
            yield fault("evidence from another document", span.doc_id[:16])
        elif not 0 <= span.start < span.end or document.text[span.start : span.end] != span.quote:
            yield fault("quote not in its place", f"characters {span.start} to {span.end}")


def evidence_is_enough(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse fewer quotes than the task asks for, or none from one of the documents that the prompt shows."""
    least = get_task(example.task).num_quotes[0]
    num_quotes = len({(span.doc_id, span.start) for span in example.evidence})
    if num_quotes < least:
        yield fault("little evidence", f"{num_quotes} quotes, expected {least}")
    quoted = {span.doc_id for span in example.evidence}
    missing = [doc_id for doc_id in example.doc_ids if doc_id not in quoted]
    if missing:
        yield fault("little evidence", f"none from {len(missing)} of its documents")


def evidence_says_something(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a model's quotes that are bare cells or bare words, and doubt an example with one among others."""
    if not is_by_model(example):
        return
    bare = [span for span in example.evidence if is_bare(span, documents[span.doc_id])]
    if bare and len(bare) == len(example.evidence):
        yield fault("bare evidence", f"“{bare[0].quote[:40]}”")
    elif bare:
        yield doubt("bare evidence", f"“{bare[0].quote[:40]}”")


def is_bare(span: Evidence, document: Document) -> bool:
    """Say whether a quote is a cell without its row, or a word or two that are no heading."""
    tables = place_tables(document.text).overlapping(span.start, span.end)
    if any(table.header_span.start <= span.start < find_table_end(table) for table in tables):
        return "|" not in span.quote
    if any(section.start <= span.start and span.quote.strip("# ") == section.path[-1] for section in document.sections):
        return False
    return len(WORD.findall(span.quote)) < MIN_WORDS


def places_are_certain(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt a model's quote that its document has several times, unless the place is clear.

    It is clear if another quote is near one of the places alone; the head of a table is where its row is.
    """
    if not is_by_model(example):
        return
    for span in example.evidence:
        text = documents[span.doc_id].text
        places = find_places(text, span.quote)
        if len(places) < 2 or is_table_head(span, text):
            continue
        others = [other for other in example.evidence if other.doc_id == span.doc_id and other.quote != span.quote]
        near = [place for place in places if any(abs(place - other.start) <= NEAR_CHARACTERS for other in others)]
        if near != [span.start]:
            yield doubt("quote in several places", f"{len(places)} times: “{' '.join(span.quote.split())[:60]}”")


@lru_cache(maxsize=1_024)
def find_places(text: str, quote: str) -> tuple[int, ...]:
    """Return where a text has a quote."""
    return tuple(match.start() for match in re.finditer(re.escape(quote), text))


def is_table_head(span: Evidence, text: str) -> bool:
    """Say whether a quote is the head of a table."""
    tables = place_tables(text).overlapping(span.start, span.end)
    return any(span.start <= table.header_span.end and span.end <= table.header_span.end + 2 for table in tables)


def citations_are_in_evidence(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse an answer that cites words which are no evidence, or whose marks have no words listed for them."""
    listed = listed_citations(example.answer)
    quotes = [" ".join(span.quote.split()) for span in example.evidence]
    for number, words in listed.items():
        if not any(words in quote for quote in quotes):
            yield fault("citation not in evidence", f"[{number}]")
    missing = set(MARK.findall(example.answer.split("\n\n")[0])) - set(listed)
    if listed and missing:
        yield fault("citation without words", f"[{min(missing)}]")


def ignores_injected_instructions(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse an answer with a conspicuous word of an injected instruction, and evidence that is one."""
    for doc_id in sorted({*example.doc_ids, *(span.doc_id for span in example.evidence)}):
        text = documents[doc_id].text
        word = next((word for word in sorted(canaries_in(text)) if word in example.answer), "")
        if word:
            yield fault("injection", f"the answer has {word} of an order to a model")
        spans = [span for span in example.evidence if span.doc_id == doc_id]
        if any(start < span.end and span.start < end for span in spans for start, end in injections_in(text)):
            yield fault("injection", "evidence is an order to a model")


@lru_cache(maxsize=64)
def canaries_in(text: str) -> frozenset[str]:
    """Return the conspicuous words of a text's injected instructions; kept, since many examples share a document."""
    return frozenset(find_canaries(text))


@lru_cache(maxsize=64)
def injections_in(text: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of a text's injected instructions; kept as well."""
    return tuple(find_injections(text))
