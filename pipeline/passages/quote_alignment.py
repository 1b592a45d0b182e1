"""Find the words of a quote in a text, exactly or nearly so, and return the text's own words."""

import re

from rapidfuzz import fuzz

from pipeline.passages.spans import Span, trim_span

# Of rapidfuzz's partial ratio, out of 100. One changed digit in a sentence of 60 characters still scores above it,
# so the digits are compared as well.
MIN_SCORE = 92.0
MIN_CHARACTERS = 12  # a shorter quote must occur exactly
WORD = re.compile(r"\w+|[^\w\s]")
DIGITS = re.compile(r"\d+")
LAYOUT = r"[\s|*_\\]*"  # between the words of a quote: line ends, the bars of a table, emphasis
MAX_PATTERN_WORDS = 200


def locate(text: str, quote: str, *, near: bool = True) -> Span | None:
    """Return the first place where a text has a quote, with the text's own words; None if it has none.

    A quote that differs from the text in more than layout is aligned. The words found must have the same numbers.

    Args:
        text: Of a document.
        quote: As someone copied it.
        near: Whether words that are not quite the same may be taken.
    """
    quote = quote.strip().strip("“”\"'").strip()
    if not quote:
        return None
    start = text.find(quote)
    if start >= 0:
        return Span(start, start + len(quote), quote)
    words = WORD.findall(quote)
    if len(words) <= MAX_PATTERN_WORDS and (match := re.search(LAYOUT.join(map(re.escape, words)), text)):
        return Span(match.start(), match.end(), match[0])
    return align(text, quote) if near and len(quote) >= MIN_CHARACTERS else None


def align(text: str, quote: str) -> Span | None:
    """Return the words of a text that are most like a quote, None if none are like enough."""
    found = fuzz.partial_ratio_alignment(quote, text, score_cutoff=MIN_SCORE)
    if found is None or found.dest_start == found.dest_end:
        return None
    start, end = widen_to_words(text, found.dest_start, found.dest_end)
    span = trim_span(text, start, end)
    return span if DIGITS.findall(span.text) == DIGITS.findall(quote) else None


def widen_to_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a range to whole words: in 'the old mill', 'ld mi' becomes 'old mill'."""
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end
