"""Read the cells of an HTML table at their places in its grid."""

from typing import Any

from pipeline.readers.common.tables import MAX_SPAN, Cell, Row
from pipeline.readers.html.pruning import flat_text

IN_CELLS = tuple(
    f"{{*}}{name}"
    for name in ("address", "blockquote", "center", "dd", "div", "dl", "dt", "figcaption", "hr", "li", "p", "pre", "ul")
)
NOT_IN_DATA = ("{*}table", "{*}h1", "{*}h2", "{*}h3")
MAX_CELL_CHARS = 1000  # a longer cell of several paragraphs is a column of a page


def read_html_rows(table: Any) -> list[Row] | None:
    """Return the cells with text of each row of a table; None if it holds parts of a page rather than data."""
    inside = table.iter(*NOT_IN_DATA)
    next(inside)  # the table itself
    if next(inside, None) is not None:
        return None
    for block in table.iter(*IN_CELLS):
        block.text, block.tail = f" {block.text or ''}", f" {block.tail or ''}"
    rows: list[Row] = []
    taken: dict[int, int] = {}  # column -> rows, this one counted in, that a cell from above still covers
    for tr in table.iter("{*}tr"):
        row: Row = []
        column = 0
        below: dict[int, int] = {}
        for cell in tr.iterchildren("{*}td", "{*}th"):
            while taken.get(column, 0) > 0:
                column += 1
            width, height = parse_span(cell.get("colspan")), parse_span(cell.get("rowspan"))
            text = flat_text(cell)
            if text:
                if len(text) > MAX_CELL_CHARS and is_column(cell):
                    return None
                row.append(Cell(text, column, column + width))
            if height > 1:
                below |= dict.fromkeys(range(column, column + width), height)
            column += width
        taken = {c: left - 1 for c, left in (taken | below).items() if left > 1} if taken or below else taken
        if row:
            rows.append(row)
    return rows


def is_column(cell: Any) -> bool:
    """Say whether a cell holds several paragraphs."""
    blocks = cell.iter("{*}p", "{*}li", "{*}dd")
    return next(blocks, None) is not None and next(blocks, None) is not None


def parse_span(value: str | None) -> int:
    """Return how many columns or rows a cell covers, whatever its attribute says."""
    if value is None:
        return 1
    value = value.strip()
    return max(1, min(int(value), MAX_SPAN)) if value.isdecimal() and value.isascii() and len(value) < 6 else 1
