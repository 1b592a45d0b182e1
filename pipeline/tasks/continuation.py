"""Which sentence follows this one? For prose of any kind; dull, but exact, and answerable from one place alone."""

from collections.abc import Iterator
from itertools import pairwise

from pipeline.passages import Passages, Span
from pipeline.records import Category, Example
from pipeline.tasks.wording import build_example, choose

VERSION = "continuation-1"
CATEGORIES: tuple[Category, ...] = ("book",)
MIN_WORDS, MAX_WORDS = 8, 50
WORDINGS = (
    "Which sentence follows directly after “{words}”?",
    "How does the text go on after “{words}”? Give the next sentence.",
    "Quote the sentence that comes right after “{words}”.",
)


def candidates(passages: Passages) -> Iterator[Example]:
    """Yield a question for each two sentences of a paragraph that are neither too short nor too long."""
    for paragraph in passages.paragraphs:
        for asked, answer in pairwise(paragraph):
            if is_askable(asked) and is_askable(answer) and asked.text in passages.once:
                words = " ".join(asked.text.split())
                question = choose(WORDINGS, words).format(words=words)
                text = " ".join(answer.text.split())
                yield build_example(passages.document, "continuation", VERSION, question, text, [asked, answer])


def is_askable(sentence: Span) -> bool:
    """Tell whether a sentence is whole and of a sensible length, and has no quotation marks that could be cut."""
    whole = sentence.text[0].isupper() and sentence.text[-1] in ".!?"
    return whole and MIN_WORDS <= len(sentence.text.split()) <= MAX_WORDS and not set(sentence.text) & set('“”"|')
