"""Was a paper accepted, and why? By the decision and the meta-review."""

from collections.abc import Iterator, Sequence

from pipeline.passages.document_groups import with_reviews
from pipeline.passages.passages import Passages
from pipeline.passages.peer_reviews import Discussion
from pipeline.records import Example
from pipeline.tasks.human import Part, human_example, part
from pipeline.tasks.task import Task

NAME, VERSION = "human_decision", "human_decision-1"
WORDINGS = (
    "Should this paper be accepted{at}? Give the Decision and its Reasons.",
    "You decide about this paper{at}. Write the Decision and the Reasons for it.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield the decision of each discussion, with its reasons."""
    for passages in documents[1:]:
        discussion = Discussion(passages.document)
        found = parts(discussion)
        if len(found) >= 2 and passages.review_rules is not None:
            example = human_example(
                documents, passages, discussion, NAME, VERSION, WORDINGS, found, passages.review_rules
            )
            if example:
                yield example


def parts(discussion: Discussion) -> list[Part]:
    """Return a decision and its reasons: the comment on it, else the meta-review."""
    decisions, metas = discussion.of_kind("Decision"), discussion.of_kind("Meta-review")
    decision = [found for each in decisions[:1] for found in part(each, "Decision", "decision", "recommendation")]
    comment = [found for each in decisions[:1] for found in part(each, "Reasons", "comment", "justification")]
    meta = [found for each in metas[:1] for found in part(each, "Reasons", "metareview", "meta review")]
    return [*decision, *(comment or meta)[:1]]


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("paper",),
    related=with_reviews,
    candidates=candidates,
    num_quotes=(3, 20),
    max_answer_characters=20_000,
)
