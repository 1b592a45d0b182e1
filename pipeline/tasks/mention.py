"""Ask for the one sentence of a document that has a certain name."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages, is_askable
from pipeline.passages.spans import Span
from pipeline.passages.tagged_figures import MONTHS
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "mention", "mention-1"
PHRASE = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: (?:of |the |and )?[A-Z][a-z]{2,})+(?![\w-])")
DATES = {*MONTHS, "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
WORDINGS = (
    "What does the text say where it names “{name}”? Quote the sentence.",
    "Quote the sentence in which “{name}” is mentioned.",
    "In which sentence does “{name}” occur?",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each name that occurs once, in a sentence that can be quoted."""
    for name, sentence in find_unique_names(documents[0]):
        question = choose(WORDINGS, name).format(name=name)
        answer = " ".join(sentence.text.split())
        yield build_example(documents, NAME, VERSION, question, answer, [(documents[0], sentence)])


def find_unique_names(passages: Passages) -> list[tuple[str, Span]]:
    """Return the names of two words or more that occur in a document once, each with its sentence, in order."""
    found = [
        (" ".join(match[0].split()), sentence)
        for sentence in passages.sentences
        if is_askable(sentence) and sentence.text in passages.unique_sentences
        for match in PHRASE.finditer(" ".join(sentence.text.split()))
        if match[0].split()[0] not in DATES  # 'since March Stellan thought of leaving' names no one
    ]
    times = Counter(name for name, _ in found)
    folded = passages.flat_text.casefold()
    return [(name, s) for name, s in found if times[name] == 1 and folded.count(name.casefold()) == 1]


TASK = Task(name=NAME, version=VERSION, categories=("book", "paper", "report"), candidates=candidates)
