"""Ask who says certain words in a book."""

import re
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages
from pipeline.passages.spans import Span
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "speech", "speech-2"
MIN_WORDS = 6
WORDINGS = ("Who says “{words}”?", "Which character says “{words}”?", "Whose words are these: “{words}”?")
VERBS = "said|cried|replied|answered|asked|returned|added|exclaimed|whispered|observed|remarked|murmured"
TITLE = r"(?:Mr\.|Mrs\.|Miss|Dr\.|Lady|Sir|Captain|Colonel|[Tt]he)"
PERSON = rf"(?:{TITLE} )?[A-Z][a-z]+(?: [A-Z][a-z]+)?"
SPEECH = re.compile(rf"[“\"](?P<words>[^“”\"]{{20,300}}?)[,!?.]?[”\"],? (?:{VERBS}) (?P<name>{PERSON})(?![\w-])")
NOT_NAMES = re.compile(r"(?:The|He|She|It|They|We|You|His|Her|My|One|I)\b")


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each speech of at least six words that is followed by its speaker: “…,” said Torvin Hale."""
    text = documents[0].document.text
    for match in SPEECH.finditer(text):
        words = " ".join(match["words"].split())
        if len(words.split()) < MIN_WORDS or NOT_NAMES.match(match["name"]) or documents[0].flat_text.count(words) != 1:
            continue
        question = choose(WORDINGS, words).format(words=words)
        name = match["name"]
        evidence = [(documents[0], Span(match.start(), match.end(), match[0]))]
        yield build_example(documents, NAME, VERSION, question, f"{name[0].upper()}{name[1:]} says this.", evidence)


TASK = Task(name=NAME, version=VERSION, categories=("book",), candidates=candidates)
