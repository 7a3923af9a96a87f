"""Nearest neighbours, and the graph of those that share them."""

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
