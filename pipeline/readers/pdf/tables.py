"""Find the tables of a PDF page, and write them with every figure in its column.

A table is a run of lines that are split into cells, most with figures. Its columns are where its figures are; the
headers above are assigned to columns afterwards, since a centred header is often not right above the figures to which
it belongs. Where a row would put two figures into one column the lines stay as they are.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from pipeline.readers.common.tables import CURRENCY, Cell, Row, find_columns, is_number, join_cells, write_table
from pipeline.readers.pdf.hyphens import MARKED
from pipeline.readers.pdf.lines import Line, Piece
from pipeline.readers.pdf.paragraphs import LEADERS
from pipeline.readers.pdf.table_headers import PERIOD, Column, HeaderCell, HeaderRow, build_header, nearest_column

MIN_TABLE_ROWS = 3
MAX_TABLE_COLUMNS = 40
MAX_HEAD_ROWS = 8
MAX_HEAD_LINES = 60
SAME_HEIGHT = 0.4  # of the font size: pieces closer than this are in one row
SAME_EDGE = 1.0  # points between the left edges of cells in one column
LEADING = 1.6  # of the font size, between the lines of a header
MAX_CELL_CHARS = 40
MAX_LABELS = 3  # lines in a row that are labels alone: of groups, or the first lines of long labels
WEAK_LEVEL = 3  # of headings that are only bold: within a table they are labels
NOTE_MARK = re.compile(r"\(\d\)")
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


def has_leaders(line: Line) -> bool:
    """Say whether a line has dots from an entry to its page; a cell of three dots is an ellipsis."""
    return any(LEADERS.search(piece.text) for piece in line.pieces)


def is_figure(piece: Piece) -> bool:
    """Say whether a piece is a figure."""
    return is_number(piece.text.strip("$ "))


def has_figures(line: Line) -> bool:
    """Say whether a row has a figure beside its label."""
    return any(map(is_figure, line.pieces[1:]))


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
    is_table = num_rows >= MIN_TABLE_ROWS and not are_equations(lines[start : last_row + 1])
    return last_row + 1 if is_table else start


def are_equations(lines: list[Line]) -> bool:
    """Say whether all figures of lines are numbers of equations: in brackets at their ends, one after the other."""
    ends = [EQUATION_NUMBER.fullmatch(line.pieces[-1].text) for line in lines if has_figures(line)]
    numbers = [int(end[1]) for end in ends if end]
    return len(numbers) == len(ends) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def starts_new_header(line: Line, before: list[Line]) -> bool:
    """Say whether a row within a table is the header of another: it has words, or years, where there were figures."""
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


def find_ruled_body(lines: list[Line], lowest: int, first: int) -> int:
    """Return the index of the first row below the rule under the header of the labels; `first` if there is none.

    Args:
        lines: Of the page.
        lowest: The index of the first line that may belong to the table.
        first: That of the first row with figures, above which there may be rows of words.
    """
    row = lines[first]
    near = [
        index
        for index in range(max(lowest, first - 2 * MAX_HEAD_ROWS), first)
        if 0 < lines[index].bottom - row.bottom < MAX_HEAD_ROWS * row.size
    ]
    rules = [lines[index].pieces[0].rule for index in near if lines[index].left < row.pieces[0].right]
    ends = [rule.bottom for rule in rules if rule and rule.bottom > row.bottom and rule.left <= row.left < rule.right]
    return next((index for index in near if ends and lines[index].bottom < max(ends)), first)


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


def join_labels(grid: list[list[str]]) -> list[list[str]]:
    """Join what takes two rows: words without figures, and figures a little lower, or where a label goes on."""
    joined: list[list[str]] = []
    for row in grid:
        label = joined[-1][0] if joined and not any(joined[-1][1:]) else ""
        if label.endswith(MARKED):
            joined[-1] = [label.removesuffix(MARKED) + row[0], *row[1:]]
        elif joined and goes_on(joined[-1], row):
            joined[-1] = [f"{cell} {other}".strip() for cell, other in zip(joined[-1], row, strict=True)]
        elif joined and completes_row(joined[-1], row):
            joined[-1] = [cell or other for cell, other in zip(joined[-1], row, strict=True)]
        elif label and (row[0][:1].islower() or label.endswith(",") or label.count("(") > label.count(")")):
            joined[-1] = [f"{label} {row[0]}", *row[1:]]
        else:
            joined.append(row)
    return joined


def goes_on(before: list[str], row: list[str]) -> bool:
    """Say whether two rows have one cell each, in the same column, and the second goes on with a sentence."""
    places = [[index for index, cell in enumerate(cells) if cell] for cells in (before, row)]
    return places[0] == places[1] and len(places[0]) == 1 and row[places[0][0]][:1].islower()


def completes_row(before: list[str], row: list[str]) -> bool:
    """Say whether a row has figures alone, and all of them behind the words of the row before, which has none."""
    words = [index for index, cell in enumerate(before) if cell]
    figures = [index for index, cell in enumerate(row) if cell]
    return (
        max(words) < min(figures)
        and not any(is_number(before[index]) for index in words)
        and all(is_number(row[index].strip("$ ")) for index in figures)
    )


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


def to_cells(line: Line) -> list[Cell]:
    """Return the pieces of a line as cells."""
    return [Cell(piece.text, int(10 * piece.left), int(10 * piece.right) + 1) for piece in line.pieces]


def to_header_cells(line: Line, foot: float) -> list[HeaderCell]:
    """Return the pieces of a line above the figures as cells, each with the rule below it if that is above `foot`."""
    return [
        HeaderCell(
            cell.text,
            cell.start,
            cell.end,
            (int(10 * piece.rule.left), int(10 * piece.rule.right) + 1)
            if piece.rule and piece.rule.bottom > foot
            else None,
        )
        for cell, piece in zip(to_cells(line), line.pieces, strict=True)
    ]


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


def find_header_start(
    lines: list[Line], first: int, lowest: int, columns: list[Column], headings: dict[int, int]
) -> int:
    """Return the index of the first header line of a table whose figures begin at `first`.

    Headers may be in the file row by row or column by column: what counts is that they are above the figures.
    """
    foot = lines[first].bottom
    top, highest, reached = first, foot, foot  # `reached`: with the labels between header and figures
    for index in range(first - 1, lowest - 1, -1):
        line = lines[index]
        reach = 1.5 * line.size
        strong = headings.get(index, WEAK_LEVEL) < WEAK_LEVEL
        if (
            strong
            or line.fixed
            or not 0 < line.bottom - foot < MAX_HEAD_ROWS * reach
            or line.bottom > reached + 2 * reach
        ):
            break
        if is_header_line(line, columns):
            top, highest = index, max(highest, line.bottom)
        elif not is_label(line, columns) or line.bottom > max(highest, foot + MAX_LABELS * reach):
            break
        elif line.bottom <= highest and top < first:
            top = index
        reached = max(reached, line.bottom + line.rise)
    return skip_captions(lines, top, first, columns)


def skip_captions(lines: list[Line], top: int, first: int, columns: list[Column]) -> int:
    """Return the index of the first head after lone lines in the middle above more than two columns of figures.

    A period, as `Year Ended` is, is no caption, nor is what has a rule below it over columns of figures.
    """
    while top < first and len(columns) > 3 and len(lines[top].pieces) == 1:
        line = lines[top]
        if PERIOD.fullmatch(line.text) or is_over_group(line.pieces[0], columns):
            break
        beside = any(abs(other.bottom - line.bottom) < SAME_HEIGHT * line.size for other in lines[top + 1 : first])
        if goes_on_below(line, lines[top + 1 : first]):
            break
        if beside or is_label(line, columns) or any(other.bottom > line.bottom for other in lines[top + 1 : first]):
            break
        top += 1
    return top


def goes_on_below(line: Line, below: list[Line]) -> bool:
    """Say whether a line of one piece has the next line of the same header right below it, beside other headers."""
    piece, near = line.pieces[0], [other for other in below if 0 < line.bottom - other.bottom < LEADING * line.size]
    beside = [part for other in near for part in other.pieces]
    under = [part for part in beside if part.left < piece.right and piece.left < part.right]
    if len(under) != 1 or len(beside) == 1:
        return False
    return abs(piece.left + piece.right - under[0].left - under[0].right) <= 2 * SAME_EDGE


def is_over_group(piece: Piece, columns: list[Column]) -> bool:
    """Say whether the rule below a piece is over columns of figures, and not over the labels."""
    return piece.rule is not None and 10 * piece.rule.left > sum(columns[0]) / 2


def is_header_line(line: Line, columns: list[Column]) -> bool:
    """Say whether a line may head columns: short pieces, and at least one of them beyond the labels."""
    pieces = line.pieces[1:] or line.pieces
    short = all(len(piece.text) < MAX_CELL_CHARS or is_over_group(piece, columns) for piece in pieces)
    return short and reaches_figures(line, columns[0][1], columns[1][0]) and not has_leaders(line)


def reaches_figures(line: Line, labels: int, figures: int) -> bool:
    """Say whether a line has something above figures: it reaches their column, or begins behind all labels.

    Args:
        line: A line above the figures.
        labels: Where the longest label ends, in tenths of points.
        figures: Where the figures begin.
    """
    return 10 * line.right > figures or 10 * line.pieces[-1].left > labels


def is_label(line: Line, columns: list[Column]) -> bool:
    """Say whether a line is above the labels alone."""
    return 10 * line.right < columns[1][0] and len(line.text) < 2 * MAX_CELL_CHARS


def split_header_lines(lines: list[Line], edges: tuple[int, int], foot: float) -> tuple[list[HeaderRow], list[Line]]:
    """Split the lines above the first figures into header rows, from the top, and the labels below them.

    Args:
        lines: Above the first figures.
        foot: The baseline of the first figures, in points.
        edges: Where the words of the rows end and where the figures begin, in tenths of points.
    """
    heads = [line.bottom for line in lines if reaches_figures(line, *edges) or len(line.text) >= 2 * MAX_CELL_CHARS]
    lowest = min(heads, default=0.0)
    labels = [line for line in lines if line.bottom < lowest - SAME_HEIGHT * line.size]
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (-line.bottom, line.left)):
        if line.bottom < lowest - SAME_HEIGHT * line.size:
            continue
        if rows and rows[-1][0].bottom - line.bottom < SAME_HEIGHT * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    header_rows = [
        sorted((cell for line in row for cell in to_header_cells(line, foot)), key=lambda cell: cell.start)
        for row in rows
    ]
    return header_rows, labels
