"""Count the tokens of a document once, and those of any part of it quickly.

A grid of cuts, about every 8,000 characters, each at a single white space where tokens end, holds how many tokens come
before each cut. Counting a part of the document then takes counting its two ends, however long it is, and all questions
about a document share its grid.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

CUT_CHARACTERS = 8_000  # tokenizers slow down on longer texts
REACH = 4_000  # characters within which a clean cut is looked for
CLEAN_CUT = re.compile(r"(?<=\S)[ \n](?=\S)")
PIECES_PER_BATCH = 64


@dataclass(frozen=True)
class Grid:
    """Where a text is cut, from 0 to its length, and how many tokens come before each cut."""

    cuts: NDArray[np.int64]
    tokens: NDArray[np.int64]

    def estimate(self, places: Sequence[int]) -> NDArray[np.float64]:
        """Return about how many tokens come before each place."""
        return np.interp(places, self.cuts, self.tokens)

    def inner(self, start: int, end: int) -> tuple[int, int]:
        """Return the numbers of the first cut at or after `start` and of the last at or before `end`."""
        first = int(np.searchsorted(self.cuts, start, side="left"))
        return first, int(np.searchsorted(self.cuts, end, side="right")) - 1


def make_grid(text: str, count_each: Callable[[list[str]], list[int]]) -> Grid:
    """Cut a text and count the tokens of its pieces.

    Args:
        text: Of any length.
        count_each: Returns the number of tokens of each of some texts.
    """
    cuts = [*find_cuts(text), len(text)]
    counts = [0]
    for start in range(0, len(cuts) - 1, PIECES_PER_BATCH):
        counts += count_each([text[a:b] for a, b in pairwise(cuts[start : start + PIECES_PER_BATCH + 1])])
    return Grid(np.array(cuts, np.int64), np.cumsum(np.array(counts, np.int64)))


def token_grid(tokenizer: Tokenizer, text: str) -> Grid:
    """Return the grid of a text by a tokenizer, without special tokens."""
    return make_grid(
        text, lambda pieces: [len(found) for found in tokenizer.encode_batch_fast(pieces, add_special_tokens=False)]
    )


def find_cuts(text: str) -> Iterator[int]:
    """Yield where a text is cut, its start first; where there is no white space, every `CUT_CHARACTERS`."""
    start = 0
    while start < len(text):
        yield start
        due = start + CUT_CHARACTERS
        match = CLEAN_CUT.search(text, due, due + REACH)
        start = match.start() if match else due


def count_tokens(tokenizer: Tokenizer, text: str) -> int:
    """Return the number of tokens of a text of any length, without special tokens."""
    return int(token_grid(tokenizer, text).tokens[-1]) if text else 0
