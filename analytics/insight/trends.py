"""What is new, rising, falling or gone: each theme beside its earlier weeks, all tested together.

The unit is an author in a window, so that one who writes thirty texts counts once. Counts vary more than
independent ones would (people write in bursts): how much more is measured in the weeks before, cell by cell
and drawn towards that of all cells. Of every cell the last week, the last days and every step of the last
half year are tested; all tests of a night are one family, corrected for being many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import reduce

import numpy as np
import polars as pl

from analytics.insight.rates import (
    RunningSums,
    Spread,
    benjamini_hochberg,
    change_p_value,
    find_onset,
    rate_change,
)
from analytics.insight.windows import EVERYTHING, Diary, keep_diary
from analytics.settings import TrendSettings

WEEK_DAYS = 7
SHORT_DAYS = 3
"""Days of the short window, which is held against the same weekdays of the weeks before."""
MIN_WINDOWS = 3
"""So many windows before the recent one must have an exposure, or nothing is said of a cell."""
STEP, WINDOW, SHORT = "step", "window", "short"
WEIGHTS = {STEP: 1.0, WINDOW: 1.7, SHORT: 0.3}
"""What each of a cell's tests has of the false discoveries allowed."""

NEW, RISING, FALLING, GONE, STEADY = "new", "rising", "falling", "gone", "steady"

CHANGE_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "subject_kind": pl.String,  # all | item | segment
    "subject": pl.String,
    "kind": pl.String,  # new | rising | falling | gone | steady
    "days_after": pl.Int64,  # days that n_after is counted in
    "n_after": pl.Int64,  # distinct authors of each window since, summed
    "n_before": pl.Int64,  # the same of the windows before
    "exposure_after": pl.Float64,
    "exposure_before": pl.Float64,
    "ratio": pl.Float64,  # of the rates; null where there was none before
    "ratio_low": pl.Float64,
    "ratio_high": pl.Float64,
    "dispersion": pl.Float64,
    "p_value": pl.Float64,
    "q_value": pl.Float64,  # adjusted for all tests of the night
    "since": pl.Date,  # first day of the new rate, where there is a change
}
_CONFORMED = [pl.col(name).cast(dtype) for name, dtype in CHANGE_ROWS.items()]


def find_changes(
    mentions: pl.DataFrame,
    exposure: pl.DataFrame,
    settings: TrendSettings,
    *,
    as_of: date,
    min_authors: int,
) -> pl.DataFrame:
    """Changes of the last days and steps of the last half year, one row for each cell; see CHANGE_ROWS.

    A cell that has several is told by the test that is surest.

    Args:
        mentions: Columns theme_id, subject_kind, subject, author, day: who mentions what, where and when.
        exposure: Columns subject_kind, subject, day, n: orders, or authors who wrote anything.
        settings: Lengths of the windows, and which change counts.
        as_of: Last day of the recent windows.
        min_authors: A cell with fewer distinct authors in all windows of a test together is not tested; as
            the test is made given that sum, the choice does not bias it.
    """
    diary = keep_diary(mentions, exposure, as_of=as_of, n_days=days_looked_at(settings))
    return tell_changes(diary, settings, as_of=as_of, min_authors=min_authors)


def without_season(changes: pl.DataFrame, year_ago: pl.DataFrame) -> pl.DataFrame:
    """Changes without those that the same cell, or its theme everywhere, had a year ago: they are season.

    Args:
        changes: As `find_changes` returns them.
        year_ago: The same as of a year before.
    """
    cell = ["theme_id", "subject_kind", "subject"]
    up = pl.col("kind").is_in([NEW, RISING])
    is_up = pl.when(up).then(True).when(pl.col("kind").is_in([FALLING, GONE])).then(False)
    then = year_ago.select(*cell, was_up=is_up).drop_nulls()
    everywhere = then.filter(subject_kind=EVERYTHING).select("theme_id", was_up_everywhere="was_up")
    held = changes.join(then, on=cell, how="left", maintain_order="left")
    held = held.join(everywhere, on="theme_id", how="left", maintain_order="left")
    is_season = pl.any_horizontal(
        (is_up == pl.col(name)).fill_null(False) for name in ("was_up", "was_up_everywhere")
    )
    return held.with_columns(
        kind=pl.when(is_season).then(pl.lit(STEADY)).otherwise("kind"),
        since=pl.when(~is_season).then("since"),
    ).drop("was_up", "was_up_everywhere")


def days_looked_at(settings: TrendSettings) -> int:
    """How many days the tests of a night look at."""
    baseline_days = settings.baseline_weeks * WEEK_DAYS
    return max(settings.step_weeks * WEEK_DAYS, baseline_days + max(settings.recent_days, WEEK_DAYS))


