"""Groups of like vectors: clouds are groups, few vectors are no trouble, order decides nothing."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.insight import grain, grouping
from analytics.insight.grouping import find_groups

N_DIMS = 24


def clouds(n_clouds: int, size: int, seed: int = 1, noise: float = 0.05) -> np.ndarray:
    """Unit rows near as many axes, one cloud after the other."""
    rows = np.random.default_rng(seed).normal(scale=noise, size=(n_clouds * size, N_DIMS))
    rows[np.arange(len(rows)), np.arange(len(rows)) // size] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two groupings are the same but for their numbers."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


def test_clouds_are_groups_and_every_group_has_an_upper_one() -> None:
    found = find_groups(clouds(8, 40), seed=1)
    assert same(found.group, np.arange(320) // 40)
    assert found.parent.shape == (8,)
    assert set(found.parent.tolist()) == set(range(found.parent.max() + 1))


def test_the_order_of_the_rows_decides_nothing() -> None:
    vectors = clouds(6, 40, noise=0.2)
    order = np.random.default_rng(2).permutation(len(vectors))
    one, other = find_groups(vectors, seed=3), find_groups(vectors[order], seed=3)
    assert same(one.group[order], other.group)


def test_a_vector_that_occurs_often_counts_once() -> None:
    vectors = clouds(5, 40)
    more = np.concatenate([vectors, np.repeat(vectors[:1], 200, axis=0)])
    one, other = find_groups(vectors, seed=1), find_groups(more, seed=1)
    assert same(one.group, other.group[:200])
    assert (other.group[200:] == other.group[0]).all()


def test_granularity_orders_the_number_of_groups() -> None:
    vectors = clouds(12, 60, noise=0.25)
    coarse, medium, fine = (
        find_groups(vectors, granularity=grain, seed=1).group.max() for grain in ("coarse", "medium", "fine")
    )
    assert coarse < medium < fine


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7])
def test_few_vectors_are_no_trouble(n: int) -> None:
    found = find_groups(clouds(4, 2)[:n], seed=1)
    assert found.group.shape == (n,)
    assert len(found.parent) == len(set(found.group.tolist()) - {-1})


def test_what_says_nothing_has_no_group() -> None:
    vectors = clouds(4, 20)
    vectors[::10] = 0
    found = find_groups(vectors, seed=1)
    assert (found.group[::10] == -1).all()
    assert (np.delete(found.group, np.s_[::10]) >= 0).all()


def test_the_number_of_groups_is_judged_on_samples_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def noting(points: np.ndarray, cut: grain.Cut) -> float | None:
        seen.append(len(points))
        return grain.number_of_groups(points, cut)

    monkeypatch.setattr(grouping, "_GRAIN_SAMPLE", 300)
    monkeypatch.setattr(grouping, "number_of_groups", noting)
    found = find_groups(clouds(6, 150, noise=0.2), seed=1)
    assert seen == [300] * 4
    assert same(found.group, np.arange(900) // 150)


def test_a_resolution_gives_the_number_that_was_asked_for() -> None:
    asked = grain.resolution_of(7.4, lambda resolution, _: np.arange(int(resolution) + 1))
    assert int(asked) + 1 == 7
