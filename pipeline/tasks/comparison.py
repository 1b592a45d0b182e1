"""Compare two documents: figures that two filings both tag, and how they grew; a model compares what else they say."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from pipeline.passages.agreed_figures import TENTH, Figures, YearlyRow, agree_on, find_yearly_rows
from pipeline.passages.document_groups import in_pairs
from pipeline.passages.passages import Passages
from pipeline.passages.tagged_figures import TaggedFigure, tagged_figures
from pipeline.records import Example
from pipeline.tasks.build import are_distinct, build_example, choose, document_name
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "comparison", "comparison-2"
LARGER = (
    "Which reports the larger amount, “{a}” with its “{row}” {period} or “{b}” with its “{other}” {second}?"
    " By how much? Show the arithmetic.",
    "Compare “{row}” {period} in “{a}” with “{other}” {second} in “{b}”: which is larger, and what is the difference?",
)

GREW = (
    "From {before} to {now}, did “{row}” in “{a}” or “{other}” in “{b}” grow more, in percent? Show the arithmetic.",
    "By how many percent did “{row}” in “{a}” and “{other}” in “{b}” change from {before} to {now}? Which grew more?",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield questions about two documents that have different names."""
    if are_distinct([document_name(passages) for passages in documents]):
        yield from compare_figures(documents)
        yield from compare_growths(documents)


def compare_figures(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each concept that both documents tag, about the last period that each has of it."""
    one, other = (latest_figures(passages) for passages in documents)
    for concept in sorted(one.keys() & other.keys()):
        a, b = one[concept], other[concept]
        if (a.fact.unit, a.fact.scale) == (b.fact.unit, b.fact.scale) and a.value != b.value:
            yield compare_amounts(documents, a, b)


def latest_figures(passages: Passages) -> dict[str, TaggedFigure]:
    """Return the amounts of money by concept, each for its last period if it is positive then."""
    found: dict[str, TaggedFigure] = {}
    for figure in tagged_figures(passages):
        if figure.fact.unit not in ("pure", "shares"):
            known = found.get(figure.fact.concept)
            if known is None or figure.fact.period.rpartition("/")[2] > known.fact.period.rpartition("/")[2]:
                found[figure.fact.concept] = figure
    return {concept: figure for concept, figure in found.items() if not figure.in_parentheses and figure.value > 0}


def compare_amounts(documents: Sequence[Passages], a: TaggedFigure, b: TaggedFigure) -> Example:
    """Return the question of which amount is larger."""
    names = [document_name(passages) for passages in documents]
    question = choose(LARGER, f"{a.label}|{b.label}|{names}").format(
        a=names[0], b=names[1], row=a.label, other=b.label, period=a.period, second=b.period
    )
    high, low = (a, b) if a.value > b.value else (b, a)
    larger_name = names[0] if high is a else names[1]
    difference = high.value - low.value
    answer = (
        f"“{larger_name}” reports the larger amount: {high.amount} against {low.amount}. The difference is"
        f" {difference:,f}: {high.printed} - {low.printed} = {difference:,f}."
    )
    evidence = [
        (passages, span)
        for passages, figure in zip(documents, (a, b), strict=True)
        for span in (figure.table.header_span, figure.row)
    ]
    return build_example(documents, NAME, VERSION, question, answer, evidence)


def compare_growths(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each concept of both over the same two years, if tags and cells give the same changes."""
    one, other = ({row.concept: row for row in reversed(find_yearly_rows(passages))} for passages in documents)
    for concept in sorted(one.keys() & other.keys()):
        a, b = one[concept], other[concept]
        years = sorted(a.printed.keys() & b.printed.keys(), reverse=True)[:2]
        if len(years) < 2 or any(row.printed[year] <= 0 for row in (a, b) for year in years):
            continue
        now, before = years
        if agree_on((a, b), lambda read: changes(read, now, before)):  # noqa: B023 - called at once
            grown = changes((a.printed, b.printed), now, before)
            if grown[0] != grown[1]:
                yield compare_changes(documents, (a, b), grown, (now, before))


def changes(read: Sequence[Figures], now: str, before: str) -> list[Decimal]:
    """Return by how many percent each figure changed between two years: 80 and 100 give 25.0."""
    return [
        ((figures[now] - figures[before]) / figures[before] * 100).quantize(TENTH, ROUND_HALF_UP) for figures in read
    ]


def compare_changes(
    documents: Sequence[Passages], rows: tuple[YearlyRow, YearlyRow], grown: Sequence[Decimal], years: tuple[str, str]
) -> Example:
    """Return the question of which grew more."""
    names, (now, before) = [document_name(passages) for passages in documents], years
    question = choose(GREW, f"{rows[0].label}|{names}").format(
        a=names[0], b=names[1], row=rows[0].label, other=rows[1].label, now=now, before=before
    )
    lines = [
        f"“{name}”: ({row.digits[now]} - {row.digits[before]}) / {row.digits[before]} * 100 = {percent} percent"
        for name, row, percent in zip(names, rows, grown, strict=True)
    ]
    answer = f"{'; '.join(lines)}. It grew more in “{names[grown.index(max(grown))]}”."
    evidence = [(p, span) for p, row in zip(documents, rows, strict=True) for span in (row.table.header_span, row.span)]
    return build_example(documents, NAME, VERSION, question, answer, evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    related=in_pairs,
    candidates=candidates,
    quotes_may_repeat=True,
    num_quotes=(2, 8),
    prompt=(
        "Ask a question that compares the two documents: their styles, methods, findings or figures. The answer says"
        " what each has, names the documents, and draws the comparison; there is a quote from each of them."
    ),
    asks_about="places",
    worked_examples=(
        WorkedExample(
            question="Which of the two harbours charges more for a berth, Varn or Orsk?",
            evidence=((1, "A berth at Varn is 40 crowns a month."), (2, "Orsk takes 15 crowns for each week.")),
            statements=(
                ("Varn charges 40 crowns a month, Orsk 15 a week.", (1, 2)),
                ("A month at Orsk is thus about 4 * 15 = 60 crowns, so Orsk charges more.", (2,)),
            ),
        ),
        WorkedExample(
            question="How do “On Slow Sorting” and “Sorting at Scale” differ in what they measure?",
            evidence=(
                (1, "We count the moves of each book."),
                (2, "Only the time of a whole shift is of interest here."),
            ),
            statements=(
                ("“On Slow Sorting” counts the moves of each book.", (1,)),
                ("“Sorting at Scale” measures the time of a whole shift.", (2,)),
            ),
        ),
    ),
)
