"""Find the words of a quote in a text, exactly or nearly so, and return the text's own words.

A quote may leave out words ('A … B'), join the head of a table with a row, have words inserted in brackets, or spell
dashes and quotation marks in its own way. Every step takes time in proportion to the text, whatever the quote is.
"""

import re
from collections import Counter
from collections.abc import Sequence

from rapidfuzz import fuzz

from pipeline.passages.plain_text import PlainText, make_plain
from pipeline.passages.spans import Span, trim_span

# Of rapidfuzz's partial ratio, out of 100. One changed digit in a sentence of 60 characters still scores above it,
# so numbers and negations are compared as well.
MIN_SCORE = 92.0
MIN_CHARACTERS, MAX_CHARACTERS = 12, 2_000  # a shorter quote must occur exactly, a longer one is not aligned
TOLD = re.compile(
    r"\d+|\b(?:not|no|never|nor|none|neither|nothing|without|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven"
    r"|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy"
    r"|eighty|ninety|hundred|thousand|million|billion|trillion|half|quarter|third|dozen|twice)\b|n['’]t\b",
    re.IGNORECASE,
)
ELLIPSIS = re.compile(r"\s*(?:\[\s*(?:\.{3,}|…|\. \. \.)\s*\]|\(\s*(?:\.{3,}|…)\s*\)|\. \. \.(?: \.)?|\.{3,}|…)\s*")
BRACKETS = re.compile(r"\s*\[[^\[\]]{0,80}\]\s*")
ROW_BORDER = re.compile(r"\|?\s*\n\s*\|?|\|\s+\|")
LETTER = re.compile(r"\w")
MAX_LEFT_OUT, MAX_INSERTED, MAX_ROWS_BETWEEN = 2_000, 60, 4_000  # characters between the parts of a quote
MIN_PART_CHARACTERS = 4
MAX_FIRSTS, MAX_BORDERS = 50, 12  # places of a first part, and borders of rows, that are tried


def locate(text: str, quote: str, *, near: bool = True) -> Span | None:
    """Return the first place where a text has a quote, with the text's own words; None if it has none.

    A quote that leaves out words in its middle is found as one span, with what it left out. One that differs from the
    text in more than layout is aligned; the words found must have the same numbers and negations.

    Args:
        text: Of a document.
        quote: As someone copied it.
        near: Whether words that are not quite the same may be taken.
    """
    quote = strip_ends(quote)
    if not quote:
        return None
    start = text.find(quote)
    if start >= 0:
        return Span(start, start + len(quote), quote)
    if not LETTER.search(quote):
        return None
    plain = make_plain(text)
    found = find_parts(plain, [quote], 0) or (find_in_parts(plain, quote) if near else None)
    if found:
        return make_span(text, plain, *found)
    is_alignable = near and MIN_CHARACTERS <= len(quote) <= MAX_CHARACTERS
    return align(text, quote) if is_alignable else None


def strip_ends(quote: str) -> str:
    """Return a quote without quotation marks and an ellipsis at its ends."""
    quote = quote.strip().strip("“”\"'").strip()
    start = ELLIPSIS.match(quote)
    ends = [match for match in ELLIPSIS.finditer(quote) if match.end() == len(quote)]
    return quote[start.end() if start else 0 : ends[0].start() if ends else None].strip("“”\"'").strip()


def find_in_parts(plain: PlainText, quote: str) -> tuple[int, int] | None:
    """Return the range of a plain text that has the parts of a quote in their order."""
    whole = re.sub(r"[\[\]]", "", quote)
    if whole != quote and (found := find_parts(plain, [whole], 0)):
        return found
    for parts, most in (
        (BRACKETS.split(quote), MAX_INSERTED),
        (ELLIPSIS.split(quote), MAX_LEFT_OUT),
        ([part for one in ELLIPSIS.split(quote) for part in BRACKETS.split(one)], MAX_LEFT_OUT),
    ):
        if len(parts) > 1 and (found := find_parts(plain, parts, most)):
            return found
    if "|" in quote:
        for border in list(ROW_BORDER.finditer(quote))[:MAX_BORDERS]:
            rows = [quote[: border.start()], quote[border.end() :]]
            if found := find_parts(plain, rows, MAX_ROWS_BETWEEN):
                return found
    return None


def find_parts(plain: PlainText, parts: Sequence[str], most: int) -> tuple[int, int] | None:
    """Return the first range of a plain text that has parts in their order, at most so many characters apart."""
    ends = " ." if len(parts) > 1 else " "
    spelled = [part for part in (make_plain(part).text.strip(ends) for part in parts) if part]
    if not spelled or (len(spelled) > 1 and min(map(len, spelled[:1] + spelled[-1:])) < MIN_PART_CHARACTERS):
        return None
    start = find_word(plain.text, spelled[0], 0)
    for _ in range(MAX_FIRSTS):
        if start < 0:
            return None
        end = start + len(spelled[0])
        for part in spelled[1:]:
            after = find_word(plain.text, part, end, end + most + len(part))
            end = after + len(part) if after >= 0 else -1
            if end < 0:
                break
        if end >= 0:
            return start, end
        start = find_word(plain.text, spelled[0], start + 1)
    return None


def find_word(text: str, words: str, start: int, end: int | None = None) -> int:
    """Return where words are in a text, as whole words: 'part' is not in 'apartment'; -1 if they are not."""
    end = len(text) if end is None else min(end, len(text))
    found = text.find(words, start, end)
    for _ in range(MAX_FIRSTS):
        if found < 0 or is_whole(text, found, found + len(words)):
            return found
        found = text.find(words, found + 1, end)
    return -1


def is_whole(text: str, start: int, end: int) -> bool:
    """Say whether a range neither begins nor ends within a word."""
    begins = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    return begins and (end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum()))


def make_span(text: str, plain: PlainText, start: int, end: int) -> Span:
    """Return the words of a text that a range of its plain spelling is."""
    return trim_span(text, *plain.to_original(start, end))


def align(text: str, quote: str) -> Span | None:
    """Return the words of a text that are most like a quote, None if none are like enough."""
    found = fuzz.partial_ratio_alignment(quote, text, score_cutoff=MIN_SCORE)
    if found is None or found.dest_start == found.dest_end:
        return None
    start, end = widen_to_words(text, found.dest_start, found.dest_end)
    span = trim_span(text, start, end)
    return span if count_told(span.text) == count_told(quote) else None


def count_told(words: str) -> Counter[str]:
    """Return how often words have each number and negation: 'Ninety' is no 'Nineteen'."""
    return Counter(word.lower() for word in TOLD.findall(words))


def widen_to_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a range to whole words: in 'the old mill', 'ld mi' becomes 'old mill'."""
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end
