"""Intervals and paired comparisons for small samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(num_right: int, num_trials: int) -> Interval:
    """Return the share of right answers with Wilson's score interval, which is valid at 0 and 1 too.

    Source: Wilson 1927, in the form of Brown, Cai and DasGupta 2001 (doi 10.1214/ss/1009213286), equation 4.
    """
    if not 0 <= num_right <= num_trials or num_trials == 0:
        raise ValueError(f"{num_right} right of {num_trials} trials")
    share, z2 = num_right / num_trials, Z_95**2
    centre = (share + z2 / (2 * num_trials)) / (1 + z2 / num_trials)
    spread = math.sqrt(share * (1 - share) / num_trials + z2 / (4 * num_trials**2))
    half = Z_95 / (1 + z2 / num_trials) * spread
    # At 0 and at 1 the interval ends at the share itself; rounding must not put it on the wrong side.
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


def bootstrap_mean(values: Sequence[float], num_resamples: int, seed: int) -> Interval:
    """Return the mean of independent units with its percentile bootstrap interval.

    The units must be independent: documents, not tokens. For paired measurements pass the differences. With fewer than
    two units the interval is the value itself and means nothing.
    """
    units = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(len(units), size=(num_resamples, len(units)))
    low, high = np.quantile(units[draws].mean(axis=1), [0.025, 0.975])
    return Interval(float(units.mean()), float(low), float(high))
