"""What a reviewer asks the authors."""

from collections.abc import Iterator, Sequence

from pipeline.passages.document_groups import with_reviews
from pipeline.passages.passages import Passages
from pipeline.passages.peer_reviews import Discussion, Written
from pipeline.records import Example
from pipeline.tasks.human import Part, answers, part
from pipeline.tasks.task import Task

NAME, VERSION = "human_questions", "human_questions-1"
WORDINGS = (
    "Which questions would a reviewer{at} put to the authors of this paper?",
    "As a reviewer{at}, what do you ask the authors of this paper?",
)


def parts(discussion: Discussion, review: Written) -> Sequence[Part]:
    """Return the questions."""
    del discussion
    return part(review, "Questions", "questions", "questions for the authors")


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
