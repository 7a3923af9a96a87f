"""The neighbour graph, on vectors whose neighbours are known."""

import numpy as np
import pytest

from analytics.insight import neighbours
from analytics.insight.neighbours import group_vectors, nearest_neighbours, shared_neighbour_edges


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


def test_two_clouds_are_two_groups() -> None:
    vectors = on_circle(*range(9), *range(100, 109))
    groups = group_vectors(vectors, n_neighbours=8, resolution=1.0, seed=1).tolist()
    assert groups == [groups[0]] * 9 + [groups[9]] * 9
    assert groups[0] != groups[9]


def test_a_higher_resolution_gives_more_groups_and_a_seed_gives_the_same() -> None:
    vectors = on_circle(*range(60))
    coarse, fine, again = (
        group_vectors(vectors, n_neighbours=6, resolution=resolution, seed=1).tolist()
        for resolution in (0.1, 3.0, 3.0)
    )
    assert len(set(coarse)) < len(set(fine))
    assert fine == again


def test_a_vector_alone_has_no_group_and_few_vectors_lower_the_neighbours() -> None:
    assert group_vectors(on_circle(0), n_neighbours=15, resolution=1.0, seed=1).tolist() == [-1]
    assert group_vectors(on_circle(), n_neighbours=15, resolution=1.0, seed=1).tolist() == []
    assert set(group_vectors(on_circle(0, 1, 2), n_neighbours=15, resolution=1.0, seed=1).tolist()) == {0}
