"""Score how likely the text of each page is what the page shows; a document with many doubtful pages is refused.

A page whose font lies about its characters, or that was badly recognised, has characters without a meaning and words
that no language has: without a vowel, or with a digit within. Its score is the share of its words that are none of
these: 0.97 and more for prose in English, German, French and Spanish, tables and listings included.
"""

import re
from collections.abc import Sequence

MIN_WORDS = 40  # of a page that is judged: fewer are a title, a picture or a blank page
PAGE_CHARACTERS = 4_000  # of a page, where a format has none
WORD = re.compile(r"[^\s|]+")
MEANINGLESS = re.compile("[\ufffd\ue000-\uf8ff]")
NO_VOWEL = re.compile(r"(?=[^\W\d_]*[a-z])[b-df-hj-np-tv-xzB-DF-HJ-NP-TV-XZ]{4,}")
DIGIT_WITHIN = re.compile(r"[a-z]{2,}\d[a-z]{2,}")


def doubtful_page_share(text: str, page_offsets: Sequence[int], min_score: float) -> float:
    """Return the share of a document's pages whose score is less than a limit; 0 where no page is judged.

    Args:
        text: Of the document.
        page_offsets: Where its pages start; empty for formats without pages.
        min_score: The limit, 0 to 1.
    """
    starts = list(page_offsets) or list(range(0, len(text), PAGE_CHARACTERS))
    ends = [*starts[1:], len(text)]
    scores = [score_page(text[start:end]) for start, end in zip(starts, ends, strict=True)]
    judged = [score for score in scores if score is not None]
    return sum(score < min_score for score in judged) / max(1, len(judged))


def score_page(text: str) -> float | None:
    """Return the share of words of a page that may be words, None if it has too few to judge."""
    words = WORD.findall(text)
    if len(words) < MIN_WORDS:
        return None
    return 1 - sum(map(is_odd, words)) / len(words)


def is_odd(word: str) -> bool:
    """Say whether a word has characters without a meaning, no vowel, or a digit within."""
    if MEANINGLESS.search(word):
        return True
    letters = word.strip(".,;:!?()[]\"'“”‘’*_`~")
    return NO_VOWEL.fullmatch(letters) is not None or DIGIT_WITHIN.fullmatch(letters) is not None
