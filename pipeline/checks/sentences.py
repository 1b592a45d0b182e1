"""Split answers into sentences and clauses, and texts into words that carry meaning."""

import re
from collections.abc import Iterator
from functools import lru_cache

import nupunkt

from pipeline.checks.common_words import COMMON
from pipeline.passages.spans import Span, trim_span

LINE = re.compile(r"[^\n]+")
BORDER = re.compile(
    r"[;:]\s|,\s(?!\d{4}\b)|\s(?:and|but|while|whereas|against|versus|vs\.|compared (?:to|with)|than|from|up from"
    r"|down from|to(?= \(?[$€£]?\d))\s",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)?|\d[\d,.]*\d|\d")
ENDINGS = (
    *("ations", "ation", "ingly", "ments", "ment", "ings", "ing", "edly", "ies", "ied", "ers", "er"),
    *("ed", "es", "ly", "s"),
)
MIN_STEM = 4


@lru_cache(maxsize=512)
def split_sentences(text: str) -> tuple[Span, ...]:
    """Return the sentences of a text; a line end ends one."""
    found = []
    for line in LINE.finditer(text):
        for start, end in nupunkt.sent_spans(line[0]):
            span = trim_span(text, line.start() + start, line.start() + end)
            if re.search(r"\w", span.text):
                found.append(span)
    return tuple(found)


def split_clauses(sentence: Span) -> Iterator[Span]:
    """Yield the clauses of a sentence: 'It fell from $5 in 2024' | 'to $3 in 2025'."""
    start = 0
    for border in BORDER.finditer(sentence.text):
        if border.start() > start:
            yield Span(sentence.start + start, sentence.start + border.start(), sentence.text[start : border.start()])
        start = border.start() + (1 if border[0][0] in ";:," else 0)
    yield Span(sentence.start + start, sentence.end, sentence.text[start:])


def span_at(spans: tuple[Span, ...] | list[Span], position: int) -> Span:
    """Return the span around a position, or the last one before it."""
    before = [span for span in spans if span.start <= position]
    return before[-1] if before else spans[0]


@lru_cache(maxsize=8_192)
def stem(word: str) -> str:
    """Return a word without its ending, so that 'revenues' and 'revenue', 'traced' and 'tracing' are one."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= MIN_STEM - 1:
            return word[: -len(ending)].rstrip("e")
    return word.rstrip("e") if len(word) > MIN_STEM else word


def content_words(text: str) -> list[str]:
    """Return the words of a text that carry meaning, without their endings, in order."""
    return [stem(word) for word in WORD.findall(text) if word.lower() not in COMMON]
