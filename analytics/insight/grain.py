"""The grain of a grouping: how many groups are most themselves, and at which resolution there are so many."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

SHARE_OF_BEST = 0.05
"""How much of its silhouette a cut may lose to one of e times as many groups and still be preferred to it."""
_WIDTH = 0.35
_SOFTNESS = 0.01
_LOWEST, _STEP, _MOST_STEPS = 0.05, 1.3, 34
_HALVINGS = 10
_FEWEST_PER_GROUP = 4
_NEAR_BEST = 0.9
_MORE_SEEDS = 2
_BLOCK = 4_096

Cut = Callable[[float, int], np.ndarray]
"""Groups at a resolution, with a seed: int64 (n,), 0 to k - 1."""


def number_of_groups(points: np.ndarray, cut: Cut) -> float | None:
    """How many groups fit the points best.

    The silhouette (Rousseeuw 1987) rises with the number of groups and falls again, whatever their number
    and size, but unevenly. It is therefore smoothed over the logarithm of the number (local linear
    regression); of nearly equal ones the finer counts as better, for an upper level shows what is coarser.
    What is returned lies between the numbers that are about as good as the best, so that a little noise
    moves it little.

    Args:
        points: float32 (n, n_axes), unit rows.
        cut: Groups of the points; more with a higher resolution.

    Returns:
        None where no resolution gives at least two groups that are on average large enough.
    """
    scanned = list(_scan(points, cut))
    if not scanned:
        return None
    resolution, number, height = np.array(scanned).T
    best = height.max()
    for again in range(1, _MORE_SEEDS + 1):
        for one in np.unique(resolution[: len(scanned)][height[: len(scanned)] >= _NEAR_BEST * best]):
            groups = cut(float(one), again)
            resolution = np.append(resolution, one)
            number = np.append(number, np.log(max(1, groups.max() + 1)))
            height = np.append(height, silhouette(points, groups))
    at = np.array([number[resolution == one].mean() for one in np.unique(resolution)])
    score = _smoothed(number, height, at) / max(best, 1e-9) + SHARE_OF_BEST * at
    weight = np.exp((score - score.max()) / _SOFTNESS)
    return float(np.exp((weight * at).sum() / weight.sum()))


def resolution_of(number: float, cut: Cut) -> float:
    """The resolution that gives so many groups, as nearly as a cut can.

    Args:
        number: Groups wanted.
        cut: Groups of the points; more with a higher resolution.
    """
    low, high = np.log(_LOWEST), np.log(_LOWEST) + _MOST_STEPS * np.log(_STEP)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if cut(float(np.exp(middle)), 0).max() + 1 < round(number):
            low = middle
        else:
            high = middle
    return float(np.exp(high))


def _scan(points: np.ndarray, cut: Cut) -> Iterator[tuple[float, float, float]]:
    """Resolution, logarithm of the number of groups and silhouette, from coarse to fine."""
    for step in range(_MOST_STEPS):
        groups = cut(_LOWEST * _STEP**step, 0)
        n_groups = int(groups.max()) + 1
        if n_groups * _FEWEST_PER_GROUP > len(points):
            return
        if n_groups > 1:
            yield _LOWEST * _STEP**step, float(np.log(n_groups)), silhouette(points, groups)


def _smoothed(at: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Local linear regression with a Gaussian kernel."""
    smoothed = np.empty(len(wanted))
    for row, centre in enumerate(wanted):
        away = at - centre
        weight = np.exp(-((away / _WIDTH) ** 2) / 2)
        first, second = (weight * away).sum(), (weight * away**2).sum()
        total = weight.sum()
        spread = total * second - first**2
        mean = (weight * values).sum() / total
        if spread > 1e-9 * total**2:
            mean = (second * (weight * values).sum() - first * (weight * away * values).sum()) / spread
        smoothed[row] = mean
    return smoothed


def silhouette(points: np.ndarray, groups: np.ndarray) -> float:
    """Mean silhouette by cosine distance, of unit rows, against mean distances: exact, never n × n.

    A point alone in its group counts 0 (Rousseeuw 1987).
    """
    means, size = group_means(points, groups)
    total = 0.0
    for start in range(0, len(points), _BLOCK):
        block, of = points[start : start + _BLOCK], groups[start : start + _BLOCK]
        rows = np.arange(len(block))
        near = block @ means.T
        itself = (block * block).sum(axis=1)
        own = (near[rows, of] * size[of] - itself) / np.maximum(size[of] - 1, 1)
        near[rows, of] = -np.inf
        inside, outside = 1 - own, 1 - near.max(axis=1)
        height = (outside - inside) / np.maximum(np.maximum(inside, outside), 1e-9)
        total += float(np.where(size[of] == 1, 0.0, height).sum())
    return total / len(points)


def group_means(points: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean point of each group, float32 (k, n_axes), not unit; and its size, int64 (k,)."""
    order = np.argsort(groups, kind="stable")
    size = np.bincount(groups)
    starts = np.concatenate([[0], np.cumsum(size)[:-1]])
    sums = np.add.reduceat(points[order].astype(np.float64), starts, axis=0)
    return (sums / size[:, None]).astype(np.float32), size
