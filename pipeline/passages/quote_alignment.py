"""Find the words of a quote in a text: exactly, or nearly so, and then the exact words are what counts."""

import re

from rapidfuzz import fuzz

from pipeline.passages.passages import Span, trimmed

MIN_SCORE = (
    92.0  # of rapidfuzz, out of 100: a changed digit in a sentence of 60 characters is above, so digits are compared
)
MIN_CHARACTERS = 12  # a shorter quote is taken only as it stands
WORD = re.compile(r"\w+|[^\w\s]")
DIGITS = re.compile(r"\d+")
LAYOUT = r"[\s|*_\\]*"  # what may stand between the words of a quote: line ends, the bars of a table, emphasis
MAX_PATTERN_WORDS = 200


def locate(text: str, quote: str, *, near: bool = True) -> Span | None:
    """Return where a quote stands in a text, with the text's own words; None if it does not.

    A quote that stands several times is placed at the first of them. Where it differs from the text in more than
    layout, it is aligned (rapidfuzz's partial ratio): the words found must have the same numbers in them.

    Args:
        text: Of a document.
        quote: As someone wrote it down.
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
    return aligned(text, quote) if near and len(quote) >= MIN_CHARACTERS else None


def aligned(text: str, quote: str) -> Span | None:
    """Return the words of a text that are nearly those of a quote, None if none are."""
    found = fuzz.partial_ratio_alignment(quote, text, score_cutoff=MIN_SCORE)
    if found is None or found.dest_start == found.dest_end:
        return None
    start, end = whole_words(text, found.dest_start, found.dest_end)
    span = trimmed(text, start, end)
    return span if DIGITS.findall(span.text) == DIGITS.findall(quote) else None


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a range to the borders of the words that it cuts."""
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end
