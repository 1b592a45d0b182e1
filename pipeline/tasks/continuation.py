"""Ask for the sentence that follows another: dull, but exact, and possible for any prose."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.passages.passages import Passages, is_askable
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "continuation", "continuation-2"
WORDINGS = (
    "Which sentence follows directly after “{words}”?",
    "How does the text go on after “{words}”? Give the next sentence.",
    "Quote the sentence that comes right after “{words}”.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each two consecutive sentences of a paragraph that can both be quoted."""
    passages = documents[0]
    for paragraph in passages.paragraphs:
        for asked, answer in pairwise(paragraph):
            if is_askable(asked) and is_askable(answer) and asked.text in passages.unique_sentences:
                words = " ".join(asked.text.split())
                question = choose(WORDINGS, words).format(words=words)
                text = " ".join(answer.text.split())
                yield build_example(documents, NAME, VERSION, question, text, [(passages, asked), (passages, answer)])


TASK = Task(name=NAME, version=VERSION, categories=("book",), candidates=candidates)
