"""Find the running heads and feet of a document too short to repeat them.

A page number, 'Downloaded from', the line of a journal: these are known by their form. Another line at the edge is one
if it is set smaller than the text and apart from it. From without inwards, the first that is none ends the search.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from pipeline.readers.common.tables import is_number
from pipeline.readers.pdf.lines import RAISED, Line

APART = 1.5  # of its size, between a running head and the text
SMALLER = 0.88  # than the text
MAX_CHARS = 130
MAX_LINES = 3  # at an edge
MIN_ROW_FIGURES = 3  # of the last row of a table
STAMP_SIZE = 1.8  # of the text, from which 'DRAFT' is a watermark
STAMP = re.compile(
    r"(?:draft|confidential|sample|copy|void|approved|preliminary|specimen|proof|not for distribution)\W*",
    re.IGNORECASE,
)
MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.?"
FORM = re.compile(
    r"downloaded (?:from|by|on)|download date|published by|available online|all rights reserved|(?:^|\W)www\.|https?://"
    r"|\bdoi:? ?10\.|\bvol(?:ume|\.)? ?\d+.{0,12}\b(?:issue|no\.?|number)? ?\d|\bissue \d+\b|^revision:? ?\d|\bissn\b"
    rf"|^page \d+ of \d+$"
    rf"|\barxiv:\d{{4}}\.|^(?:printed|retrieved|accessed|last updated)\b.{{0,40}}\d{{4}}|^\d{{1,2}} {MONTH} \d{{4}}$",
    re.IGNORECASE,
)


def is_watermark(line: Line, body: float) -> bool:
    """Say whether a line is a stamp across the page, as 'DRAFT' in large letters is."""
    return STAMP.fullmatch(line.text) is not None and (line.turned or line.size >= STAMP_SIZE * body)


def find_edge_lines(lines: list[Line], body: float, page_number: re.Pattern[str]) -> Iterator[Line]:
    """Yield the running heads and feet of a page.

    Args:
        lines: Its lines.
        body: The size of the text of the document.
        page_number: What a page number is.
    """
    yield from (line for line in lines if line.turned and FORM.search(line.text))
    ordered = sorted((line for line in lines if line.size), key=lambda line: -line.bottom)
    for edge in (ordered, ordered[::-1]):
        for line, inner in list(pairwise(edge))[:MAX_LINES]:
            gap = abs(line.bottom - inner.bottom)
            beside = gap < 0.5 * line.size  # another piece of the same running head
            is_apart = beside or gap >= APART * line.size or FORM.search(line.text) is not None
            if not is_apart or not is_running(line, body, page_number):
                break
            yield line


def is_running(line: Line, body: float, page_number: re.Pattern[str]) -> bool:
    """Say whether a line at the edge of a page may be a running head or foot, by its form or its size."""
    text = line.text
    if len(text) > MAX_CHARS or sum(is_number(piece.text) for piece in line.pieces) >= MIN_ROW_FIGURES:
        return False
    if page_number.fullmatch(text) or FORM.search(text):
        return True
    return line.size <= SMALLER * body and not text.startswith((RAISED[0], "*", "†")) and not text.endswith(".")
