"""Ask what a document is known to say: the questions, answers and quotes came with it.

A fact may name another task, as `summary` or `why`; its example is then one of that task.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.passages.passages import Passages
from pipeline.passages.quote_alignment import locate
from pipeline.passages.spans import Span
from pipeline.records import Example, Statement
from pipeline.tasks.build import build_example
from pipeline.tasks.task import KnownFact, Supplied, Task

NAME, VERSION = "known", "known-2"


def candidates(documents: Sequence[Passages], supplied: Supplied) -> Iterator[Example]:
    """Yield an example for each known fact whose quotes the text has, in prose or across the cells of a table."""
    for fact in supplied.facts.get(documents[0].document.doc_id, ()):
        spans = [locate(documents[0].document.text, quote, near=False) for quote in fact.quotes]
        if all(spans):
            ended = fact.answer if fact.answer.endswith((".", "!", "?")) else f"{fact.answer}."
            answer = ended[0].upper() + ended[1:]
            found = [span for span in spans if span]
            evidence = [(documents[0], span) for span in (*found, *find_headers(documents[0], found))]
            example = build_example(documents, fact.task, VERSION, fact.question, answer, evidence)
            yield replace(example, statements=tuple(place_statements(fact, spans, example)))


def find_headers(passages: Passages, spans: Sequence[Span]) -> list[Span]:
    """Return the headers of the tables that some spans are rows of, without which their figures mean nothing."""
    rows = [(span.start, span.end, table.header_span) for table in passages.tables for _, span in table.rows]
    cells = [span for span in spans if "|" in span.text]
    headers = [header for span in cells for start, end, header in rows if start <= span.start < end]
    taken = {(span.start, span.end) for span in spans}
    inside = [h for h in headers if any(h.start <= start and end <= h.end for start, end in taken)]
    return [header for header in dict.fromkeys(headers) if header not in inside]


def place_statements(fact: KnownFact, spans: Sequence[Span | None], example: Example) -> Iterator[Statement]:
    """Yield the statements of a fact; its quotes are counted as the example has them, in the order of the text."""
    ranks = {(span.start, span.end): rank for rank, span in enumerate(example.evidence)}
    places = [ranks[span.start, span.end] for span in spans if span]
    for statement in fact.statements:
        yield Statement(statement.text, tuple(sorted({places[quote] for quote in statement.quotes})))


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates_from_supplied=candidates,
    quotes_may_repeat=True,
)
