"""How did a figure move over the years? One row of a table whose columns are years."""

import re
from collections.abc import Iterator

from pipeline.passages import Passages
from pipeline.records import Category, Example
from pipeline.tasks.wording import build_example, choose

VERSION = "series-1"
CATEGORIES: tuple[Category, ...] = ("report",)
MIN_YEARS = 3
YEAR = re.compile(r"\b(?:19|20)\d\d(?!\d)")
WORDINGS = (
    "In the table “{title}”, what are the figures for “{row}” year by year?",
    "List every figure that the table “{title}” gives for “{row}”, year by year.",
)


def candidates(passages: Passages) -> Iterator[Example]:
    """Yield a question for each row of figures over at least three years, and answer with all of them."""
    for table in passages.named_tables:
        for row in table.figures:
            years = [(column, value) for column, value in row.cells if YEAR.search(column)]
            if len(years) >= MIN_YEARS:
                question = choose(WORDINGS, f"{table.title}|{row.label}").format(title=table.title, row=row.label)
                answer = f"{row.label}: {'; '.join(f'{year}: {value}' for year, value in years)}."
                yield build_example(
                    passages.document, "series", VERSION, question, answer, [table.header_span, row.span]
                )
