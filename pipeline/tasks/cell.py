"""What does the table say? One cell of a table, named by its row and its column."""

from collections.abc import Iterator

from pipeline.passages import Passages
from pipeline.records import Category, Example
from pipeline.tasks.wording import build_example, choose

VERSION = "cell-1"
CATEGORIES: tuple[Category, ...] = ("report", "statement")
WORDINGS = (
    "In the table “{title}”, what is the figure for “{row}” under “{column}”?",
    "What does the table “{title}” give for “{row}” in the column “{column}”?",
)


def candidates(passages: Passages) -> Iterator[Example]:
    """Yield a question for each cell with a figure whose table, row and column can be named without doubt."""
    for table in passages.named_tables:
        for row in table.figures:
            for column, value in row.cells:
                key = f"{table.title}|{row.label}|{column}"
                question = choose(WORDINGS, key).format(title=table.title, row=row.label, column=column)
                answer = f"The table gives {value} for “{row.label}” under “{column}”."
                yield build_example(passages.document, "cell", VERSION, question, answer, [table.header_span, row.span])
