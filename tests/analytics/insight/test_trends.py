"""Changes of rates: by hand, against a simulated truth, and where nothing can be told."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.insight.trends import (
    CHANGE_ROWS,
    GONE,
    NEW,
    RISING,
    STEADY,
    benjamini_hochberg,
    find_changes,
    find_onset,
    find_steps,
    measure_dispersion,
    rate_change,
)
from analytics.settings import TrendSettings

AS_OF = date(2026, 6, 30)
SETTINGS = TrendSettings()


def test_without_over_dispersion_the_test_is_the_exact_binomial_one() -> None:
    one = np.ones(1)
    found = rate_change(np.array([12.0]), np.array([40.0]), 100 * one, 800 * one, one)
    upper = stats.binom.sf(11, 52, 100 / 900)
    assert found.p_value[0] == pytest.approx(2 * upper, rel=1e-9)
    assert found.ratio[0] == pytest.approx(12 / 100 / (40 / 800))
    low, high = stats.binomtest(12, 52).proportion_ci(0.95, "exact")
    assert found.low[0] == pytest.approx(low / (1 - low) * 8)
    assert found.high[0] == pytest.approx(high / (1 - high) * 8)


def test_nothing_before_and_nothing_since() -> None:
    none, some, one = np.zeros(1), np.full(1, 9.0), np.ones(1)
    new = rate_change(some, none, one, 8 * one, one)
    assert np.isinf(new.ratio[0])
    assert new.low[0] > 1
    gone = rate_change(none, 8 * some, one, 8 * one, one)
    assert gone.ratio[0] == 0
    assert gone.high[0] < 1
    silent = rate_change(none, none, one, 8 * one, one)
    assert np.isnan(silent.ratio[0])
    assert silent.p_value[0] == 1


def test_what_comes_in_bursts_must_change_more() -> None:
    one = np.ones(1)
    calm = rate_change(np.array([30.0]), np.array([120.0]), one, 8 * one, one)
    wild = rate_change(np.array([30.0]), np.array([120.0]), one, 8 * one, 4 * one)
    assert wild.p_value[0] > calm.p_value[0]
    assert wild.low[0] < calm.low[0] < calm.high[0] < wild.high[0]


def test_dispersion_is_one_for_independent_counts_and_found_where_there_is_more() -> None:
    rng = np.random.default_rng(0)
    exposure = np.tile(rng.uniform(50, 150, 8), (400, 1))
    calm = rng.poisson(exposure / 10)
    assert measure_dispersion(calm, exposure).mean() == pytest.approx(1.0, abs=0.12)
    wild = rng.poisson(rng.gamma(5.0, exposure / 50))
    assert measure_dispersion(wild, exposure).mean() == pytest.approx(3.0, abs=0.3)


@given(st.lists(st.floats(0, 1), min_size=0, max_size=40))
def test_adjusted_p_values_are_those_of_scipy(p_values: list[float]) -> None:
    adjusted = benjamini_hochberg(np.array(p_values))
    if p_values:
        assert adjusted == pytest.approx(stats.false_discovery_control(p_values))
    else:
        assert not len(adjusted)


def test_the_first_day_of_another_rate() -> None:
    counts = np.array([1, 0, 1, 0, 1, 0, 5, 6, 4, 5.0])
    assert find_onset(counts, np.ones(10)) == 6
    assert find_onset(np.zeros(10), np.ones(10)) is None
    assert find_onset(np.ones(10), np.ones(10)) is None
    grown = np.array([10.0] * 5 + [100.0] * 5)
    assert find_onset(grown / 10, grown) is None, "the rate is the same, there is only more of everything"


def store(
    daily: dict[str, list[int]], *, exposure: list[int] | int = 50
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mentions by other authors each time, and what they are counted in: days from the oldest to AS_OF."""
    n_days = len(next(iter(daily.values())))
    first = AS_OF - timedelta(days=n_days - 1)
    rows = [
        (theme, "all", "all", f"{theme}-{day}-{nth}", first + timedelta(days=day))
        for theme, counts in daily.items()
        for day, count in enumerate(counts)
        for nth in range(count)
    ]
    schema = {
        "theme_id": pl.String,
        "subject_kind": pl.String,
        "subject": pl.String,
        "author": pl.String,
        "day": pl.Date,
    }
    shown = [exposure] * n_days if isinstance(exposure, int) else exposure
    days = [first + timedelta(days=day) for day in range(n_days)]
    written = pl.DataFrame({"subject_kind": "all", "subject": "all", "day": days, "n": shown})
    return pl.DataFrame(rows, schema=schema, orient="row"), written.with_columns(pl.col("n").cast(pl.Float64))


