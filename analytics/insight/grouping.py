"""Groups of like statements at two levels, their number unknown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.insight.grain import Cut, group_means, number_of_groups, resolution_of, silhouette
from analytics.insight.neighbours import nearest_neighbours, shared_neighbour_edges

TIMES = {"coarse": 0.5, "medium": 1.0, "fine": 2.0}
"""How many groups each granularity wants, as a multiple of what fits best."""
_MOST = 20_000
_GRAIN_SAMPLE, _GRAIN_DRAWS = 3_000, 4
_NEIGHBOURS = 25
_FEWEST_NEIGHBOURS = 3
_VARIANCE = 0.75
_AXES = (16, 128)
_TRIALS, _ITERATIONS = 6, 3
_FEWEST_UPPER, _PER_UPPER = 6, 3
_COARSEST, _CUT_STEP, _MOST_CUTS = 0.5, 1.5, 16
_BLOCK = 8_192


@dataclass(frozen=True)
class Groups:
    """Which group each vector is in, and which upper group each group is in."""

    group: np.ndarray
    """int64 (n,): 0 to k - 1; -1 where nothing can be said."""
    parent: np.ndarray
    """int64 (k,): 0 to m - 1."""


@dataclass(frozen=True)
class _Axes:
    """Where vectors lie along the directions in which they differ most."""

    mean: np.ndarray
    basis: np.ndarray
    """float32 (n_dims, n_axes)."""

    def points(self, vectors: np.ndarray) -> np.ndarray:
        """Float32 (n, n_axes), unit rows; zeros where a vector is the mean."""
        points = (vectors - self.mean) @ self.basis
        return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)


def find_groups(vectors: np.ndarray, *, granularity: str = "medium", seed: int) -> Groups:
    """Group like vectors; how many groups there are comes from the vectors.

    The vectors, less their mean, on the axes that hold most of their variance, make a graph of shared
    nearest neighbours, cut by Leiden (Traag, Waltman and van Eck 2019) on modularity into as many groups as
    fit samples of one size best: more statements alone do not make more groups. Where there are very many,
    a sample is grouped so and the rest follows its nearest group. The order of the rows decides nothing, and
    a vector that occurs twice counts once.

    Args:
        vectors: float32 (n, n_dims), unit rows; a row of zeros says nothing and gets -1.
        granularity: coarse, medium or fine.
        seed: Decides the sample and Leiden's random choices.
    """
    group = np.full(len(vectors), -1, dtype=np.int64)
    first, which = _distinct(vectors, seed)
    if not len(first):
        return Groups(group, np.empty(0, dtype=np.int64))
    drawn = vectors[first[:_MOST]]
    axes = _principal_axes(drawn)
    points = axes.points(drawn)
    found = _cut(points, TIMES[granularity], seed)
    means, _ = group_means(points, found)
    rest = [
        (axes.points(vectors[first[start : start + _BLOCK]]) @ means.T).argmax(axis=1)
        for start in range(_MOST, len(first), _BLOCK)
    ]
    said = which >= 0
    group[said] = np.concatenate([found, *rest])[which[said]]
    return Groups(group, _upper_level(points, found))


def cuts_of(vectors: np.ndarray, *, fewest: int, seed: int) -> Iterator[np.ndarray]:
    """Group like vectors again and again, from coarse to fine, as `find_groups` does it once.

    Args:
        vectors: float32 (n, n_dims), unit rows; a row of zeros says nothing and gets -1.
        fewest: The last cut is the first whose groups hold on average fewer vectors than this.
        seed: Decides Leiden's random choices.

    Yields:
        int64 (n,): 0 to k - 1; -1 where nothing can be said.
    """
    first, which = _distinct(vectors, seed)
    if len(first) < 2:
        return
    graph = _neighbour_graph(_principal_axes(vectors[first]).points(vectors[first]))
    for step in range(_MOST_CUTS):
        found = _leiden(graph, _COARSEST * _CUT_STEP**step, seed=[seed], trials=1, iterations=2)
        yield np.where(which >= 0, found[which], -1)
        if (found.max() + 1) * fewest > len(first):
            return


def _distinct(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the different vectors, in an order that the seed and the vectors alone decide.

    Returns:
        int64 (n_distinct,) rows; and for each vector which of them it is, int64 (n,), -1 for zeros.
    """
    said = np.flatnonzero(np.any(vectors, axis=1))
    weight = np.random.default_rng(seed).integers(0, 2**64, vectors.shape[1], dtype=np.uint64) | np.uint64(1)
    key = np.empty(len(said), dtype=np.uint64)
    for start in range(0, len(said), _BLOCK):
        # Zero may be written as minus zero: adding zero makes them one.
        bits = (vectors[said[start : start + _BLOCK]].astype(np.float32) + np.float32(0)).view(np.uint32)
        key[start : start + _BLOCK] = bits.astype(np.uint64) @ weight
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    which = np.full(len(vectors), -1, dtype=np.int64)
    which[said] = inverse
    return said[first], which


