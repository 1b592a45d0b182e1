"""The longest text that a model still handles, by RULER's rule.

Source  RULER (arXiv 2404.06654), section 4: the longest length at which a model is at least as good as a fixed
        threshold; theirs is Llama-2-7B's score at 4k
"""

from collections.abc import Mapping


def find_effective_length(scores: Mapping[int, float], threshold: float) -> int | None:
    """Return the longest length up to which every measured one reaches the threshold.

    A length that comes after a failure does not count, even if it passes. Without any score, as of a base model that
    finds nothing, every length would pass, and there is none.

    Args:
        scores: By length in tokens.
        threshold: The base model's own score at the shortest length, unless a published one is meant.
    """
    longest = None
    for length in sorted(scores):
        if threshold <= 0 or scores[length] < threshold:
            break
        longest = length
    return longest


def find_effective_lengths(scores: Mapping[str, Mapping[int, float]]) -> dict[str, int | None]:
    """Return the effective length of each model; the threshold is the base model's score at its shortest length.

    Args:
        scores: By model, `base` among them, and length in tokens.
    """
    own = scores["base"]
    threshold = own[min(own)] if own else 0.0
    return {name: find_effective_length(found, threshold) for name, found in scores.items()}
