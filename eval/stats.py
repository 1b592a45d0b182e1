"""Intervals, paired comparisons and the power of small samples.

Everything is about independent units: documents, trials, training seeds. Tokens of one document are none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats

CONFIDENCE = 0.95
POWER = 0.8  # the chance of finding a difference that is there, by convention (Cohen 1988, section 2.4)
MAX_FLIPS = 10_000  # sign flips that a test tries; up to 13 units that is all of them
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Interval:
    """An estimate from n units with its 95 % interval; None where n is too small for one."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Difference(Interval):
    """A paired difference, how surprising it would be by chance, and which difference n units would have shown.

    `p_holm` takes into account that several were tested; `detectable` is None where n is too small for any.
    """

    p: float
    p_holm: float
    detectable: float | None


@dataclass(frozen=True)
class Spread:
    """Standard deviations of one measurement that come from the seed, from the document, and from neither alone."""

    seeds: float
    documents: float
    rest: float


def wilson(num_right: int, num_trials: int) -> Interval:
    """Return the share of right answers with Wilson's score interval, which is valid at 0 and 1 too.

    Source: Wilson 1927; Brown, Cai and DasGupta 2001 (doi 10.1214/ss/1009213286), equation 4.
    """
    if not 0 <= num_right <= num_trials or num_trials == 0:
        raise ValueError(f"{num_right} right of {num_trials} trials")
    share = num_right / num_trials
    found = stats.binomtest(num_right, num_trials).proportion_ci(CONFIDENCE, method="wilson")
    # At 0 and at 1 the interval ends at the share itself; rounding must not put it on the wrong side.
    return Interval(share, min(share, max(0.0, float(found.low))), max(share, min(1.0, float(found.high))), num_trials)


def bound_score(mean: float, num_independent: float) -> Interval:
    """Return the mean of scores between 0 and 1 with Wilson's interval, which is at least as wide as theirs.

    Of all such scores with one mean, those that are only 0 or 1 vary most. `n` is rounded down.

    Args:
        mean: Of the scores.
        num_independent: How many there are, fewer where scores of one text resemble each other (`count_independent`).
    """
    z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    centre = (mean + z**2 / (2 * num_independent)) / (1 + z**2 / num_independent)
    spread = (mean * (1 - mean) / num_independent + z**2 / (4 * num_independent**2)) ** 0.5 * z
    half = spread / (1 + z**2 / num_independent)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(mean, min(mean, low), max(mean, high), int(num_independent))


def count_independent(clusters: Sequence[Sequence[float]]) -> float:
    """Return how many independent scores tell as much as these, of which those of one cluster may be alike.

    Source: the design effect of Kish 1965, with the correlation within clusters by analysis of variance (Donner 1986).
    Where all scores are equal nothing tells how alike they are, and they count as independent.
    """
    num = sum(map(len, clusters))
    size = num / len(clusters)
    means = np.array([np.mean(cluster) for cluster in clusters])
    within = sum(
        float(((np.asarray(cluster) - mean) ** 2).sum()) for cluster, mean in zip(clusters, means, strict=True)
    )
    if len(clusters) < 2 or size <= 1 or num == len(clusters):
        return float(num)
    between = float(size * means.var(ddof=1))
    within /= num - len(clusters)
    total = between + (size - 1) * within
    correlation = (between - within) / total if total else 0.0
    return num / (1 + (size - 1) * min(1.0, max(0.0, correlation)))


def bootstrap_mean(
    values: Sequence[float], num_resamples: int, seed: int, weights: Sequence[float] | None = None
) -> Interval:
    """Return the mean of independent units with its bootstrap interval; for pairs, pass their differences.

    Args:
        values: One of each unit: documents, not tokens.
        num_resamples: Samples drawn with replacement.
        seed: Of the draws.
        weights: Of each unit in the mean, its number of tokens for instance; None for equal ones.
    """
    units = np.asarray(values, dtype=np.float64)
    shares = np.ones_like(units) if weights is None else np.asarray(weights, dtype=np.float64)
    mean = float(np.average(units, weights=shares))
    if len(units) < 2:
        return Interval(mean, None, None, len(units))
    low, high = bootstrap_bounds(units, shares, num_resamples, seed)
    return Interval(mean, float(low), float(high), len(units))


