"""Questions that peer reviews answer: the answers are what reviewers, authors and chairs wrote, word for word.

The tasks differ in their wordings and in which fields of which posts make up the answer. An answer is used only if it
is long enough and enough passages of the paper can be found that it is about (`ReviewRules`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.passages.document_groups import with_reviews
from pipeline.passages.passages import Passages
from pipeline.passages.peer_reviews import Discussion, PassageFinder, Post, ReviewRules, join_parts
from pipeline.passages.spans import Span
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Supplied, Task

MAX_QUOTED_CHARACTERS = 700  # of a remark that a question quotes
MAX_ANSWER_CHARACTERS = 20_000
NamedSpan = tuple[str, Span]  # the name of a part of an answer, '' for none, and its words in the reviews


@dataclass(frozen=True)
class Draft:
    """What the posts offer for one example: the parts of its answer, and the remark that its question quotes."""

    parts: Sequence[NamedSpan]
    remark: Span | None = None


Drafts = Callable[[Discussion, ReviewRules], Iterable[Draft]]


def find_part(post: Post, name: str, *fields: str) -> list[NamedSpan]:
    """Return a part of an answer from the first of several fields, nothing if the post has none of them."""
    span = post.get(*fields)
    return [(name, span)] if span and span.text else []


def draft_review(_discussion: Discussion, review: Post) -> Draft:
    """Draft the whole review; one that lacks two of its four parts is no answer."""
    parts = [
        *find_part(review, "Summary", "summary", "summary of the paper", "paper summary"),
        *find_part(review, "Strengths", "strengths", "strengths and weaknesses", "paper strengths"),
        *find_part(review, "Weaknesses", "weaknesses", "paper weaknesses"),
        *find_part(review, "Questions", "questions", "questions for the authors"),
    ]
    return Draft(parts if len(parts) >= 3 else ())


def draft_part(name: str, *fields: str) -> Callable[[Discussion, Post], Draft]:
    """Return a function that drafts one part of a review, from the first of several fields."""
    return lambda _, review: Draft(find_part(review, name, *fields))


def draft_advice(discussion: Discussion, review: Post) -> Draft:
    """Draft what was held against the paper, by the meta-reviews and by the review."""
    metas = discussion.of_kind("Meta-review")
    parts = [part for meta in metas for part in find_part(meta, "", "justification for why not higher score")]
    return Draft([*parts, *find_part(review, "", "weaknesses", "paper weaknesses", "strengths and weaknesses")])


def draft_rebuttal(discussion: Discussion, review: Post) -> Draft:
    """Draft the authors' response to a remark that is short enough to be quoted and has no quotation marks."""
    remark = review.get("questions", "weaknesses")
    if remark is None or len(remark.text) > MAX_QUOTED_CHARACTERS or set(remark.text) & set("“”{}"):
        return Draft(())
    replies = discussion.responses_to(review)
    return Draft([part for reply in replies for part in find_part(reply, "", "rebuttal", "comment")][:1], remark)


def from_best_review(draft: Callable[[Discussion, Post], Draft]) -> Drafts:
    """Return a function that drafts from each review that meets the rules, best first."""
    return lambda discussion, rules: (draft(discussion, review) for review in discussion.best_reviews(rules))


def draft_decision(discussion: Discussion, _rules: ReviewRules) -> Iterator[Draft]:
    """Draft the decision and its reasons: the comment on it, else the meta-review."""
    decisions, metas = discussion.of_kind("Decision")[:1], discussion.of_kind("Meta-review")[:1]
    decision = [part for post in decisions for part in find_part(post, "Decision", "decision", "recommendation")]
    comment = [part for post in decisions for part in find_part(post, "Reasons", "comment", "justification")]
    meta = [part for post in metas for part in find_part(post, "Reasons", "metareview", "meta review")]
    parts = [*decision, *(comment or meta)[:1]]
    if len(parts) >= 2:
        yield Draft(parts)


@dataclass(frozen=True)
class PeerReviewTask:
    """A task of the table below: its wordings, and how its answer is drafted."""

    name: str
    wordings: tuple[str, ...]  # {at} names the venue, {remark} is the remark that is quoted
    drafts: Drafts  # what a discussion offers, best first; the first that becomes an example is used
    one_per_paper: bool = True  # else one of each discussion
    num_quotes: tuple[int, int] = (2, 20)
    quotes_may_repeat: bool = False

    @property
    def version(self) -> str:
        """The version of its wordings and rules."""
        return f"{self.name}-1"


