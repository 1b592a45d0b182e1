"""Ranges of a document's text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A range of characters of a document's text, and the words in it."""

    start: int
    end: int
    text: str


def trim_span(text: str, start: int, end: int) -> Span:
    """Return the span of a range without the white space at its ends."""
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return Span(start, start + len(words.strip()), words.strip())
