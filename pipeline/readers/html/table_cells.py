"""Read the cells of an HTML table at their places in its grid."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.readers.common.tables import MAX_SPAN, Cell, Row
from pipeline.readers.html.raised import flat_text

IN_CELLS = tuple(
    f"{{*}}{name}"
    for name in (
        *("address", "blockquote", "center", "dd", "div", "dl", "dt", "figcaption", "hr", "li", "p", "pre", "ul", "ol"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "td", "th", "caption"),
    )
)
PARTS_OF_PAGES = ("{*}table", "{*}h1", "{*}h2", "{*}h3")
MAX_CELL_CHARS = 1000  # a longer cell of several paragraphs is a column of a page
MAX_PART_CHARS = 200  # a longer cell with a heading or a table in it is a part of a page
MIN_DATA_ROWS = 2  # with several cells, that a table has which holds headings or tables as data
SECTIONS = {"thead", "tbody", "tfoot"}
CELLS = {"td", "th"}
NOT_LOOSE = {"caption", "colgroup", "col"}


@dataclass
class HtmlTable:
    """The rows of a table with text, how many of them its tags call headers, and the text outside its cells."""

    rows: list[Row] = field(default_factory=list)
    num_headers: int | None = None
    loose: list[str] = field(default_factory=list)


def read_html_table(table: Any) -> HtmlTable | None:
    """Return the cells with text of each row of a table; None if it holds parts of a page rather than data."""
    rows, loose = find_rows(table)
    if holds_parts_of_page(table, rows):
        return None
    separate_blocks(table)
    found = HtmlTable(loose=[text for element, is_tail in loose if (text := loose_text(element, is_tail))])
    tags: list[bool] = []  # of each row with text: is it tagged as a header
    taken: dict[int, int] = {}  # column -> rows, this one counted in, that a cell from above still covers
    for tr, cells in rows:
        row: Row = []
        column = 0
        below: dict[int, int] = {}
        for cell in cells:
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
            found.rows.append(row)
            tags.append(is_tagged_header(tr, cells))
    found.num_headers = count_tagged(tags)
    return found


def find_rows(table: Any) -> tuple[list[tuple[Any, list[Any]]], list[tuple[Any, bool]]]:
    """Return the rows of a table with their cells, and the other elements within it (or what follows them) with text.

    Forms and the like between a table, its rows and its cells are looked through; tables within cells are not.
    """
    rows: list[tuple[Any, list[Any]]] = []
    loose: list[tuple[Any, bool]] = []
    waiting: list[tuple[Any, bool]] = [(table, False)]
    while waiting:
        element, is_tail = waiting.pop()
        if is_tail:
            loose.append((element, True))
            continue
        name = tag_name(element)
        if element is not table and (element.tail or "").strip():
            loose.append((element, True))
        if name in CELLS:
            if not rows:
                rows.append((element.getparent(), []))
            rows[-1][1].append(element)
        elif element is table or name in SECTIONS or name == "tr" or holds_cells(element):
            if name == "tr":
                rows.append((element, []))
            if (element.text or "").strip():
                loose.append((element, False))
            waiting += [(child, False) for child in reversed(element)]
        elif name and name not in NOT_LOOSE:
            loose.append((element, False))
    return rows, loose


def tag_name(element: Any) -> str:
    """Return the name of an element, '' for comments."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def holds_cells(element: Any) -> bool:
    """Say whether cells or rows of the table around it are within an element that is none of its parts, as a form."""
    if tag_name(element) == "table":
        return False
    inner = next(element.iter("{*}td", "{*}th", "{*}tr"), None)
    return inner is not None and next(inner.iterancestors("{*}table"), None) is next(
        element.iterancestors("{*}table"), None
    )


def loose_text(element: Any, is_tail: bool) -> str:
    """Return text outside the cells of a table on one line: what follows an element, or what begins or is in it."""
    if is_tail:
        return " ".join((element.tail or "").split())
    if tag_name(element) in SECTIONS | {"table", "tr"} or holds_cells(element):
        return " ".join((element.text or "").split())
    return flat_text(element)


def holds_parts_of_page(table: Any, rows: list[tuple[Any, list[Any]]]) -> bool:
    """Say whether a table with headings or tables in its cells lays out a page: these are long, or it has no rows."""
    cells = [cell for _, found in rows for cell in found]
    with_parts = [cell for cell in cells if next(iter_parts(cell), None) is not None]
    num_parts = sum(1 for _ in table.iter(*PARTS_OF_PAGES)) - 1
    if num_parts == 0:
        return False
    if sum(sum(1 for _ in iter_parts(cell)) for cell in with_parts) < num_parts:
        return True  # some are outside its cells
    full = sum(sum(1 for cell in found if flat_text(cell)) > 1 for _, found in rows)
    return full < MIN_DATA_ROWS or any(len(flat_text(cell)) > MAX_PART_CHARS for cell in with_parts)


def iter_parts(cell: Any) -> Iterator[Any]:
    """Return the headings and tables within a cell."""
    found: Iterator[Any] = cell.iterdescendants(*PARTS_OF_PAGES)
    return found


def separate_blocks(table: Any) -> None:
    """Set spaces around the blocks in the cells of a table, so that their words stay apart on one line."""
    for block in table.iter(*IN_CELLS):
        if block is not table:
            block.text = f" {block.text or ''}"
            if tag_name(block) not in CELLS and tag_name(block) != "tr":
                block.tail = f" {block.tail or ''}"


def is_tagged_header(tr: Any, cells: list[Any]) -> bool:
    """Say whether the tags of a row make it a header: it is in `thead`, or all its cells are `th`."""
    if any(tag_name(around) == "thead" for around in tr.iterancestors("{*}thead", "{*}table")):
        return True
    return all(tag_name(cell) == "th" for cell in cells if flat_text(cell))


def count_tagged(tags: list[bool]) -> int | None:
    """Return how many rows at the top are tagged as headers; None if none is, or all are."""
    count = tags.index(False) if False in tags else 0
    return count or None


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
