"""Find word-for-word overlaps of a text with test sets, by an index of their n-grams.

Source: GPT-3 (arXiv 2005.14165), appendix C, which looks for 13-grams
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decontamination.evaluation_sets import TestText
from pipeline.decontamination.ngrams import Hashes, find_runs, hash_ngrams
from pipeline.rejections import Reason

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """A run of words that a text shares with a test set."""

    num_words: int
    name: str  # of the test set
    first_word: int = 0  # its place in the text

    def __str__(self) -> str:
        """Return the reason to take the text out."""
        return str(Reason("overlap", f"{self.num_words} words with {self.name}"))


@dataclass(frozen=True)
class Index:
    """The sorted n-grams of all test sets, and the text of each: 12 bytes per n-gram."""

    grams: Hashes
    owners: NDArray[np.uint32]
    names: tuple[str, ...]
    ngram_words: int

    def look_up(self, text: str) -> Places:
        """Return the position of each n-gram of a text in the index, -1 if it is not there."""
        grams = hash_ngrams(text, self.ngram_words)
        if not len(self.grams):
            return np.full(len(grams), -1, np.int64)
        places = np.minimum(np.searchsorted(self.grams, grams), len(self.grams) - 1)
        return np.where(self.grams[places] == grams, places, -1)

    def longest_overlap(self, places: Places, counted: NDArray[np.bool_]) -> Overlap:
        """Return the overlap of the longest run of n-grams that are marked in `counted`."""
        return max(self.list_overlaps(places, counted), key=lambda found: found.num_words, default=Overlap(0, ""))

    def list_overlaps(self, places: Places, counted: NDArray[np.bool_]) -> list[Overlap]:
        """Return the overlap of each run of n-grams that are marked in `counted`."""
        return [
            Overlap(num_grams + self.ngram_words - 1, self.names[int(self.owners[places[start]])], start)
            for start, num_grams in find_runs(counted)
        ]


def build_index(pieces: Iterable[TestText], ngram_words: int) -> Index:
    """Index texts; an n-gram of several belongs to the first of them."""
    names: dict[str, int] = {}
    grams: list[Hashes] = [np.empty(0, np.uint64)]
    owners: list[NDArray[np.uint32]] = [np.empty(0, np.uint32)]
    for piece in pieces:
        found = np.unique(hash_ngrams(piece.text, ngram_words))
        grams.append(found)
        owners.append(np.full(len(found), names.setdefault(piece.source, len(names)), np.uint32))
    unique, first = np.unique(np.concatenate(grams), return_index=True)
    return Index(unique, np.concatenate(owners)[first], tuple(names), ngram_words)
