"""Words that are set aslant, as the headers of narrow columns are: each is a line of its own, from where it begins."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from pipeline.readers.pdf.chars import Box

MIN_RISE = 1.0  # of the height of its first character, from the first to the last: a raised mark climbs less
CELL_WIDTH = 2.0  # of the font size: what it takes of the column that it is above


class Word(NamedTuple):
    """A word: its characters `start` to `end` of the text, the boxes of the first and the last of them."""

    start: int
    end: int
    first: Box
    last: Box

    @property
    def rise(self) -> float:
        """How far it climbs, in points, if it is set aslant and runs to the right; else 0."""
        rise = self.last[3] - self.first[3]
        runs_right = self.last[0] > self.first[2] - (self.first[2] - self.first[0]) / 2
        return rise if runs_right and rise > MIN_RISE * (self.first[1] - self.first[3]) else 0.0


def split_slanted(words: list[Word]) -> Iterator[list[Word]]:
    """Split a line where words that are set aslant begin or end, and where one begins below the end of another."""
    if not any(word.rise for word in words):
        yield words
        return
    begun = [words[0]]
    for before, word in pairwise(words):
        goes_on = bool(before.rise) == bool(word.rise) and (not word.rise or word.first[3] > before.last[3])
        if not goes_on:
            yield begun
            begun = []
        begun.append(word)
    yield begun
