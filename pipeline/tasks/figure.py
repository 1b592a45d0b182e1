"""Ask for the number that was left out of a sentence."""

import re
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages, is_askable, occurs_once
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "figure", "figure-3"
NUMBER = re.compile(r"(?<![\w.,/-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w/-])")
WORDINGS = (
    "Which figure belongs in the gap of “{words}”?",
    "Complete this sentence of the document with its figure: “{words}”",
    "One figure is missing here: “{words}” Which one does the document give?",
)
GAP = "____"
TRIVIAL = re.compile(r"100|\d|(?:19|20)\d\d")  # '100 %', single digits, years: easy to guess
NAMED = re.compile(  # what a number only names: 'Apache 2.0', 'version 7', 'at level 14'
    r"(?:(?<!^)(?<![.!?] )\b[A-Z][\w.]*(?: [a-z])?|[-–—―‘’'/#:]|\b(?i:version|release|level|type|phase|step|option|case"
    r"|line|column|row|bits?|no\.|number|model|class|grade|port|code|unit|room|flight|route|day|article|paragraph))\s*$"
)
CITATION = re.compile(r"\[\d|(?:Figure|Fig\.|Table|Section|Chapter|Equation|Theorem|Note|Item|Rule|page|p\.|§)\s*$")


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each sentence that occurs once and has exactly one number, which cannot be guessed."""
    passages = documents[0]
    for sentence in passages.sentences:
        numbers = list(NUMBER.finditer(sentence.text))
        if len(numbers) != 1 or not is_askable(sentence) or sentence.text not in passages.unique_sentences:
            continue
        number = numbers[0]
        before, after = sentence.text[: number.start()], sentence.text[number.end() :]
        names_something = TRIVIAL.fullmatch(number[0]) or CITATION.search(before) or NAMED.search(before)
        is_alone = before.endswith("(") and after.startswith(")")  # 'equation (4)'
        if names_something or is_alone or "[" in sentence.text or re.search(r"\d", after):
            continue
        words = " ".join((before + GAP + after).split())
        if not occurs_once(passages, words, GAP):
            continue
        question = choose(WORDINGS, words).format(words=words)
        yield build_example(documents, NAME, VERSION, question, f"{number[0]}.", [(passages, sentence)])


TASK = Task(name=NAME, version=VERSION, categories=("paper", "report", "statement"), candidates=candidates)
