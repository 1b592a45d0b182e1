"""Who says these words? For books: speech whose speaker is named beside it."""

import re
from collections.abc import Iterator

from pipeline.passages import Passages, Span
from pipeline.records import Category, Example
from pipeline.tasks.wording import build_example, choose

VERSION = "speech-1"
CATEGORIES: tuple[Category, ...] = ("book",)
MIN_WORDS = 6
WORDINGS = ("Who says “{words}”?", "Which character says “{words}”?", "Whose words are these: “{words}”?")
VERBS = "said|cried|replied|answered|asked|returned|added|exclaimed|whispered|observed|remarked|murmured"
TITLE = r"(?:Mr\.|Mrs\.|Miss|Dr\.|Lady|Sir|Captain|Colonel|[Tt]he)"
NAME = rf"(?:{TITLE} )?[A-Z][a-z]+(?: [A-Z][a-z]+)?"
SPEECH = re.compile(rf"[“\"](?P<words>[^“”\"]{{20,300}}?)[,!?.]?[”\"],? (?:{VERBS}) (?P<name>{NAME})\b")
NO_NAMES = re.compile(r"(?:The|He|She|It|They|We|You|His|Her|My|One|I)\b")


def candidates(passages: Passages) -> Iterator[Example]:
    """Yield a question for each speech of at least six words whose speaker is named right after it."""
    text = passages.document.text
    for match in SPEECH.finditer(text):
        words = " ".join(match["words"].split())
        if len(words.split()) < MIN_WORDS or NO_NAMES.match(match["name"]) or text.count(match["words"]) != 1:
            continue
        question = choose(WORDINGS, words).format(words=words)
        evidence = Span(match.start(), match.end(), match[0])
        name = match["name"]
        answer = f"{name[0].upper()}{name[1:]} says this."
        yield build_example(passages.document, "speech", VERSION, question, answer, [evidence])
