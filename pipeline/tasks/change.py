"""Ask by how much a figure changed between two periods; the answer states the arithmetic."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from pipeline.passages.passages import Passages
from pipeline.passages.tagged_figures import TaggedFigure, tagged_figures
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "change", "change-1"
WORDINGS = (
    "By how much did “{row}” change in {table}: {before}, and {after}? Show the arithmetic.",
    "Take “{row}” from {table}, {before} and {after}: what is the difference, and how much is it in percent?",
    "{table_first} gives “{row}” {before} and {after}. How did it move, in absolute terms and in percent?",
)
TENTH = Decimal("0.1")


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each two positive figures of a row and unit whose periods follow each other."""
    rows: dict[tuple[int, str], list[TaggedFigure]] = {}
    for figure in tagged_figures(documents[0]):
        if not figure.in_parentheses and figure.fact.unit != "pure" and figure.value > 0:
            rows.setdefault((figure.row.start, figure.fact.concept), []).append(figure)
    for figures in rows.values():
        ordered = sorted(figures, key=lambda figure: figure.fact.period.rpartition("/")[2])
        for before, after in pairwise(ordered):
            if (
                before.fact.unit == after.fact.unit
                and before.fact.scale == after.fact.scale
                and before.value != after.value
            ):
                yield ask_for_change(documents, before, after)


def ask_for_change(documents: Sequence[Passages], before: TaggedFigure, after: TaggedFigure) -> Example:
    """Return the question about two figures of one row."""
    first = before.table.name[0].upper() + before.table.name[1:]
    question = choose(WORDINGS, f"{before.table.name}|{before.label}|{after.fact.period}").format(
        row=before.label, table=before.table.name, before=before.period, after=after.period, table_first=first
    )
    verb = "rose" if after.value > before.value else "fell"
    difference, percent = compute_change(before.value, after.value)
    high, low = (after, before) if after.value > before.value else (before, after)
    answer = (
        f"It {verb} from {before.amount} to {after.amount}, by {difference:,f}: {high.printed} - {low.printed} ="
        f" {difference:,f}. That is {percent:,f} percent: {difference:,f} / {before.printed} * 100 = {percent:,f}."
    )
    evidence = [(documents[0], before.table.header_span), (documents[0], before.row)]
    return build_example(documents, NAME, VERSION, question, answer, evidence)


def compute_change(before: Decimal, after: Decimal) -> tuple[Decimal, Decimal]:
    """Return the absolute difference of two figures and its percentage of the first: 80 and 100 give 20 and 25.0."""
    difference = abs(after - before)
    return difference, (difference / before * 100).quantize(TENTH, ROUND_HALF_UP)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("statement",),
    candidates=candidates,
    quotes_may_repeat=True,
    prompt=(
        "Ask a question about figures of a table of this document that takes arithmetic: a change, a share, a ratio or"
        " a sum. The answer states the calculation as an equation, such as 120 - 100 = 20, with the figures as they are"
        " printed, and the result with its unit."
    ),
    worked_examples=(
        WorkedExample(
            question="By how much did the exports of Ondal Timber grow in 2023, in crowns and in percent?",
            evidence=((1, "| (in millions) | 2023 | 2022 |"), (1, "| Exports | 52 | 40 |")),
            statements=(
                ("They grew by 12 million crowns: 52 - 40 = 12.", (1, 2)),
                ("That is 30 percent: 12 / 40 * 100 = 30.", (1, 2)),
            ),
        ),
        WorkedExample(
            question="Which share of the cost of 2023 was freight?",
            evidence=(
                (1, "| (in millions) | 2023 |"),
                (1, "| Freight | 9 |"),
                (1, "| Cost | 36 |"),
            ),
            statements=(("Freight was 25 percent of the cost: 9 / 36 * 100 = 25.", (1, 2, 3)),),
        ),
    ),
)
