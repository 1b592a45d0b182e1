"""Ask what a document is known to say: the questions, answers and quotes came with it.

A fact may name another task, as `summary` or `why`; its example is then one of that task.
"""

from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages
from pipeline.passages.quote_alignment import locate
from pipeline.records import Example
from pipeline.tasks.build import build_example
from pipeline.tasks.task import Supplied, Task

NAME, VERSION = "known", "known-2"


def candidates(documents: Sequence[Passages], supplied: Supplied) -> Iterator[Example]:
    """Yield an example for each known fact whose quotes the text has, in prose or across the cells of a table."""
    for fact in supplied.facts.get(documents[0].document.doc_id, ()):
        spans = [locate(documents[0].document.text, quote, near=False) for quote in fact.quotes]
        if all(spans):
            ended = fact.answer if fact.answer.endswith((".", "!", "?")) else f"{fact.answer}."
            answer = ended[0].upper() + ended[1:]
            evidence = [(documents[0], span) for span in spans if span]
            yield build_example(documents, fact.task, VERSION, fact.question, answer, evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates_from_supplied=candidates,
    quotes_may_repeat=True,
)
