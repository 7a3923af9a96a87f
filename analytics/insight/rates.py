"""Whether a rate has changed: counts of windows, each with its exposure, that come in bursts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv, ndtr, ndtri, stdtr, stdtrit

CONFIDENCE = 0.95
LEAST_LENT, MOST_LENT = 12.0, 300.0
"""Degrees of freedom that all cells lend one for its dispersion: how few where they differ, how many else."""
USUALLY_LENT = 36.0
"""The same where too few cells are there to tell how much they differ."""
MIN_CELLS = 10
LEAST_MEAN = 0.05
"""Of so few in a window, or fewer, how spread out they are is not told."""


@dataclass(frozen=True)
class RateChange:
    """How rates have changed; all float64 (n,)."""

    ratio: np.ndarray
    """Recent rate by the rate before; infinite where there was none before, NaN where there is neither."""
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray
    """Two-sided, against no change."""


@dataclass(frozen=True)
class Spread:
    """How much more counts vary than independent ones; both float64 (n,)."""

    dispersion: np.ndarray
    """Variance by mean, at least 1."""
    freedom: np.ndarray
    """Degrees of freedom of it, those that other cells lend among them."""


def rate_change(
    recent: np.ndarray,
    before: np.ndarray,
    exposure_recent: np.ndarray,
    exposure_before: np.ndarray,
    spread: Spread,
) -> RateChange:
    """Compare rates, with 95 % intervals of their ratio.

    The interval is that of the conditional test (Clopper and Pearson 1934, given the sum of both counts), in
    which over-dispersed counts stand divided by their dispersion.

    Args:
        recent: Counts of the recent window (n,).
        before: Counts of the windows before, summed (n,).
        exposure_recent: What recent counts are counted in, such as orders, above 0 (n,).
        exposure_before: The same of the windows before (n,).
        spread: How much each count varies.
    """
    y, n = recent / spread.dispersion, before / spread.dispersion
    tail = ndtr(stdtrit(spread.freedom, (1 - CONFIDENCE) / 2))
    least = np.where(y > 0, betaincinv(np.maximum(y, 1e-12), n + 1, tail), 0.0)
    most = np.where(n > 0, betaincinv(y + 1, np.maximum(n, 1e-12), 1 - tail), 1.0)
    scale = exposure_before / exposure_recent
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(recent / before * scale)
        low, high = least / (1 - least) * scale, most / (1 - most) * scale
    p_value = change_p_value(recent, before, exposure_recent, exposure_before, spread)
    return RateChange(ratio, low, high, p_value)


def change_p_value(
    recent: np.ndarray,
    before: np.ndarray,
    exposure_recent: np.ndarray,
    exposure_before: np.ndarray,
    spread: Spread,
) -> np.ndarray:
    """The p-value of `rate_change` alone.

    The recent count is held against a negative binomial one, of the mean that the rate before gives, and of
    a variance that has both its bursts and the doubt about that rate. Without over-dispersion this is the
    conditional test of two Poisson counts (Przyborowski and Wilenski 1940). As the dispersion is measured,
    what is a quantile of the normal distribution is taken for one of Student's.
    """
    times = exposure_recent / exposure_before
    whole = np.maximum(spread.dispersion * (1 + times), 1 + 1e-9)
    up = np.where(
        recent > 0, betainc(np.maximum(recent, 1e-12), (before + 1) * times / (whole - 1), 1 - 1 / whole), 1.0
    )
    down = np.where(
        before > 0, betainc(np.maximum(before * times / (whole - 1), 1e-12), recent + 1, 1 / whole), 1.0
    )
    tail = np.clip(np.minimum(up, down), 1e-300, 0.5)
    return np.asarray(2 * stdtr(spread.freedom, ndtri(tail)))


@dataclass(frozen=True)
class RunningSums:
    """Counts of windows summed up to each, so that the spread around the rate of any span is told at once."""

    counts: np.ndarray
    """float64 (n_cells, n_windows + 1); so are the others."""
    exposure: np.ndarray
    squares: np.ndarray
    """Squared counts by their exposure."""
    n_shown: np.ndarray
    """Windows with an exposure; others tell nothing."""

    @classmethod
    def of(cls, counts: np.ndarray, exposure: np.ndarray) -> RunningSums:
        """Sums of windows (n_cells, n_windows)."""
        is_shown = exposure > 0
        told = np.where(is_shown, counts, 0.0)
        parts = told, exposure, told**2 / np.where(is_shown, exposure, 1.0), is_shown
        return cls(*(np.pad(np.cumsum(part, axis=1, dtype=np.float64), ((0, 0), (1, 0))) for part in parts))

    def within(self, start: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Count and exposure of a span of windows, squares around its rate by its mean, their freedom."""
        count, exposed, square, n_shown = (
            sums[:, end] - sums[:, start] for sums in (self.counts, self.exposure, self.squares, self.n_shown)
        )
        is_seen = count > 0
        around = np.where(is_seen, square * exposed / np.maximum(count, 1.0) - count, 0.0)
        return count, exposed, np.maximum(around, 0.0), np.where(is_seen, np.maximum(0, n_shown - 1), 0)

    def spread(self, spans: list[tuple[int, int]]) -> Spread:
        """Spread around the rate that each cell has in each of some spans (first window, end): Pearson's."""
        around = [self.within(*span) for span in spans]
        means = self.counts[:, -1] / (self.counts.shape[1] - 1)
        squares, freedom = (np.sum([one[part] for one in around], axis=0) for part in (2, 3))
        return _drawn_together(squares, freedom, means)

    def likeness(self, spans: list[tuple[int, int]]) -> float:
        """Correlation of a window with the next one, of all cells together: 0 to 0.5.

        A burst that lasts as long as a window falls into two of them; sums of windows vary by that much more.
        """
        counts, exposure = np.diff(self.counts, axis=1), np.diff(self.exposure, axis=1)
        products, squares = np.zeros(len(counts)), np.zeros(len(counts))
        for start, end in spans:
            count, exposed, *_ = self.within(start, end)
            rate = np.where(exposed > 0, count / np.maximum(exposed, 1e-9), 0.0)
            expected = rate[:, None] * exposure[:, start:end]
            beyond = (counts[:, start:end] - expected) / np.sqrt(np.maximum(expected, 1e-9))
            products += (beyond[:, 1:] * beyond[:, :-1]).sum(axis=1)
            squares += (beyond**2).sum(axis=1)
        tells = (squares > 0) & (self.counts[:, -1] >= counts.shape[1])
        if not tells.any():
            return 0.0
        # Around their own mean, n independent windows have one of -1/n.
        n = spans[0][1] - spans[0][0]
        measured = float((products[tells] / squares[tells]).mean())
        return float(np.clip((measured + 1 / n) / (1 - 2 / n), 0.0, 0.5))


