"""What is new, rising, falling or gone: each theme beside its earlier weeks, all tested together.

The unit is an author in a window, so that one who writes thirty texts counts once. Counts vary more than
independent ones would (people write in bursts): how much more is measured in the weeks before, cell by cell
and drawn towards that of all cells. All tests of a night are corrected for being many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy import stats
from scipy.special import betainc, betaincinv

from analytics.settings import TrendSettings

POOL_WEIGHT = 12.0
"""Windows of all cells together that count beside a cell's own when its dispersion is told."""
POOL_FREEDOM = 36.0
"""Degrees of freedom that they lend it."""
INDEPENDENT_SPLITS = 12.0
"""Splits of half a year, neighbours being much alike, that count as tried by themselves."""
WEEK_DAYS = 7
CONFIDENCE = 0.95
MIN_WINDOWS = 3
"""So many windows before the recent one must have an exposure, or nothing is said of a cell."""

NEW, RISING, FALLING, GONE, STEADY = "new", "rising", "falling", "gone", "steady"

CELL = ("theme_id", "subject_kind", "subject")
CHANGE_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "subject_kind": pl.String,  # all | item | segment
    "subject": pl.String,
    "kind": pl.String,  # new | rising | falling | gone | steady
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


@dataclass(frozen=True)
class RateChange:
    """How rates have changed; all float64 (n,)."""

    ratio: np.ndarray
    """Recent rate by the rate before; infinite where there was none before, NaN where there is neither."""
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray
    """Two-sided, against no change."""


def rate_change(
    recent: np.ndarray,
    before: np.ndarray,
    exposure_recent: np.ndarray,
    exposure_before: np.ndarray,
    dispersion: np.ndarray,
) -> RateChange:
    """Compare rates by the conditional test (Przyborowski and Wilenski 1940), counts over-dispersed.

    Given their sum, the recent one of two Poisson counts is binomial. Its tails are incomplete beta
    functions, in which over-dispersed counts stand divided by their dispersion.

    Args:
        recent: Counts of the recent window (n,).
        before: Counts of the windows before, summed (n,).
        exposure_recent: What recent counts are counted in, such as orders, above 0 (n,).
        exposure_before: The same of the windows before (n,).
        dispersion: Variance by mean of each count, at least 1 (n,).
    """
    y, n = recent / dispersion, before / dispersion
    share = exposure_recent / (exposure_recent + exposure_before)
    some, rest = np.maximum(y, 1e-12), np.maximum(n, 1e-12)
    up = np.where(y > 0, betainc(some, n + 1, share), 1.0)
    down = np.where(n > 0, betainc(rest, y + 1, 1 - share), 1.0)
    tail = (1 - CONFIDENCE) / 2
    least = np.where(y > 0, betaincinv(some, n + 1, tail), 0.0)
    most = np.where(n > 0, betaincinv(y + 1, rest, 1 - tail), 1.0)
    scale = exposure_before / exposure_recent
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(recent / before * scale)
        low, high = least / (1 - least) * scale, most / (1 - most) * scale
    return RateChange(ratio, low, high, np.minimum(1.0, 2 * np.minimum(up, down)))