ROWS = (
    PeerReviewTask(
        "human_review",
        wordings=(
            "Review this paper{at}. Give a Summary, its Strengths, its Weaknesses and Questions to the authors.",
            "You are a reviewer of this paper{at}. Write your review in four parts: Summary, Strengths, Weaknesses,"
            " Questions.",
            "Write a review of this paper{at} with the parts Summary, Strengths, Weaknesses and Questions.",
        ),
        drafts=from_best_review(draft_review),
        num_quotes=(3, 20),
    ),
    PeerReviewTask(
        "human_strengths",
        wordings=(
            "What are the strengths of this paper, in the eyes of a reviewer{at}?",
            "As a reviewer{at}, name the strengths of this paper.",
        ),
        drafts=from_best_review(draft_part("Strengths", "strengths", "paper strengths")),
    ),
    PeerReviewTask(
        "human_weaknesses",
        wordings=(
            "What are the weaknesses of this paper, in the eyes of a reviewer{at}?",
            "As a reviewer{at}, name the weaknesses of this paper.",
        ),
        drafts=from_best_review(draft_part("Weaknesses", "weaknesses", "paper weaknesses")),
    ),
    PeerReviewTask(
        "human_questions",
        wordings=(
            "Which questions would a reviewer{at} put to the authors of this paper?",
            "As a reviewer{at}, what do you ask the authors of this paper?",
        ),
        drafts=from_best_review(draft_part("Questions", "questions", "questions for the authors")),
    ),
    PeerReviewTask(
        "human_advice",
        wordings=(
            "How could the authors raise the chance that this paper is accepted{at}?",
            "This paper is under review{at}. What should its authors change to raise its chance of acceptance?",
        ),
        drafts=from_best_review(draft_advice),
    ),
    PeerReviewTask(
        "human_rebuttal",
        wordings=(
            "A reviewer of this paper{at} asks: “{remark}” Answer as its authors.",
            "You are an author of this paper. Reply to this remark of a reviewer{at}: “{remark}”",
        ),
        drafts=from_best_review(draft_rebuttal),
        quotes_may_repeat=True,
    ),
    PeerReviewTask(
        "human_decision",
        wordings=(
            "Should this paper be accepted{at}? Give the Decision and its Reasons.",
            "You decide about this paper{at}. Write the Decision and the Reasons for it.",
        ),
        drafts=draft_decision,
        one_per_paper=False,
        num_quotes=(3, 20),
    ),
)


def propose(row: PeerReviewTask, documents: Sequence[Passages], supplied: Supplied) -> Iterator[Example]:
    """Yield the examples of a task about a paper.

    Args:
        row: The task.
        documents: The paper, then the documents with its reviews.
        supplied: The rules for reviews; without them nothing is quoted.
    """
    if supplied.review_rules is None:
        return
    for reviews in documents[1:]:
        discussion = Discussion(reviews.document)
        for draft in row.drafts(discussion, supplied.review_rules):
            example = build_from_draft(row, documents, reviews, draft, discussion.venue, supplied.review_rules)
            if example:
                yield example
                if row.one_per_paper:
                    return
                break


def build_from_draft(
    row: PeerReviewTask,
    documents: Sequence[Passages],
    reviews: Passages,
    draft: Draft,
    venue: str,
    rules: ReviewRules,
) -> Example | None:
    """Return the example of a draft, None if its answer is too short or about too few passages of the paper.

    Args:
        row: The task.
        documents: The paper, then the documents with its reviews.
        reviews: The document that the draft is from.
        draft: The parts of the answer.
        venue: Of the reviews, '' if it is not known.
        rules: Which answers are good enough.
    """
    if not draft.parts:
        return None
    answer = join_parts(draft.parts)
    if len(answer.split()) < rules.min_words:
        return None
    quoted = [*filter(None, [draft.remark]), *(span for _, span in draft.parts)]
    remarks = "\n\n".join(span.text for span in quoted)
    passages = PassageFinder(documents[0]).find_passages(remarks, rules.max_passages)
    if len(passages) < rules.num_passages:
        return None
    remark = " ".join(draft.remark.text.split()) if draft.remark else ""
    question = choose(row.wordings, answer).format(at=f" for {venue}" if venue else "", remark=remark)
    evidence = [*((reviews, span) for span in quoted), *((documents[0], span) for span in passages)]
    return build_example(
        documents,
        row.name,
        row.version,
        question,
        answer,
        evidence,
        shown=documents[:1],
        teacher=f"human ({venue})" if venue else "human",
    )


def make_task(row: PeerReviewTask) -> Task:
    """Return the task of a row."""
    return Task(
        name=row.name,
        version=row.version,
        categories=("paper",),
        related=with_reviews,
        candidates_from_supplied=partial(propose, row),
        num_quotes=row.num_quotes,
        max_answer_characters=MAX_ANSWER_CHARACTERS,
        quotes_may_repeat=row.quotes_may_repeat,
    )


TASKS = tuple(make_task(row) for row in ROWS)
