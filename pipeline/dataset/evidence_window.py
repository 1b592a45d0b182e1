"""Choose the window of a document that a row shows where the whole document does not fit.

A window begins and ends with sections. Where a section alone is too long it begins and ends with paragraphs, and where
a paragraph is, with sentences or rows of a table. A sentence is cut only where it does not fit by itself. The evidence
lies inside. How much of the window comes before the evidence differs from row to row, by `example_id`, so that a model
cannot learn to look in one place.

`fit_row` cuts the documents of a row before it is written, `cut_to_fit` those of a row that is written already.
"""

import bisect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from tokenizers import Tokenizer

from pipeline.dataset.prompt import Shown, count_row_tokens
from pipeline.records import CharRange, Evidence, Example, Material, MixedExample
from pipeline.stable_order import hash_fraction
from pipeline.tokenization.token_grid import Grid, make_grid

MAX_ROUNDS = 6  # of taking away the tokens by which the estimate was too low
WELL_FILLED = 0.5  # of the room; a window that fills less is also looked for among finer borders
HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
PARAGRAPH = re.compile(r"\n\s*\n")
SENTENCE = re.compile(r"[.!?][\"”’»)\]]*\s+(?=[A-Z0-9“\"‘(\[])|\n(?=\|)|[。！？]")
WORD = re.compile(r"\s+")
MAX_WORD_CHARACTERS = 200  # a longer word (Chinese, base64) may be cut anywhere


