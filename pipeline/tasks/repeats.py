"""List every table in which a filing reports one and the same figure."""

import re
from collections.abc import Iterator, Sequence

from pipeline.passages.agreed_figures import YearlyRow, find_yearly_rows
from pipeline.passages.markdown_tables import MarkdownTable
from pipeline.passages.passages import Passages
from pipeline.passages.quote_alignment import locate
from pipeline.passages.spans import Span
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose, number_word
from pipeline.tasks.task import Task

NAME, VERSION = "repeats", "repeats-1"
MIN_TABLES, MAX_TABLES = 2, 8
TITLE_CHARACTERS = 600  # above a table, in which its title is
DIGITS = re.compile(r"[\d,.]*\d")
WORDINGS = (
    "For {year}, {name} gives a figure for “{label}”. Which other tables give the same figure? Name each, and its row.",
    "Where else does the document report what {name} has for “{label}” in {year}? List every table and its row.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each amount that two to eight tables have, the same ones by their tags and their cells."""
    passages = documents[0]
    tagged: dict[tuple[str, str], list[int]] = {}
    for fact in passages.document.facts:
        if not fact.dimensions:
            tagged.setdefault((fact.concept.rpartition(":")[2], fact.period.rpartition("/")[2]), []).append(fact.start)
    rows: dict[tuple[str, str], list[tuple[YearlyRow, str]]] = {}
    for row in find_yearly_rows(passages):
        for year, end in row.ends.items():
            rows.setdefault((row.concept, end), []).append((row, year))
    for key, found in rows.items():
        digits = {row.digits[year] for row, year in found}
        printed = [table for table in passages.tables if prints(table, digits)]
        if len(digits) == 1 and len(found) == len(tagged[key]) == len(printed):
            yield from ask_for_tables(documents, found)


def prints(table: MarkdownTable, digits: set[str]) -> bool:
    """Say whether a cell of a table has some digits, whatever is around them: '$ (1,204)' has '1,204'."""
    return any("".join(DIGITS.findall(cell)) in digits for cells, _ in table.rows for cell in cells[1:])


def ask_for_tables(documents: Sequence[Passages], found: Sequence[tuple[YearlyRow, str]]) -> Iterator[Example]:
    """Ask, from the first table on, for the others with one figure, if each of them has it once."""
    (first, year), *others = found
    titles = [find_title(documents[0], row.table) for row, _ in found]
    names = {row.table.name for row, _ in found}
    if not MIN_TABLES <= len(found) == len(names) <= MAX_TABLES or not all(titles):
        return
    name = first.table.name
    question = choose(WORDINGS, f"{name}|{first.label}|{year}").format(name=name, label=first.label, year=year)
    number = "is one" if len(others) == 1 else f"are {number_word(len(others))}"
    listed = "; ".join(f"{row.table.name}, row “{row.label}”" for row, _ in others)
    answer = f"There {number}: {listed}. The figure is {first.digits[year]}."
    spans = [span for row, _ in found for span in (row.table.header_span, row.span)] + [span for span in titles if span]
    yield build_example(documents, NAME, VERSION, question, answer, [(documents[0], span) for span in spans])


def find_title(passages: Passages, table: MarkdownTable) -> Span | None:
    """Return what names a table, where it is above it; None if it is not found."""
    start = table.header_span.start
    if not table.title:
        section = passages.section_at(start)
        return passages.heading_line(section) if section else None
    above = max(0, start - TITLE_CHARACTERS)
    found = locate(passages.document.text[above:start], table.title, near=False)
    return Span(above + found.start, above + found.end, found.text) if found else None


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("statement",),
    candidates=candidates,
    num_quotes=(2 * MIN_TABLES, 3 * MAX_TABLES),
    quotes_may_repeat=True,
    max_answer_characters=3_000,
)
