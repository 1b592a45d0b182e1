"""How do the authors answer a reviewer? By their own response."""

from collections.abc import Iterator, Sequence

from pipeline.passages.document_groups import with_reviews
from pipeline.passages.passages import Passages, Span
from pipeline.records import Example
from pipeline.tasks.human import human_example, part, reviewed
from pipeline.tasks.task import Task

NAME, VERSION = "human_rebuttal", "human_rebuttal-1"
MAX_QUOTED = 700  # characters of the review that a question has room for
WORDINGS = (
    "A reviewer of this paper{at} asks: “{remark}” Answer as its authors.",
    "You are an author of this paper. Reply to this remark of a reviewer{at}: “{remark}”",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield the authors' response to the first review that is short enough to be quoted in a question."""
    for passages, discussion, review, rules in reviewed(documents):
        remark = review.get("questions", "weaknesses")
        replies = [
            found for reply in discussion.responses_to(review) for found in part(reply, "", "rebuttal", "comment")
        ]
        if remark is None or not replies or not is_quotable(remark):
            continue
        words = " ".join(remark.text.split())
        found = human_example(
            documents, passages, discussion, NAME, VERSION, WORDINGS, replies[:1], rules, [remark], remark=words
        )
        if found:
            yield found
            return


def is_quotable(remark: Span) -> bool:
    """Say whether a remark fits a question and has no quotation marks of its own."""
    return len(remark.text) <= MAX_QUOTED and not set(remark.text) & set("“”{}")


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("paper",),
    related=with_reviews,
    candidates=candidates,
    num_quotes=(2, 20),
    max_answer_characters=20_000,
    quotes_may_repeat=True,
)