def measure_dispersion(counts: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Variance by mean of counts around steady rates (Pearson), drawn towards that of all cells.

    Args:
        counts: Of each cell and window (n_cells, n_windows).
        exposure: The same shape.

    Returns:
        At least 1 (n_cells,).
    """
    return _drawn_together(*_pearson(counts, exposure))


def dispersion_around(counts: np.ndarray, exposure: np.ndarray, split: int) -> np.ndarray:
    """Dispersion around two rates, before and from a window on, so that a step does not pass for a burst.

    Args:
        counts: Of each cell and window (n_cells, n_windows).
        exposure: The same shape.
        split: The first window of the second rate.

    Returns:
        At least 1 (n_cells,).
    """
    halves = [_pearson(counts[:, part], exposure[:, part]) for part in (slice(split), slice(split, None))]
    return _drawn_together(halves[0][0] + halves[1][0], halves[0][1] + halves[1][1])


def dispersion_freedom(n_windows: int) -> float:
    """Degrees of freedom of a cell's dispersion: its own, and what all cells lend it."""
    return POOL_FREEDOM + n_windows


def _pearson(counts: np.ndarray, exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum of squares around each cell's rate, in units of its mean, and its degrees of freedom."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = counts.sum(axis=1) / exposure.sum(axis=1)
        expected = np.nan_to_num(rate[:, None] * exposure)
        parts = np.where(expected > 0, (counts - expected) ** 2 / expected, 0.0)
    is_seen = counts.sum(axis=1) > 0
    return parts.sum(axis=1), np.where(is_seen, np.maximum(0, (exposure > 0).sum(axis=1) - 1), 0)


def _drawn_together(squares: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    pooled = max(1.0, float(squares.sum()) / max(1, int(freedom.sum())))
    return np.maximum(1.0, (squares + POOL_WEIGHT * pooled) / (freedom + POOL_WEIGHT))


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p-values (Benjamini and Hochberg 1995).

    Of the tests with at most q a share of at most q is false.
    """
    n = len(p_values)
    order = np.argsort(-p_values, kind="stable")
    ranked = np.minimum.accumulate(p_values[order] * n / np.arange(n, 0, -1)) if n else p_values
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(1.0, ranked)
    return adjusted


def find_onset(counts: np.ndarray, exposure: np.ndarray) -> int | None:
    """Place of the first day of the new rate: the split at which two steady rates are likeliest.

    Args:
        counts: Of each day (n_days,).
        exposure: Of each day (n_days,).

    Returns:
        None where there are not two days with an exposure, or the rate is the same everywhere.
    """
    before, shown = np.cumsum(counts)[:-1], np.cumsum(exposure)[:-1]
    after, left = counts.sum() - before, exposure.sum() - shown
    can_split = (shown > 0) & (left > 0)
    if not can_split.any() or not counts.sum():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(before > 0, before * np.log(before / shown), 0.0)
        gain = gain + np.where(after > 0, after * np.log(after / left), 0.0)
    gain = np.where(can_split, gain, -np.inf)
    same = counts.sum() * np.log(counts.sum() / exposure.sum())
    best = int(np.argmax(gain))
    return best + 1 if gain[best] > same + 1e-9 else None


def find_changes(
    mentions: pl.DataFrame,
    exposure: pl.DataFrame,
    settings: TrendSettings,
    *,
    as_of: date,
    min_authors: int,
) -> pl.DataFrame:
    """Hold the last days of every cell against the weeks before; see CHANGE_ROWS.

    Args:
        mentions: Columns theme_id, subject_kind, subject, author, day: who mentions what, where and when.
        exposure: Columns subject_kind, subject, day, n: orders, or authors who wrote anything.
        settings: Lengths of the windows, and which change counts.
        as_of: Last day of the recent window.
        min_authors: A cell with fewer distinct authors in all windows together is not tested; as the test
            is made given that sum, the choice does not bias it.
    """
    n_windows = 1 + settings.baseline_weeks * WEEK_DAYS // settings.recent_days
    book = _count(mentions, exposure, as_of, settings.recent_days, n_windows, min_authors)
    is_known = (book.exposure[:, -1] > 0) & ((book.exposure[:, :-1] > 0).sum(axis=1) >= MIN_WINDOWS)
    book = book.only(is_known)
    dispersion = measure_dispersion(book.counts[:, :-1], book.exposure[:, :-1])
    change = _split(book, np.full(len(book.counts), n_windows - 1), dispersion)
    found = _told(
        book, change, change.p_value, np.full(len(book.counts), n_windows - 1), dispersion, settings
    )
    first = as_of - timedelta(days=n_windows * settings.recent_days - 1)
    days = [
        None if kind == STEADY else _onset(cell, mentions, exposure, first, as_of)
        for kind, *cell in found.select("kind", *CELL).iter_rows()
    ]
    return found.with_columns(pl.Series("since", days, dtype=pl.Date)).select(_CONFORMED)


def find_steps(
    mentions: pl.DataFrame,
    exposure: pl.DataFrame,
    settings: TrendSettings,
    *,
    as_of: date,
    min_authors: int,
) -> pl.DataFrame:
    """Find since which week a cell has another rate, over the last half year; see CHANGE_ROWS.

    Every week is tried as the first of the new rate; the likeliest one counts, at a p-value that is corrected
    for the weeks tried.

    Args:
        mentions: As for `find_changes`.
        exposure: As for `find_changes`.
        settings: Weeks looked back on, and which change counts.
        as_of: Last day of the last week.
        min_authors: As for `find_changes`.
    """
    book = _count(mentions, exposure, as_of, WEEK_DAYS, settings.step_weeks, min_authors)
    book = book.only((book.exposure > 0).sum(axis=1) >= 2 * MIN_WINDOWS)
    n = len(book.counts)
    best, week, at = np.ones(n), np.full(n, settings.step_weeks - 1), np.ones(n)
    for split in range(MIN_WINDOWS, settings.step_weeks - 1):
        spread = dispersion_around(book.counts, book.exposure, split)
        p_value = _split(book, np.full(n, split), spread).p_value
        is_better = p_value < best
        best, week, at = (
            np.where(is_better, p_value, best),
            np.where(is_better, split, week),
            np.where(is_better, spread, at),
        )
    found = _told(
        book, _split(book, week, at), np.minimum(1.0, best * INDEPENDENT_SPLITS), week, at, settings
    )
    first = as_of - timedelta(days=settings.step_weeks * WEEK_DAYS - 1)
    since = [first + timedelta(days=int(place) * WEEK_DAYS) for place in week]
    changed = pl.when(pl.col("kind") != STEADY).then(pl.Series(since, dtype=pl.Date))
    return found.with_columns(since=changed).select(_CONFORMED)


@dataclass(frozen=True)
class _Counts:
    """Cells, and what they have in each window, oldest first."""

    cells: pl.DataFrame
    counts: np.ndarray
    exposure: np.ndarray

    def only(self, rows: np.ndarray) -> _Counts:
        return _Counts(self.cells.filter(rows), self.counts[rows], self.exposure[rows])


def _count(
    mentions: pl.DataFrame, exposure: pl.DataFrame, as_of: date, n_days: int, n_windows: int, min_authors: int
) -> _Counts:
    window = n_windows - 1 - (pl.lit(as_of) - pl.col("day")).dt.total_days() // n_days
    within = mentions.with_columns(window=window).filter(pl.col("window").is_between(0, n_windows - 1))
    wide = within.group_by(CELL).agg(n_authors=pl.col("author").n_unique())
    cells = wide.filter(pl.col("n_authors") >= min_authors).select(CELL).sort(CELL)
    counted = within.group_by(*CELL, "window").agg(n=pl.col("author").n_unique())
    shown = exposure.with_columns(window=window).filter(pl.col("window").is_between(0, n_windows - 1))
    shown = shown.group_by("subject_kind", "subject", "window").agg(pl.col("n").sum())
    return _Counts(
        cells,
        count_matrix(cells, counted, CELL, n_windows),
        count_matrix(cells, shown, CELL[1:], n_windows),
    )


def count_matrix(cells: pl.DataFrame, counted: pl.DataFrame, key: tuple[str, ...], width: int) -> np.ndarray:
    """Counts of each cell and window, float64 (n_cells, width); 0 where there is none.

    Args:
        cells: The rows of the matrix.
        counted: Columns window (from 0), n and those of the key, by which it is joined to the cells.
        key: Columns of both.
        width: How many windows.
    """
    placed = cells.with_row_index("row").join(counted, on=list(key))
    matrix = np.zeros((cells.height, width))
    matrix[placed["row"].to_numpy(), placed["window"].to_numpy()] = placed["n"].to_numpy()
    return matrix


def _sums(values: np.ndarray, split: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums before and from the split of each row on."""
    is_after = np.arange(values.shape[1]) >= split[:, None]
    return np.where(is_after, 0.0, values).sum(axis=1), np.where(is_after, values, 0.0).sum(axis=1)


def _split(book: _Counts, split: np.ndarray, dispersion: np.ndarray) -> RateChange:
    """How the rate differs from each cell's split on; a side without an exposure tells nothing."""
    before, after = _sums(book.counts, split)
    exposed_before, exposed_after = _sums(book.exposure, split)
    is_known = (exposed_before > 0) & (exposed_after > 0)
    change = rate_change(
        np.where(is_known, after, 0.0),
        np.where(is_known, before, 0.0),
        np.maximum(exposed_after, 1e-9),
        np.maximum(exposed_before, 1e-9),
        dispersion,
    )
    freedom = dispersion_freedom(book.counts.shape[1])
    z = stats.norm.isf(np.maximum(change.p_value, 1e-300) / 2)
    return replace(change, p_value=np.minimum(1.0, 2 * stats.t.sf(z, freedom)))


def _told(
    book: _Counts,
    change: RateChange,
    p_value: np.ndarray,
    split: np.ndarray,
    dispersion: np.ndarray,
    settings: TrendSettings,
) -> pl.DataFrame:
    before, after = _sums(book.counts, split)
    exposed_before, exposed_after = _sums(book.exposure, split)
    q_value = benjamini_hochberg(p_value)
    is_sure = q_value <= settings.false_discovery_rate
    rises = is_sure & (change.ratio >= settings.min_ratio)
    falls = is_sure & (change.ratio <= 1 / settings.min_ratio)
    kind = np.select(
        [rises & (before == 0), rises, falls & (after == 0), falls], [NEW, RISING, GONE, FALLING], STEADY
    )
    return book.cells.with_columns(
        kind=pl.Series(kind, dtype=pl.String),
        n_after=pl.Series(after),
        n_before=pl.Series(before),
        exposure_after=pl.Series(exposed_after),
        exposure_before=pl.Series(exposed_before),
        ratio=_finite(change.ratio),
        ratio_low=_finite(change.low),
        ratio_high=_finite(change.high),
        dispersion=pl.Series(dispersion).round(6),
        p_value=pl.Series(p_value),
        q_value=pl.Series(q_value),
    )


def _finite(values: np.ndarray) -> pl.Series:
    return pl.Series(np.where(np.isfinite(values), np.round(values, 6), np.nan)).fill_nan(None)


def _onset(
    cell: Sequence[str], mentions: pl.DataFrame, exposure: pl.DataFrame, first: date, last: date
) -> date | None:
    """First day of the new rate of one cell."""
    theme, subject_kind, subject = cell
    where = (pl.col("subject_kind") == subject_kind) & (pl.col("subject") == subject)
    said = mentions.filter(where, pl.col("theme_id") == theme).unique(["author", "day"])
    counts = _by_day(said.with_columns(n=pl.lit(1.0)), first, last)
    place = find_onset(counts, _by_day(exposure.filter(where), first, last))
    return None if place is None else first + timedelta(days=place)


def _by_day(rows: pl.DataFrame, first: date, last: date) -> np.ndarray:
    counts = np.zeros((last - first).days + 1)
    within = rows.filter(pl.col("day").is_between(first, last))
    np.add.at(counts, (within["day"] - first).dt.total_days().to_numpy(), within["n"].to_numpy())
    return counts
