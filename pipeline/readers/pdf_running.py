"""Take running heads, feet and page numbers off the pages of a PDF."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

from pipeline.readers.pdf_lines import Line

NUM_EDGE_LINES = 3  # at the top and at the bottom of a page, among which running heads are looked for
MIN_REPEATS = 3
PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-\u2013\u2014\[|]*\s*(?:[A-Z]{1,2}-?)?(?:\d{1,4}|[ivxlc]{1,7})\s*[-\u2013\u2014\]|]*(?:\s*(?:of|/)\s*\d{1,4})?",
    re.I,
)


def key_of(text: str) -> str:
    """Return the letters and digits of a text, for comparison."""
    return "".join(filter(str.isalnum, text.casefold()))


def without_running_heads(pages: list[list[Line]]) -> tuple[list[list[Line]], int]:
    """Drop what stands at the top or the bottom of at least three pages, at the same height and numbers aside.

    The numbers of pages go at whatever height they stand, if they count the pages.
    """
    edges = [edge_lines(lines) for lines in pages]
    keys = {id(line): running_key(line) for edge in edges for side in edge for line in side}
    for index, edge in enumerate(edges):
        keys |= {id(side[0]): counting_key(side[0], index) for side in edge[:2] if side and side[0].text.isdecimal()}
    counts = Counter(key for edge in edges for key in {keys[id(line)] for side in edge for line in side})
    dropped = [{id(line) for side in edge for line in peel(side, keys, counts)} for edge in edges]
    kept = [[line for line in lines if id(line) not in ids] for lines, ids in zip(pages, dropped, strict=True)]
    return (kept, sum(map(len, dropped))) if any(kept) else (pages, 0)


def edge_lines(lines: list[Line]) -> tuple[list[Line], ...]:
    """Return the topmost and the bottommost lines of a page, the outermost of each first, and those along its sides."""
    ordered = sorted((line for line in lines if line.size), key=lambda line: -line.bottom)
    sides = [[line] for line in lines if line.turned]
    return ordered[:NUM_EDGE_LINES], ordered[NUM_EDGE_LINES:][: -NUM_EDGE_LINES - 1 : -1], *sides


def peel(edge: list[Line], keys: dict[int, tuple[str, int]], counts: Counter[tuple[str, int]]) -> Iterator[Line]:
    """Yield the running lines of an edge, from without to the first that is none: behind it the text begins."""
    return takewhile(lambda line: counts[keys[id(line)]] >= MIN_REPEATS, edge)


def counting_key(line: Line, index: int) -> tuple[str, int]:
    """Return what the numbers of pages have in common: how far each is ahead of its page."""
    return "counts", int(line.text) - index


def running_key(line: Line) -> tuple[str, int]:
    """Return what a running head has in common from page to page: its words without numbers, and its height."""
    text = "#" if PAGE_NUMBER.fullmatch(line.text) else re.sub(r"\d+", "#", key_of(line.text))
    has_words = text == "#" or sum(char.isalpha() for char in text) >= MIN_REPEATS
    return (text if has_words else line.text, round(line.bottom / 4))
