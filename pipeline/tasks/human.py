"""What the tasks share whose answers people wrote: which review is taken, and what carries it."""

from collections.abc import Callable, Iterator, Sequence

from pipeline.passages.passages import Passages, Span
from pipeline.passages.peer_reviews import Discussion, Spoken, Written, joined
from pipeline.passages.review_rules import ReviewRules
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose

Part = tuple[str, Span]  # the name of a part of an answer, and its words in the reviews
Parts = Callable[[Discussion, Written], Sequence[Part]]
AT = " for {venue}"


def answers(
    documents: Sequence[Passages], name: str, version: str, wordings: Sequence[str], parts: Parts
) -> Iterator[Example]:
    """Yield an example from the best review of a paper that has the parts of the answer and speaks of the paper."""
    for passages, discussion, review, rules in reviewed(documents):
        found = parts(discussion, review)
        example = (
            human_example(documents, passages, discussion, name, version, wordings, found, rules) if found else None
        )
        if example:
            yield example
            return


def reviewed(documents: Sequence[Passages]) -> Iterator[tuple[Passages, Discussion, Written, ReviewRules]]:
    """Yield the reviews of a paper that keep to the rules, best first, each with the document that it stands in."""
    for passages in documents[1:]:
        rules = passages.review_rules
        if rules is not None:
            discussion = Discussion(passages.document)
            for review in discussion.good(rules):
                yield passages, discussion, review, rules


def human_example(
    documents: Sequence[Passages],
    reviews: Passages,
    discussion: Discussion,
    name: str,
    version: str,
    wordings: Sequence[str],
    parts: Sequence[Part],
    rules: ReviewRules,
    asked: Sequence[Span] = (),
    **words: str,
) -> Example | None:
    """Return an example whose answer stands in the reviews word for word, None where it is too short or about nothing.

    Args:
        documents: The paper, and the documents of its reviews.
        reviews: The one that the answer stands in.
        discussion: What is written there.
        name: Of the task.
        version: Of its wording.
        wordings: Of the question; `{at}` names the venue.
        parts: Of the answer.
        rules: Which answers are good enough.
        asked: Words of the reviews that the question quotes: evidence too.
        words: What else the wordings name.
    """
    paper = documents[0]
    answer = joined(parts)
    said = [span for _, span in parts]
    if len(answer.split()) < rules.min_words:
        return None
    passages = Spoken(paper).passages("\n\n".join(span.text for span in [*asked, *said]), rules.max_passages)
    if len(passages) < rules.num_passages:
        return None
    at = AT.format(venue=discussion.venue) if discussion.venue else ""
    question = choose(wordings, answer).format(at=at, **words)
    evidence = [*((reviews, span) for span in [*asked, *said]), *((paper, span) for span in passages)]
    teacher = f"human ({discussion.venue})" if discussion.venue else "human"
    return build_example(documents, name, version, question, answer, evidence, shown=[paper], teacher=teacher)


def part(review: Written, name: str, *fields: str) -> list[Part]:
    """Return a part of an answer from the first of several fields, none where there is none."""
    span = review.get(*fields)
    return [(name, span)] if span and span.text else []
