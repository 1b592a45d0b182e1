"""Under which heading is it said? For documents with headings that differ."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import UNQUOTABLE, Passages, is_askable
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "section", "section-2"
WORDINGS = (
    "Under which heading does the document say “{words}”?",
    "Where is this said: “{words}”? Name the heading.",
    "Which section contains the sentence “{words}”?",
)
CAPTION = re.compile(r"(?:Figure|Fig\.|Table)\s*\d")  # set like a heading, and none


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each sentence that stands once, below a heading that stands once."""
    passages = documents[0]
    headings = Counter(section.path[-1] for section in passages.document.sections)
    for sentence in passages.sentences:
        section = passages.section_at(sentence.start)
        if section is None or headings[section.path[-1]] != 1 or not is_askable(sentence):
            continue
        if sentence.text not in passages.once or set(section.path[-1]) & UNQUOTABLE or CAPTION.match(section.path[-1]):
            continue
        words = " ".join(sentence.text.split())
        question = choose(WORDINGS, words).format(words=words)
        answer = f"It stands under “{section.path[-1]}”."
        evidence = [(passages, passages.heading_line(section)), (passages, sentence)]
        yield build_example(documents, NAME, VERSION, question, answer, evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates=candidates,
    prompt=(
        "Ask in which section of this document a certain matter is treated, describing the matter without the words of"
        " the heading. The answer names the section by its heading and says in one sentence what stands there."
    ),
    num_quotes=(2, 4),
)
