"""Intervals and tests against published values, hand-computed cases, scipy, and simulated data."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eval.stats import (
    adjust_holm,
    bootstrap_bounds,
    bootstrap_mean,
    bound_score,
    compare_means,
    compare_shares,
    compute_sign_flip_p,
    correct_family,
    count_independent,
    find_detectable_mean,
    find_detectable_share,
    split_spread,
    wilson,
)


@pytest.mark.parametrize(("trials", "low"), [(10, 0.72), (50, 0.93), (100, 0.96)])
def test_all_right_still_leaves_doubt(trials: int, low: float) -> None:
    interval = wilson(trials, trials)
    assert interval.value == 1
    assert interval.high == 1
    assert interval.low == pytest.approx(low, abs=0.005)
    assert interval.n == trials


def test_wilsons_interval_is_that_of_its_formula() -> None:
    z, share = 1.959963984540054, 0.3
    centre, spread = share + z**2 / 40, z * math.sqrt(share * 0.7 / 20 + z**2 / 1_600)
    interval = wilson(6, 20)
    assert interval.low == pytest.approx((centre - spread) / (1 + z**2 / 20))
    assert interval.high == pytest.approx((centre + spread) / (1 + z**2 / 20))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_is_symmetric_in_right_and_wrong(case: tuple[int, int]) -> None:
    right, trials = case
    interval, mirrored = wilson(right, trials), wilson(trials - right, trials)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirrored.high)


def test_no_trials_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="of 0 trials"):
        wilson(0, 0)


@pytest.mark.parametrize("num_units", [10, 20, 40])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_bootstrap_interval_holds_the_truth_in_93_to_97_percent(num_units: int, weighted: bool) -> None:
    random = np.random.default_rng(0)
    values = random.normal(3.0, 1.0, size=(2_000, num_units))
    weights = random.uniform(0.5, 1.5, size=num_units) if weighted else np.ones(num_units)
    low, high = bootstrap_bounds(values, weights, 1_000, seed=1)
    assert 0.93 <= ((low <= 3.0) & (high >= 3.0)).mean() <= 0.97


def test_the_bootstrap_interval_of_skewed_units_holds_the_truth_as_often() -> None:
    values = np.random.default_rng(0).gamma(4.0, size=(2_000, 40))
    low, high = bootstrap_bounds(values, np.ones(40), 1_000, seed=1)
    assert 0.93 <= ((low <= 4.0) & (high >= 4.0)).mean() <= 0.97


def test_a_plain_percentile_interval_would_be_too_narrow() -> None:
    values = np.random.default_rng(0).normal(size=10)
    interval = bootstrap_mean(list(values), 5_000, seed=1)
    plain = stats.bootstrap((values,), np.mean, n_resamples=5_000, method="percentile", rng=np.random.default_rng(1))
    assert interval.low < plain.confidence_interval.low < plain.confidence_interval.high < interval.high
    student = stats.ttest_1samp(values, 0).confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((student.low, student.high), abs=0.1 * np.ptp(values) / 3)


def test_the_bootstrap_is_a_function_of_its_seed() -> None:
    values = [0.1, 0.5, -0.2, 0.3]
    assert bootstrap_mean(values, 500, seed=1) == bootstrap_mean(values, 500, seed=1)


def test_one_unit_has_no_interval() -> None:
    interval = bootstrap_mean([0.25], 100, seed=1)
    assert (interval.value, interval.low, interval.high, interval.n) == (0.25, None, None, 1)
    difference = compare_means([0.25], [0.5], 100, seed=1)
    assert (difference.low, difference.p, difference.detectable) == (None, 1.0, None)


def test_weights_count_units_as_often_as_they_say() -> None:
    assert bootstrap_mean([1.0, 4.0], 100, seed=1, weights=[2.0, 1.0]).value == 2.0
    found = compare_means([1.0, 4.0, 2.0], [0.0, 2.0, 2.0], 100, seed=1, weights=[2.0, 1.0, 1.0])
    assert found.value == 1.0


def test_a_sign_flip_test_counts_all_signs_of_few_units() -> None:
    differences = np.array([0.5, 1.0, 2.0])
    means = [abs(sum(signs * differences)) for signs in product((-1, 1), repeat=3)]
    assert compute_sign_flip_p(differences, 0) == pytest.approx(np.mean(np.array(means) >= 3.5)) == 0.25
    assert compute_sign_flip_p(np.zeros(3), 0) == 1.0


def test_sign_flips_and_students_test_agree_on_many_normal_units() -> None:
    differences = np.random.default_rng(0).normal(0.3, 1.0, size=60)
    assert compute_sign_flip_p(differences, 0) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)


def test_the_power_of_34_pairs_for_half_a_standard_deviation_is_80_percent() -> None:
    """Cohen 1988, and every table of sample sizes since: d = 0.5 takes 34 pairs."""
    ones = np.tile([-1.0, 1.0], 17)
    needed = find_detectable_mean(ones / ones.std(ddof=1))
    assert needed == pytest.approx(0.5, abs=0.01)


def test_a_detectable_difference_is_detected_in_80_percent_of_simulations() -> None:
    values = np.random.default_rng(0).normal(size=(4_000, 12))
    pattern = np.tile([-1.0, 1.0], 6) / np.tile([-1.0, 1.0], 6).std(ddof=1)
    found = stats.ttest_1samp(values + find_detectable_mean(pattern), 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.02)


def test_five_trials_can_show_no_difference_of_shares_and_ten_a_large_one() -> None:
    assert find_detectable_share(5) is None
    share = find_detectable_share(10)
    assert stats.binom.sf(5, 10, share) == pytest.approx(0.8)
    assert find_detectable_share(1_000) < 0.01


def test_paired_shares_are_those_of_newcombes_formula_by_hand() -> None:
    left = [True] * 6 + [True] * 3 + [False] + [False] * 2
    right = [True] * 6 + [False] * 3 + [True] + [False] * 2
    found = compare_shares(left, right)
    one, other = stats.binomtest(9, 12), stats.binomtest(7, 12)
    l1, u1 = one.proportion_ci(method="wilson")
    l2, u2 = other.proportion_ci(method="wilson")
    phi = max(6 * 2 - 3 * 1 - 12 / 2, 0) / math.sqrt(9 * 3 * 7 * 5)
    p1, p2 = 9 / 12, 7 / 12
    assert found.value == pytest.approx(p1 - p2)
    below = math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    above = math.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    assert (found.low, found.high) == pytest.approx((p1 - p2 - below, p1 - p2 + above))
    assert found.p == pytest.approx(2 * (1 + 4) / 16)  # three of four discordant pairs, or more, on either side


def test_two_models_that_find_every_key_may_still_differ() -> None:
    found = compare_shares([True] * 10, [True] * 10)
    assert (found.value, found.p) == (0.0, 1.0)
    assert found.low < -0.2
    assert found.high > 0.2


@pytest.mark.parametrize("probabilities", [(0.5, 0.2, 0.1, 0.2), (0.8, 0.1, 0.02, 0.08)])
def test_intervals_of_paired_shares_hold_the_truth(probabilities: tuple[float, ...]) -> None:
    counts = np.random.default_rng(0).multinomial(40, probabilities, size=300)
    truth = probabilities[1] - probabilities[2]
    held = 0
    for both, left, right, neither in counts:
        one = [True] * (both + left) + [False] * (right + neither)
        other = [True] * both + [False] * left + [True] * right + [False] * neither
        found = compare_shares(one, other)
        held += found.low <= truth <= found.high
    assert held / 300 >= 0.93


def test_holms_correction_is_that_of_his_procedure_by_hand() -> None:
    assert adjust_holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert adjust_holm([0.6, 0.5]) == [1.0, 1.0]
    assert adjust_holm([0.02]) == [0.02]
    assert adjust_holm([]) == []


def test_a_family_keeps_its_names_and_every_p_beside_the_corrected_one() -> None:
    always, never = [True] * 12, [False] * 12
    found = correct_family({"a": compare_shares(always, never), "b": compare_shares(always, always)})
    assert found["a"]["p"] == pytest.approx(2 / 2**12)
    assert found["a"]["p_holm"] == pytest.approx(4 / 2**12)
    assert found["b"]["p_holm"] == 1.0


def test_spread_of_seeds_and_of_documents_by_hand() -> None:
    spread = split_spread([[1.0, 5.0], [3.0, 7.0]])
    assert (spread.seeds, spread.documents, spread.rest) == pytest.approx((math.sqrt(2), math.sqrt(8), 0.0))
    spread = split_spread([[1.0, 2.0, 6.0], [6.0, 9.0, 9.0]])  # squares of residuals: 4, with 2 degrees of freedom
    assert spread.rest == pytest.approx(math.sqrt(4 / 2))
    assert spread.seeds == pytest.approx(math.sqrt(12.5 - 2 / 3))
    assert spread.documents == pytest.approx(math.sqrt(4 - 2 / 2))


def test_spread_is_that_of_simulated_seeds_and_documents() -> None:
    random = np.random.default_rng(0)
    seeds, documents = random.normal(0, 0.5, size=(400, 1)), random.normal(0, 2.0, size=(1, 400))
    spread = split_spread(seeds + documents + random.normal(0, 0.1, size=(400, 400)))
    assert spread.seeds == pytest.approx(0.5, rel=0.1)
    assert spread.documents == pytest.approx(2.0, rel=0.1)
    assert spread.rest == pytest.approx(0.1, rel=0.02)
    with pytest.raises(ValueError, match="1 seeds x 3 documents"):
        split_spread([[1.0, 2.0, 3.0]])


@pytest.mark.parametrize(("num_right", "num"), [(0, 10), (3, 10), (50, 50), (17, 40)])
def test_the_interval_of_scores_that_are_0_or_1_is_wilsons(num_right: int, num: int) -> None:
    interval, expected = bound_score(num_right / num, num), wilson(num_right, num)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert interval.n == num


def test_scores_of_clusters_that_agree_within_count_once_a_cluster() -> None:
    assert count_independent([[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]]) == pytest.approx(3)
    assert count_independent([[1, 0], [0, 1], [1, 0]]) == 6
    assert count_independent([[1, 1], [1, 1]]) == 4  # nothing varies
    assert count_independent([[0.5], [0.2]]) == 2
    draw = np.random.default_rng(0)
    independent = draw.integers(0, 2, (2_000, 5))
    assert count_independent(independent.tolist()) > 9_000
    half = np.where(draw.random((2_000, 5)) < 0.5**0.5, draw.integers(0, 2, (2_000, 1)), independent)
    assert count_independent(half.tolist()) == pytest.approx(10_000 / 3, rel=0.1)  # correlation 0.5: 1 + 4 * 0.5
