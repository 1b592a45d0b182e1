"""Choose which part of a document a row shows, where the whole does not fit.

A part begins and ends with sections; where a section alone is too long, with paragraphs, and where a paragraph is, with
sentences or rows of a table. No sentence is cut, and the evidence lies inside. Where in the part the evidence stands
differs from row to row, by `example_id`, so that a model cannot learn to look in one place.
"""

import bisect
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from tokenizers import Tokenizer

from pipeline.dataset.prompt import Shown, Span, row_tokens
from pipeline.records import Document, Evidence, Example
from pipeline.stable_order import hash_fraction
from pipeline.tokenization.token_grid import Grid

MAX_ROUNDS = 6  # of taking away what the estimate left out
WELL_FILLED = 0.5  # of the room; a part that is smaller is looked for among finer borders
PARAGRAPH = re.compile(r"\n\s*\n")
SENTENCE = re.compile(r"[.!?][\"”’»)\]]*\s+(?=[A-Z0-9“\"‘(\[])|\n(?=\|)|[。！？]")


def fit_row(
    tokenizer: Tokenizer, example: Example, shown: Sequence[Shown], max_tokens: int
) -> tuple[Sequence[Shown], int] | None:
    """Show of each document as much as fits into `max_tokens`, with the answer, the question and the wrapper whole.

    Args:
        tokenizer: Counts.
        example: Its evidence lies in the documents.
        shown: The documents, whole.
        max_tokens: Of the row.

    Returns:
        The parts, and the tokens of the row; None where the evidence does not fit.
    """
    total = row_tokens(tokenizer, example, shown)
    if total <= max_tokens:
        return shown, total
    whole = sum(int(part.grid.tokens[-1]) for part in shown)
    room = max_tokens - (total - whole)
    needs = [least_tokens(part, example) for part in shown]
    for _ in range(MAX_ROUNDS):
        spare = room - sum(needs)  # goes to the documents by their lengths
        if spare < 0 or not shown:
            return None
        shares = [spare * int(part.grid.tokens[-1]) / max(1, whole) for part in shown]
        spans = [window(part, example, need + share) for part, need, share in zip(shown, needs, shares, strict=True)]
        if None in spans:
            return None
        cut = [replace(part, span=span) for part, span in zip(shown, spans, strict=True) if span]
        tokens = row_tokens(tokenizer, example, cut)
        if tokens <= max_tokens:
            return cut, tokens
        room -= tokens - max_tokens + 1
    return None


def least_tokens(part: Shown, example: Example) -> float:
    """Return about how many tokens the sentences of a document have that hold its evidence."""
    start, end = evidence_span(part.document.doc_id, example.evidence)
    borders = sentence_borders(part.document)
    first = bisect.bisect_right(borders, start) - 1
    last = bisect.bisect_left(borders, max(end, borders[first] + 1))
    before = part.grid.estimate((borders[first], borders[last]))
    return float(before[1] - before[0])


def window(part: Shown, example: Example, room: float) -> Span | None:
    """Return the part of a document that fits into `room` tokens and holds its evidence, None where there is none."""
    document = part.document
    span = evidence_span(document.doc_id, example.evidence)
    place = place_of(example.example_id, document.doc_id)
    best: Span | None = None
    filled = 0.0
    for borders_of in (section_borders, paragraph_borders, sentence_borders):
        found = window_between(borders_of(document), part.grid, span, room, place)
        if found:
            tokens = float(np.diff(part.grid.estimate(found))[0])
            if best is None or tokens > filled:
                best, filled = found, tokens
        if filled >= WELL_FILLED * room:
            break
    return best


def window_between(borders: Sequence[int], grid: Grid, span: Span, room: float, place: float) -> Span | None:
    """Return the widest run of stretches between borders that holds `span` and fits into `room` tokens.

    Of what remains beside the span, the share `place` goes before it.
    """
    before = grid.estimate(borders)
    first = bisect.bisect_right(borders, span[0]) - 1
    last = bisect.bisect_left(borders, max(span[1], borders[first] + 1))
    spare = room - (before[last] - before[first])
    if spare < 0:
        return None
    lowest = min(first, int(np.searchsorted(before, before[first] - spare * place, side="left")))
    highest = max(last, int(np.searchsorted(before, before[lowest] + room, side="right")) - 1)
    lowest = min(lowest, int(np.searchsorted(before, before[highest] - room, side="left")))
    return borders[lowest], borders[highest]


def evidence_span(doc_id: str, evidence: Sequence[Evidence]) -> Span:
    """Return the shortest span of a document that holds all of its evidence; without any, an empty one at its start."""
    own = [item for item in evidence if item.doc_id == doc_id]
    return (min(item.start for item in own), max(item.end for item in own)) if own else (0, 0)


def place_of(example_id: str, doc_id: str) -> float:
    """Return a number in [0, 1) that depends on its arguments alone."""
    return hash_fraction(f"{example_id}\0{doc_id}")


def with_ends(text: str, starts: Sequence[int]) -> tuple[int, ...]:
    """Return starts in order, with those of the text itself, each once."""
    return tuple(sorted({0, len(text), *(start for start in starts if 0 < start < len(text))}))


def section_borders(document: Document) -> tuple[int, ...]:
    """Return where sections start."""
    return with_ends(document.text, [section.start for section in document.sections])


def paragraph_borders(document: Document) -> tuple[int, ...]:
    """Return where sections and paragraphs start."""
    return borders_in(document.text, PARAGRAPH)


def sentence_borders(document: Document) -> tuple[int, ...]:
    """Return where paragraphs, sentences and rows of tables start."""
    return tuple(sorted({*borders_in(document.text, PARAGRAPH), *borders_in(document.text, SENTENCE)}))


@lru_cache(maxsize=8)  # the questions about a document come one after the other
def borders_in(text: str, pattern: re.Pattern[str]) -> tuple[int, ...]:
    """Return where what follows a pattern starts."""
    return with_ends(text, [match.end() for match in pattern.finditer(text)])