def _principal_axes(vectors: np.ndarray) -> _Axes:
    """The fewest axes that hold most of the variance, within bounds."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    variance, basis = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    held = np.cumsum(variance[::-1]) / max(float(variance.sum()), 1e-12)
    n_axes = int(np.clip(np.searchsorted(held, _VARIANCE) + 1, *_AXES))
    return _Axes(mean, np.ascontiguousarray(basis[:, ::-1][:, :n_axes], dtype=np.float32))


def _cut(points: np.ndarray, times: float, seed: int) -> np.ndarray:
    """Groups of points: int64 (n,), 0 to k - 1, the largest first."""
    n = len(points)
    if n < 2:
        return np.zeros(n, dtype=np.int64)
    graph = _neighbour_graph(points)
    numbers = []
    for some in _samples(points, seed):
        of_some = graph if some is points else _neighbour_graph(some)
        number = number_of_groups(some, _at(of_some, seed))
        if number is None:
            return np.zeros(n, dtype=np.int64)
        numbers.append(number)
    wanted = times * float(np.exp(np.mean(np.log(numbers))))
    resolution = resolution_of(wanted, _at(graph, seed))
    groups = _leiden(graph, resolution, seed=[seed], trials=_TRIALS, iterations=_ITERATIONS)
    largest_first = np.argsort(-np.bincount(groups), kind="stable")
    return np.argsort(largest_first)[groups]


def _samples(points: np.ndarray, seed: int) -> list[np.ndarray]:
    """Points to judge the number of groups on: all where they are few, else samples of one size."""
    n = len(points)
    if n <= _GRAIN_SAMPLE:
        return [points]
    shuffled = np.random.default_rng([seed, n]).permutation(n)
    starts = [draw * (n - _GRAIN_SAMPLE) // (_GRAIN_DRAWS - 1) for draw in range(_GRAIN_DRAWS)]
    return [points[np.sort(shuffled[start : start + _GRAIN_SAMPLE])] for start in starts]


def _at(graph: _Graph, seed: int) -> Cut:
    return lambda resolution, again: _leiden(graph, resolution, seed=[seed, again], trials=1, iterations=1)


_Graph = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Compressed rows: int64 (n + 1,) starts, int32 columns and float64 weights; each edge both ways."""


def _neighbour_graph(points: np.ndarray) -> _Graph:
    """Shared nearest neighbours; few points have few neighbours, or all would be neighbours of all."""
    n = len(points)
    n_neighbours = min(n - 1, _NEIGHBOURS, max(_FEWEST_NEIGHBOURS, math.isqrt(n)))
    left, right, weight = shared_neighbour_edges(nearest_neighbours(points, n_neighbours))
    rows, columns = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.lexsort((columns, rows))
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    # The root keeps weak edges, which carry what the groups of a group have in common.
    return starts, columns[order].astype(np.int32), np.sqrt(np.tile(weight, 2))[order]


def _leiden(
    graph: _Graph, resolution: float, *, seed: Sequence[int], trials: int, iterations: int
) -> np.ndarray:
    """Communities by modularity: int64 (n,), 0 to k - 1."""
    from graspologic_native import leiden_csr

    starts, columns, weights = graph
    n = len(starts) - 1
    _, community_of = leiden_csr(
        starts,
        columns,
        weights,
        n,
        resolution=resolution,
        seed=int(np.random.default_rng(seed).integers(2**32)),
        trials=trials,
        iterations=iterations,
    )
    communities = np.fromiter(map(community_of.__getitem__, range(n)), dtype=np.int64, count=n)
    return np.unique(communities, return_inverse=True)[1]


def _upper_level(points: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Upper group of each group: average linkage between groups, cut where the points' silhouette is highest.

    Args:
        points: float32 (n, n_axes), unit rows.
        groups: int64 (n,): 0 to k - 1.

    Returns:
        int64 (k,): 0 to m - 1, the largest first.
    """
    best = np.zeros(int(groups.max()) + 1, dtype=np.int64)
    most = min(len(best), max(_FEWEST_UPPER, len(best) // _PER_UPPER))
    highest = 0.0
    for upper in _linkage(*group_means(points, groups)):
        if 1 < upper.max() + 1 <= most:
            height = silhouette(points, upper[groups])
            if height > highest:
                highest, best = height, upper
    size = np.bincount(best[groups])
    return np.argsort(np.argsort(-size, kind="stable"))[best]


def _linkage(means: np.ndarray, size: np.ndarray) -> Iterator[np.ndarray]:
    """Upper groups of groups, int64 (k,), by merging again and again the two with the highest mean cosine."""
    upper = np.arange(len(means))
    sums = means.astype(np.float64) * size[:, None]
    total, size = sums @ sums.T, size.astype(np.float64)
    while True:
        yield upper.copy()
        if len(size) < 2:
            return
        cosine = total / np.outer(size, size)
        np.fill_diagonal(cosine, -np.inf)
        kept, gone = sorted(divmod(int(cosine.argmax()), len(size)))
        total[kept] += total[gone]
        total[:, kept] += total[:, gone]
        size[kept] += size[gone]
        total = np.delete(np.delete(total, gone, axis=0), gone, axis=1)
        size = np.delete(size, gone)
        upper[upper == gone] = kept
        upper[upper > gone] -= 1