def dispersion_around(counts: np.ndarray, exposure: np.ndarray, split: int) -> Spread:
    """Spread around two rates, before and from a window on, so that a step does not pass for a burst.

    Args:
        counts: Of each cell and window (n_cells, n_windows).
        exposure: The same shape.
        split: The first window of the second rate.
    """
    return RunningSums.of(counts, exposure).spread([(0, split), (split, counts.shape[1])])


def _drawn_together(squares: np.ndarray, freedom: np.ndarray, means: np.ndarray) -> Spread:
    """Each cell's dispersion drawn towards that of all (Smyth 2004), the more the less they differ.

    A sum of squares of small or bursty counts tells less than its degrees of freedom: they are cut by the
    excess kurtosis of a negative binomial count.
    """
    pooled = max(1.0, float(squares.sum()) / max(1.0, float(freedom.sum())))
    kurtosis = (6 * (pooled - 1) + 1 / pooled) / np.maximum(means, LEAST_MEAN)
    own = 2 * freedom / (2 + kurtosis)
    measured = squares / np.maximum(freedom, 1)
    lent = _lent(measured, own, pooled)
    return Spread(np.maximum(1.0, (own * measured + lent * pooled) / (own + lent)), own + lent)


def _lent(measured: np.ndarray, own: np.ndarray, pooled: float) -> float:
    """Degrees of freedom that all cells lend each: few where the dispersions themselves differ.

    That they differ is told from a few cells, so that half its standard error is added.
    """
    tells = own >= 2
    if tells.sum() < MIN_CELLS:
        return USUALLY_LENT
    beyond = (measured[tells] - pooled) ** 2 - 2 * pooled**2 / own[tells]
    weight = (own[tells] / (own[tells] + 20)) ** 2
    variance = float((weight * beyond).sum() / weight.sum())
    error = float(np.sqrt((weight**2 * (beyond - variance) ** 2).sum()) / weight.sum())
    return float(
        np.clip(4 + 2 * pooled**2 / max(max(variance, 0.0) + error / 2, 1e-9), LEAST_LENT, MOST_LENT)
    )


def benjamini_hochberg(p_values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Adjusted p-values (Benjamini and Hochberg 1995).

    Of the tests with at most q a share of at most q is false.

    Args:
        p_values: Of all tests (n,).
        weights: How much each test is expected to find, beforehand (n,); see Genovese, Roeder and
            Wasserman 2006.
    """
    n = len(p_values)
    if weights is not None:
        p_values = p_values * weights.mean() / weights if n else p_values
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
