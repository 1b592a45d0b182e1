"""Score a reply against the answer of an example: by words, by figures, by its evidence, and by what it refuses to say.

Source  exact match and F1 as in SQuAD (arXiv 1606.05250): lower case, without articles and punctuation
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.checks.quantities import Quantity, find_quantities

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
PUNCTUATION = str.maketrans(dict.fromkeys(f"{string.punctuation}“”‘’–—…", " "))
REFUSALS = re.compile(
    r"\b(?:do|does|did|is|are|was|were)(?: not|n['’]t) (?:say|state|mention|give|specif|contain|provide|include|report|"
    r"named?\b|known|there|list)|\bnot (?:stated|mentioned|given|specified|provided|in the (?:text|document|report))|"
    r"\bno (?:information|mention|figure|data|answer)\b|\bcannot be (?:determined|found|answered|known)|"
    r"\bunable to (?:find|answer|determine)",
    re.IGNORECASE,
)
LEAST_EVIDENCE = 0.5  # of the words of a quote that the question does not have, for it to be in a reply
NUMBERS = re.compile(r"\d")


@dataclass(frozen=True)
class Scores:
    """What a reply is worth, each from 0 to 1; None where the measure does not apply."""

    score: float  # the one figure: see `score_reply`
    f1: float
    exact: bool
    figures: float | None  # the share of the answer's figures that the reply has; None where it has none
    evidence: float | None  # the share of the quotes whose words the reply has; None for an answer without evidence
    refused: bool  # whether it says that the document does not say


def score_reply(
    reply: str, answer: str, question: str, quotes: Sequence[str], *, is_unanswerable: bool, tolerance: float
) -> Scores:
    """Return what a reply is worth.

    `score` is whether it refuses, for a question that the document does not answer; 0 for any other that it refuses;
    the share of figures for an answer with figures that the question does not have; and else F1.

    Args:
        reply: What the model wrote.
        answer: The right one.
        question: Whose figures and words prove nothing.
        quotes: The evidence.
        is_unanswerable: Whether the right answer is that the document does not say.
        tolerance: The relative difference within which a figure counts as the right one.
    """
    refused = bool(REFUSALS.search(reply))
    f1, figures = compute_f1(reply, answer), share_figures(reply, answer, question, tolerance)
    found = [find_evidence(reply, quote, question) for quote in quotes]
    content = f1 if figures is None else figures
    score = float(refused and is_unanswerable) if refused or is_unanswerable else content
    evidence = sum(found) / len(found) if found else None
    return Scores(score, f1, normalise(reply) == normalise(answer), figures, evidence, refused)


def normalise(text: str) -> list[str]:
    """Return the words of a text as SQuAD compares them."""
    return ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()


def compute_f1(reply: str, answer: str) -> float:
    """Return the harmonic mean of precision and recall of words."""
    ours, theirs = Counter(normalise(reply)), Counter(normalise(answer))
    num_common = (ours & theirs).total()
    if not num_common:
        return float(ours == theirs)
    return 2 * num_common / (ours.total() + theirs.total())


def share_figures(reply: str, answer: str, question: str, tolerance: float) -> float | None:
    """Return the share of the figures of an answer, without those of the question, that a reply has."""
    asked = find_quantities(question)
    wanted = [one for one in find_quantities(answer) if not any(is_equal(one, other, 0.0) for other in asked)]
    if not wanted:
        return None
    given = find_quantities(reply)
    return sum(any(is_equal(one, other, tolerance) for other in given) for one in wanted) / len(wanted)


def is_equal(wanted: Quantity, given: Quantity, tolerance: float) -> bool:
    """Say whether two figures have one value and one sign, by the scale that is printed.

    A figure in a table's own unit may be said without it: 22,887 for '$22,887 million', but never 22,887 thousand.
    Years and figures of one digit have no tolerance.
    """
    if wanted.is_negative != given.is_negative or wanted.is_year != given.is_year:
        return False
    values = [(wanted.value, given.value)]
    if wanted.scale is None or given.scale is None:
        values.append((wanted.printed, given.printed))
    allowed = Decimal(0) if wanted.is_year or wanted.printed < 10 else Decimal(str(tolerance))
    return any(abs(one - other) <= abs(one) * allowed for one, other in values)


def find_evidence(reply: str, quote: str, question: str) -> bool:
    """Say whether a reply has half of the words of a quote that the question does not have; figures count as words."""
    wanted = set(normalise(quote)) - set(normalise(question))
    if not wanted:
        return False
    return len(wanted & set(normalise(reply))) >= LEAST_EVIDENCE * len(wanted)
