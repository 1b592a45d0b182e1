"""Judge whether the text of a page is language, by how its letters are mixed.

A font without a map from glyphs to characters gives letters, but others than it shows: `7KHKDUERXU` for 'The harbour'.
In every language in Latin letters three of ten letters and more are vowels; in such a text they are few, or nearly all.
"""

import re
import unicodedata
from collections import Counter

MIN_LETTERS = 120  # of a page that is judged
LEAST_VOWELS, MOST_VOWELS = 0.22, 0.62  # of its letters
VOWELS = frozenset("aeiouy")
WORD = re.compile(r"[^\W\d_]+")


def is_legible(text: str) -> bool:
    """Say whether a text may be language; one with few Latin letters, or few letters at all, is not judged."""
    words = WORD.findall(text)
    counts: Counter[str] = Counter()
    for word in words:
        counts.update(word.lower())
    letters = {base_letter(char): 0 for char in counts}
    for char, count in counts.items():
        letters[base_letter(char)] += count
    latin = sum(count for char, count in letters.items() if "a" <= char <= "z")
    if latin < MIN_LETTERS or 2 * latin < counts.total():
        return True
    vowels = sum(count for char, count in letters.items() if char in VOWELS) / latin
    return LEAST_VOWELS <= vowels <= MOST_VOWELS


def base_letter(char: str) -> str:
    """Return a letter without its accents."""
    return unicodedata.normalize("NFD", char)[0]
