"""Under which heading is it said? For documents with headings that differ."""

import re
from collections import Counter
from collections.abc import Iterator

from pipeline.passages import Passages, Span
from pipeline.records import Category, Example
from pipeline.tasks.continuation import is_askable
from pipeline.tasks.wording import build_example, choose

VERSION = "section-1"
CATEGORIES: tuple[Category, ...] = ("paper", "report")
WORDINGS = (
    "Under which heading does the document say “{words}”?",
    "Where is this said: “{words}”? Name the heading.",
    "Which section contains the sentence “{words}”?",
)


def candidates(passages: Passages) -> Iterator[Example]:
    """Yield a question for each sentence that stands once, below a heading that stands once."""
    headings = Counter(section.path[-1] for section in passages.document.sections)
    for paragraph in passages.paragraphs:
        for sentence in paragraph:
            path = passages.heading_at(sentence.start)
            if not path or headings[path[-1]] != 1 or not is_askable(sentence) or sentence.text not in passages.once:
                continue
            words = " ".join(sentence.text.split())
            question = choose(WORDINGS, words).format(words=words)
            answer = f"It stands under “{path[-1]}”."
            yield build_example(
                passages.document, "section", VERSION, question, answer, [heading_span(passages, path), sentence]
            )


def heading_span(passages: Passages, path: tuple[str, ...]) -> Span:
    """Return the heading line of a section."""
    start = next(section.start for section in passages.document.sections if section.path == path)
    line = re.compile(r"[^\n]*").match(passages.document.text, start)
    return Span(start, start + len(line[0]), line[0]) if line else Span(start, start, "")
