"""Assign the headers of a PDF's table to its columns.

A header is above one column or centred over several. Its place alone does not say which: centred over three columns
it is above the second, too. A rule drawn below it does, and where the row below repeats with each group it is sure.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from pipeline.readers.common.tables import Cell

SAME_AXIS = 15  # tenths of points between the middles, or edges, of the lines of one header
OFF_CENTRE = 0.12  # of the width of the columns below a header
Column = tuple[int, int]
MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
PERIOD = re.compile(  # above all columns, whose own headers are dates or years
    r"(?:(?:fiscal )?(?:years?|quarters?|(?:three|six|nine|twelve|\d+) (?:and (?:six|nine) )?(?:months?|weeks?))"
    rf"\s+ended|as (?:of|at)\b|fiscal years?$|years?$).{{0,30}}|{MONTH} \d{{1,2}},?",
    re.IGNORECASE,
)
UNIT = re.compile(
    r"\((?:(?:amounts?|dollars?|figures?|us\$|[$€£])[ ,]*)*(?:are |expressed )?in [a-z€£$]+.{0,40}\)", re.IGNORECASE
)


@dataclass(frozen=True)
class HeaderCell(Cell):
    """A cell of a header, and what the next rule below it covers: tenths of points, as all places are here."""

    rule: tuple[int, int] | None = None


HeaderRow = list[HeaderCell]
Placed = list[tuple[HeaderCell, list[int]]]  # the cells of a header row, each with the numbers of its columns


def nearest_column(cell: Cell, columns: list[Column]) -> int:
    """Return the column that a cell shares most of its width with, else the nearest."""

    def shared(index: int) -> int:
        start, end = columns[index]
        return min(end, cell.end) - max(start, cell.start)

    return 0 if cell.start == 0 else max(range(len(columns)), key=shared)


def build_header(header_rows: list[HeaderRow], columns: list[Column], first_figures: int) -> list[str]:
    """Return the header of each column, in one line.

    Args:
        header_rows: The rows above the figures, from the top.
        columns: The columns.
        first_figures: The number of the first column of figures: those before it hold words.
    """
    header = [""] * len(columns)
    below: list[str] = []
    units = [row[0].text for row in header_rows if is_unit(row)]
    rows = [row for row in header_rows if not is_unit(row)]
    placed: list[Placed] = []
    for row in reversed(rows):
        placed.insert(0, place_cells(row, columns, first_figures, below))
        below = below or texts_by_column(placed[0], len(columns))
    for texts in (texts_by_column(row, len(columns)) for row in reversed(agree_on_columns(placed))):
        header = [f"{text} {under}".strip() for text, under in zip(texts, header, strict=True)]
    return [" ".join([*units, header[0]]).strip(), *header[1:]]


def is_unit(row: HeaderRow) -> bool:
    """Say whether a row is a unit in the middle, and of all columns."""
    return len(row) == 1 and UNIT.fullmatch(row[0].text) is not None


def place_cells(head: HeaderRow, columns: list[Column], first_figures: int, below: list[str]) -> Placed:
    """Return the cells of a header row, each with its columns: several where it spans them.

    Args:
        head: The row.
        columns: The columns.
        first_figures: The number of the first column of figures.
        below: The lowest header row, by column; empty for that row itself.
    """
    label = [cell for cell in head if cell.end <= columns[1][0] and cell.start < columns[0][1]]
    others = head if first_figures > 1 else []
    words = [cell for cell in others if cell not in label and cell.end <= columns[first_figures][0]]
    figures = [cell for cell in head if cell not in label and cell not in words]
    groups = group_columns(figures, columns, first_figures, below)
    places = [[nearest_column(cell, columns)] for cell in words]
    places += groups or [[nearest_column(cell, columns)] for cell in figures]
    placed = [(cell, [0]) for cell in label]
    for cell, indices in zip([*words, *figures], places, strict=True):
        placed.append((cell, [index for index in indices if index or not label]))
    return placed


def texts_by_column(placed: Placed, num_columns: int) -> list[str]:
    """Return the texts of a header row, by column: one that spans several columns is repeated in each."""
    texts = [""] * num_columns
    for cell, indices in placed:
        for index in indices:
            texts[index] = f"{texts[index]} {cell.text}".strip()
    return texts


def agree_on_columns(rows: list[Placed]) -> list[Placed]:
    """Give the lines of one header, which are set one below the other, the columns of that which spans most."""
    rows = [list(row) for row in rows]
    for upper, lower in [*pairwise(range(len(rows))), *reversed([*pairwise(range(len(rows)))])]:
        for one, (cell, indices) in enumerate(rows[upper]):
            for other, (under, beneath) in enumerate(rows[lower]):
                most = max(indices, beneath, key=len)
                if are_lines_of_one(cell, under, rows[upper], rows[lower]) and all(
                    is_free(most, row, index) for row, index in ((rows[upper], one), (rows[lower], other))
                ):
                    rows[upper][one], rows[lower][other] = (cell, most), (under, most)
    return rows


def is_free(columns: list[int], row: Placed, number: int) -> bool:
    """Say whether no other cell of a row than that of a number has one of some columns."""
    return not any(set(columns) & set(indices) for index, (_, indices) in enumerate(row) if index != number)


def are_lines_of_one(cell: HeaderCell, under: HeaderCell, row: Placed, below: Placed) -> bool:
    """Say whether two cells are lines of one header: each is all that is above or below the other, in one line."""
    beside = [other for other, _ in below if other.start < cell.end and cell.start < other.end]
    above = [other for other, _ in row if other.start < under.end and under.start < other.end]
    if beside != [under] or above != [cell]:
        return False
    off = (cell.start - under.start, cell.end - under.end, (cell.start + cell.end - under.start - under.end) / 2)
    return min(map(abs, off)) <= SAME_AXIS


def group_columns(headers: HeaderRow, columns: list[Column], first_figures: int, below: list[str]) -> list[list[int]]:
    """Return the columns of figures under each header, where headers span groups of them; else nothing.

    That they do is sure where a rule below them says so, where the row below begins again with each group, as
    `2018 2017 2018 2017` does, and where a lone header is a period, as `Year Ended` is.
    """
    figures = range(first_figures, len(columns))
    if not 0 < len(headers) < len(figures):
        return []
    ruled = [ruled_columns(head, headers, columns, figures) for head in headers]
    if len(headers) == 1 and PERIOD.fullmatch(headers[0].text) and len(ruled[0]) < 2:
        return [list(figures)]
    centred = centred_groups(headers, columns, figures, below)
    if not any(ruled):
        return centred
    centred = centred or [[nearest_column(head, columns)] for head in headers]
    return [own or other for own, other in zip(ruled, centred, strict=True)]


def centred_groups(headers: HeaderRow, columns: list[Column], figures: range, below: list[str]) -> list[list[int]]:
    """Return the columns of figures over which headers are centred, one group a header; nothing if they are not."""
    for groups in filter(None, (equal_groups(len(headers), figures), best_groups(headers, columns, figures))):
        again = {below[group[0]] for group in groups} if below else set()
        repeated = len(groups) > 1 and len(again) == 1 and "" not in again
        parts = [[columns[index] for index in group] for group in groups]
        if all(is_over(head, part, repeated=repeated) for head, part in zip(headers, parts, strict=True)):
            return groups
    return []


def ruled_columns(head: HeaderCell, headers: HeaderRow, columns: list[Column], figures: range) -> list[int]:
    """Return the columns of figures above which the rule below a header is; nothing if other headers share the rule."""
    if head.rule is None or sum(other.rule == head.rule for other in headers) > 1:
        return []
    if head.rule[0] <= sum(columns[0]) / 2:
        return []  # it is below the whole header
    start, end = head.rule
    return [index for index in figures if start <= sum(columns[index]) / 2 <= end]


def equal_groups(num_groups: int, figures: range) -> list[list[int]]:
    """Split the columns of figures into groups of one size; nothing if they cannot be."""
    size, rest = divmod(len(figures), num_groups)
    return [] if rest else [list(figures[size * n : size * (n + 1)]) for n in range(num_groups)]


def best_groups(headers: HeaderRow, columns: list[Column], figures: range) -> list[list[int]]:
    """Split the columns of figures into one group a header, so that headers are as well centred as can be."""
    count = len(figures)
    best: dict[tuple[int, int], tuple[float, list[list[int]]]] = {(0, 0): (0.0, [])}
    for number, head in enumerate(headers, 1):
        for end in range(number, count + 1):
            ways = [
                (
                    cost + off_centre(head, [columns[index] for index in figures[start:end]]),
                    [*groups, list(figures[start:end])],
                )
                for start in range(number - 1, end)
                for cost, groups in [best.get((number - 1, start), (float("inf"), []))]
            ]
            best[number, end] = min(ways)
    return best[len(headers), count][1]


def off_centre(head: Cell, group: list[Column]) -> float:
    """Return how far a header is from the middle of some columns."""
    return abs(head.start + head.end - group[0][0] - group[-1][1]) / 2


def is_over(head: Cell, group: list[Column], *, repeated: bool) -> bool:
    """Say whether a header is above a column, or centred over several and not over one of them alone."""
    start, end = group[0][0], group[-1][1]
    if len(group) == 1:
        return head.start < end and start < head.end
    off = off_centre(head, group)
    if repeated:
        return off <= 2 * OFF_CENTRE * (end - start)
    alone = min(off_centre(head, [column]) for column in group)
    return len(group) % 2 == 0 and off <= OFF_CENTRE * (end - start) and off < alone / 2
