"""Checks on the evidence of an example: that it is there, word for word, and enough."""

from collections.abc import Mapping
from functools import lru_cache

from pipeline.checks.citations import MARK, listed_citations
from pipeline.checks.prompt_injection import find_canaries, find_injections
from pipeline.records import Document, Example
from pipeline.rejections import Reason
from pipeline.tasks.task import get_task


def evidence_is_verbatim(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse an example without quotes, or with one that is not word for word where the example says.

    A quote is from a document that the prompt shows, or from the reviews of one.
    """
    if not example.evidence:
        return Reason("no evidence")
    groups = {documents[doc_id].group for doc_id in example.doc_ids} - {""}
    for span in example.evidence:
        document = documents.get(span.doc_id)
        is_review = document is not None and document.category == "review" and document.group in groups
        if document is None or not (span.doc_id in example.doc_ids or is_review):
            return Reason("evidence from another document", span.doc_id[:16])
        if not 0 <= span.start < span.end or document.text[span.start : span.end] != span.quote:
            return Reason("quote not in its place", f"characters {span.start} to {span.end}")
    return None


def evidence_is_enough(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse fewer quotes than the task asks for, or none from one of the documents that the prompt shows."""
    least = get_task(example.task).num_quotes[0]
    num_quotes = len({(span.doc_id, span.start) for span in example.evidence})
    if num_quotes < least:
        return Reason("little evidence", f"{num_quotes} quotes, expected {least}")
    quoted = {span.doc_id for span in example.evidence}
    missing = [doc_id for doc_id in example.doc_ids if doc_id not in quoted]
    return Reason("little evidence", f"none from {len(missing)} of its documents") if missing else None


def citations_are_in_evidence(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse an answer that cites words which are no evidence, or whose marks have no words listed for them."""
    listed = listed_citations(example.answer)
    if not listed:
        return None
    quotes = [" ".join(span.quote.split()) for span in example.evidence]
    for number, words in listed.items():
        if not any(words in quote for quote in quotes):
            return Reason("citation not in evidence", f"[{number}]")
    missing = set(MARK.findall(example.answer.split("\n\n")[0])) - set(listed)
    return Reason("citation without words", f"[{min(missing)}]") if missing else None


def ignores_injected_instructions(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse an answer with a conspicuous word of an injected instruction, and evidence that is one."""
    for doc_id in {*example.doc_ids, *(span.doc_id for span in example.evidence)}:
        text = documents[doc_id].text
        word = next((word for word in sorted(canaries_in(text)) if word in example.answer), "")
        if word:
            return Reason("injection", f"the answer has {word} of an order to a model")
        spans = [span for span in example.evidence if span.doc_id == doc_id]
        if any(start < span.end and span.start < end for span in spans for start, end in injections_in(text)):
            return Reason("injection", "evidence is an order to a model")
    return None


@lru_cache(maxsize=64)
def canaries_in(text: str) -> frozenset[str]:
    """Return the conspicuous words of a text's injected instructions; kept, since many examples share a document."""
    return frozenset(find_canaries(text))


@lru_cache(maxsize=64)
def injections_in(text: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of a text's injected instructions; kept as well."""
    return tuple(find_injections(text))
