"""Ask for one cell of a table, named by its row and its column."""

from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "cell", "cell-2"
WORDINGS = (
    "In {table}, what is the figure for “{row}” under “{column}”?",
    "What does {table} give for “{row}” in the column “{column}”?",
    "Look up “{row}” in {table}: which figure stands under “{column}”?",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each figure whose table, row and column each have a name of their own."""
    for table in documents[0].named_tables:
        for row in table.figures:
            for column, value in row.cells:
                key = f"{table.name}|{row.label}|{column}"
                question = choose(WORDINGS, key).format(table=table.name, row=row.label, column=column)
                answer = f"The table gives {value} for “{row.label}” under “{column}”."
                evidence = [(documents[0], table.header_span), (documents[0], row.span)]
                yield build_example(documents, NAME, VERSION, question, answer, evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("paper", "report", "statement"),
    candidates=candidates,
    quotes_may_repeat=True,  # the label of a row may occur in prose as well
)
