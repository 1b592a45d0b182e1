"""What the tasks share: building an example, choosing a wording, and naming a document."""

from collections.abc import Sequence

from pipeline.passages.passages import Passages
from pipeline.passages.spans import Span
from pipeline.records import Document, Evidence, Example, make_example_id
from pipeline.stable_order import hash_choice

TEACHER = "extractive"
NO_LICENCE = "unknown"


def build_example(
    documents: Sequence[Passages],
    task: str,
    version: str,
    question: str,
    answer: str,
    evidence: Sequence[tuple[Passages, Span]],
    *,
    shown: Sequence[Passages] | None = None,
    teacher: str = TEACHER,
) -> Example:
    """Return an example, its evidence in the order of the documents and of their texts.

    Args:
        documents: What the question is about, in the order in which evidence is listed.
        task: The name of the task.
        version: Of its wording.
        question: Without any wrapper.
        answer: Likewise.
        evidence: The quotes, each with its document.
        shown: The documents that the prompt shows; all of `documents` by default.
        teacher: Who answers.
    """
    ranks = {passages.document.doc_id: number for number, passages in enumerate(documents)}
    spans = sorted(
        {Evidence(passages.document.doc_id, span.start, span.end, span.text) for passages, span in evidence},
        key=lambda span: (ranks[span.doc_id], span.start, span.end),
    )
    doc_ids = tuple(passages.document.doc_id for passages in (documents if shown is None else shown))
    return Example(
        example_id=make_example_id(task, question, answer, doc_ids),
        task=task,
        question=question,
        answer=answer,
        doc_ids=doc_ids,
        evidence=tuple(spans),
        teacher=teacher,
        prompt_version=version,
        licence=join_licences([passages.document for passages in documents]),
    )


def join_licences(documents: Sequence[Document]) -> str:
    """Return the licence of what is made from several documents: all of theirs, sorted and joined by AND."""
    return " AND ".join(sorted({document.licence or NO_LICENCE for document in documents}))


def choose(wordings: Sequence[str], key: str) -> str:
    """Return one of several wordings, the same one for the same key."""
    return hash_choice(wordings, key)


def document_name(passages: Passages) -> str:
    """Return how a question names a document: by its title, and a statement by its company as well."""
    document = passages.document
    title = " ".join(document.title.split())
    if title and document.authors and document.category == "statement" and document.authors[0] not in title:
        return f"{title} of {document.authors[0]}"
    return title


def are_distinct(names: Sequence[str]) -> bool:
    """Say whether none of the names is empty and no two are the same but for case."""
    return all(names) and len({name.casefold() for name in names}) == len(names)


def number_word(number: int) -> str:
    """Return a number up to twelve as a word, a larger one in digits."""
    words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    return words[number] if number < len(words) else str(number)
