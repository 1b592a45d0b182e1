"""Word n-grams as 64-bit numbers, the same on every machine and for every PYTHONHASHSEED."""

import hashlib
import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"\w+")
MULTIPLIER = 0x9E3779B97F4A7C15  # odd, with well mixed bits

Hashes = NDArray[np.uint64]


@lru_cache(maxsize=200_000)
def word_hash(word: str) -> int:
    """Return a 64-bit hash of a word."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())


def hash_ngrams(text: str, n: int) -> Hashes:
    """Hash the word n-grams of a text, without case, punctuation and layout; n-gram i begins at word i."""
    words = np.fromiter((word_hash(match[0].lower()) for match in WORD.finditer(text)), np.uint64)
    if len(words) < n:
        return np.empty(0, np.uint64)
    grams = np.zeros(len(words) - n + 1, np.uint64)
    for place in range(n):
        grams = grams * np.uint64(MULTIPLIER) + words[place : place + len(grams)]
    return grams


def find_runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where each run of marked places starts, and how many it has."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marked, [False])).astype(np.int8)))
    return [(int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def longest_run(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest run of marked places starts, and how many it has."""
    return max(find_runs(marked), key=lambda run: run[1], default=(0, 0))


def normalise_words(text: str) -> str:
    """Return the words of a text in lower case, separated by single blanks."""
    return " ".join(match[0].lower() for match in WORD.finditer(text))
