"""Ask what a document is known to say: the questions, answers and quotes came with it."""

from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages
from pipeline.passages.quote_alignment import locate
from pipeline.records import Example
from pipeline.tasks.build import build_example
from pipeline.tasks.task import Supplied, Task

NAME, VERSION = "known", "known-1"


def candidates(documents: Sequence[Passages], supplied: Supplied) -> Iterator[Example]:
    """Yield an example for each known fact whose quote the text has, in prose or across the cells of a table."""
    for fact in supplied.facts.get(documents[0].document.doc_id, ()):
        span = locate(documents[0].document.text, fact.quote, near=False)
        if span:
            answer = fact.answer if fact.answer.endswith((".", "!", "?")) else f"{fact.answer}."
            yield build_example(documents, NAME, VERSION, fact.question, answer, [(documents[0], span)])


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates_from_supplied=candidates,
    quotes_may_repeat=True,
)
