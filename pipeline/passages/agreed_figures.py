"""Figures that two programs read alike: one reads a filing's tags, the other the cells that its tables print.

An answer is computed from each, and kept only if both are equal.
Source  π² (arXiv 2604.05114): questions over tables are kept if two independent programs agree on the answer
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from pipeline.passages.markdown_tables import YEAR, MarkdownTable
from pipeline.passages.passages import Passages
from pipeline.passages.spans import Span
from pipeline.passages.tagged_figures import TaggedFigure, tagged_figures

TENTH = Decimal("0.1")
Figures = dict[str, Decimal]  # by the year in which the period ends


@dataclass(frozen=True)
class YearlyRow:
    """A row whose figures are tagged and printed: what each program reads, by year, newest first."""

    concept: str  # without its namespace: 'NetIncomeLoss'
    label: str
    table: MarkdownTable
    span: Span
    currency: str
    tagged: Figures  # in whole units
    printed: Figures  # as the cells have them
    digits: dict[str, str]  # '84,284'
    ends: dict[str, str]  # the day on which each period ends: '2025-06-30'


def parse_cell(cell: str) -> Decimal | None:
    """Return the figure of a cell: '(1,204)' gives -1204, '$ 12.5' gives 12.5, a dash None."""
    digits = "".join(sign for sign in cell if sign.isdigit() or sign == ".")
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return None
    is_negative = "(" in cell or cell.strip().lstrip("$€£¥ ").startswith(("-", "–", "−"))
    return -value if is_negative else value


def read_cells(table: MarkdownTable) -> dict[int, Figures]:
    """Return the figures of a table's rows by where a row starts and by the year that its column names last."""
    found: dict[int, Figures] = {}
    for row in table.figures:
        years = [(YEAR.findall(heading)[-1:], cell) for heading, cell in row.cells]
        named = [(year[0], parse_cell(cell)) for year, cell in years if year]
        if len({year for year, _ in named}) == len(named):
            found[row.span.start] = {year: value for year, value in named if value is not None}
    return found


def find_yearly_rows(passages: Passages) -> list[YearlyRow]:
    """Return the rows of money with two years or more, which have the tagged figures in the cells of their years."""
    by_row: dict[tuple[int, str], list[TaggedFigure]] = {}
    for figure in tagged_figures(passages):
        if len(figure.fact.unit) == 3:
            by_row.setdefault((figure.row.start, figure.fact.concept), []).append(figure)
    cells = {start: row for table in passages.named_tables for start, row in read_cells(table).items()}
    rows = [join_readings(figures, cells.get(start, {})) for (start, _), figures in by_row.items()]
    return [row for row in rows if row]


def join_readings(figures: Sequence[TaggedFigure], printed: Figures) -> YearlyRow | None:
    """Return one row as both programs read it, None if they do not read the same years or amounts."""
    by_year = {figure.fact.period.rpartition("/")[2][:4]: figure for figure in figures}
    years = sorted(by_year.keys() & printed.keys(), reverse=True)
    first = figures[0]
    scales = {figure.fact.scale for figure in figures}
    shown = {year: by_year[year].value for year in years}
    if len(years) < 2 or len(by_year) != len(figures) or len(scales) > 1:
        return None
    if any(abs(printed[year]) != shown[year] or not shown[year] for year in years):
        return None
    return YearlyRow(
        first.fact.concept.rpartition(":")[2],
        first.label,
        first.table,
        first.row,
        first.fact.unit,
        {year: Decimal(by_year[year].fact.value) for year in years},
        {year: printed[year] for year in years},
        {year: by_year[year].printed for year in years},
        {year: by_year[year].fact.period.rpartition("/")[2] for year in years},
    )


def agree_on(rows: Sequence[YearlyRow], compute: Callable[[Sequence[Figures]], object]) -> bool:
    """Say whether a computation gives the same for what the tags say and for what the cells print."""
    return compute([row.tagged for row in rows]) == compute([row.printed for row in rows])


def percent_of(part: Decimal, whole: Decimal) -> Decimal:
    """Return how many percent of a whole a part is, with one decimal and without signs."""
    return (abs(part) / abs(whole) * 100).quantize(TENTH, ROUND_HALF_UP)
