"""Write a page to read rows of a dataset with: their evidence highlighted in what the row shows of the document."""

from collections.abc import Iterator
from importlib import resources
from itertools import islice
from pathlib import Path, PurePath

import jinja2
from markupsafe import Markup, escape

from pipeline.records import MixedExample
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_mixed

NUM_ROWS = 20
CONTEXT = 600  # characters before and after a stretch of evidence

Span = tuple[int, int]


def write_preview(path: Path, dataset: Path, store: DocumentStore) -> None:
    """Write the page of the first rows about documents, which stand in a shuffled order."""
    long = (row for row in read_mixed(dataset, "train-*.parquet") if row.material)
    template = resources.files("pipeline.dataset").joinpath("preview.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    rows = [{"row": row, "parts": list(parts_of(row, store))} for row in islice(long, NUM_ROWS)]
    path.write_text(environment.from_string(template).render(rows=rows), encoding="utf-8")


def parts_of(row: MixedExample, store: DocumentStore) -> Iterator[dict[str, object]]:
    """Yield for each document of a row what is said of it and the passages around its evidence."""
    for part in row.material:
        spans = sorted((e.start, e.end) for e in row.example.evidence if e.doc_id == part.doc_id)
        spans = [
            (start - part.start + part.offset, end - part.start + part.offset)
            for start, end in spans
            if part.start <= start and end <= part.end
        ]
        bounds = (part.offset, part.offset + part.end - part.start)
        yield {
            "source": name_of(store.sources[part.doc_id]),
            "licence": store.licences[part.doc_id] or "unknown",
            "shown": f"characters {part.start:,} to {part.end:,}",
            "passages": [passage(row.instruction, around, spans) for around in surroundings(spans, bounds)],
        }


def name_of(source: str) -> str:
    """Return a URL as it is, and of a path the file's name: folders are somebody's own."""
    return source if source.startswith(("http://", "https://")) else PurePath(source).name


def surroundings(spans: list[Span], bounds: Span) -> list[Span]:
    """Return what to show around spans in their order, those that touch as one; the beginning where there is none."""
    merged: list[Span] = []
    for start, end in spans or [(bounds[0], bounds[0])]:
        around = max(bounds[0], start - CONTEXT), min(bounds[1], end + CONTEXT)
        if merged and around[0] <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], around[1])
        else:
            merged.append(around)
    return merged


def passage(text: str, around: Span, spans: list[Span]) -> Markup:
    """Return a stretch of text as HTML, the spans in it marked."""
    pieces = [Markup("… ")]
    done = around[0]
    for start, end in spans:
        if around[0] <= start and end <= around[1] and end > done:
            start = max(start, done)
            pieces += [escape(text[done:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
            done = end
    return Markup("").join([*pieces, escape(text[done : around[1]]), Markup(" …")])
