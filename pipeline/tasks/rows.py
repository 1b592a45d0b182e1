"""Count and list the rows of a table that meet a condition."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from pipeline.passages.agreed_figures import Figures, find_yearly_rows, parse_cell
from pipeline.passages.markdown_tables import YEAR, MarkdownTable, TableRow, row_label
from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.stable_order import hash_choice
from pipeline.tasks.build import build_example, choose, number_word
from pipeline.tasks.task import Task

NAME, VERSION = "rows", "rows-1"
MIN_ROWS, MAX_ROWS = 5, 60  # with a figure in the column
MIN_FOUND, MAX_FOUND = 2, 8  # rows that meet the condition
SUM = re.compile(  # of a row that is made of others, or is no amount as they are
    r"\b(?:total|net|gross|sum|balance|less|beginning|ending|end of|average|mean|rate|per share|before|after)\b",
    re.IGNORECASE,
)
ABOVE = (
    "How many rows of {table} have more than {bound} under “{column}”? Name each with its figure.",
    "List every row of {table} with a figure above {bound} in the column “{column}”, and count them.",
)
NEGATIVE = (
    "How many rows of {table} have a negative figure under “{column}”? Name each with its figure.",
    "List all rows of {table} that are below zero in the column “{column}”, with their figures.",
)
FELL = (
    "Which lines of {table} fell from “{before}” to “{after}”? List them all with both figures, and count them.",
    "How many lines of {table} are lower under “{after}” than under “{before}”? Name each with both figures.",
)


@dataclass(frozen=True)
class Column:
    """A column of a table in which every row with a figure can be named."""

    heading: str
    rows: tuple[tuple[TableRow, str, Decimal], ...]  # with the cell and its value


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each column, and for each two columns of years that follow one another."""
    passages = documents[0]
    tagged = {row.span.start: row.tagged for row in find_yearly_rows(passages)}
    for table in passages.named_tables:
        columns = list(find_columns(table))
        for column in columns:
            yield from ask_above(documents, table, column)
            yield from ask_negative(documents, table, column)
        for one, other in pairwise(columns):
            if ordered := in_order_of_years(one, other):
                yield from ask_fallen(documents, table, ordered, tagged)


def find_columns(table: MarkdownTable) -> Iterator[Column]:
    """Yield the columns whose figures are all in rows with a name of their own."""
    named = {row.span.start: row for row in table.figures}
    labels = Counter(row_label(cells) for cells, _ in table.rows)
    for index, heading in enumerate(table.header[1:], 1):
        with_cell = [(cells, span) for cells, span in table.rows if len(cells) > index]
        filled = [(cells, span) for cells, span in with_cell if parse_cell(cells[index]) is not None]
        if not MIN_ROWS <= len(filled) <= MAX_ROWS or any(span.start not in named for _, span in filled):
            continue
        rows = [(named[span.start], cells[index], parse_cell(cells[index])) for cells, span in filled]
        are_named = all(heading in dict(row.cells) and labels[row.label] == 1 for row, _, _ in rows)
        if heading and are_named:
            yield Column(heading, tuple((row, cell, value) for row, cell, value in rows if value is not None))


