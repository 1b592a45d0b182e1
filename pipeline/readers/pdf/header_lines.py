"""Find the lines of a PDF's page that are the header of a table, above its first figures."""

from pipeline.readers.common.tables import Cell
from pipeline.readers.pdf.lines import Line, Piece
from pipeline.readers.pdf.paragraphs import LEADERS
from pipeline.readers.pdf.table_headers import PERIOD, Column, HeaderCell, HeaderRow

MAX_HEAD_ROWS = 8
SAME_HEIGHT = 0.4  # of the font size: pieces closer than this are in one row
SAME_EDGE = 1.0  # points between the left edges of cells in one column
LEADING = 1.6  # of the font size, between the lines of a header
MAX_CELL_CHARS = 40
MAX_LABELS = 3  # lines in a row that are labels alone: of groups, or the first lines of long labels
WEAK_LEVEL = 3  # of headings that are only bold: within a table they are labels


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
    ends = [
        rule.bottom
        for rule in rules
        if rule and rule.bottom > row.bottom and rule.left <= row.left < rule.right <= row.pieces[1].left
    ]
    return next((index for index in near if ends and lines[index].bottom < max(ends)), first)


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
            or (top < first and line.bottom > highest + SAME_HEIGHT * line.size and is_over_all(line, columns))
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


def is_over_all(line: Line, columns: list[Column]) -> bool:
    """Say whether a line is a caption: in one piece, begun above the labels, above a rule over labels and figures."""
    rule = line.pieces[0].rule if len(line.pieces) == 1 and 10 * line.left < columns[0][1] else None
    return rule is not None and 10 * rule.left <= sum(columns[0]) / 2 and 10 * rule.right > columns[1][0]


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


def to_cells(line: Line) -> list[Cell]:
    """Return the pieces of a line as cells."""
    return [Cell(piece.text, int(10 * piece.left), int(10 * piece.right) + 1) for piece in line.pieces]


def has_leaders(line: Line) -> bool:
    """Say whether a line has dots from an entry to its page; a cell of three dots is an ellipsis."""
    return any(LEADERS.search(piece.text) for piece in line.pieces)
