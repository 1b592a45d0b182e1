"""Check figures of a PDF's tables by the places of the words on their pages.

A figure's row is the text at its height, its header the text above and nearer to it than to the other figures of
its row; how the reader finds columns is not asked.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pypdfium2 as pdfium

from pipeline.benchmarks.evidence.pdf_words import (
    PlacedWord,
    group_by_line,
    page_texts,
    placed_words,
    read_plainly,
    words_in,
)

FIGURE = re.compile(r"\(?[$€£]? ?\(?\d[\d,]*(?:\.\d+)?\)? ?%?\)?")
DIGIT = re.compile(r"\d")
MIN_DIGITS = 2  # of a figure: a single digit is on a page too often to be found again
LABEL_WORDS = 3
MIN_LABEL_CHARS = 4  # of the last word of a label that is alone in the row of its figures


class Cell(NamedTuple):
    """A cell of a table."""

    label: str
    head: str
    figure: str
    row: tuple[tuple[str, str], ...]  # all figures of its row, bare, and their headers


@dataclass(frozen=True)
class FigureCheck:
    """A figure of a table, and whether its row and its column are right."""

    page: int  # from 1
    label: str
    head: str
    figure: str
    row_is_right: bool
    column_is_right: bool


def check_figures(path: Path, *, count: int, seed: int) -> list[FigureCheck]:
    """Check figures of the tables of a file, picked at random, against the places of the words on their pages."""
    cells = [
        (index, cell) for index, text in enumerate(page_texts(read_plainly(path))) for cell in iter_figure_cells(text)
    ]
    picked = random.Random(seed).sample(cells, min(count, len(cells)))  # noqa: S311
    document = pdfium.PdfDocument(path)
    return [check_figure(document[index], index + 1, cell) for index, cell in sorted(picked)]


def iter_figure_cells(text: str) -> Iterator[Cell]:
    """Yield the cells of the Markdown tables of a text that have a label, a head and a figure."""
    head: list[str] = []
    for line in text.splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not row:
            head = []
        elif not head:
            head = row
        elif not set(line) <= set("|-: "):
            others = tuple(zip(map(bare, row[1:]), head[1:], strict=False))
            for name, cell in zip(head[1:], row[1:], strict=False):
                if name and words_in(row[0]) and FIGURE.fullmatch(cell) and len(DIGIT.findall(cell)) >= MIN_DIGITS:
                    yield Cell(row[0], name, cell, others)


def check_figure(page: Any, number: int, cell: Cell) -> FigureCheck:
    """Look for a figure on its page with its label to its left and its header above it."""
    rows = group_by_line(placed_words(page))
    found = [
        (row, word)
        for row in rows
        for word in row
        if bare(word.text) == bare(cell.figure) and has_label(row, word, words_in(cell.label))
    ]
    in_column = any(has_header(rows, row, word, cell) for row, word in found)
    return FigureCheck(number, cell.label, cell.head, cell.figure, bool(found), in_column)


def bare(text: str) -> str:
    """Return a figure without signs of currency, share and alignment; brackets and points stay."""
    return re.sub(r"[^\d.,()]", "", text)


def has_label(row: list[PlacedWord], figure: PlacedWord, label: list[str]) -> bool:
    """Say whether the end of a label is in the row of a figure, to its left; the label may have begun above."""
    before = "".join(word for other in row if other.right <= figure.left for word in words_in(other.text))
    end = "".join(label[-LABEL_WORDS:])
    return end in before or (len(label[-1]) >= MIN_LABEL_CHARS and label[-1] in before)


def has_header(rows: list[list[PlacedWord]], row: list[PlacedWord], figure: PlacedWord, cell: Cell) -> bool:
    """Say whether each word of a header is above its figure, nearer to it than to the other figures of the row.

    The last word must. The others may belong to a head over several columns: then the figure that they are nearest to
    has them in its head as well.
    """
    figures = [word for word in row if bare(word.text) in dict(cell.row) and DIGIT.search(word.text)]
    above = [word for other in rows for word in other if word.bottom > figure.bottom]
    *others, last = words_in(cell.head)
    if not any(last in words_in(word.text) and nearest(word, figures) == figure for word in above):
        return False
    return all(
        any(
            part in words_in(word.text) and shares_header_word(nearest(word, figures), figure, part, cell)
            for word in above
        )
        for part in others
    )


def shares_header_word(other: PlacedWord, figure: PlacedWord, part: str, cell: Cell) -> bool:
    """Say whether a word of the head of a figure is of that of another, too."""
    return other == figure or any(part in words_in(head) for name, head in cell.row if name == bare(other.text))


def nearest(word: PlacedWord, figures: list[PlacedWord]) -> PlacedWord:
    """Return the figure below a word, or the nearest to it."""
    return min(figures, key=lambda other: (max(other.left - word.right, word.left - other.right, 0.0), -other.left))
