"""Which figure belongs here? A sentence of the document with its only number left out."""

import re
from collections.abc import Iterator

from pipeline.passages import Passages
from pipeline.records import Category, Example
from pipeline.tasks.continuation import is_askable
from pipeline.tasks.wording import build_example, choose

VERSION = "figure-1"
CATEGORIES: tuple[Category, ...] = ("paper", "report")
NUMBER = re.compile(r"(?<![\w.,/])\d+(?:,\d{3})*(?:\.\d+)?(?![\w/])")
WORDINGS = (
    "Which figure belongs in the gap of “{words}”?",
    "Complete this sentence of the document with its figure: “{words}”",
)
GAP = "____"
TRIVIAL = re.compile(r"100|\d|(?:19|20)\d\d")  # '100 %', small counts, years: guessed without the document
CITATION = re.compile(r"\[\d|(?:Figure|Fig\.|Table|Section|Chapter|Equation|Theorem|page|p\.)\s*$")


def candidates(passages: Passages) -> Iterator[Example]:
    """Yield a question for each sentence that stands once and has one number in it that cannot be guessed."""
    for paragraph in passages.paragraphs:
        for sentence in paragraph:
            numbers = list(NUMBER.finditer(sentence.text))
            if len(numbers) != 1 or not is_askable(sentence) or sentence.text not in passages.once:
                continue
            number = numbers[0]
            before = sentence.text[: number.start()]
            if TRIVIAL.fullmatch(number[0]) or CITATION.search(before) or "[" in sentence.text:
                continue
            words = " ".join((before + GAP + sentence.text[number.end() :]).split())
            question = choose(WORDINGS, words).format(words=words)
            yield build_example(passages.document, "figure", VERSION, question, f"{number[0]}.", [sentence])
