"""The figures of an example's evidence, each with what it is a figure of.

For a figure of a table: the label of its row, the heading of its column, and the scale that the head or the lines above
the table name ('in millions'). Rows and heads are found in the document from the place of the quote, so a quote may
have the row alone.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from pipeline.checks.quantities import ONE, PERCENT, Quantity, find_quantities
from pipeline.checks.sentences import span_at, split_clauses, split_sentences
from pipeline.passages.markdown_tables import MarkdownTable, find_tables, row_label
from pipeline.passages.spans import Span
from pipeline.records import Document, Evidence, Example

LINES_ABOVE_CHARACTERS = 500  # of a table, in which its unit may be named
SCALE_WORDS = {"thousand": Decimal(10**3), "million": Decimal(10**6), "billion": Decimal(10**9)}
UNIT = re.compile(
    r"\b(?:in|of|amounts|dollars|\()\s*(?:\$|us\$|u\.s\. dollars|dollars|euros?|shares)?\s*(?:in\s+)?"
    r"(thousand|million|billion)s\b|(?:^|[(|\s])(thousand|million|billion)s(?: of|\)|,|\s*\||\s+except)",
    re.IGNORECASE,
)
THOUSANDS = re.compile(r"(?<![\d,.'’])\(?\$?\s?['’]?000s?(?: omitted)?\)?(?![\d,.])|\$k\b", re.IGNORECASE)
PER_UNIT = re.compile(
    r"\bper\b|\brates?\b|\bratios?\b|\bmargins?\b|percent|%|\bbps\b|basis points|\byields?\b", re.IGNORECASE
)
SHARE = re.compile(r"%|\bper ?cent", re.IGNORECASE)
COUNTED = re.compile(r"\b(?:shares?|number of|employees|stores|units|countries|weighted)\b", re.IGNORECASE)
YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)|(?<=FY)\s?\d\d(?!\d)|(?<=[’'])\d\d(?!\d)")
STATED = re.compile(  # once for all tables below it
    r"\b(?:amounts|dollars|figures)[^.|\n]{0,40}\bin (thousand|million|billion)s\b[^.|\n]{0,60}\b(?:otherwise|except)",
    re.IGNORECASE,
)
LINE_BREAK = re.compile(r"(?<!\n)\n(?![\n|#*-])")  # within a paragraph; PDFs have one after each line
MAX_HEAD_ROWS = 3
CONTINUED_CHARACTERS = 20  # between a table and one that goes on with it


@dataclass(frozen=True)
class Figure:
    """A quantity of the evidence, and what it is a figure of."""

    quantity: Quantity
    scales: tuple[Decimal, ...]  # by which the printed number may be multiplied; none if no unit is known
    doc_id: str
    position: int  # characters of the document's text
    context: str  # the clause in prose, or the row's label and the column's heading
    row: str = ""  # the label of its row
    column: str = ""  # the heading of its column
    table: MarkdownTable | None = None
    quote: str = ""  # that it is from, in prose
    period: frozenset[str] = frozenset()  # the years of its clause, or of its sentence if no other figure has them

    @property
    def years(self) -> frozenset[str]:
        """The years that its column, its row or its clause names."""
        return find_years(self.column) or find_years(self.row) or self.period


@dataclass(frozen=True)
class PlacedTables:
    """The tables of a text by their place."""

    tables: tuple[MarkdownTable, ...]
    starts: tuple[int, ...]

    def overlapping(self, start: int, end: int) -> list[MarkdownTable]:
        """Return the tables that share characters with a range."""
        first = max(0, bisect_right(self.starts, start) - 1)
        last = bisect_right(self.starts, end)
        return [table for table in self.tables[first:last] if find_table_end(table) > start]


@lru_cache(maxsize=64)
def place_tables(text: str) -> PlacedTables:
    """Return the tables of a text; kept, since many examples share a document."""
    tables = tuple(find_tables(text))
    return PlacedTables(tables, tuple(table.header_span.start for table in tables))


def find_table_end(table: MarkdownTable) -> int:
    """Return where the last row of a table ends."""
    return table.rows[-1][1].end if table.rows else table.header_span.end


def find_years(text: str) -> frozenset[str]:
    """Return the years that a text names: '2025' for '2025' and for 'FY25'."""
    return frozenset(year.strip() if len(year.strip()) == 4 else f"20{year.strip()}" for year in YEAR.findall(text))


def list_figures(example: Example, documents: Mapping[str, Document]) -> list[Figure]:
    """Return the figures of all evidence of an example."""
    return [figure for span in example.evidence for figure in read_span(span, documents[span.doc_id])]


def read_span(span: Evidence, document: Document) -> Iterator[Figure]:
    """Yield the figures of one quote: those of its rows, and those of its prose."""
    tables = place_tables(document.text).overlapping(span.start, span.end)
    for table in tables:
        yield from read_table(span, document, table)
    for sentence in split_sentences(LINE_BREAK.sub(" ", span.quote)):
        position = span.start + sentence.start
        if any(table.header_span.start <= position < find_table_end(table) for table in tables):
            continue
        clauses = list(split_clauses(Span(0, len(sentence.text), sentence.text)))
        for quantity in find_quantities(sentence.text):
            clause = span_at(clauses, quantity.start)
            scales, start = (quantity.scale or ONE,), position + quantity.start
            years = find_years(clause.text) or unclaimed_years(clauses)
            yield Figure(quantity, scales, span.doc_id, start, clause.text, period=years, quote=span.quote)


def unclaimed_years(clauses: Sequence[Span]) -> frozenset[str]:
    """Return the years that no clause with a figure names: 2025 in 'For 2025, it fell to 3 from 5 in 2024'."""
    claimed = [find_years(clause.text) for clause in clauses if has_figure(clause.text)]
    return frozenset().union(*(find_years(clause.text) for clause in clauses)) - frozenset().union(*claimed)


def has_figure(words: str) -> bool:
    """Say whether words have a number that is no year."""
    return any(not quantity.is_year for quantity in find_quantities(words))


def read_table(span: Evidence, document: Document, table: MarkdownTable) -> Iterator[Figure]:
    """Yield the figures of the rows of a table that a quote covers."""
    headings = column_headings(table)
    scale = find_table_scale(document.text, table)
    for cells, row in table.rows:
        if row.end <= span.start or row.start >= span.end:
            continue
        label = row_label(cells)
        for number, (start, end) in enumerate(cell_ranges(row)):
            if number == 0 or end <= span.start or start >= span.end:
                continue
            heading = headings[number] if number < len(headings) else ""
            for quantity in find_quantities(document.text[start:end]):
                scales = list_scales(quantity, f"{label} {heading}", find_scale(f"{label} {heading}") or scale)
                scales = scales or ((ONE, PERCENT) if has_shares(document.text, table) else ())
                about = f"{label} | {heading}"
                yield Figure(
                    quantity, scales, span.doc_id, start + quantity.start, about, label, heading, table
                )  # fmt: skip


def cell_ranges(row: Span) -> list[tuple[int, int]]:
    """Return where the cells of a row are in the text."""
    bars = [match.start() for match in re.finditer(r"(?<!\\)\|", row.text)]
    text = row.text
    if not text.lstrip().startswith("|"):
        bars = [-1, *bars]
    if not text.rstrip().endswith("|"):
        bars = [*bars, len(text)]
    return [(row.start + one + 1, row.start + other) for one, other in pairwise(bars)]


@lru_cache(maxsize=1_024)
def column_headings(table: MarkdownTable) -> tuple[str, ...]:
    """Return the heading of each column, with the rows below the head that continue it."""
    headings = [" ".join(cell.split()) for cell in table.header]
    for cells, _ in table.rows[:MAX_HEAD_ROWS]:
        has_figures = any(find_quantities(YEAR.sub("", cell)) for cell in cells[1:])
        if has_figures or not any(cells[1:]) or cells[0].strip():
            break
        for number, cell in enumerate(cells):
            if number < len(headings) and cell:
                headings[number] = f"{headings[number]} {' '.join(cell.split())}".strip()
    return tuple(headings)


@lru_cache(maxsize=1_024)
def find_table_scale(text: str, table: MarkdownTable) -> Decimal | None:
    """Return the scale that the head of a table, its title or the lines above it name, None if none does."""
    start = table.header_span.start
    above = text[max(0, start - LINES_ABOVE_CHARACTERS) : start].rsplit("\n|", 1)[-1]
    first_rows = " ".join(" | ".join(cells) for cells, _ in table.rows[:2])
    for words in (" | ".join(table.header), first_rows, table.title, above):
        if found := find_scale(words):
            return found
    before = [one for one in place_tables(text).tables if 0 <= start - find_table_end(one) <= CONTINUED_CHARACTERS]
    if before and not above.strip():
        return find_table_scale(text, before[-1])
    stated = [scale for position, scale in find_stated_scales(text) if position < start]
    return stated[-1] if stated else None


@lru_cache(maxsize=64)
def find_stated_scales(text: str) -> tuple[tuple[int, Decimal], ...]:
    """Return the places that name a scale for all that follows: 'Amounts in millions unless otherwise specified'."""
    return tuple((match.start(), SCALE_WORDS[match[1].lower()]) for match in STATED.finditer(text))


@lru_cache(maxsize=1_024)
def has_shares(text: str, table: MarkdownTable) -> bool:
    """Say whether a table that names no scale names percentages, in its title, its head or the lines above it."""
    above = text[max(0, table.header_span.start - LINES_ABOVE_CHARACTERS // 2) : table.header_span.start]
    return bool(SHARE.search(" | ".join([table.title, *table.header, above.rsplit("\n|", 1)[-1]])))


def find_scale(words: str) -> Decimal | None:
    """Return the scale that words name: 10**6 for '(in millions, except per share data)'."""
    match = UNIT.search(words)
    if match:
        return SCALE_WORDS[(match[1] or match[2]).lower()]
    return SCALE_WORDS["thousand"] if THOUSANDS.search(words) else None


def list_scales(quantity: Quantity, about: str, scale: Decimal | None) -> tuple[Decimal, ...]:
    """Return the scales that a figure of a table may have, by its sign, its row and its column."""
    if quantity.scale is not None:
        return (quantity.scale,)
    if PER_UNIT.search(about):
        return (ONE, PERCENT) if not scale else (ONE, PERCENT, scale)
    if COUNTED.search(about):
        return (ONE, scale) if scale else (ONE,)
    return (scale,) if scale else ()
