"""How strongly counts speak for a change on a given day, in nats (natural log of the odds against chance).

Every detector compares the days from a candidate day `c` to the night with the eight weeks before `c`, for
all `c` at once (a generalised likelihood ratio, Lorden 1971), so it tells at once that and since when.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BASELINE_DAYS = 56
SCAN_DAYS = 112
MIN_HISTORY_DAYS = 28
_MIN_VALID_DAYS = 21
_RECENT_DAYS = 3

_PRIOR_DAY_DISPERSION = 0.05
_PRIOR_WEEK_DISPERSION = 0.01
_MEDIAN_VARIANCE = 1.57 / 8  # of the median of eight normal values, in units of one value's variance


@dataclass(frozen=True)
class VolumeFit:
    """What the eight weeks before each day foretell: (n_days,), `factors` (n_days, 7: from that day on)."""

    level: np.ndarray
    """Documents a day; NaN where the history is too short."""
    factors: np.ndarray
    day_dispersion: np.ndarray
    week_dispersion: np.ndarray
    level_variance: np.ndarray
    """Of the level itself, relative to its square."""

    @property
    def expected(self) -> np.ndarray:
        """Expected documents of each day."""
        return self.level * self.factors[:, 0]


def fit_volume(n_documents: np.ndarray, is_valid: np.ndarray) -> VolumeFit:
    """Fit level, weekday factors and over-dispersion on the valid ones of the 56 days before each day.

    Medians over weeks and a cap on single days keep bursts out. Weekday factors are shrunk towards 1 where
    chance explains them, so a feed of two a day keeps a flat week.

    Args:
        n_documents: Counts (n_days,).
        is_valid: False on days that say nothing about the usual volume (n_days,).
    """
    padded = np.concatenate([np.zeros(BASELINE_DAYS), n_documents.astype(np.float64)])
    mask = np.concatenate([np.zeros(BASELINE_DAYS, dtype=bool), is_valid])
    n_days = n_documents.size
    windows = np.lib.stride_tricks.sliding_window_view
    counts = windows(padded, BASELINE_DAYS)[:n_days].reshape(n_days, 8, 7)
    valid = windows(mask, BASELINE_DAYS)[:n_days].reshape(n_days, 8, 7)
    with np.errstate(divide="ignore", invalid="ignore"):
        week = _weekly((counts * valid).sum(axis=2), valid.sum(axis=2), 3)
        cap = 4 * _median(week) + 4
        capped = np.minimum(counts, cap[:, None, None])
        factors = _weekday_factors(capped, valid)
        week = _weekly((capped * valid).sum(axis=2), (factors[:, None, :] * valid).sum(axis=2), 2.5)
        level = _median(week)
        level[valid.sum(axis=(1, 2)) < _MIN_VALID_DAYS] = np.nan
        expected = np.nan_to_num(week)[:, :, None] * factors[:, None, :] * valid
        excess = ((capped * valid - expected) ** 2 * 7 / 6 - expected).sum(axis=(1, 2))
        prior = (10 + 60 / np.maximum(level, 0.1)) * level**2
        day = (excess + prior * _PRIOR_DAY_DISPERSION) / ((expected**2).sum(axis=(1, 2)) + prior)
        day = np.clip(day, 0.005, None)
        chance = 1 / (7 * level) + day / 7
        known = np.maximum((~np.isnan(week)).sum(axis=1), 1)
        ratio = np.nan_to_num(week / level[:, None] - 1, posinf=0.0)
        spread = (ratio**2).sum(axis=1) / known - chance
        trust = 8 / (12 + 100 * chance)
        slow = trust * np.clip(spread, 0, 1) + (1 - trust) * _PRIOR_WEEK_DISPERSION
    return VolumeFit(level, factors, day, slow, _MEDIAN_VARIANCE * (chance + slow))


def _weekly(totals: np.ndarray, days: np.ndarray, least: float) -> np.ndarray:
    return np.where(days >= least, totals / np.maximum(days, 1e-9), np.nan)


def _median(week: np.ndarray) -> np.ndarray:
    """Median over weeks (n_days,), NaN where fewer than three weeks count."""
    enough = (~np.isnan(week)).sum(axis=1) >= 3
    median = np.full(week.shape[0], np.nan)
    median[enough] = np.nanmedian(week[enough], axis=1)
    return median


def _weekday_factors(counts: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Factors (n_days, 7), mean 1, each shrunk by what chance leaves open about it.

    A weekday that is always empty keeps a factor near 0, or a feed that rests at weekends would seem to stop.
    """
    n_weeks = np.maximum(valid.sum(axis=1), 1)
    known = valid.any(axis=1)
    means = (counts * valid).sum(axis=1) / n_weeks
    centre = np.where(known, means, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    centre = np.where(centre > 0, centre, np.inf)[:, None]
    ratio = np.where(known & np.isfinite(centre), means / centre, 1.0)
    spread_of_days = (((counts - means[:, None, :]) * valid) ** 2).sum(axis=1) / np.maximum(n_weeks - 1, 1)
    chance = np.maximum(spread_of_days, means + 0.5) / (
        np.where(np.isfinite(centre), centre, 1.0) ** 2 * n_weeks
    )
    spread = np.clip(((ratio - 1) ** 2).mean(axis=1) - chance.mean(axis=1), 0, None)[:, None]
    factors = 1 + spread / (spread + chance) * (ratio - 1)
    return factors * 7 / np.maximum(factors.sum(axis=1, keepdims=True), 1e-9)


def expected_since(fit: VolumeFit, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Documents expected from each day to the last, from what was known before it, and their dispersion.

    Args:
        fit: Of the same days.
        weights: How much of each day counts, 0 to 1 (n_days,).

    Returns:
        Expected counts and over-dispersion of their sum (n_days,); NaN where the history is too short.
    """
    n_days = weights.size
    by_weekday = np.concatenate([weights.astype(np.float64), np.zeros(7)])
    for index in range(n_days - 1, -1, -1):
        by_weekday[index] += by_weekday[index + 7]
    columns = np.minimum(np.arange(n_days)[:, None] + np.arange(7)[None, :], n_days)
    days = by_weekday[columns]
    expected = fit.level * (fit.factors * days).sum(axis=1)
    return expected, dispersion_of(fit, np.maximum(days.sum(axis=1), 1))


def dispersion_of(fit: VolumeFit, n_counted: np.ndarray | float) -> np.ndarray:
    """Over-dispersion of the sum of the next `n_counted` days; weeks resemble those beside them."""
    slow = fit.week_dispersion / np.sqrt(np.maximum(n_counted / 7, 1))
    return fit.level_variance + slow + fit.day_dispersion / n_counted


def count_evidence(count: np.ndarray, expected: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """Half the deviance under a negative binomial; for a count of 0 it is -log of its probability."""
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(count > 0, count * np.log(np.maximum(count, 1e-9) / expected), 0.0)
        shared = (count + 1 / dispersion) * np.log((1 + dispersion * count) / (1 + dispersion * expected))
    return np.where(expected > 0, own - shared, 0.0)


def count_limits(
    expected: np.ndarray, dispersion: np.ndarray, nats: float = 3.3
) -> tuple[np.ndarray, np.ndarray]:
    """Counts between which the evidence stays below `nats` (3.3: about 99 of 100 days), by bisection."""
    known = np.nan_to_num(expected)
    ends = []
    for inner, outer in ((known, np.zeros_like(known)), (known, known * 100 + 100)):
        near, far = inner.copy(), outer.copy()
        for _ in range(50):
            middle = (near + far) / 2
            is_near = count_evidence(middle, known, dispersion) <= nats
            is_near &= (known > 0) | (middle <= 0)
            near, far = np.where(is_near, middle, near), np.where(is_near, far, middle)
        ends.append(near)
    low, high = np.abs(np.ceil(ends[0] - 1e-6)), np.floor(ends[1])
    return np.where(np.isnan(expected), np.nan, low), np.where(np.isnan(expected), np.nan, high)


@dataclass(frozen=True)
class MixEvidence:
    """A change of shares on each candidate day: nats (n_days,), shares before and since (n_days, k)."""

    nats: np.ndarray
    before: np.ndarray
    since: np.ndarray


def mix_evidence(
    counts: np.ndarray, start: int, *, least_shift: float = 0.16, baseline: int = BASELINE_DAYS
) -> MixEvidence:
    """Two-sample likelihood ratio of shares, divided by how much days and weeks of the baseline clump.

    Args:
        counts: Documents by day and level (n_days, k).
        start: Days before it belong to an earlier state.
        least_shift: Part of the documents that must have moved between levels; half of it still on the
            newest three days.
        baseline: Days before each candidate.
    """
    n_days = counts.shape[0]
    total = np.concatenate([np.zeros((1, counts.shape[1])), np.cumsum(counts, axis=0)])
    days = np.arange(n_days)
    low = np.maximum(days - baseline, min(start, n_days - 1))
    low = np.minimum(low, days)
    before, since = total[days] - total[low], total[n_days] - total[days]
    recent = total[n_days] - total[np.maximum(days, n_days - _RECENT_DAYS)]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [np.nan_to_num(part / part.sum(axis=1, keepdims=True)) for part in (before, since, recent)]
        nats = two_sample(before, since) / _clumping(counts, total, days, low, shares[0])
    shift, still = (np.abs(shares[index] - shares[0]).sum(axis=1) / 2 for index in (1, 2))
    known = (before.sum(axis=1) >= 30) & (recent.sum(axis=1) > 0)
    nats[~(known & (shift >= least_shift) & (still >= least_shift / 2))] = -np.inf
    return MixEvidence(nats, shares[0], shares[1])


def two_sample(before: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Log likelihood ratio of two sets of counts (n, k) having shares of their own against common shares."""
    both = before + since
    parts = [_log_likelihood(part) for part in (before, since, both)]
    return np.maximum(parts[0] + parts[1] - parts[2], 0.0)


def _log_likelihood(counts: np.ndarray) -> np.ndarray:
    total = counts.sum(axis=1)
    own = np.where(counts > 0, counts * np.log(np.maximum(counts, 1)), 0.0).sum(axis=1)
    return np.asarray(own - total * np.log(np.maximum(total, 1)))


def _clumping(
    counts: np.ndarray, total: np.ndarray, days: np.ndarray, low: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """Pearson's statistic per degree of freedom over the baseline's days or weeks; the larger, at least 1."""
    size = counts.sum(axis=1)
    squares = np.concatenate(
        [np.zeros((1, counts.shape[1])), np.cumsum(counts**2 / np.maximum(size, 1)[:, None], axis=0)]
    )
    active = np.concatenate([[0], np.cumsum(size > 0)])
    levels = np.maximum((shares > 0).sum(axis=1) - 1, 1)

    def per_degree(sums: np.ndarray, n_blocks: np.ndarray) -> np.ndarray:
        statistic = np.where(shares > 0, sums / shares, 0.0).sum(axis=1) - n_before
        return np.asarray(statistic / np.maximum((n_blocks - 1) * levels, 1))

    n_before = (total[days] - total[low]).sum(axis=1)
    by_day = per_degree(squares[days] - squares[low], active[days] - active[low])
    sums, blocks = np.zeros_like(shares), np.zeros(days.size)
    for week in range(max(1, int((days - low).max()) // 7)):
        high = np.maximum(days - 7 * week, low)
        block = total[high] - total[np.maximum(high - 7, low)]
        n_block = block.sum(axis=1)
        sums += block**2 / np.maximum(n_block, 1)[:, None]
        blocks += n_block > 0
    by_week = per_degree(sums, blocks)
    return np.asarray(np.maximum.reduce([np.ones(days.size), by_day, by_week]))


def present_change(evidence_from: Callable[[int], np.ndarray], n_days: int, threshold: float) -> int | None:
    """The first day of the present state, where it differs from what was usual before and is not yet usual.

    A change that has lasted a whole baseline becomes the new start of what later days are compared with.

    Args:
        evidence_from: Nats (n_days,) of a change on each day, with a baseline that begins at the given day.
        n_days: Days known.
        threshold: Nats that a change needs.
    """
    start = 0
    while True:
        evidence = evidence_from(start).copy()
        evidence[: max(start + MIN_HISTORY_DAYS, n_days - SCAN_DAYS)] = -np.inf
        if evidence.size == 0 or not (change := int(np.argmax(evidence))) or evidence[change] < threshold:
            return None
        if n_days - change <= BASELINE_DAYS:
            return change
        start = change
