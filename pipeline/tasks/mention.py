"""Ask what a document says where it first names what it then comes back to, or explains."""

from collections.abc import Iterator, Sequence

from pipeline.passages.names import find_names
from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "mention", "mention-2"
WORDINGS = (
    "What does the document say where it first has the name “{name}”? Quote the sentence.",
    "Where does the name “{name}” appear for the first time? Quote the sentence.",
    "Quote the sentence in which the name “{name}” first appears.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each name that matters; the answer is the sentence of its first mention."""
    for name in find_names(documents[0]):
        question = choose(WORDINGS, name.words).format(name=name.words)
        answer = " ".join(name.first.text.split())
        yield build_example(documents, NAME, VERSION, question, answer, [(documents[0], name.first)])


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report"),
    candidates=candidates,
    quotes_may_repeat=True,  # a name that matters is mentioned again
)
