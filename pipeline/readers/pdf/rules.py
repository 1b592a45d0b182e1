"""The thin horizontal lines that a PDF page draws: under the headers of tables, and through words that are struck out.

PDFium knows of no way to ask for paths alone, and a page may have thousands of objects. So they are looked through only
where the lines of a page ask for it. Lines and their pieces are those of `lines.py`, which this module serves.
"""

import ctypes
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise, repeat
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium_c

from pipeline.readers.pdf.chars import ADDRESS, INT, Box, bind

MAX_OBJECTS = 20_000
MAX_THICKNESS = 2.5  # points; PDFium adds a point to a stroke on each side
MIN_LENGTH = 4.0
TOUCHING = 0.5  # points between two parts of one rule
REACH = 9.0  # of the font size: lines of a header above its rule
SLACK = 3.0  # points that a header may be wider than its rule

count_objects = bind(pdfium_c.FPDFPage_CountObjects, INT, ADDRESS)
get_object = bind(pdfium_c.FPDFPage_GetObject, ADDRESS, ADDRESS, INT)
object_type = bind(pdfium_c.FPDFPageObj_GetType, INT, ADDRESS)
object_bounds = bind(pdfium_c.FPDFPageObj_GetBounds, INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS)


class Rule(NamedTuple):
    """A thin horizontal line that a page draws, in points."""

    left: float
    right: float
    bottom: float


def find_rules(page: Any, turn: Callable[[Box], Box]) -> list[Rule]:
    """Return the thin horizontal shapes of a page, from above, those that touch joined.

    Args:
        page: Open (`FPDF_PAGE`).
        turn: Gives the box of a shape on the page as it is viewed.
    """
    address = ctypes.cast(page, ctypes.c_void_p).value or 0
    objects = list(map(get_object, repeat(address), range(min(MAX_OBJECTS, count_objects(address)))))
    numbers = (ctypes.c_float * 4)()
    left = ctypes.addressof(numbers)
    found = []
    for drawn, kind in zip(objects, map(object_type, objects), strict=True):
        if kind == pdfium_c.FPDF_PAGEOBJ_PATH and object_bounds(drawn, left, left + 4, left + 8, left + 12):
            x, y, right, top = numbers
            start, upper, end, lower = turn((x, top, right, y))
            if upper - lower <= MAX_THICKNESS and end - start >= MIN_LENGTH:
                found.append(Rule(start, end, lower))
    return join_touching(found)


def join_touching(rules: list[Rule]) -> list[Rule]:
    """Return rules from above, those at one height that touch or overlap as one."""
    joined: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: (-round(rule.bottom), rule.left)):
        last = joined[-1] if joined else None
        if last and abs(last.bottom - rule.bottom) < MAX_THICKNESS and rule.left <= last.right + TOUCHING:
            joined[-1] = last._replace(right=max(last.right, rule.right))
        else:
            joined.append(rule)
    return joined


def has_stacked_headers(lines: Sequence[Any]) -> bool:
    """Say whether a page may have headers over several columns: a row with fewer cells right above one with more."""
    by_height: dict[int, list[Any]] = defaultdict(list)
    for line in lines:
        by_height[round(line.bottom)] += line.pieces
    rows = sorted(by_height.items(), reverse=True)
    size = max((line.size for line in lines), default=0.0)
    for (upper, above), (lower, below) in pairwise(rows):
        if 0 < len(above) < len(below) > 2 and upper - lower < REACH * size:
            lefts = sorted(piece.left for piece in below)
            if min(piece.left for piece in above) > lefts[0] and max(piece.right for piece in above) > lefts[1]:
                return True
    return False


def attach_rules(lines: Sequence[Any], rules: list[Rule]) -> list[Any]:
    """Return lines whose pieces know the next rule below them, where it is as wide as they are."""
    return [
        replace(line, pieces=tuple(replace(piece, rule=next_rule(piece, line, rules)) for piece in line.pieces))
        for line in lines
    ]


def next_rule(piece: Any, line: Any, rules: list[Rule]) -> Rule | None:
    """Return the next rule below a piece of a line, None if it begins or ends within the piece, or is far away."""
    for rule in rules:
        if line.bottom - REACH * line.size < rule.bottom <= line.bottom:
            if rule.left - SLACK <= piece.left and piece.right <= rule.right + SLACK:
                return rule
            if rule.left < piece.right and piece.left < rule.right:
                return None
    return None
