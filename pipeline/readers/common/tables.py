"""Turn the table of a web page into a Markdown table, with every number in its column.

Filings lay a table out on a finer grid than they show: '$', the number and ')' have a column each, and a heading spans
several. Here such cells are joined to their numbers, columns are what the cells of the rows show, and a heading that
spans several columns is repeated in each of them.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace

MAX_SPAN = 200
MAX_GRID_CELLS = 1_000_000  # a larger grid is almost empty, and no table that anyone reads
MAX_ALIGNED = 60  # characters; wider columns are not aligned
CURRENCY = re.compile(r"(?:US|HK|NT|C|A|R|S)?[$€£¥₹]|EUR|USD|GBP|CHF|JPY|RMB|CAD|AUD|Rs\.?|Fr\.|[+\u2212]")
CODE = re.compile(r"[A-Za-z.]+")
CLOSING = re.compile(r"\)? ?(?:%|pts?|bps|x)?|\)")
NUMBER = re.compile(
    r"[-+\u2212\u2013\u2014(]*(?:US)?[$€£¥]? ?\(?\d[\d,. ]*\)? ?%?\)?(?: ?(?:pts?|bps|x)|[kmbt]n?)?\*?"
    r"(?: ?\[[\w, *]{1,8}\])?"
    r"|(?:US)?[$€£¥]? ?[-\u2212\u2013\u2014] ?%?|N/?[AM]",
    re.IGNORECASE,
)
NOTE_MARK = re.compile(r"\[[\w, *]{1,8}\]")
FIGURE_END = re.compile(r"[\d\u2014\u2013]\)?$")
YEAR = re.compile(r"(?:19|20)\d\d\*?")
AMOUNT = r"[($]{0,2}(?:\d[\d,.]*|\u2014|-)\)?%?"
UNIT = (
    r"(?:years?|months?|weeks?|days?|hours?|percent|per cent|thousand|million|billion|trillion|shares|units|times"
    r"|kg|km|m|t)\b\.?"
)
BOUND = r"(?:up to |less than |over |under |[<>\u2264\u2265~] ?)"
RANGE = re.compile(  # '0.1-2.0', '3.6% - 5.4%', '2 to 7 years', '11.3 years', '< 5'; not '2019-2021'
    r"(?!(?:19|20)\d\d\s*[-\u2013\u2014/]\s*(?:19|20)?\d\d$)"
    rf"(?:{BOUND}?{AMOUNT}\s*(?:[-\u2013\u2014]|to)\s*{AMOUNT}(?:\s*{UNIT})?|{BOUND}?{AMOUNT}\s*{UNIT}|{BOUND}{AMOUNT})",
    re.IGNORECASE,
)
ITEM_NUMBER = re.compile(  # '10.1', '3(i)', '(2)', 'Exhibit (3-1) -'
    r"(?:Exhibit|Item|No\.)? ?\(?\d{1,4}(?:[.-]\d+)*(?:\([a-z0-9]{1,4}\))*[.)*\u2020+]*(?: [-\u2013\u2014])?",
    re.IGNORECASE,
)
UNIT_LABEL = re.compile(r"\(.{0,20}\b(?:thousands|millions|billions)\b.{0,30}\)", re.IGNORECASE)  # '($ millions)'
SIGNED = re.compile(r"/s/")
BOXES = ("☐", "☑", "☒")
MAX_HEADER_CHARS = 160  # of a cell that is a heading, unless the table says so
BULLET = re.compile(r"[•·●○▪◦\u2013\u2014-]|\*")


@dataclass(frozen=True)
class Cell:
    """A cell with text, and the columns `start` to `end` of the grid that it covers."""

    text: str
    start: int
    end: int


Row = list[Cell]


def join_cells(row: Row) -> Row:
    """Join a currency sign to the number after it, and a closing bracket or per cent sign to the number before it."""
    joined: Row = []
    for cell in row:
        before = joined[-1] if joined else None
        if before and CURRENCY.fullmatch(before.text) and NUMBER.fullmatch(cell.text):
            joined[-1] = replace(cell, text=before.text + " " * bool(CODE.fullmatch(before.text)) + cell.text)
        elif before and CLOSING.fullmatch(cell.text) and FIGURE_END.search(before.text):
            between = " " if len(cell.text) > 1 and cell.text.isalpha() else ""  # a unit like bps
            joined[-1] = replace(before, text=f"{before.text}{between}{cell.text}", end=cell.end)
        elif before and NOTE_MARK.fullmatch(cell.text) and cell.start - before.end <= 1:
            joined[-1] = replace(before, text=f"{before.text} {cell.text}")
        else:
            joined.append(cell)
    return joined


def find_columns(rows: list[Row]) -> list[tuple[int, int]]:
    """Return the columns that are shown, as ranges of the grid: what narrow cells cover, wide ones do not split."""
    columns: list[tuple[int, int]] = []  # in order, without overlap
    for width, start in sorted({(cell.end - cell.start, cell.start) for row in rows for cell in row}):
        covered = columns_within(columns, start, start + width)
        if len(covered) == 0:
            columns.insert(covered.start, (start, start + width))
        elif len(covered) == 1:
            old_start, old_end = columns[covered.start]
            columns[covered.start] = (min(start, old_start), max(start + width, old_end))
    return columns


def columns_within(columns: list[tuple[int, int]], start: int, end: int) -> range:
    """Return the indices of the columns that a cell covers; where none is, the place for one."""
    first = bisect_right(columns, start, key=lambda column: column[1])
    return range(first, max(first, bisect_left(columns, end, key=lambda column: column[0])))


def is_number(text: str) -> bool:
    """Say whether a cell holds a figure, other than a year that may head a column."""
    return NUMBER.fullmatch(text) is not None and YEAR.fullmatch(text) is None


def has_data(row: Row) -> bool:
    """Say whether a row holds data: a figure, or behind a label a range of figures or a figure with its unit."""
    if any(is_number(cell.text) for cell in row):
        return True
    has_label = row[0].start == 0 and UNIT_LABEL.fullmatch(row[0].text) is None
    return has_label and any(RANGE.fullmatch(cell.text) for cell in row[1:])


def num_header_rows(rows: list[Row]) -> int:
    """Return how many rows at the top are the header: those above the first data, if these have a label."""
    first = next((n for n, row in enumerate(rows) if has_data(row)), None)
    labelled = [n for n, row in enumerate(rows[:first]) if len(row) > 1 and row[0].start == 0]
    if labelled and not may_be_header(rows[labelled[0]]):
        return trim_labels(rows[: labelled[0]])
    if len(labelled) > 1:  # a table of words down to `first`: what follows its first row with a label is data
        count = trim_labels(rows[: labelled[0] + 1])
        return count if first is not None or has_rows(rows[count:]) else 0
    if first is not None:
        return trim_titles(rows, trim_labels(rows[:first]), rows[first])
    is_header = len(rows) > 1 and all(len(row) > 1 for row in rows[:2]) and may_be_header(rows[0])
    return int(is_header and has_rows(rows[1:]))


def has_rows(rows: list[Row]) -> bool:
    """Say whether a header of words has rows below it: two, or one of three cells; most of several cells."""
    return (len(rows) > 1 or len(rows[0]) > 2) and 2 * sum(len(row) > 1 for row in rows) > len(rows)


def find_second_header(rows: list[Row]) -> int:
    """Return the index of the first of two header rows below the data: one over several columns, and one over each.

    Both have no label, and the rows below them have data. 0 if there are none.
    """
    first = next((index for index, row in enumerate(rows) if has_data(row)), len(rows))
    for index in range(first + 1, len(rows) - 2):
        upper, lower = rows[index : index + 2]
        no_labels = min(upper[0].start, lower[0].start) > 0 and not has_data(upper) and not has_data(lower)
        if no_labels and len(upper) < len(lower) and any(map(has_data, rows[index + 2 :])):
            return index
    return 0


def may_be_header(row: Row) -> bool:
    """Say whether a row may be a header: short texts, no boxes, signs or signatures, no item number at the start."""
    if ITEM_NUMBER.fullmatch(row[0].text) or not any(char.isalnum() for cell in row for char in cell.text):
        return False
    if any(SIGNED.match(cell.text) for cell in row):
        return False
    return all(len(cell.text) <= MAX_HEADER_CHARS and cell.text not in BOXES for cell in row)


def trim_labels(rows: list[Row]) -> int:
    """Return how many of the rows above the figures are headings: labels of groups of figures are none."""
    count = len(rows)
    while count and len(rows[count - 1]) == 1 and rows[count - 1][0].start == 0:
        count -= 1
    return count


def has_digits(text: str) -> bool:
    """Say whether a text has a digit, as figures with a unit and ranges have."""
    return any(map(str.isdecimal, text))


def trim_titles(rows: list[Row], count: int, data: Row) -> int:
    """Return how many header rows there are without lone titles above the words of the first row of data."""
    while count > 1 and len(rows[count - 1]) == 1:
        title = rows[count - 1][0]
        if not any(cell.start == title.start and not has_digits(cell.text) and cell.start for cell in data):
            break
        count -= 1
    return count


def fill_grid(rows: list[Row], columns: list[tuple[int, int]], *, repeat: bool) -> list[list[str]]:
    """Put the cells of rows into columns; one that spans several goes into the first, or into each of them."""
    grid = []
    for row in rows:
        line = [""] * len(columns)
        for cell in row:
            covered = columns_within(columns, cell.start, cell.end)
            for index in covered if repeat and 0 not in covered else covered[:1]:
                line[index] = f"{line[index]} {cell.text}".strip()
        grid.append(line)
    return grid


def table_blocks(rows: list[Row], num_headers: int | None = None) -> list[str]:
    """Return a table as blocks of Markdown: one table, or paragraphs where it only served the layout.

    Args:
        rows: Its rows, each with text.
        num_headers: How many of them are its header; None where the source does not say.
    """
    rows = [joined for row in rows if (joined := join_cells(row))]
    if all(len(row) == 1 for row in rows):
        return [row[0].text for row in rows]
    if all(len(row) == 2 and BULLET.fullmatch(row[0].text) for row in rows):
        return ["\n".join(f"- {row[1].text}" for row in rows)]
    if len(rows) == 1 and not any(is_number(cell.text) for cell in rows[0]):
        return [" ".join(cell.text for cell in rows[0])]
    columns = find_columns(rows)
    if len(rows) * len(columns) > MAX_GRID_CELLS:
        return [" ".join(cell.text for cell in row) for row in rows]
    if num_headers is None and (again := find_second_header(rows)):
        return [*table_blocks(rows[:again]), *table_blocks(rows[again:])]
    count = num_header_rows(rows) if num_headers is None else num_headers
    header = [
        " ".join(filter(None, texts)) for texts in zip(*fill_grid(rows[:count], columns, repeat=True), strict=True)
    ]
    body = fill_grid(rows[count:], columns, repeat=False)
    return [write_table(header or [""] * len(columns), body)]


def write_table(header: list[str], body: list[list[str]]) -> str:
    """Write a Markdown table whose columns are aligned, figures to the right."""
    lines = [[cell.replace("|", "\\|") for cell in line] for line in (header, *body)]
    columns = list(zip(*lines, strict=True))
    widths = [min(MAX_ALIGNED, max(3, *map(len, column))) for column in columns]
    figures = [any(map(is_number, column[1:])) for column in columns]
    rules = ["-" * (width - 1) + (":" if right else "-") for width, right in zip(widths, figures, strict=True)]
    lines.insert(1, rules)
    return "\n".join(f"| {' | '.join(map(align, line, widths, figures))} |" for line in lines)


def align(cell: str, width: int, right: bool) -> str:
    """Return a cell at the width of its column."""
    return cell.rjust(width) if right else cell.ljust(width)
