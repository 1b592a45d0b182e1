"""Write a page for reading examples: their evidence highlighted in context, and refused ones with their reasons."""

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pipeline.files import replacing
from pipeline.passages.evidence_places import count_by_bucket, find_buckets
from pipeline.records import Evidence, Example, Statement
from pipeline.rejections import Reason
from pipeline.stable_order import order_key
from pipeline.storage.document_store import DocumentStore

CONTEXT_CHARACTERS = 240  # on either side of a quote
MAX_QUOTE_CHARACTERS = 1_500
NUM_BINS = 10
NUM_REFUSED_SHOWN = 5  # shown of each kind of reason


def write_preview(path: Path, examples: Iterable[Example], store: DocumentStore, num_previews: int) -> None:
    """Write the page: `num_previews` accepted examples of each task, drawn by a hash, and some of each refusal."""
    by_task: dict[str, list[Example]] = {}
    refused: dict[str, list[Example]] = {}
    for example in examples:
        if example.reason:
            refused.setdefault(Reason.parse(example.reason).kind, []).append(example)
        else:
            by_task.setdefault(example.task, []).append(example)
    drawn = {task: draw_examples(found, num_previews) for task, found in sorted(by_task.items())}
    shown = {reason: draw_examples(found, NUM_REFUSED_SHOWN) for reason, found in sorted(refused.items())}
    quoted = {span.doc_id for found in by_task.values() for example in found for span in example.evidence}
    lengths = {doc_id: len(store[doc_id].text) for doc_id in store.in_order() if doc_id in quoted}
    template = resources.files("pipeline.dataset").joinpath("evidence_page.html").read_text(encoding="utf-8")
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(template)
    text = page.render(
        tasks={task: [example_view(example, store) for example in found] for task, found in drawn.items()},
        refused={reason: [example_view(example, store) for example in found] for reason, found in shown.items()},
        histograms={task: percent_by_tenth(found, lengths) for task, found in by_task.items()},
        places={task: describe_places(found, store) for task, found in by_task.items()},
        num_accepted={task: len(found) for task, found in by_task.items()},
        num_refused={reason: len(found) for reason, found in refused.items()},
    )
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def describe_places(examples: list[Example], store: DocumentStore) -> str:
    """Return how many examples have their evidence in so many places, in words."""
    counts = count_by_bucket(examples, find_buckets(examples, (store[doc_id] for doc_id in list_documents(examples))))
    return ", ".join(f"{number} in {bucket}" for bucket, number in counts.items() if number)


def list_documents(examples: list[Example]) -> list[str]:
    """Return the ids of the documents that examples are about, each once and sorted."""
    return sorted({doc_id for example in examples for doc_id in example.doc_ids})


def percent_by_tenth(examples: list[Example], lengths: dict[str, int]) -> list[int]:
    """Return the percentage of quotes in each tenth of their documents."""
    bins = [0] * NUM_BINS
    for span in (span for example in examples for span in example.evidence):
        bins[min(NUM_BINS - 1, span.start * NUM_BINS // max(1, lengths[span.doc_id]))] += 1
    total = max(1, sum(bins))
    return [round(100 * count / total) for count in bins]


def draw_examples(examples: list[Example], num: int) -> list[Example]:
    """Return the first `num` examples in the order of a hash."""
    return sorted(examples, key=lambda example: order_key(example.example_id))[:num]


def example_view(example: Example, store: DocumentStore) -> dict[str, Any]:
    """Return what the template shows of an example."""
    quotes = [
        quote_in_context(span, store) | {"number": number, "anchor": f"{example.example_id}-{number}"}
        for number, span in enumerate(example.evidence, 1)
        if span.doc_id in store
    ]
    anchors = {quote["number"]: quote["anchor"] for quote in quotes}
    return {
        "example": example,
        "documents": [store[doc_id].title or store[doc_id].source for doc_id in example.doc_ids if doc_id in store],
        "quotes": quotes,
        "statements": [link_statement(statement, anchors) for statement in example.statements],
        "verdict": describe_verdict(example),
    }


def link_statement(statement: Statement, anchors: Mapping[int, str]) -> dict[str, Any]:
    """Return a statement with the numbers of its quotes and where on the page they are."""
    numbers = [number + 1 for number in statement.quotes]
    return {"text": statement.text, "links": [(number, anchors[number]) for number in numbers if number in anchors]}


def describe_verdict(example: Example) -> str:
    """Return what the judge said about an accepted example; '' if none read it."""
    if "judge" not in example.checks:
        return ""
    return "The judge found no fault in what was in doubt." if example.doubts else "The judge found it sound."


def quote_in_context(span: Evidence, store: DocumentStore) -> dict[str, Any]:
    """Return a quote with the words before and after it."""
    document = store[span.doc_id]
    text = document.text
    before, after = text[max(0, span.start - CONTEXT_CHARACTERS) : span.start], text[span.end :][:CONTEXT_CHARACTERS]
    is_table = any(line.lstrip().startswith("|") for line in span.quote.splitlines())
    if is_table:  # whole lines, so that the columns are below each other
        before, after = before.partition("\n")[2], after.rpartition("\n")[0]
    return {
        "document": document.title or document.source,
        "percent": round(100 * span.start / max(1, len(text))),
        "is_table": is_table,
        "before": before,
        "quote": text[span.start : span.end][:MAX_QUOTE_CHARACTERS],
        "after": after,
    }
