"""Ask for the same row of the same table in each report of a series."""

import re
from collections.abc import Iterator, Sequence

from pipeline.passages.document_groups import in_series
from pipeline.passages.markdown_tables import YEAR, MarkdownTable, TableRow
from pipeline.passages.passages import Passages
from pipeline.passages.spans import Span
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "across", "across-2"
NUMBERS = re.compile(r"\d+")
WORDINGS = (
    "Go through the {num} reports year by year: which figure does each give for “{row}” in {table}, for {which}?",
    "“{row}” in {table}: what does each of the {num} reports give for {which}? Begin with the oldest.",
)
WHICH = {0: "its own year", -1: "the year before its own"}


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each row that all reports of a series have in a table of the same name."""
    tables = [tables_by_name(passages) for passages in documents]
    for name in sorted(set.intersection(*(set(found) for found in tables))):
        rows = [{row.label: row for row in found[name].figures} for found in tables]
        for label in sorted(set.intersection(*(set(labelled) for labelled in rows))):
            for offset, which in WHICH.items():
                cells = [find_cell(passages, row[label], offset) for passages, row in zip(documents, rows, strict=True)]
                if all(cells):
                    spans = [
                        (found[name].header_span, row[label].span) for found, row in zip(tables, rows, strict=True)
                    ]
                    names = [found[name].name for found in tables]
                    shown = names[0] if len(set(names)) == 1 else f"{names[0]} and its like in the later reports"
                    yield compare_reports(documents, shown, label, which, [cell for cell in cells if cell], spans)
                    break


def tables_by_name(passages: Passages) -> dict[str, MarkdownTable]:
    """Return the tables by their names without numbers; names that several tables share are left out."""
    found: dict[str, list[MarkdownTable]] = {}
    for table in passages.named_tables:
        found.setdefault(" ".join(NUMBERS.sub("", table.name).split()), []).append(table)
    return {name: tables[0] for name, tables in found.items() if len(tables) == 1}


def find_cell(passages: Passages, row: TableRow, offset: int) -> tuple[str, str, str] | None:
    """Return a report's year, and the column and figure of the year `offset` years from it; None if it has none."""
    year = passages.document.date[:4]
    expected = str(int(year) + offset)
    cells = [(heading, value) for heading, value in row.cells if YEAR.findall(heading)[-1:] == [expected]]
    return (year, *cells[0]) if len(cells) == 1 else None


def compare_reports(
    documents: Sequence[Passages],
    name: str,
    label: str,
    which: str,
    cells: Sequence[tuple[str, str, str]],
    spans: Sequence[tuple[Span, Span]],
) -> Example:
    """Return the question about one row of all reports."""
    key = f"{name}|{label}|{documents[0].document.doc_id}"
    question = choose(WORDINGS, key).format(num=len(documents), row=label, table=name, which=which)
    answer = "; ".join(f"report of {year}, {column}: {value}" for year, column, value in cells)
    evidence = [(passages, span) for passages, pair in zip(documents, spans, strict=True) for span in pair]
    return build_example(documents, NAME, VERSION, question, f"{answer[0].upper()}{answer[1:]}.", evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("report", "statement"),
    related=in_series,
    candidates=candidates,
    quotes_may_repeat=True,
    num_quotes=(3, 24),
    max_answer_characters=3_000,
    prompt=(
        "These are reports of one series, oldest first. Ask how a matter developed over all of them, year by year, and"
        " what the last report expects of the time after it. The answer has a line for each year with its figure or"
        " finding, then the expectation of the last report in its own words. There is a quote from each"
        " report."
    ),
    asks_about="places",
    statements_joined_by="\n",
    worked_examples=(
        WorkedExample(
            question="Which growth do the three reports give for Norvania, each for its own year?",
            evidence=(
                (1, "Norvania grew by 2.1 percent in 2017."),
                (2, "Growth in Norvania reached 2.4 percent in 2018."),
                (3, "For 2019 we find 3.0 percent, and expect no more than that for 2020."),
            ),
            statements=(
                ("2017: 2.1 percent.", (1,)),
                ("2018: 2.4 percent.", (2,)),
                ("2019: 3.0 percent.", (3,)),
                ("The last report expects no more than that for 2020.", (3,)),
            ),
        ),
        WorkedExample(
            question="How did the number of licensed boats at Varn develop over these reports?",
            evidence=(
                (1, "At the end of 2001 there were 212 licensed boats."),
                (2, "Licences: 198 (2002)."),
                (3, "187 boats were licensed in 2003, and we expect to lose ten more."),
            ),
            statements=(
                ("2001: 212 boats.", (1,)),
                ("2002: 198 boats.", (2,)),
                ("2003: 187 boats.", (3,)),
                ("The last report expects to lose ten more.", (3,)),
            ),
        ),
    ),
)
