"""Find the tables of a PDF page, and write them with every figure in its column.

A table is a run of lines that are split into cells, most with figures. Its columns are where its figures are; the
headers above are assigned to columns afterwards, since a centred header is often not right above the figures to which
it belongs. Where a row would put two figures into one column the lines stay as they are.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from pipeline.readers.common.tables import CURRENCY, Row, find_columns, is_number, join_cells, write_table
from pipeline.readers.pdf.header_lines import (
    MAX_CELL_CHARS,
    MAX_LABELS,
    SAME_EDGE,
    WEAK_LEVEL,
    find_header_start,
    find_ruled_body,
    has_leaders,
    split_header_lines,
    to_cells,
)
from pipeline.readers.pdf.lines import Line, Piece
from pipeline.readers.pdf.table_headers import Column, build_header, nearest_column
from pipeline.readers.pdf.table_labels import join_labels

MIN_TABLE_ROWS = 3
MAX_TABLE_COLUMNS = 40
MAX_HEAD_LINES = 60
NOTE_MARK = re.compile(r"\(\d\)")
UNIT_LABEL = re.compile(r"\((?:[\w ]+ )?(?:in )?(?:hundreds|thousands|millions|billions)\)", re.IGNORECASE)
EQUATION_NUMBER = re.compile(r"\((?:\d+\.)*(\d+)\)")
BETWEEN_FIGURES = re.compile(r"(?<=[\d)%\u2014])\s+(?=[$(\d\u2014-])(?!\d{3}(?!\d))")


def find_tables(lines: list[Line], headings: dict[int, int]) -> dict[int, tuple[int, str]]:
    """Return the tables of a page: index of the first line -> index after the last, and its Markdown."""
    lines = [
        replace(line, pieces=tuple(part for piece in line.pieces for part in split_figures(piece))) for line in lines
    ]
    tables: dict[int, tuple[int, str]] = {}
    start = above = 0
    while start < len(lines):
        end = table_end(lines, start, headings) if may_begin(lines[start]) else start
        first, table = write_region(lines, start, end, above, headings) if end > start else (start, "")
        if table:
            tables[first] = (end, table)
            above = start = end
        else:
            start += 1
    return tables


def may_begin(line: Line) -> bool:
    """Say whether a line may be the first row of a table: one with figures, or with short cells."""
    return is_row(line) and not line.fixed


def is_row(line: Line) -> bool:
    """Say whether a line may be a row of a table: several cells, with figures or short words in all but the first."""
    if len(line.pieces) < 2 or has_leaders(line):
        return False
    short = all(len(piece.text) < MAX_CELL_CHARS for piece in line.pieces[1:])
    return short or is_figure(line.pieces[-1])


def is_figure(piece: Piece) -> bool:
    """Say whether a piece is a figure."""
    return is_number(piece.text.strip("$ "))


def has_figures(line: Line) -> bool:
    """Say whether a row has a figure beside its label; beside a unit, as `(Millions)`, rates are headers."""
    return any(map(is_figure, line.pieces[1:])) and not UNIT_LABEL.fullmatch(line.pieces[0].text)


def has_only_note_marks(line: Line) -> bool:
    """Say whether all that a row has of figures are marks of notes, as `(1)` among words is."""
    figures = [piece.text for piece in line.pieces[1:] if is_figure(piece)]
    return all(NOTE_MARK.fullmatch(text) for text in figures) and len(figures) < len(line.pieces) - 1


def table_end(lines: list[Line], start: int, headings: dict[int, int]) -> int:
    """Return the index after the last row of the table that begins at a line; `start` if there is none."""
    last_row, num_rows = start, 0
    for index in range(start, len(lines)):
        line = lines[index]
        if index - last_row > MAX_LABELS or line.fixed or not line.size:
            break
        if index > start and lines[index - 1].bottom < line.bottom:
            break  # the next column of the page
        if headings.get(index, WEAK_LEVEL) < WEAK_LEVEL or has_leaders(line):
            break
        if num_rows and starts_new_header(line, lines[start : last_row + 1]):
            break  # of another table
        if is_row(line) or completes_label(lines[index - 1], line):
            last_row = index
            num_rows += has_figures(line)
    enough = MIN_TABLE_ROWS - bool(UNIT_LABEL.fullmatch(lines[start].pieces[0].text))  # a unit begins a header
    is_table = num_rows >= enough and not are_equations(lines[start : last_row + 1])
    return last_row + 1 if is_table else start


def are_equations(lines: list[Line]) -> bool:
    """Say whether all figures of lines are numbers of equations: in brackets at their ends, one after the other."""
    ends = [EQUATION_NUMBER.fullmatch(line.pieces[-1].text) for line in lines if has_figures(line)]
    numbers = [int(end[1]) for end in ends if end]
    return len(numbers) == len(ends) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def starts_new_header(line: Line, before: list[Line]) -> bool:
    """Say whether a row within a table is the header of another: it has words, or years, where there were figures."""
    if len(line.pieces) > 1 and UNIT_LABEL.fullmatch(line.pieces[0].text):
        return True
    rows = [row for row in before if has_figures(row)]
    labels = min(row.left for row in before)
    figures = min(piece.left for row in rows for piece in row.pieces[1:] if is_figure(piece))
    figures_only = line.left > (labels + figures) / 2
    return len(line.pieces) > 1 + (not figures_only) and not any(map(is_figure, line.pieces[not figures_only :]))


def completes_label(before: Line, line: Line) -> bool:
    """Say whether a line holds the figures of the label before it, which is a little higher."""
    level = 0 <= before.bottom - line.bottom < 0.6 * line.size
    return level and len(before.pieces) == 1 and line.left > before.right and all(map(is_figure, line.pieces))


def write_region(lines: list[Line], start: int, end: int, above: int, headings: dict[int, int]) -> tuple[int, str]:
    """Return the first line of a table, its header included, and its Markdown; '' if its columns are not clear."""
    rows = [index for index in range(start, end) if has_figures(lines[index])]
    first = rows[1] if has_only_note_marks(lines[rows[0]]) else rows[0]
    first = find_ruled_body(lines, above, first)
    body = list(iter_table_rows(lines[first:end]))
    columns = find_columns(body)
    grid = [assign_columns(row, columns) for row in body] if 2 <= len(columns) <= MAX_TABLE_COLUMNS else []
    if not grid or None in grid:
        return start, ""
    top = find_header_start(lines, first, max(above, start - MAX_HEAD_LINES), columns, headings)
    first_figures = find_first_figures([row for row in grid if row])
    edges = (columns[first_figures - 1][1], columns[first_figures][0])
    header_rows, labels = split_header_lines(lines[top:first], edges, lines[first].bottom)
    header = build_header(header_rows, columns, first_figures)
    over_figures = [write_label(line, columns, first_figures) for line in labels]
    body_rows = join_labels([*over_figures, *(row for row in grid if row)])
    return top, write_table(header or [""] * len(columns), body_rows)


def find_first_figures(grid: list[list[str]]) -> int:
    """Return the number of the first column of figures, if most columns are; else 1, behind the labels."""
    for index in range(1, len(grid[0]) // 2 + 1):
        texts = [row[index] for row in grid if row[index]]
        if 2 * sum(is_number(text.strip("$ ")) for text in texts) > len(texts):
            return index
    return 1


def write_label(line: Line, columns: list[Column], first_figures: int) -> list[str]:
    """Return the row of a line above the figures: its pieces in the columns of words, or all of it in the first."""
    row = assign_columns(to_cells(line), columns) if first_figures > 1 else None
    return row or [line.text, *[""] * (len(columns) - 1)]


def iter_table_rows(lines: list[Line]) -> Iterator[Row]:
    """Yield the rows of lines, on a grid of tenths of points; a label and its figures at nearly one height are one."""
    edge = min(piece.left for line in lines for piece in line.pieces[1:])
    before: Line | None = None
    for line in lines:
        if before and completes_label(before, line):
            line = replace(line, pieces=before.pieces + line.pieces)
        elif before:
            yield make_row(before, edge)
        before = line
    if before:
        yield make_row(before, edge)


def make_row(line: Line, edge: float) -> Row:
    """Return a line as cells; what begins left of `edge` is a label, and of the first column."""
    cells = to_cells(line)
    return join_cells([replace(cells[0], start=0) if line.left < edge - SAME_EDGE else cells[0], *cells[1:]])


def split_figures(piece: Piece) -> list[Piece]:
    """Split figures so close that they were taken for words, and currency signs that belong to the next."""
    parts = BETWEEN_FIGURES.split(piece.text) if len(piece.text) < MAX_CELL_CHARS else []
    if len(parts) < 2 or not all(CURRENCY.fullmatch(part) or is_number(part) for part in parts):
        return [piece]
    width = (piece.right - piece.left) / len(piece.text)
    apart, start = [], 0
    for part in parts:
        at = piece.text.index(part, start)
        start = at + len(part)
        apart.append(Piece(part, piece.left + width * at, piece.left + width * start))
    return apart


def assign_columns(row: Row, columns: list[Column]) -> list[str] | None:
    """Return the texts of a row, by column; None if two of them fall into one."""
    texts = [""] * len(columns)
    for cell in row:
        column = nearest_column(cell, columns)
        if texts[column]:
            return None
        texts[column] = cell.text
    return texts
