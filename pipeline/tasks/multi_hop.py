"""Compare two figures from different tables of a filing; the answer states the arithmetic."""

from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages
from pipeline.passages.tagged_figures import TaggedFigure, tagged_figures
from pipeline.records import Example
from pipeline.stable_order import order_key
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "multi_hop", "multi_hop-1"
WORDINGS = (
    "{period}: which is larger, “{one}” in {table} or “{other}” in {second}, and by how much? Show the arithmetic.",
    "Take “{one}” from {table} and “{other}” from {second}, both {period_after}. What is the difference?",
    "By how much do “{one}” ({table}) and “{other}” ({second}) differ {period_after}?",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield questions about pairs of figures of one period, unit and scale that are in different tables.

    The figures are shuffled by a hash and each is paired with the one half the list away, so that most pairs are far
    apart in the text: of 6 figures, the first goes with the fourth, the second with the fifth.
    """
    kinds: dict[tuple[str, str, int], list[TaggedFigure]] = {}
    for figure in tagged_figures(documents[0]):
        if not figure.in_parentheses and "/" not in figure.fact.unit and figure.fact.unit not in ("pure", "shares"):
            kinds.setdefault((figure.fact.period, figure.fact.unit, figure.fact.scale), []).append(figure)
    for key in sorted(kinds):
        ranked = sorted(kinds[key], key=lambda figure: order_key(f"{figure.label}|{figure.table.name}"))
        for one, other in zip(ranked, ranked[len(ranked) // 2 :], strict=False):
            if one.table.name != other.table.name and one.label != other.label and one.value != other.value:
                yield compare_two(documents, one, other)


def compare_two(documents: Sequence[Passages], one: TaggedFigure, other: TaggedFigure) -> Example:
    """Return the question of which figure is larger."""
    period = one.period
    question = choose(WORDINGS, f"{one.label}|{other.label}|{period}").format(
        one=one.label,
        other=other.label,
        table=one.table.name,
        second=other.table.name,
        period=period[0].upper() + period[1:],
        period_after=period,
    )
    high, low = (one, other) if one.value > other.value else (other, one)
    difference = high.value - low.value
    answer = (
        f"“{high.label}” is larger: {high.amount} against {low.amount} for “{low.label}”. The difference is"
        f" {difference:,f}: {high.printed} - {low.printed} = {difference:,f}."
    )
    spans = [span for figure in (one, other) for span in (figure.table.header_span, figure.row)]
    return build_example(documents, NAME, VERSION, question, answer, [(documents[0], span) for span in spans])


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates=candidates,
    quotes_may_repeat=True,
    num_quotes=(2, 6),
    prompt=(
        "Ask a question whose answer has to be put together from at least two places of this document that lie far"
        " apart, neither of which answers it alone: think of a single question for each place, then merge them into one"
        " that cannot be answered without answering each, and that does not give away what one of the places says. The"
        " answer says how the places together give it."
    ),
    asks_about="places",
    parts_are="merged",
    num_parts=(2, 3),
    note_for_judge="It is merged from its parts, and is not worth asking if it can be answered without one of them.",
    worked_examples=(
        WorkedExample(
            question="How old was the engineer who raised the dike that broke in March?",
            parts=("Which dike broke in March?", "Who raised the north dike?", "When was Hale born?"),
            evidence=(
                (1, "On 3 March the north dike gave way."),
                (1, "The north dike was raised in 1931 by the engineer Torvin Hale."),
                (1, "Hale was born at Orsk in 1890."),
            ),
            statements=(
                ("The dike that broke in March is the north dike, which Torvin Hale raised in 1931.", (1, 2)),
                ("He was born in 1890, so he was about 41: 1931 - 1890 = 41.", (2, 3)),
            ),
        ),
        WorkedExample(
            question="Does the shelf with the longest time also have the most books?",
            parts=("Which shelf took longest?", "How many books has each shelf?"),
            evidence=(
                (1, "Shelf C took longest, 37.5 minutes."),
                (1, "A has 310 books, B 1,020 and C 900."),
            ),
            statements=(("No: shelf C took longest, but B has more books, 1,020 against 900.", (1, 2)),),
        ),
    ),
)
