"""Count the tokens of a document once, and of any part of it quickly.

A grid of cuts, about every 8,000 characters, each at a single white space where tokens end, holds how many tokens
stand before each cut. A stretch of the document then costs its two ends, however long it is, and all questions about
a document share its grid.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

CUT_CHARACTERS = 8_000  # tokenizers slow down on longer texts
REACH = 4_000  # characters within which a clean cut is looked for
CLEAN_CUT = re.compile(r"(?<=\S)[ \n](?=\S)")
CHUNKS_PER_BATCH = 64


@dataclass(frozen=True)
class Grid:
    """Where a text is cut, from 0 to its length, and how many tokens stand before each cut."""

    cuts: NDArray[np.int64]
    tokens: NDArray[np.int64]

    def estimate(self, places: Sequence[int]) -> NDArray[np.float64]:
        """Return about how many tokens stand before each place."""
        return np.interp(places, self.cuts, self.tokens)

    def inner(self, start: int, end: int) -> tuple[int, int]:
        """Return the numbers of the first cut at or after `start` and of the last at or before `end`."""
        first = int(np.searchsorted(self.cuts, start, side="left"))
        return first, int(np.searchsorted(self.cuts, end, side="right")) - 1


def grid_of(tokenizer: Tokenizer, text: str) -> Grid:
    """Cut a text and count the tokens of its pieces."""
    cuts = [*cuts_of(text), len(text)]
    counts = [0]
    for start in range(0, len(cuts) - 1, CHUNKS_PER_BATCH):
        batch = [text[a:b] for a, b in pairwise(cuts[start : start + CHUNKS_PER_BATCH + 1])]
        counts += [len(encoding) for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False)]
    return Grid(np.array(cuts, np.int64), np.cumsum(np.array(counts, np.int64)))


def cuts_of(text: str) -> Iterator[int]:
    """Yield where a text is cut, its start first; where there is no white space, the cut falls where it may."""
    start = 0
    while start < len(text):
        yield start
        wanted = start + CUT_CHARACTERS
        match = CLEAN_CUT.search(text, wanted, wanted + REACH)
        start = match.start() if match else wanted


def count_once(tokenizer: Tokenizer, text: str) -> int:
    """Return the number of tokens of a text, whatever its length."""
    return int(grid_of(tokenizer, text).tokens[-1]) if text else 0
