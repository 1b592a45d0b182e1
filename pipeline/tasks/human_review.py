"""What did a reviewer write? The whole review, as a person wrote it."""

from collections.abc import Iterator, Sequence

from pipeline.passages.document_groups import with_reviews
from pipeline.passages.passages import Passages
from pipeline.passages.peer_reviews import Discussion, Written
from pipeline.records import Example
from pipeline.tasks.human import Part, answers, part
from pipeline.tasks.task import Task

NAME, VERSION = "human_review", "human_review-1"
WORDINGS = (
    "Review this paper{at}. Give a Summary, its Strengths, its Weaknesses and Questions to the authors.",
    "You are a reviewer of this paper{at}. Write your review in four parts: Summary, Strengths, Weaknesses, Questions.",
    "Write a review of this paper{at} with the parts Summary, Strengths, Weaknesses and Questions.",
)


def parts(discussion: Discussion, review: Written) -> Sequence[Part]:
    """Return the parts of a review, none where it lacks more than its questions."""
    del discussion
    whole = [
        *part(review, "Summary", "summary", "summary of the paper", "paper summary"),
        *part(review, "Strengths", "strengths", "strengths and weaknesses", "paper strengths"),
        *part(review, "Weaknesses", "weaknesses", "paper weaknesses"),
        *part(review, "Questions", "questions", "questions for the authors"),
    ]
    return whole if len(whole) >= 3 else ()


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield the best review."""
    yield from answers(documents, NAME, VERSION, WORDINGS, parts)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("paper",),
    related=with_reviews,
    candidates=candidates,
    num_quotes=(3, 20),
    max_answer_characters=20_000,
)
