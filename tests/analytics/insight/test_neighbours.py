"""The neighbour graph, on vectors whose neighbours are known."""

import numpy as np
import pytest

from analytics.insight import neighbours
from analytics.insight.neighbours import nearest_neighbours, shared_neighbour_edges


def on_circle(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_nearest_neighbours_are_exact_and_hold_the_row_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = on_circle(0, 10, 25, 90, 95)
    expected = [[0, 1, 2], [0, 1, 2], [0, 1, 2], [2, 3, 4], [2, 3, 4]]
    assert nearest_neighbours(vectors, 2).tolist() == expected
    monkeypatch.setattr(neighbours, "_ROWS", 2)
    assert nearest_neighbours(vectors, 2).tolist() == expected


def test_edges_are_weighted_by_shared_neighbours() -> None:
    left, right, weight = shared_neighbour_edges(
        np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2], [2, 3, 4], [2, 3, 4]])
    )
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (1, 2),
        (2, 3),
        (2, 4),
        (3, 4),
    ]
    assert weight.tolist() == [1.0, 1.0, 1.0, 0.2, 0.2, 1.0]
