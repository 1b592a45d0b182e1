"""Write a page that shows rows of a dataset with their evidence highlighted."""

from collections.abc import Iterator
from importlib import resources
from itertools import islice
from pathlib import Path, PurePath

import jinja2
from markupsafe import Markup, escape

from pipeline.records import CharRange, MixedExample
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_mixed

NUM_ROWS = 20
CONTEXT = 600  # characters shown before and after the evidence


def write_preview(path: Path, dataset: Path, store: DocumentStore) -> None:
    """Write the page of the first rows about documents; rows are in shuffled order."""
    long = (row for row in read_mixed(dataset, "train-*.parquet") if row.material)
    template = resources.files("pipeline.dataset").joinpath("preview.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    rows = [{"row": row, "parts": list(view_documents(row, store))} for row in islice(long, NUM_ROWS)]
    path.write_text(environment.from_string(template).render(rows=rows), encoding="utf-8")


def view_documents(row: MixedExample, store: DocumentStore) -> Iterator[dict[str, object]]:
    """Yield, for each document of a row, its source and the passages around its evidence."""
    for part in row.material:
        spans = sorted((e.start, e.end) for e in row.example.evidence if e.doc_id == part.doc_id)
        spans = [
            (start - part.start + part.offset, end - part.start + part.offset)
            for start, end in spans
            if part.start <= start and end <= part.end
        ]
        bounds = (part.offset, part.offset + part.end - part.start)
        yield {
            "source": public_source(store.sources[part.doc_id]),
            "licence": store.licences[part.doc_id] or "unknown",
            "shown": f"characters {part.start:,} to {part.end:,}",
            "passages": [passage(row.instruction, around, spans) for around in surroundings(spans, bounds)],
        }


def public_source(source: str) -> str:
    """Return a URL as it is, and only the file name of a path."""
    return source if source.startswith(("http://", "https://")) else PurePath(source).name


def surroundings(spans: list[CharRange], bounds: CharRange) -> list[CharRange]:
    """Return the ranges to show around spans, merged where they touch; without spans, the beginning."""
    merged: list[CharRange] = []
    for start, end in spans or [(bounds[0], bounds[0])]:
        around = max(bounds[0], start - CONTEXT), min(bounds[1], end + CONTEXT)
        if merged and around[0] <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], around[1])
        else:
            merged.append(around)
    return merged


def passage(text: str, around: CharRange, spans: list[CharRange]) -> Markup:
    """Return a range of the text as HTML, with the spans highlighted."""
    pieces = [Markup("… ")]
    done = around[0]
    for start, end in spans:
        if around[0] <= start and end <= around[1] and end > done:
            start = max(start, done)
            pieces += [escape(text[done:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
            done = end
    return Markup("").join([*pieces, escape(text[done : around[1]]), Markup(" …")])
