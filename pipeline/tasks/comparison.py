"""Compare two documents: figures that two filings both tag, and which sentence is from which document."""

from collections.abc import Iterator, Sequence

from pipeline.passages.document_groups import in_pairs
from pipeline.passages.passages import Passages, is_askable
from pipeline.passages.spans import Span
from pipeline.passages.tagged_figures import TaggedFigure, tagged_figures
from pipeline.records import Example
from pipeline.stable_order import order_key
from pipeline.tasks.build import are_distinct, build_example, choose, document_name
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "comparison", "comparison-1"
LARGER = (
    "Which reports the larger amount, “{a}” with its “{row}” {period} or “{b}” with its “{other}” {second}?"
    " By how much? Show the arithmetic.",
    "Compare “{row}” {period} in “{a}” with “{other}” {second} in “{b}”: which is larger, and what is the difference?",
)
WHOSE = (
    "One of these sentences stands in “{a}”, the other in “{b}”: (1) “{one}” (2) “{two}” Which stands in which?",
    "Two sentences, one from “{a}” and one from “{b}”: (1) “{one}” (2) “{two}” Say for each where it stands.",
)
MAX_ATTRIBUTIONS = 8  # for each pair of documents


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield questions about two documents that have different names."""
    if are_distinct([document_name(passages) for passages in documents]):
        yield from compare_figures(documents)
        yield from attribute_sentences(documents)


def compare_figures(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each concept that both documents tag, about the last period that each has of it."""
    one, other = (latest_figures(passages) for passages in documents)
    for concept in sorted(one.keys() & other.keys()):
        a, b = one[concept], other[concept]
        if (a.fact.unit, a.fact.scale) == (b.fact.unit, b.fact.scale) and a.value != b.value:
            yield compare_amounts(documents, a, b)


def latest_figures(passages: Passages) -> dict[str, TaggedFigure]:
    """Return the positive amounts of money by concept, each for its last period, where the text has it first."""
    found: dict[str, TaggedFigure] = {}
    for figure in tagged_figures(passages):
        if not figure.in_parentheses and figure.fact.unit not in ("pure", "shares") and figure.value > 0:
            known = found.get(figure.fact.concept)
            if known is None or figure.fact.period.rpartition("/")[2] > known.fact.period.rpartition("/")[2]:
                found[figure.fact.concept] = figure
    return found


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


def attribute_sentences(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield questions that quote a sentence of each document and ask which is whose."""
    first, second = documents
    ones, twos = (distinctive_sentences(passages, other) for passages, other in ((first, second), (second, first)))
    names = [document_name(passages) for passages in documents]
    for one, two in list(zip(ones, twos, strict=False))[:MAX_ATTRIBUTIONS]:
        drawn = (0, 1) if choose(("first", "second"), one.text) == "first" else (1, 0)
        words = [" ".join((one, two)[place].text.split()) for place in drawn]
        question = choose(WHOSE, words[0]).format(a=names[0], b=names[1], one=words[0], two=words[1])
        answer = f"(1) stands in “{names[drawn[0]]}”, (2) in “{names[drawn[1]]}”."
        yield build_example(documents, NAME, VERSION, question, answer, [(first, one), (second, two)])


def distinctive_sentences(passages: Passages, other: Passages) -> list[Span]:
    """Return the sentences that one document has once and the other not at all, shuffled by their hashes."""
    unique = [sentence for sentence in passages.sentences if sentence.text in passages.unique_sentences]
    ranked = sorted(filter(is_askable, unique), key=lambda sentence: order_key(sentence.text))
    return [sentence for sentence in ranked if " ".join(sentence.text.split()) not in other.flat_text]


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
