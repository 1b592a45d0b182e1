"""Intervals against published values and by their properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.stats import bootstrap_mean, wilson


@pytest.mark.parametrize(("trials", "low"), [(10, 0.72), (50, 0.93), (100, 0.96)])
def test_all_right_still_leaves_doubt(trials: int, low: float) -> None:
    interval = wilson(trials, trials)
    assert interval.value == 1
    assert interval.high == 1
    assert interval.low == pytest.approx(low, abs=0.005)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_is_symmetric_in_right_and_wrong(case: tuple[int, int]) -> None:
    right, trials = case
    interval, mirrored = wilson(right, trials), wilson(trials - right, trials)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirrored.high)


def test_no_trials_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="of 0 trials"):
        wilson(0, 0)


def test_the_bootstrap_covers_the_true_mean_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for number in range(300):
        interval = bootstrap_mean(list(random.normal(3.0, 1.0, size=40)), 1_000, seed=number)
        covered += interval.low <= 3.0 <= interval.high
    assert 0.90 <= covered / 300 <= 0.98


def test_the_bootstrap_is_a_function_of_its_seed() -> None:
    values = [0.1, 0.5, -0.2, 0.3]
    assert bootstrap_mean(values, 500, seed=1) == bootstrap_mean(values, 500, seed=1)
    assert bootstrap_mean([0.25], 100, seed=1) == bootstrap_mean([0.25], 100, seed=2)
