"""Groups of like vectors: a graph of shared nearest neighbours, cut by Leiden."""

from __future__ import annotations

import numpy as np

_ROWS = 1_024
_COMPARISONS = 16_000_000


def nearest_neighbours(vectors: np.ndarray, n_neighbours: int) -> np.ndarray:
    """Exact nearest neighbours by cosine, in blocks.

    Args:
        vectors: float32 (n, n_dims), unit rows.
        n_neighbours: Fewer than n.

    Returns:
        int64 array (n, n_neighbours + 1): each row's neighbours and itself, ascending.
    """
    n = len(vectors)
    found = np.empty((n, n_neighbours + 1), dtype=np.int64)
    for start in range(0, n, _ROWS):
        similarities = vectors[start : start + _ROWS] @ vectors.T
        rows = np.arange(len(similarities))
        similarities[rows, start + rows] = np.inf
        found[start : start + _ROWS] = np.argpartition(similarities, n - n_neighbours - 1, axis=1)[
            :, n - n_neighbours - 1 :
        ]
    return np.sort(found, axis=1)


def shared_neighbour_edges(neighbours: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges between neighbours, weighted by how many neighbours they share (Jarvis and Patrick 1973).

    Args:
        neighbours: As `nearest_neighbours` returns them, each row holding itself.

    Returns:
        Left ends, right ends (left < right, sorted, none twice) and weights: the Jaccard index of the two
        neighbour lists.
    """
    n, width = neighbours.shape
    left = np.repeat(np.arange(n), width)
    right = neighbours.ravel()
    pairs = np.unique(np.minimum(left, right) * n + np.maximum(left, right))
    left, right = pairs // n, pairs % n
    left, right = left[left != right], right[left != right]
    shared = np.empty(len(left), dtype=np.int64)
    block = max(1, _COMPARISONS // width**2)
    for start in range(0, len(left), block):
        ends = slice(start, start + block)
        equal = neighbours[left[ends], :, None] == neighbours[right[ends], None, :]
        shared[ends] = equal.sum(axis=(1, 2))
    return left, right, shared / (2 * width - shared)


def group_vectors(vectors: np.ndarray, *, n_neighbours: int, resolution: float, seed: int) -> np.ndarray:
    """Communities of the neighbour graph by Leiden (Traag, Waltman and van Eck 2019) on modularity.

    Args:
        vectors: float32 (n, n_dims), unit rows; the order matters to ties, so give a sorted one.
        n_neighbours: Neighbours of each vector in the graph.
        resolution: Higher gives more and smaller groups.
        seed: The same seed and vectors give the same groups.

    Returns:
        int64 array (n,) of group numbers; -1 where there is no other vector at all.
    """
    from graspologic_native import leiden

    n = len(vectors)
    if n < 2:
        return np.full(n, -1, dtype=np.int64)
    left, right, weight = shared_neighbour_edges(nearest_neighbours(vectors, min(n_neighbours, n - 1)))
    names = [str(number) for number in range(n)]
    edges = [
        (names[a], names[b], w)
        for a, b, w in zip(left.tolist(), right.tolist(), weight.tolist(), strict=True)
    ]
    _, group_of = leiden(edges, resolution=resolution, use_modularity=True, seed=seed)
    return np.array([group_of[name] for name in names], dtype=np.int64)
