"""Ask for a figure that a filing tags itself, with its period, unit and scale."""

from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages
from pipeline.passages.tagged_figures import tagged_figures
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "fact", "fact-1"
WORDINGS = (
    "According to {table}, how much was “{row}” {period}? Give the unit as well.",
    "What does {table} report for “{row}” {period}? Give the figure with its unit.",
    "{period_first}, what was “{row}” according to {table}? Name the unit.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each tagged figure about the whole company in a table with a name."""
    for figure in tagged_figures(documents[0]):
        question = choose(WORDINGS, f"{figure.table.name}|{figure.label}|{figure.fact.period}").format(
            table=figure.table.name,
            row=figure.label,
            period=figure.period,
            period_first=figure.period[0].upper() + figure.period[1:],
        )
        shown = ", printed in parentheses" if figure.in_parentheses else ""
        answer = f"{figure.amount}{shown}."
        evidence = [(documents[0], figure.table.header_span), (documents[0], figure.row)]
        yield build_example(documents, NAME, VERSION, question, answer, evidence)


TASK = Task(name=NAME, version=VERSION, categories=("statement",), candidates=candidates, quotes_may_repeat=True)
