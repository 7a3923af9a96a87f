"""Comparison of rates: by hand, against scipy's tests and against a simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.insight.rates import (
    RunningSums,
    Spread,
    benjamini_hochberg,
    dispersion_around,
    find_onset,
    rate_change,
)


def known(dispersion: float = 1.0) -> Spread:
    return Spread(np.full(1, dispersion), np.full(1, np.inf))


def measure_spread(counts: np.ndarray, exposure: np.ndarray) -> Spread:
    return RunningSums.of(counts, exposure).spread([(0, counts.shape[1])])


def test_without_over_dispersion_the_test_is_the_exact_binomial_one() -> None:
    one = np.ones(1)
    found = rate_change(np.array([12.0]), np.array([40.0]), 100 * one, 800 * one, known())
    upper = stats.binom.sf(11, 52, 100 / 900)
    assert found.p_value[0] == pytest.approx(2 * upper, rel=1e-9)
    assert found.ratio[0] == pytest.approx(12 / 100 / (40 / 800))
    low, high = stats.binomtest(12, 52).proportion_ci(0.95, "exact")
    assert found.low[0] == pytest.approx(low / (1 - low) * 8)
    assert found.high[0] == pytest.approx(high / (1 - high) * 8)


def test_nothing_before_and_nothing_since() -> None:
    none, some, one = np.zeros(1), np.full(1, 9.0), np.ones(1)
    new = rate_change(some, none, one, 8 * one, known())
    assert np.isinf(new.ratio[0])
    assert new.low[0] > 1
    gone = rate_change(none, 8 * some, one, 8 * one, known())
    assert gone.ratio[0] == 0
    assert gone.high[0] < 1
    silent = rate_change(none, none, one, 8 * one, known())
    assert np.isnan(silent.ratio[0])
    assert silent.p_value[0] == 1


def test_what_comes_in_bursts_must_change_more() -> None:
    one = np.ones(1)
    calm = rate_change(np.array([30.0]), np.array([120.0]), one, 8 * one, known())
    wild = rate_change(np.array([30.0]), np.array([120.0]), one, 8 * one, known(4.0))
    assert wild.p_value[0] > calm.p_value[0]
    assert wild.low[0] < calm.low[0] < calm.high[0] < wild.high[0]


def test_a_dispersion_told_from_little_widens_the_interval() -> None:
    one = np.ones(1)
    counts = np.array([30.0]), np.array([120.0]), one, 8 * one
    sure, unsure = (rate_change(*counts, Spread(2 * one, np.full(1, freedom))) for freedom in (np.inf, 8.0))
    assert unsure.low[0] < sure.low[0] < sure.high[0] < unsure.high[0]
    assert unsure.p_value[0] > sure.p_value[0]


@pytest.mark.parametrize("mean", [6.0, 40.0])
def test_no_change_gives_small_p_values_as_seldom_as_they_say(mean: float) -> None:
    rng = np.random.default_rng(5)
    means = np.array([mean, 8 * mean]) * np.ones((200_000, 1))
    recent, before = rng.poisson(rng.gamma(means / 0.6, 0.6)).T.astype(float)
    n = len(recent)
    spread = Spread(np.full(n, 1.6), np.full(n, np.inf))
    p_value = rate_change(recent, before, np.ones(n), np.full(n, 8.0), spread).p_value
    for level in (0.05, 1e-3):
        assert level / 4 < np.mean(p_value <= level) < 1.25 * level


def drawn(rng: np.random.Generator, dispersion: np.ndarray, n_windows: int = 24) -> np.ndarray:
    more = dispersion[:, None] - 1
    return rng.poisson(rng.gamma(20 / more, more, (len(dispersion), n_windows))).astype(float)


def test_dispersion_is_one_for_independent_counts_and_found_where_there_is_more() -> None:
    rng = np.random.default_rng(0)
    exposure = np.tile(rng.uniform(50, 150, 8), (400, 1))
    calm = rng.poisson(exposure / 10)
    assert measure_spread(calm, exposure).dispersion.mean() == pytest.approx(1.0, abs=0.12)
    wild = rng.poisson(rng.gamma(5.0, exposure / 50))
    assert measure_spread(wild, exposure).dispersion.mean() == pytest.approx(3.0, abs=0.3)


def test_cells_that_differ_lend_each_other_less() -> None:
    rng = np.random.default_rng(1)
    alike = drawn(rng, np.full(400, 1.5))
    unlike = drawn(rng, np.tile([1.1, 3.0], 200))
    one, other = (measure_spread(some, np.ones_like(some)) for some in (alike, unlike))
    assert one.freedom.mean() > 2 * other.freedom.mean()
    assert other.dispersion[1::2].mean() == pytest.approx(3.0, abs=0.5)
    assert other.dispersion[::2].mean() < 1.8


def test_a_step_is_no_burst() -> None:
    rng = np.random.default_rng(2)
    counts = np.concatenate([rng.poisson(10, (50, 12)), rng.poisson(40, (50, 12))], axis=1).astype(float)
    exposure = np.ones_like(counts)
    assert dispersion_around(counts, exposure, 12).dispersion.mean() == pytest.approx(1.0, abs=0.15)
    assert measure_spread(counts, exposure).dispersion.mean() > 5


@given(st.lists(st.floats(0, 1), min_size=0, max_size=40))
def test_adjusted_p_values_are_those_of_scipy(p_values: list[float]) -> None:
    adjusted = benjamini_hochberg(np.array(p_values))
    if p_values:
        assert adjusted == pytest.approx(stats.false_discovery_control(p_values))
    else:
        assert not len(adjusted)


def test_bursts_across_two_windows_make_them_alike() -> None:
    rng = np.random.default_rng(3)
    week = rng.gamma(8.0, 1 / 8, (500, 28))
    halves = np.repeat(week, 2, axis=1)[:, 1:49] / 2
    for counts, expected in (
        (rng.poisson(20 * halves.reshape(500, 24, 2).sum(axis=2)), 20 / 8 / 4 / (1 + 20 / 8 / 2)),
        (rng.poisson(20 * week[:, :24]), 0.0),
    ):
        sums = RunningSums.of(counts.astype(float), np.ones((500, 24)))
        told = sums.likeness([(0, 8), (8, 16), (16, 24)])
        assert told == pytest.approx(expected, abs=0.04)


def test_a_test_of_more_weight_has_more_of_the_false_discoveries() -> None:
    p_values = np.array([0.04, 0.04, 0.5, 0.9])
    assert (benjamini_hochberg(p_values, np.full(4, 3.0)) == benjamini_hochberg(p_values)).all()
    adjusted = benjamini_hochberg(p_values, np.array([2.0, 1.0, 0.5, 0.5]))
    assert adjusted[0] == pytest.approx(0.04 / 2 * 4)
    assert adjusted[1] == pytest.approx(0.04 * 4 / 2)


def test_the_first_day_of_another_rate() -> None:
    counts = np.array([1, 0, 1, 0, 1, 0, 5, 6, 4, 5.0])
    assert find_onset(counts, np.ones(10)) == 6
    assert find_onset(np.zeros(10), np.ones(10)) is None
    assert find_onset(np.ones(10), np.ones(10)) is None
    grown = np.array([10.0] * 5 + [100.0] * 5)
    assert find_onset(grown / 10, grown) is None, "the rate is the same, there is only more of everything"
