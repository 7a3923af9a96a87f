"""What is new, rising, falling or gone: the last days of each theme beside the weeks before, all tested together.

The unit is an author in a window, so that one who writes thirty texts counts once. Counts vary more than
independent ones would (people write in bursts): how much more is measured in the weeks before, cell by cell and
drawn towards that of all cells. All tests of a night are corrected for being many.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy.special import betainc, betaincinv

from analytics.settings import TrendSettings

POOL_WEIGHT = 8.0
"""Windows of all cells together that count beside a cell's own when its dispersion is told."""
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
    "n_recent": pl.Int64,  # distinct authors in the recent window
    "n_before": pl.Int64,  # the same, summed over the windows before
    "exposure_recent": pl.Float64,
    "exposure_before": pl.Float64,
    "ratio": pl.Float64,  # of the rates; null where there was none before
    "ratio_low": pl.Float64,
    "ratio_high": pl.Float64,
    "dispersion": pl.Float64,
    "p_value": pl.Float64,
    "q_value": pl.Float64,  # adjusted for all tests of the night
    "onset": pl.Date,  # first day of the new rate, where there is a change
}


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
    """Compare rates by the exact conditional test (Przyborowski and Wilenski 1940), counts over-dispersed.

    Given their sum, the recent one of two Poisson counts is binomial. Its tails are incomplete beta functions,
    in which over-dispersed counts stand divided by their dispersion.

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
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = counts.sum(axis=1) / exposure.sum(axis=1)
        expected = np.nan_to_num(rate[:, None] * exposure)
        parts = np.where(expected > 0, (counts - expected) ** 2 / expected, 0.0)
    own = parts.sum(axis=1)
    freedom = np.where(counts.sum(axis=1) > 0, np.maximum(0, (exposure > 0).sum(axis=1) - 1), 0)
    pooled = max(1.0, float(own.sum()) / max(1, int(freedom.sum())))
    return np.maximum(1.0, (own + POOL_WEIGHT * pooled) / (freedom + POOL_WEIGHT))


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
    """Test every cell with enough authors; see CHANGE_ROWS.

    Args:
        mentions: Columns theme_id, subject_kind, subject, author, day: who mentions what, where and when.
        exposure: Columns subject_kind, subject, day, n: orders, or authors who wrote anything.
        settings: Lengths of the windows, and which change counts.
        as_of: Last day of the recent window.
        min_authors: A cell with fewer distinct authors in all windows together is not tested; as the test
            is made given that sum, the choice does not bias it.
    """
    windows = settings.baseline_weeks * 7 // settings.recent_days
    ago = (pl.lit(as_of) - pl.col("day")).dt.total_days() // settings.recent_days
    within = mentions.with_columns(window=ago).filter(pl.col("window").is_between(0, windows))
    wide = within.group_by(CELL).agg(n_authors=pl.col("author").n_unique())
    cells = wide.filter(pl.col("n_authors") >= min_authors).select(CELL).sort(CELL)
    counted = within.group_by(*CELL, "window").agg(n=pl.col("author").n_unique())
    shown = (
        exposure.with_columns(window=ago).group_by("subject_kind", "subject", "window").agg(pl.col("n").sum())
    )
    counts = _matrix(cells, counted, CELL, windows + 1)
    exposed = _matrix(cells, shown, ("subject_kind", "subject"), windows + 1)
    is_known = (exposed[:, 0] > 0) & ((exposed[:, 1:] > 0).sum(axis=1) >= MIN_WINDOWS)
    cells, counts, exposed = cells.filter(is_known), counts[is_known], exposed[is_known]
    recent, before = counts[:, 0], counts[:, 1:].sum(axis=1)
    dispersion = measure_dispersion(counts[:, 1:], exposed[:, 1:])
    change = rate_change(recent, before, exposed[:, 0], exposed[:, 1:].sum(axis=1), dispersion)
    q_values = benjamini_hochberg(change.p_value)
    is_sure = q_values <= settings.false_discovery_rate
    rises = is_sure & (change.ratio >= settings.min_ratio)
    falls = is_sure & (change.ratio <= 1 / settings.min_ratio)
    kind = np.select(
        [rises & (before == 0), rises, falls & (recent == 0), falls], [NEW, RISING, GONE, FALLING], STEADY
    )
    found = cells.with_columns(
        kind=pl.Series(kind, dtype=pl.String),
        n_recent=pl.Series(recent),
        n_before=pl.Series(before),
        exposure_recent=pl.Series(exposed[:, 0]),
        exposure_before=pl.Series(exposed[:, 1:].sum(axis=1)),
        ratio=_finite(change.ratio),
        ratio_low=_finite(change.low),
        ratio_high=_finite(change.high),
        dispersion=pl.Series(dispersion).round(6),
        p_value=pl.Series(change.p_value),
        q_value=pl.Series(q_values),
    )
    onsets = _onsets(
        found.filter(pl.col("kind") != STEADY), within, exposure, as_of, windows * settings.recent_days
    )
    return found.join(onsets, on=CELL, how="left", maintain_order="left").select(
        pl.col(name).cast(dtype) for name, dtype in CHANGE_ROWS.items()
    )


def _matrix(cells: pl.DataFrame, counted: pl.DataFrame, key: tuple[str, ...], width: int) -> np.ndarray:
    """Counts of each cell and window, float64 (n_cells, width); 0 where there is none."""
    placed = cells.with_row_index("row").join(counted, on=list(key)).filter(pl.col("window") < width)
    matrix = np.zeros((cells.height, width))
    matrix[placed["row"].to_numpy(), placed["window"].to_numpy()] = placed["n"].to_numpy()
    return matrix


def _finite(values: np.ndarray) -> pl.Series:
    return pl.Series(np.where(np.isfinite(values), np.round(values, 6), np.nan)).fill_nan(None)


def _onsets(
    changed: pl.DataFrame, mentions: pl.DataFrame, exposure: pl.DataFrame, as_of: date, n_days: int
) -> pl.DataFrame:
    """Of every changed cell the first day of its new rate: CELL, onset."""
    first = as_of - timedelta(days=n_days + 6)
    rows = []
    for cell in changed.select(CELL).iter_rows():
        theme, subject_kind, subject = cell
        where = (pl.col("subject_kind") == subject_kind) & (pl.col("subject") == subject)
        said = mentions.filter(where, pl.col("theme_id") == theme).unique(["author", "day"])
        place = _days(said.with_columns(n=pl.lit(1.0)), first, as_of)
        onset = find_onset(place, _days(exposure.filter(where), first, as_of))
        rows.append((*cell, None if onset is None else first + timedelta(days=onset)))
    schema = {**dict.fromkeys(CELL, pl.String), "onset": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _days(rows: pl.DataFrame, first: date, last: date) -> np.ndarray:
    counts = np.zeros((last - first).days + 1)
    within = rows.filter(pl.col("day").is_between(first, last))
    places = (within["day"] - first).dt.total_days().to_numpy()
    np.add.at(counts, places, within["n"].to_numpy())
    return counts
