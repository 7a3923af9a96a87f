"""Changes of rates: by hand, against a simulated truth, and where nothing can be told."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from analytics.insight.trends import CHANGE_ROWS, GONE, NEW, RISING, STEADY, find_changes
from analytics.settings import TrendSettings

AS_OF = date(2026, 6, 30)
SETTINGS = TrendSettings()


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


def changes(mentions: pl.DataFrame, exposure: pl.DataFrame) -> dict[str, dict]:
    found = find_changes(mentions, exposure, SETTINGS, as_of=AS_OF, min_authors=5)
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


def test_a_step_is_found_with_its_week_long_after_it() -> None:
    daily = [0, 1, 0, 0, 1, 0, 0] * 15 + [2, 3, 2, 2, 3, 2, 2] * 11
    mentions, exposure = store({"torn": daily, "steady": [1] * 182})
    found = changes(mentions, exposure)
    assert found["torn"]["kind"] == RISING
    assert found["torn"]["since"] == AS_OF - timedelta(days=7 * 11 - 1)
    assert found["steady"]["kind"] == STEADY
    assert found["torn"]["days_after"] == 7 * 11


def test_one_cell_is_told_once_by_its_step_or_by_its_last_days() -> None:
    weekly = {"step": [1] * 154 + [6] * 28, "burst": [3] * 175 + [12] * 7, "days": [9] * 179 + [40] * 3}
    found = changes(*store(weekly))
    assert {theme: (row["kind"], row["days_after"]) for theme, row in found.items()} == {
        "step": (RISING, 28),
        "burst": (RISING, 7),
        "days": (RISING, 3),
    }
    assert found["days"]["n_before"] == 8 * 3 * 9, "the same weekdays of eight weeks"
    assert found["days"]["since"] == AS_OF - timedelta(days=2)


def test_the_order_of_rows_changes_nothing() -> None:
    mentions, exposure = store({"a": [3] * 56 + [12] * 7, "b": [2] * 63})
    shuffled = mentions.sample(fraction=1.0, shuffle=True, seed=3)
    assert changes(shuffled, exposure.reverse()) == changes(mentions, exposure)


@pytest.mark.parametrize("recent_days", [1, 3, 5, 14, 18])
@pytest.mark.parametrize("weeks", [(8, 26), (30, 12), (8, 12)])
def test_windows_of_any_length_tell_a_rise(recent_days: int, weeks: tuple[int, int]) -> None:
    baseline, step = weeks
    settings = TrendSettings(recent_days=recent_days, baseline_weeks=baseline, step_weeks=step)
    mentions, exposure = store(
        {"rising": [4] * (240 - recent_days) + [40] * recent_days, "steady": [3] * 240}
    )
    found = find_changes(mentions, exposure, settings, as_of=AS_OF, min_authors=5)
    assert dict(found.select("theme_id", "kind").iter_rows()) == {"rising": RISING, "steady": STEADY}
    assert found["since"][0] == AS_OF - timedelta(days=recent_days - 1)


def test_a_recent_window_without_a_baseline_is_refused() -> None:
    with pytest.raises(ValueError, match="less than three times"):
        TrendSettings(recent_days=19)