def _days_held_against(settings: TrendSettings) -> int:
    """Days of the whole windows that the recent one is held against."""
    return settings.baseline_weeks * WEEK_DAYS // settings.recent_days * settings.recent_days


def tell_changes(diary: Diary, settings: TrendSettings, *, as_of: date, min_authors: int) -> pl.DataFrame:
    """`find_changes` in what is counted already; the diary has the days looked at."""
    tests = [_hold_against(diary, settings, min_authors), _try_steps(diary, settings, min_authors)]
    if settings.recent_days > SHORT_DAYS:
        tests.append(_hold_against(diary, settings, min_authors, SHORT_DAYS))
    p_values = np.concatenate([test.p_value for test in tests])
    is_whole = (diary.cells["subject_kind"] == EVERYTHING).to_numpy()
    weights = np.concatenate([WEIGHTS[test.name] * _of_places(is_whole[test.rows]) for test in tests])
    ends = np.cumsum([len(test.rows) for test in tests])[:-1]
    q_values = np.split(benjamini_hochberg(p_values, weights), ends)
    told = [_told(diary, test, q_value, settings) for test, q_value in zip(tests, q_values, strict=True)]
    changed = pl.concat(told).filter(pl.col("kind") != STEADY).sort("p_value", maintain_order=True)
    every = pl.concat([changed, *told[:2]])
    found = every.unique("row", keep="first", maintain_order=True).sort("row")
    since = _first_days(diary, found, as_of, _days_held_against(settings) + settings.recent_days)
    return found.with_columns(since=since).select(_CONFORMED)


def _of_places(is_whole: np.ndarray) -> np.ndarray:
    """Weights of tests, 1 in the mean: the whole store has as much as all its parts, which are many more."""
    n, n_whole = len(is_whole), int(is_whole.sum())
    if n_whole in (0, n):
        return np.ones(n)
    return np.where(is_whole, 0.5 * n / n_whole, 0.5 * n / (n - n_whole))