def changes(mentions: pl.DataFrame, exposure: pl.DataFrame, find=find_changes) -> dict[str, dict]:
    found = find(mentions, exposure, SETTINGS, as_of=AS_OF, min_authors=5)
    assert found.schema == pl.Schema(CHANGE_ROWS)
    return {row["theme_id"]: row for row in found.iter_rows(named=True)}


def test_a_new_one_a_rising_one_a_gone_one_and_a_steady_one() -> None:
    found = changes(
        *store(
            {
                "new": [0] * 58 + [4] * 5,
                "rising": [3] * 56 + [12] * 7,
                "gone": [4] * 56 + [0] * 7,
                "steady": [3] * 63,
            }
        )
    )
    kinds = {theme: row["kind"] for theme, row in found.items()}
    assert kinds == {"new": NEW, "rising": RISING, "gone": GONE, "steady": STEADY}
    assert found["new"]["since"] == AS_OF - timedelta(days=4)
    assert found["rising"]["since"] == AS_OF - timedelta(days=6)
    assert found["rising"]["ratio"] == pytest.approx(4.0)
    assert found["steady"]["since"] is None


def test_more_of_everything_is_no_change() -> None:
    found = changes(*store({"a": [2] * 56 + [20] * 7}, exposure=[50] * 56 + [500] * 7))
    assert found["a"]["kind"] == STEADY
    assert found["a"]["ratio"] == pytest.approx(1.0)


def test_one_author_with_thirty_texts_is_one() -> None:
    mentions, exposure = store({"a": [1] * 63})
    loud = mentions.tail(1).select(pl.all().repeat_by(30).explode())
    found = changes(pl.concat([mentions, loud]), exposure)
    assert found["a"]["n_after"] == 7
    assert found["a"]["kind"] == STEADY


def test_too_little_before_says_nothing() -> None:
    assert changes(*store({"a": [3] * 14})) == {}
    assert changes(*store({"a": [1] * 2 + [0] * 61})) == {}, "two authors are too few to be looked at"
    nothing, exposure = store({"a": [0] * 63})
    assert changes(nothing, exposure) == {}
    assert changes(nothing, exposure, find_steps) == {}


def test_a_step_is_found_with_its_week_long_after_it() -> None:
    daily = [0, 1, 0, 0, 1, 0, 0] * 15 + [2, 3, 2, 2, 3, 2, 2] * 11
    mentions, exposure = store({"torn": daily, "steady": [1] * 182})
    found = changes(mentions, exposure, find_steps)
    assert found["torn"]["kind"] == RISING
    assert found["torn"]["since"] == AS_OF - timedelta(days=7 * 11 - 1)
    assert found["steady"]["kind"] == STEADY
    assert changes(mentions, exposure)["torn"]["kind"] == STEADY, "of late nothing changed"


def test_the_order_of_rows_changes_nothing() -> None:
    mentions, exposure = store({"a": [3] * 56 + [12] * 7, "b": [2] * 63})
    shuffled = mentions.sample(fraction=1.0, shuffle=True, seed=3)
    assert changes(shuffled, exposure.reverse()) == changes(mentions, exposure)
