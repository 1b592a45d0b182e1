"""What a text shares with test sets, word for word, by an index of the n-grams of those.

Source: GPT-3 (arXiv 2005.14165), appendix C, which looks for 13-grams
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.decontamination.evaluation_sets import Piece
from pipeline.decontamination.ngrams import Hashes, longest_run, ngrams_of
from pipeline.rejections import Reason

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """Words in a row that a text shares with a test set."""

    num_words: int
    name: str  # of the test set

    def __str__(self) -> str:
        """Return the reason for which a text is taken out."""
        return str(Reason("overlap", f"{self.num_words} words with {self.name}"))


@dataclass(frozen=True)
class Index:
    """The n-grams of all test sets in order, and of which text each is: 12 bytes an n-gram."""

    grams: Hashes
    owners: NDArray[np.uint32]
    names: tuple[str, ...]
    ngram_words: int

    def places_of(self, text: str) -> Places:
        """Return for each n-gram of a text its place in the index, -1 where that does not hold it."""
        grams = ngrams_of(text, self.ngram_words)
        if not len(self.grams):
            return np.full(len(grams), -1, np.int64)
        places = np.minimum(np.searchsorted(self.grams, grams), len(self.grams) - 1)
        return np.where(self.grams[places] == grams, places, -1)

    def longest(self, places: Places, counted: NDArray[np.bool_]) -> Overlap:
        """Return the longest overlap of the n-grams of a text that count."""
        start, num_grams = longest_run(counted)
        if not num_grams:
            return Overlap(0, "")
        return Overlap(num_grams + self.ngram_words - 1, self.names[int(self.owners[places[start]])])


def index_of(pieces: Iterable[Piece], ngram_words: int) -> Index:
    """Index texts; an n-gram of several belongs to the first of them."""
    names: dict[str, int] = {}
    grams: list[Hashes] = [np.empty(0, np.uint64)]
    owners: list[NDArray[np.uint32]] = [np.empty(0, np.uint32)]
    for piece in pieces:
        found = np.unique(ngrams_of(piece.text, ngram_words))
        grams.append(found)
        owners.append(np.full(len(found), names.setdefault(piece.source, len(names)), np.uint32))
    unique, first = np.unique(np.concatenate(grams), return_index=True)
    return Index(unique, np.concatenate(owners)[first], tuple(names), ngram_words)