@dataclass(frozen=True)
class Windowed:
    """A text of which a window is to be shown."""

    text: str
    grid: Grid  # of its tokens
    evidence: CharRange  # the shortest span that holds all of its evidence; (0, 0) without any
    fraction: float  # in [0, 1): how much of what is shown beside the evidence comes before it
    section_starts: tuple[int, ...]

    def coarse_borders(self) -> list[tuple[int, ...]]:
        """Return where sections, paragraphs and sentences start, the coarsest first."""
        sections = with_ends(self.text, self.section_starts)
        return [sections, borders_after(self.text, PARAGRAPH), sentence_borders(self.text)]


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
        The windows, and the tokens of the row; None where the evidence does not fit.
    """
    texts = [
        Windowed(
            part.document.text,
            part.grid,
            evidence_span(part.document.doc_id, example.evidence),
            hash_fraction(f"{example.example_id}\0{part.document.doc_id}"),
            tuple(section.start for section in part.document.sections),
        )
        for part in shown
    ]

    def windows(spans: Sequence[CharRange]) -> list[Shown]:
        return [replace(part, span=span) for part, span in zip(shown, spans, strict=True)]

    fitted = fit_windows(texts, max_tokens, lambda spans: count_row_tokens(tokenizer, example, windows(spans)))
    return (windows(fitted[0]), fitted[1]) if fitted else None


def cut_to_fit(row: MixedExample, max_tokens: int, count: Callable[[str], int]) -> MixedExample | None:
    """Cut the documents of a written row until instruction and output together have at most `max_tokens` tokens.

    The offsets of `row.material` follow the cut; evidence keeps its place in the document and lies inside the material.
    Equal arguments give equal rows.

    Args:
        row: A row whose evidence lies inside its material.
        max_tokens: The most tokens that the result may have.
        count: Returns the number of tokens of a text.

    Returns:
        The row, with its `num_tokens` by `count`, or None where even its evidence alone does not fit.

    Raises:
        ValueError: The evidence does not lie inside the material.
    """
    texts = [windowed_material(row, part, count) for part in row.material]

    def with_spans(spans: Sequence[CharRange]) -> MixedExample:
        return with_windows(
            row, [(part.start + a, part.start + b) for part, (a, b) in zip(row.material, spans, strict=True)]
        )

    def count_cut(spans: Sequence[CharRange]) -> int:
        cut = with_spans(spans)
        return count(cut.instruction) + count(cut.output)

    fitted = fit_windows(texts, max_tokens, count_cut)
    return replace(with_spans(fitted[0]), num_tokens=fitted[1]) if fitted else None


def windowed_material(row: MixedExample, part: Material, count: Callable[[str], int]) -> Windowed:
    """Return the text of a document as a row shows it; its Markdown headings say where sections start."""
    text = row.instruction[part.offset : part.offset + part.end - part.start]
    start, end = evidence_span(part.doc_id, row.example.evidence, default=part.start)
    if start < part.start or end > part.end:
        raise ValueError(
            f"the evidence [{start}:{end}] of document {part.doc_id} lies outside its material "
            f"[{part.start}:{part.end}]"
        )
    return Windowed(
        text,
        make_grid(text, lambda pieces: [count(piece) for piece in pieces]),
        (start - part.start, end - part.start),
        hash_fraction(f"{row.example.example_id}\0{part.doc_id}"),
        tuple(match.start() for match in HEADING.finditer(text)),
    )


def fit_windows(
    texts: Sequence[Windowed], max_tokens: int, count: Callable[[Sequence[CharRange]], int]
) -> tuple[list[CharRange], int] | None:
    """Choose a window of each text, so that a row has at most `max_tokens` tokens.

    Args:
        texts: The documents of the row, whole.
        max_tokens: Of the row.
        count: Returns the tokens of the row that shows the given span of each text.

    Returns:
        The spans and the tokens of the row, None where the evidence does not fit.
    """
    whole = [(0, len(text.text)) for text in texts]
    total = count(whole)
    if total <= max_tokens:
        return whole, total
    room = max_tokens - (total - sum(int(text.grid.tokens[-1]) for text in texts))
    for cuts_sentences in (False, True):
        if texts and (fitted := shrink(texts, room, max_tokens, count, cuts_sentences=cuts_sentences)):
            return fitted
    narrowest = [
        narrowest_span(text, word_borders(text.text)) if text.evidence[0] < text.evidence[1] else text.evidence
        for text in texts
    ]
    tokens = count(narrowest)
    return (narrowest, tokens) if texts and tokens <= max_tokens else None


def shrink(
    texts: Sequence[Windowed],
    room: float,
    max_tokens: int,
    count: Callable[[Sequence[CharRange]], int],
    *,
    cuts_sentences: bool,
) -> tuple[list[CharRange], int] | None:
    """Choose windows by estimated tokens, and take away what the estimate left out until the row fits.

    The room that is left beside the evidence goes to the texts by their lengths.
    """
    whole = sum(int(text.grid.tokens[-1]) for text in texts)
    needs = [needed_tokens(text, cuts_sentences=cuts_sentences) for text in texts]
    for _ in range(MAX_ROUNDS):
        spare = room - sum(needs)
        if spare < 0:
            return None
        shares = [spare * int(text.grid.tokens[-1]) / max(1, whole) for text in texts]
        spans = [
            choose_window(text, need + share, cuts_sentences=cuts_sentences)
            for text, need, share in zip(texts, needs, shares, strict=True)
        ]
        chosen = [span for span in spans if span]
        if len(chosen) < len(spans):
            return None
        tokens = count(chosen)
        if tokens <= max_tokens:
            return chosen, tokens
        room -= tokens - max_tokens + 1
    return None


def needed_tokens(text: Windowed, *, cuts_sentences: bool) -> float:
    """Return about how many tokens the sentences, or words, have that hold the evidence of a text."""
    borders = word_borders(text.text) if cuts_sentences else sentence_borders(text.text)
    before = text.grid.estimate(narrowest_span(text, borders))
    return float(before[1] - before[0])


def narrowest_span(text: Windowed, borders: Sequence[int]) -> CharRange:
    """Return the shortest span between borders that holds the evidence; without any, the first piece."""
    first = bisect.bisect_right(borders, text.evidence[0]) - 1
    last = bisect.bisect_left(borders, max(text.evidence[1], borders[first] + 1))
    return borders[first], borders[min(last, len(borders) - 1)]


def choose_window(text: Windowed, room: float, *, cuts_sentences: bool) -> CharRange | None:
    """Return the window of a text that fits into `room` tokens and holds its evidence, None if there is none."""
    best: CharRange | None = None
    filled = 0.0
    for borders in text.coarse_borders():
        found = widest_window(text, borders, room)
        if found:
            tokens = float(np.diff(text.grid.estimate(found))[0])
            if best is None or tokens > filled:
                best, filled = found, tokens
        if filled >= WELL_FILLED * room:
            break
    if best is None and cuts_sentences:
        return widest_window(text, word_borders(text.text), room)
    return best


def widest_window(text: Windowed, borders: Sequence[int], room: float) -> CharRange | None:
    """Return the widest span between borders that holds the evidence and fits into `room` tokens.

    Of what remains beside the evidence, the share `text.fraction` goes before it. With borders at 0, 100, ..., 1000,
    the evidence in [400, 500), a token a character, room for 500 and a fraction of 0.25, that is [300, 800).
    """
    before = text.grid.estimate(borders)
    first = bisect.bisect_right(borders, text.evidence[0]) - 1
    last = bisect.bisect_left(borders, max(text.evidence[1], borders[first] + 1))
    spare = room - (before[last] - before[first])
    if spare < 0:
        return None
    lowest = min(first, int(np.searchsorted(before, before[first] - spare * text.fraction, side="left")))
    highest = max(last, int(np.searchsorted(before, before[lowest] + room, side="right")) - 1)
    lowest = min(lowest, int(np.searchsorted(before, before[highest] - room, side="left")))
    return borders[lowest], borders[highest]


def evidence_span(doc_id: str, evidence: Sequence[Evidence], default: int = 0) -> CharRange:
    """Return the shortest span of a document that holds all of its evidence; without any, an empty one at `default`."""
    own = [item for item in evidence if item.doc_id == doc_id]
    return (min(item.start for item in own), max(item.end for item in own)) if own else (default, default)


def with_ends(text: str, starts: Sequence[int]) -> tuple[int, ...]:
    """Return starts in order, with both ends of the text, each once."""
    return tuple(sorted({0, len(text), *(start for start in starts if 0 < start < len(text))}))


def sentence_borders(text: str) -> tuple[int, ...]:
    """Return where paragraphs, sentences and rows of tables start."""
    return tuple(sorted({*borders_after(text, PARAGRAPH), *borders_after(text, SENTENCE)}))


def word_borders(text: str) -> Sequence[int]:
    """Return where words start, and every place in words of more than `MAX_WORD_CHARACTERS`."""
    starts = borders_after(text, WORD)
    long = [(start, end) for start, end in pairwise(starts) if end - start > MAX_WORD_CHARACTERS]
    return sorted({*starts, *(place for start, end in long for place in range(start, end))}) if long else starts


@lru_cache(maxsize=8)  # the questions about a document come one after the other
def borders_after(text: str, pattern: re.Pattern[str]) -> tuple[int, ...]:
    """Return where the text behind each match of a pattern starts, and both ends of the text."""
    return with_ends(text, [match.end() for match in pattern.finditer(text)])


def with_windows(row: MixedExample, windows: Sequence[CharRange]) -> MixedExample:
    """Replace the material of a row by the given window of each document, in characters of the document."""
    pieces: list[str] = []
    material: list[Material] = []
    copied = length = 0
    for part, (start, end) in sorted(zip(row.material, windows, strict=True), key=lambda pair: pair[0].offset):
        wrapper = row.instruction[copied : part.offset]
        shown = row.instruction[part.offset + start - part.start : part.offset + end - part.start]
        pieces += [wrapper, shown]
        material.append(Material(doc_id=part.doc_id, start=start, end=end, offset=length + len(wrapper)))
        length += len(wrapper) + len(shown)
        copied = part.offset + part.end - part.start
    order = {doc_id: place for place, doc_id in enumerate(row.example.doc_ids)}
    material.sort(key=lambda part: order.get(part.doc_id, len(order)))
    return replace(row, instruction="".join([*pieces, row.instruction[copied:]]), material=tuple(material))