def ask_above(documents: Sequence[Passages], table: MarkdownTable, column: Column) -> Iterator[Example]:
    """Ask for the two to eight rows with the largest figures of a column, if a round number tells them apart."""
    ranked = sorted(column.rows, key=lambda row: -row[2])
    num_found = hash_choice(range(MIN_FOUND, min(MAX_FOUND, len(ranked) // 2) + 1), table.name, column.heading)
    bound = find_bound(ranked[num_found][2], ranked[num_found - 1][2])
    if bound is not None and is_one_measure(column):
        found = [row for row in column.rows if row[2] > bound]
        question = choose(ABOVE, f"{table.name}|{column.heading}").format(
            table=table.name, bound=f"{bound:,f}", column=column.heading
        )
        yield build_list(documents, table, question, [(row, f"“{row.label}”: {cell}") for row, cell, _ in found])


def is_one_measure(column: Column) -> bool:
    """Say whether the figures of a column can be compared: all of one format, and none the sum or balance of others."""
    formats = {("%" in cell, "." in cell) for _, cell, _ in column.rows}
    return len(formats) == 1 and not any(SUM.search(row.label) for row, _, _ in column.rows)


def find_bound(low: Decimal, high: Decimal) -> Decimal | None:
    """Return the roundest number from `low` on and below `high`: 800 for 763 and 840; None if it is not positive."""
    for exponent in range(12, -3, -1):
        unit = Decimal(10) ** exponent
        bound = (low / unit).to_integral_value(rounding="ROUND_CEILING") * unit
        if low <= bound < high:
            return bound if bound > 0 else None
    return None


def ask_negative(documents: Sequence[Passages], table: MarkdownTable, column: Column) -> Iterator[Example]:
    """Ask for the negative figures of a column, if there are two to eight."""
    found = [row for row in column.rows if row[2] < 0]
    if MIN_FOUND <= len(found) <= MAX_FOUND and len(found) < len(column.rows):
        question = choose(NEGATIVE, f"{table.name}|{column.heading}|0").format(table=table.name, column=column.heading)
        yield build_list(documents, table, question, [(row, f"“{row.label}”: {cell}") for row, cell, _ in found])


def ask_fallen(
    documents: Sequence[Passages], table: MarkdownTable, ordered: tuple[Column, Column], tagged: dict[int, Figures]
) -> Iterator[Example]:
    """Ask which lines fell from one year to the next; where lines are tagged, their tags must say so too."""
    before, after = ordered
    earlier = {row.span.start: (cell, value) for row, cell, value in before.rows}
    if earlier.keys() != {row.span.start for row, _, _ in after.rows}:
        return  # a dash is no figure, and may be zero
    both = [(row, cell, value, *earlier[row.span.start]) for row, cell, value in after.rows]
    found = [line for line in both if line[2] < line[4]]
    are_positive = all(value >= 0 and was >= 0 for _, _, value, _, was in both)
    if are_positive and MIN_FOUND <= len(found) <= MAX_FOUND:
        first, last = (YEAR.findall(column.heading)[-1] for column in ordered)
        read = [(line in found, tagged[line[0].span.start]) for line in both if line[0].span.start in tagged]
        if all(fell == (abs(tags[last]) < abs(tags[first])) for fell, tags in read if {first, last} <= tags.keys()):
            question = choose(FELL, f"{table.name}|{last}").format(
                table=table.name, before=before.heading, after=after.heading
            )
            lines = [(row, f"“{row.label}”: {was} to {now}") for row, now, _, was, _ in found]
            yield build_list(documents, table, question, lines)


def in_order_of_years(one: Column, other: Column) -> tuple[Column, Column] | None:
    """Return two columns with the earlier year first, None if their headings differ in more than the next year."""
    years = [int(found[-1]) if (found := YEAR.findall(column.heading)) else 0 for column in (one, other)]
    names = {re.sub(r"\d", "", column.heading).casefold() for column in (one, other)}
    if not all(years) or abs(years[0] - years[1]) != 1 or len({re.sub(r"[^a-z]", "", name) for name in names}) > 1:
        return None
    return (one, other) if years[0] < years[1] else (other, one)


def build_list(
    documents: Sequence[Passages], table: MarkdownTable, question: str, found: Sequence[tuple[TableRow, str]]
) -> Example:
    """Return the example whose answer counts and names the rows."""
    answer = f"There are {number_word(len(found))}: {'; '.join(words for _, words in found)}."
    spans = [table.header_span, *(row.span for row, _ in found)]
    return build_example(documents, NAME, VERSION, question, answer, [(documents[0], span) for span in spans])


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("paper", "report", "statement"),
    candidates=candidates,
    quotes_may_repeat=True,
    num_quotes=(MIN_FOUND + 1, MAX_FOUND + 1),
)
