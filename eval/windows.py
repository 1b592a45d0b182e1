"""The windows in which a protocol of perplexity reads tokens, and which tokens of each it scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """Tokens [start, end) are read in one forward pass, and those of [first, end) are scored."""

    start: int
    first: int
    end: int


def plan_longlora(num_tokens: int, length: int, stride: int) -> list[Window]:
    """Return windows of which every position is scored: each token counts about length / stride times.

    Source: eval.py of LongLoRA (github.com/dvlab-research/LongLoRA), which leaves out the last window.
    """
    return [Window(start, start + 1, start + length) for start in range(0, num_tokens - length, stride)][:-1]


def plan_sliding(num_tokens: int, length: int, stride: int) -> list[Window]:
    """Return windows of which the last `stride` tokens are scored: each counts once, behind length - stride or more.

    The first length - stride tokens are never scored, as nothing long is before them.

    Source: Press, Smith and Lewis 2021 (arXiv 2012.15832), whom LongLoRA's paper names for its perplexity.
    """
    stride = min(stride, length - 1)
    return [Window(end - length, end - stride, end) for end in range(length, num_tokens + 1, stride)]


def plan_last(num_tokens: int, num_last: int, context: int) -> Window:
    """Return the window in which the last `num_last` tokens of a text are behind `context` others.

    The first of them has `context` tokens before it, and the last `context + num_last - 1`.
    """
    return Window(num_tokens - num_last - context, num_tokens - num_last, num_tokens)


def choose_evenly(windows: Sequence[Window], max_windows: int) -> list[Window]:
    """Return at most so many windows, spread over all of them."""
    if len(windows) <= max_windows:
        return list(windows)
    return [windows[index] for index in np.linspace(0, len(windows) - 1, max_windows).astype(int)]