def bootstrap_bounds(values: Array, weights: Array, num_resamples: int, seed: int) -> tuple[Array, Array]:
    """Return the ends of the bootstrap intervals of weighted means over the last axis.

    Resampled means vary too little by (n - 1) / n, and their quantiles are those of a normal distribution, not of
    Student's: at n = 10 a plain percentile interval holds the truth in 90 % of cases. The quantiles are therefore
    moved outwards, from 2.5 % to 0.9 % at n = 10.

    Source: the expanded percentile interval of Hesterberg 2015 (arXiv 1411.5279).
    """
    num_units = values.shape[-1]
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, num_units - 1) * np.sqrt(num_units / (num_units - 1))
    found = stats.bootstrap(
        (values * weights, np.broadcast_to(weights, values.shape)),
        lambda sums, counts, axis: sums.sum(axis=axis) / counts.sum(axis=axis),
        paired=True,
        vectorized=True,
        axis=-1,
        n_resamples=num_resamples,
        batch=100,
        confidence_level=1 - 2 * float(stats.norm.sf(quantile)),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return found.confidence_interval.low, found.confidence_interval.high


def compare_means(
    left: Sequence[float], right: Sequence[float], num_resamples: int, seed: int, weights: Sequence[float] | None = None
) -> Difference:
    """Return the mean of `left - right` over paired units with bootstrap interval and sign-flip test."""
    differences = np.asarray(left, dtype=np.float64) - np.asarray(right, dtype=np.float64)
    interval = bootstrap_mean(list(differences), num_resamples, seed, weights)
    shares = np.ones_like(differences) if weights is None else np.asarray(weights, dtype=np.float64)
    units = differences * shares / shares.mean()
    p = compute_sign_flip_p(units, seed)
    return Difference(**asdict(interval), p=p, p_holm=p, detectable=find_detectable_mean(units))


def compute_sign_flip_p(differences: Array, seed: int) -> float:
    """Return the two-sided p of a mean difference if each difference were as likely to have the other sign.

    The smallest p that n units can give is 2 / 2^n: 0.25 for three.
    """
    if len(differences) < 2 or not differences.any():
        return 1.0
    found = stats.permutation_test(
        (differences,),
        lambda units, axis: units.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=MAX_FLIPS,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def find_detectable_mean(differences: Array) -> float | None:
    """Return the mean difference that a paired t-test over units as varied as these finds in 80 % of cases."""
    num_units = len(differences)
    if num_units < 2:
        return None
    critical = stats.t.ppf((1 + CONFIDENCE) / 2, num_units - 1)

    def miss(effect: float) -> float:
        return float(stats.nct.sf(critical, num_units - 1, effect) - POWER)

    noncentrality = float(optimize.brentq(miss, 0.0, 10 * critical))
    return noncentrality * float(differences.std(ddof=1)) / float(np.sqrt(num_units))


def compare_shares(left: Sequence[bool], right: Sequence[bool]) -> Difference:
    """Return the share of `left` minus that of `right` over the same trials, with McNemar's exact test.

    The interval is Newcombe's, which has a width also where all trials agree.

    Source: Newcombe 1998 (Statistics in Medicine 17, 2635), method 10; McNemar 1947.
    """
    pairs = list(zip(left, right, strict=True))
    both, only_left, only_right, neither = (
        pairs.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False))
    )
    one, other = wilson(both + only_left, len(pairs)), wilson(both + only_right, len(pairs))
    correlation = correlate_pairs(both, only_left, only_right, neither)
    value = one.value - other.value
    low = value - join_distances(distance(one, one.low), distance(other, other.high), correlation)
    high = value + join_distances(distance(one, one.high), distance(other, other.low), correlation)
    discordant = only_left + only_right
    p = float(stats.binomtest(only_left, discordant).pvalue) if discordant else 1.0
    return Difference(value, low, high, len(pairs), p, p, find_detectable_share(len(pairs)))


def distance(interval: Interval, end: float | None) -> float:
    """Return how far an end of an interval is from its value."""
    return abs(interval.value - end) if end is not None else 0.0


def join_distances(one: float, other: float, correlation: float) -> float:
    """Return the distance that a difference has, of the distances of its two correlated terms."""
    return float(np.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2)))


def correlate_pairs(both: int, only_left: int, only_right: int, neither: int) -> float:
    """Return the correlation of paired outcomes, corrected downwards for small samples; 0 where there is none.

    Source: Newcombe 1998, method 10.
    """
    num_pairs = both + only_left + only_right + neither
    margins = (both + only_left) * (only_right + neither) * (both + only_right) * (only_left + neither)
    product = float(both * neither - only_left * only_right)
    if product > 0:
        product = max(0.0, product - num_pairs / 2)
    return product / margins**0.5 if margins else 0.0


def find_detectable_share(num_trials: int) -> float | None:
    """Return the difference of shares that McNemar's exact test finds in 80 % of cases; None if it can find none.

    The best case: trials change in one direction only. Six must change: 2 / 2^6 is the first p below 0.05.
    """
    num_changed = next(number for number in range(1, 100) if 2 * 0.5**number <= 1 - CONFIDENCE)
    if num_trials < num_changed:
        return None
    return float(optimize.brentq(lambda share: stats.binom.sf(num_changed - 1, num_trials, share) - POWER, 0, 1))


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that keep the chance of any false alarm in the family at the level of one test.

    Source: Holm 1979 (Scandinavian Journal of Statistics 6, 65).
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def correct_family(differences: Mapping[str, Difference]) -> dict[str, dict[str, Any]]:
    """Return differences that were tested together, each as a mapping for JSON with its p by Holm's correction."""
    adjusted = adjust_holm([difference.p for difference in differences.values()])
    return {
        name: {**asdict(difference), "p_holm": p}
        for (name, difference), p in zip(differences.items(), adjusted, strict=True)
    }


def split_spread(values: Sequence[Sequence[float]]) -> Spread:
    """Split the spread of measurements into that of training seeds and that of documents.

    More documents make the second harmless and leave the first as it is: only more seeds do.

    Args:
        values: One row a seed, one column a document; at least two of each.

    Source: analysis of variance of a table with two crossed random factors (Searle, Casella and McCulloch 1992).
    """
    table = np.asarray(values, dtype=np.float64)
    num_seeds, num_documents = table.shape
    if min(table.shape) < 2:
        raise ValueError(f"{num_seeds} seeds x {num_documents} documents")
    seeds, documents = table.mean(axis=1), table.mean(axis=0)
    residual = table - seeds[:, None] - documents[None, :] + table.mean()
    rest = float((residual**2).sum()) / ((num_seeds - 1) * (num_documents - 1))
    of_seeds = max(0.0, float(seeds.var(ddof=1)) - rest / num_documents)
    of_documents = max(0.0, float(documents.var(ddof=1)) - rest / num_seeds)
    return Spread(of_seeds**0.5, of_documents**0.5, rest**0.5)