@dataclass(frozen=True)
class _Tests:
    """One kind of test, of all cells that it can be made of."""

    name: str
    rows: np.ndarray
    """Rows of the diary's cells (n,)."""
    after: np.ndarray
    before: np.ndarray
    exposure_after: np.ndarray
    exposure_before: np.ndarray
    days_after: np.ndarray
    spread: Spread
    p_value: np.ndarray

    @property
    def sides(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What `rate_change` takes before the spread."""
        return self.after, self.before, self.exposure_after, self.exposure_before


def _hold_against(
    diary: Diary, settings: TrendSettings, min_authors: int, n_days: int | None = None
) -> _Tests:
    """Test the last window, or its last days, against the windows before.

    How much counts vary is told from all windows of the diary, in spans as long as the baseline.
    """
    recent = settings.recent_days
    stride = recent if n_days is None else max(recent, WEEK_DAYS)
    n_before, last = settings.baseline_weeks * WEEK_DAYS // stride, diary.n_days // stride - 1
    counts, exposure = diary.count(last + 1, stride, n_days or recent)
    has_base = (exposure[:, last - n_before : last] > 0).sum(axis=1) >= MIN_WINDOWS
    has_authors = diary.n_authors((n_before + 1) * stride) >= min_authors
    rows = np.flatnonzero(has_authors & has_base & (exposure[:, last] > 0))
    sums = RunningSums.of(counts[rows], exposure[rows])
    spread = sums.spread([(end - n_before, end) for end in range(last, n_before - 1, -n_before)])
    name, window = (SHORT, n_days) if n_days else (WINDOW, recent)
    return _compare(name, rows, sums, (last - n_before, last, last + 1), spread, window)


def _try_steps(diary: Diary, settings: TrendSettings, min_authors: int) -> _Tests:
    """Test every week as the first of another rate: the surest, corrected for the weeks tried.

    It is told by the likeliest week, which may be another one: where a rate rose twice, the later rise is.
    """
    n_weeks = settings.step_weeks
    counts, exposure = diary.count(n_weeks, WEEK_DAYS, WEEK_DAYS)
    is_known = (exposure > 0).sum(axis=1) >= 2 * MIN_WINDOWS
    rows = np.flatnonzero(is_known & (diary.n_authors(n_weeks * WEEK_DAYS) >= min_authors))
    sums = RunningSums.of(counts[rows], exposure[rows])
    splits = range(MIN_WINDOWS, n_weeks - 1)
    n_alike = min(settings.baseline_weeks, n_weeks)
    times = 1 + 2 * sums.likeness([(end - n_alike, end) for end in range(n_weeks, n_alike - 1, -n_alike)])

    def step_at(week: int) -> _Tests:
        spread = sums.spread([(0, week), (week, n_weeks)])
        spread = replace(spread, dispersion=spread.dispersion * times)
        return _compare(STEP, rows, sums, (0, week, n_weeks), spread, WEEK_DAYS)

    likeliest = reduce(_likelier, map(step_at, splits))
    return replace(likeliest, p_value=np.minimum(1.0, likeliest.p_value * len(splits)))


def _compare(
    name: str,
    rows: np.ndarray,
    sums: RunningSums,
    places: tuple[int, int, int],
    spread: Spread,
    window_days: int,
) -> _Tests:
    """Test the windows from the second place to the third against those from the first to the second."""
    first, split, end = places
    after, exposure_after, *_ = sums.within(split, end)
    before, exposure_before, *_ = sums.within(first, split)
    is_known = (exposure_before > 0) & (exposure_after > 0)
    sides = after, before, np.maximum(exposure_after, 1e-9), np.maximum(exposure_before, 1e-9)
    p_value = np.where(is_known, change_p_value(*sides, spread), 1.0)
    return _Tests(name, rows, *sides, np.full(len(rows), (end - split) * window_days), spread, p_value)


def _likelihood(test: _Tests) -> np.ndarray:
    """Logarithm of the likelihood of two steady rates, but for what is the same for every split."""
    sides = (test.after, test.exposure_after), (test.before, test.exposure_before)
    parts = [count * np.log(np.maximum(count, 1e-300) / exposed) for count, exposed in sides]
    return np.asarray(parts[0] + parts[1])


def _likelier(one: _Tests, other: _Tests) -> _Tests:
    """Of each cell the likelier test, the first where both are alike, and the smaller p-value of both."""
    is_other = _likelihood(other) > _likelihood(one)

    def chosen(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.where(is_other, right, left)

    return _Tests(
        one.name,
        one.rows,
        chosen(one.after, other.after),
        chosen(one.before, other.before),
        chosen(one.exposure_after, other.exposure_after),
        chosen(one.exposure_before, other.exposure_before),
        chosen(one.days_after, other.days_after),
        Spread(
            chosen(one.spread.dispersion, other.spread.dispersion),
            chosen(one.spread.freedom, other.spread.freedom),
        ),
        np.minimum(one.p_value, other.p_value),
    )


def _told(diary: Diary, test: _Tests, q_value: np.ndarray, settings: TrendSettings) -> pl.DataFrame:
    """CHANGE_ROWS of one kind of test without since, with row and is_step."""
    change = rate_change(*test.sides, test.spread)
    is_sure = q_value <= settings.false_discovery_rate
    rises = is_sure & (change.ratio >= settings.min_ratio)
    falls = is_sure & (change.ratio <= 1 / settings.min_ratio)
    kind = np.select(
        [rises & (test.before == 0), rises, falls & (test.after == 0), falls],
        [NEW, RISING, GONE, FALLING],
        STEADY,
    )
    return diary.cells[test.rows].with_columns(
        row=pl.Series(test.rows, dtype=pl.Int64),
        kind=pl.Series(kind, dtype=pl.String),
        days_after=pl.Series(test.days_after, dtype=pl.Int64),
        n_after=pl.Series(test.after),
        n_before=pl.Series(test.before),
        exposure_after=pl.Series(test.exposure_after),
        exposure_before=pl.Series(test.exposure_before),
        ratio=_finite(change.ratio),
        ratio_low=_finite(change.low),
        ratio_high=_finite(change.high),
        dispersion=pl.Series(test.spread.dispersion).round(6),
        p_value=pl.Series(test.p_value),
        q_value=pl.Series(q_value),
        is_step=pl.lit(test.name == STEP),
    )


def _finite(values: np.ndarray) -> pl.Series:
    return pl.Series(np.where(np.isfinite(values), np.round(values, 6), np.nan)).fill_nan(None)


def _first_days(diary: Diary, found: pl.DataFrame, as_of: date, n_days: int) -> pl.Series:
    """First day of the new rate of each cell that changed: of a step its week, else the likeliest day."""
    days: list[date | None] = []
    for row, kind, is_step, days_after in found.select("row", "kind", "is_step", "days_after").iter_rows():
        ago = days_after
        if kind != STEADY and not is_step:
            place = find_onset(*diary.daily(row, n_days))
            ago = 0 if place is None else n_days - place
        days.append(as_of - timedelta(days=ago - 1) if kind != STEADY and ago else None)
    return pl.Series(days, dtype=pl.Date)
