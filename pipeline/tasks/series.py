"""Ask for a row of a table over the years."""

from collections.abc import Iterator, Sequence

from pipeline.passages.markdown_tables import yearly_cells
from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "series", "series-2"
MIN_YEARS = 3
WORDINGS = (
    "In {table}, what are the figures for “{row}” year by year?",
    "List every figure that {table} gives for “{row}”, year by year.",
    "How does “{row}” develop over the years in {table}? Give each figure.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each row with figures of at least three years; the answer lists them all."""
    for table in documents[0].named_tables:
        for row in table.figures:
            years = yearly_cells(table, row)
            if len(years) >= MIN_YEARS:
                question = choose(WORDINGS, f"{table.name}|{row.label}").format(table=table.name, row=row.label)
                answer = f"{row.label}: {'; '.join(f'{year}: {value}' for year, value in years)}."
                evidence = [(documents[0], table.header_span), (documents[0], row.span)]
                yield build_example(documents, NAME, VERSION, question, answer, evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("report", "statement"),
    candidates=candidates,
    quotes_may_repeat=True,
    prompt=(
        "Ask how one quantity developed over the years or periods that this document covers. The answer gives the"
        " figure of every year, in order, with its unit, then says in a sentence what the development is."
    ),
    worked_examples=(
        WorkedExample(
            question="How did the catch at Varn develop from 2021 to 2023?",
            evidence=((1, "| Catch (crates) | 400 | 450 | 520 |"), (1, "| | 2021 | 2022 | 2023 |")),
            statements=(
                ("It was 400 crates in 2021, 450 in 2022 and 520 in 2023.", (1, 2)),
                ("It rose each year.", (1, 2)),
            ),
        ),
        WorkedExample(
            question="What were the exports of Ondal Timber in each year that the report covers?",
            evidence=((1, "Exports earned 52 million crowns in 2023 and 40 million in 2022."),),
            statements=(
                ("They were 40 million crowns in 2022 and 52 million in 2023.", (1,)),
                ("They grew.", (1,)),
            ),
        ),
    ),
    num_quotes=(1, 6),
)
