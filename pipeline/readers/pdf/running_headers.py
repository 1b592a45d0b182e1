"""Take running heads, feet and page numbers off the pages of a PDF."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, takewhile, zip_longest

from pipeline.readers.common.tables import is_number
from pipeline.readers.pdf.edge_lines import find_edge_lines, is_watermark
from pipeline.readers.pdf.lines import Line

NUM_EDGE_LINES = 3  # at the top and at the bottom of a page, among which running heads are searched
MIN_REPEATS = 3
SAME_HEIGHT = 4  # points
MIN_FIGURES = 1  # of the row below the header of a table
MAX_HEADER_GAP = 2.5  # of its font size, between a header and the row below
NUMBER = re.compile(r"\d{1,9}")
Key = tuple[str, int]
PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-\u2013\u2014\[|]*\s*(?:[A-Z]{1,2}-?)?(?:\d{1,4}|[ivxlc]{1,7})\s*[-\u2013\u2014\]|]*(?:\s*(?:of|/)\s*\d{1,4})?",
    re.I,
)


def letters_and_digits(text: str) -> str:
    """Return the letters and digits of a text, for comparison."""
    return "".join(filter(str.isalnum, text.casefold()))


def remove_running_headers(pages: list[list[Line]]) -> tuple[list[list[Line]], int]:
    """Drop lines at the top or the bottom of at least three pages, at one height, with the same words.

    A number may differ if it counts the pages, and then be alone on its line at any height: the last rows of
    tables that are alike but for their figures are no feet.
    """
    edges = [edge_lines(lines) for lines in pages]
    keys = {id(line): running_keys(line, index) for index, edge in enumerate(edges) for side in edge for line in side}
    counts = Counter(key for edge in edges for key in set().union(*(keys[id(line)] for side in edge for line in side)))
    repeated = {name for name, found in keys.items() if any(counts[key] >= MIN_REPEATS for key in found)}
    dropped = [{id(line) for side in edge for line in peel(side, repeated)} for edge in edges]
    keep_first_table_headers(pages, dropped)
    kept = [[line for line in lines if id(line) not in ids] for lines, ids in zip(pages, dropped, strict=True)]
    if not any(kept):
        return pages, 0
    kept, num_by_form = remove_by_form(kept, is_short=len(pages) < MIN_REPEATS)
    return kept, sum(map(len, dropped)) + num_by_form


def keep_first_table_headers(pages: list[list[Line]], dropped: list[set[int]]) -> None:
    """Take back, where it is first, a dropped line that is the header of a table continued on the following pages."""
    known: set[str] = set()
    for lines, ids in zip(pages, dropped, strict=True):
        ordered = sorted((line for line in lines if line.size), key=lambda line: -line.bottom)
        rows = [line for line in ordered if id(line) not in ids]
        first = next((n for n, line in enumerate(ordered) if rows and line is rows[0]), 0)
        if not rows or sum(is_number(piece.text) for piece in rows[0].pieces) < MIN_FIGURES:
            continue
        below = rows[0]
        for line in reversed(ordered[:first]):
            heads_columns = len(line.pieces) > 1 and line.right >= rows[0].pieces[-1].left
            if not heads_columns or line.bottom - below.bottom > MAX_HEADER_GAP * line.size:
                break
            if line.text not in known:
                ids.discard(id(line))
            known.add(line.text)
            below = line


def remove_by_form(pages: list[list[Line]], *, is_short: bool) -> tuple[list[list[Line]], int]:
    """Drop watermarks, and from documents too short to repeat their running heads what has the form of one."""
    body = body_size(pages)
    kept, num_dropped = [], 0
    for lines in pages:
        gone = {id(line) for line in lines if is_watermark(line, body)}
        if is_short:
            gone |= {id(line) for line in find_edge_lines(lines, body, PAGE_NUMBER)}
        left = [line for line in lines if id(line) not in gone] if len(gone) < len(lines) else lines
        num_dropped += len(lines) - len(left)
        kept.append(left)
    return kept, num_dropped


def body_size(pages: list[list[Line]]) -> float:
    """Return the font size of most of the text."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[line.size] += len(line.text)
    return max(sizes, key=lambda size: (sizes[size], size), default=0.0)


def edge_lines(lines: list[Line]) -> tuple[list[Line], ...]:
    """Return the topmost and the bottommost lines of a page, the outermost of each first, and those along its sides."""
    ordered = sorted((line for line in lines if line.size), key=lambda line: -line.bottom)
    sides = [[line] for line in lines if line.turned]
    return ordered[:NUM_EDGE_LINES], ordered[NUM_EDGE_LINES:][: -NUM_EDGE_LINES - 1 : -1], *sides


def peel(edge: list[Line], repeated: set[int]) -> Iterator[Line]:
    """Yield the running lines of an edge, from without to the first that is none: behind it the text begins."""
    return takewhile(lambda line: id(line) in repeated, edge)


def running_keys(line: Line, index: int) -> set[Key]:
    """Return what a running head may have in common with those of other pages.

    These are its words and height, as they are and with its first, its last or all of its numbers as far ahead of
    their page as they are.
    """
    height = round(line.bottom / SAME_HEIGHT)
    if PAGE_NUMBER.fullmatch(line.text):
        ahead = {("counts", int(line.text) - index)} if line.text.isdecimal() else set()
        return {("#", height), *ahead}
    words, numbers = NUMBER.split(line.text.casefold()), NUMBER.findall(line.text)
    ahead_of_page = [f"+{int(number) - index}" for number in numbers]
    ways = [numbers, ahead_of_page, [*ahead_of_page[:1], *numbers[1:]], [*numbers[:-1], *ahead_of_page[-1:]]]
    return {("".join(chain(*zip_longest(words, way, fillvalue=""))), height) for way in ways}
