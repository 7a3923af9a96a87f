"""How far two sets of statements are one: by whom each one's nearest neighbours belong to."""

from __future__ import annotations

import numpy as np

NEIGHBOURS = 10
MOST = 100
"""Of either side at most this many rows are compared."""


def mixing_share(left: np.ndarray, right: np.ndarray) -> float:
    """Share of nearest neighbours that are of the other side, where both sides are of one size.

    Two samples of one set give about .5 (Schilling 1986); two sets with nothing between them give 0.

    Args:
        left: (n_left, n_dims), unit rows in an order that says nothing of them.
        right: (n_right, n_dims), unit rows in such an order; the larger side is cut to the smaller.

    Returns:
        0 to 1; 0 where a side has fewer than two rows.
    """
    n = min(len(left), len(right), MOST)
    if n < 2:
        return 0.0
    rows = np.concatenate([left[:n], right[:n]]).astype(np.float64)
    cosines = np.round(rows @ rows.T, 6)
    np.fill_diagonal(cosines, -2.0)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(NEIGHBOURS, n - 1)]
    is_left = np.arange(2 * n) < n
    return float((is_left[nearest] != is_left[:, None]).mean())
