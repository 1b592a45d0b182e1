"""Choose diverse instructions: each is as unlike those before it as possible.

Source  the authors say that they chose 3k of Stanford Alpaca for the variety of what is asked (LongLoRA's repository,
        issue 41), not how. This is farthest-first traversal (Gonzalez 1985), which is within a factor of two of the
        best choice of any number of centres, over the words and word pairs of the instructions; the first two words
        weigh more, since they say what is to be done.
"""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 256
LENGTH = 100  # of a vector, whose parts are whole numbers: their products are exact in any order of summing
OPENING_WORDS = 2
OPENING_WEIGHT = 2.0
WORD = re.compile(r"\w+")


def choose_diverse(texts: Sequence[str], count: int, similarity: float) -> tuple[list[int], dict[int, int]]:
    """Choose up to `count` texts, each the farthest from those before it; the first is the one nearest to the mean.

    Args:
        texts: Instructions.
        count: How many to choose at most.
        similarity: Cosine from which a text repeats one that is chosen.

    Returns:
        The numbers of those chosen in their order, and for each text that repeats one of them the number of that.
    """
    if not texts or not count:
        return [], {}
    vectors = np.stack([hash_words(text) for text in texts])
    nearest = np.zeros(len(texts), np.int64)
    cosines = np.full(len(texts), -np.inf, np.float32)
    chosen = [int(np.argmax(vectors @ np.rint(vectors.mean(axis=0))))]
    while len(chosen) < count:
        to_last = vectors @ vectors[chosen[-1]]
        closer = to_last > cosines
        nearest[closer] = chosen[-1]
        cosines = np.maximum(cosines, to_last)
        farthest = int(np.argmin(cosines))
        if cosines[farthest] >= similarity * LENGTH**2:
            break
        chosen.append(farthest)
    taken = set(chosen)
    repeats = np.flatnonzero(cosines >= similarity * LENGTH**2)
    return chosen, {int(number): int(nearest[number]) for number in repeats if int(number) not in taken}


def hash_words(text: str) -> NDArray[np.float32]:
    """Return the hashed words and word pairs of a text as a vector of whole numbers of length about 100."""
    words = WORD.findall(text.lower()) or [text]
    vector = np.zeros(DIMENSIONS, np.float64)
    for place, word in enumerate(words):
        add(vector, word, OPENING_WEIGHT if place < OPENING_WORDS else 1.0)
        if place:
            add(vector, f"{words[place - 1]} {word}", 0.5)
    return np.rint(vector / max(1e-9, float(np.sqrt((vector * vector).sum()))) * LENGTH).astype(np.float32)


def add(vector: NDArray[np.float64], feature: str, weight: float) -> None:
    """Add a feature at the place and with the sign that its hash says."""
    digest = hashlib.blake2b(feature.encode(), digest_size=4).digest()
    vector[int.from_bytes(digest[:2]) % DIMENSIONS] += weight if digest[2] & 1 else -weight
