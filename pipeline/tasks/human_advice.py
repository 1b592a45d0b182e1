"""How could a paper be made acceptable? By the meta-review, and what a reviewer misses in it."""

from collections.abc import Iterator, Sequence

from pipeline.passages.document_groups import with_reviews
from pipeline.passages.passages import Passages
from pipeline.passages.peer_reviews import Discussion, Written
from pipeline.records import Example
from pipeline.tasks.human import Part, answers, part
from pipeline.tasks.task import Task

NAME, VERSION = "human_advice", "human_advice-1"
WORDINGS = (
    "How could the authors raise the chance that this paper is accepted{at}?",
    "This paper is under review{at}. What should its authors change to raise its chance of acceptance?",
)


def parts(discussion: Discussion, review: Written) -> Sequence[Part]:
    """Return what was held against the paper: by the meta-review where it says so, and by the review."""
    meta = [
        each
        for written in discussion.of_kind("Meta-review")
        for each in part(written, "", "justification for why not higher score")
    ]
    return [*meta, *part(review, "", "weaknesses", "paper weaknesses", "strengths and weaknesses")]


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
