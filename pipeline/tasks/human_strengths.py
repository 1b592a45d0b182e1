"""What is good about a paper, by a reviewer's words."""

from collections.abc import Iterator, Sequence

from pipeline.passages.document_groups import with_reviews
from pipeline.passages.passages import Passages
from pipeline.passages.peer_reviews import Discussion, Written
from pipeline.records import Example
from pipeline.tasks.human import Part, answers, part
from pipeline.tasks.task import Task

NAME, VERSION = "human_strengths", "human_strengths-1"
WORDINGS = (
    "What are the strengths of this paper, in the eyes of a reviewer{at}?",
    "As a reviewer{at}, name the strengths of this paper.",
)


def parts(discussion: Discussion, review: Written) -> Sequence[Part]:
    """Return the strengths."""
    del discussion
    return part(review, "Strengths", "strengths", "paper strengths")


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield what the best review says."""
    yield from answers(documents, NAME, VERSION, WORDINGS, parts)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("paper",),
    related=with_reviews,
    candidates=candidates,
    num_quotes=(2, 20),
    max_answer_characters=20_000,
)
