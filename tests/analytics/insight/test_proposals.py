"""Two themes that are one, and one that is two; and what mixes with what."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.insight.mixing import mixing_share
from analytics.insight.proposals import find_duplicates, find_two_humped, split_in_two


def near(axis: int, n: int, seed: int, noise: float = 0.15) -> np.ndarray:
    """Unit rows near one of 16 axes."""
    rows = np.random.default_rng(seed).normal(scale=noise, size=(n, 16))
    rows[:, axis] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def members(**parts: np.ndarray) -> tuple[pl.DataFrame, np.ndarray]:
    """Themes by name, their rows mixed."""
    names = [name for name, rows in parts.items() for _ in rows]
    vectors = np.concatenate(list(parts.values()))
    order = np.random.default_rng(2).permutation(len(names))
    rows = pl.DataFrame({"theme_id": [names[n] for n in order]}).with_row_index("row")
    return rows, vectors[order]


def test_halves_of_one_set_mix_and_two_sets_do_not() -> None:
    one = near(0, 120, 1)
    assert mixing_share(one[::2], one[1::2]) == pytest.approx(0.5, abs=0.08)
    assert mixing_share(near(0, 60, 1), near(1, 60, 2)) < 0.02
    assert mixing_share(one[:1], one[1:]) == 0.0


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 1_000))
def test_mixing_is_a_share_and_does_not_care_which_side_is_first(left: int, right: int, seed: int) -> None:
    one, other = near(0, left, seed), near(1, right, seed + 1)
    share = mixing_share(one, other)
    assert 0 <= share <= 1
    assert share == pytest.approx(mixing_share(other, one), abs=0.02)


def test_a_theme_in_two_parts_is_proposed_as_one_the_smaller_into_the_larger() -> None:
    one = near(0, 100, 1)
    found = find_duplicates(*members(a=one[:40], b=one[40:], c=near(1, 50, 2)))
    assert found.select("theme_id", "other_id").rows() == [("a", "b")]
    assert 0.35 <= found["evidence"].item() <= 1


def test_what_a_person_keeps_apart_is_not_proposed() -> None:
    one = near(0, 100, 1)
    rows, vectors = members(a=one[:40], b=one[40:])
    assert find_duplicates(rows, vectors, apart=frozenset({("a", "b")})).is_empty()


def test_a_theme_is_in_one_pair_at_most_and_one_theme_alone_in_none() -> None:
    one = near(0, 150, 1)
    found = find_duplicates(*members(a=one[:40], b=one[40:90], c=one[90:]))
    assert found.height == 1
    assert find_duplicates(*members(a=one)).is_empty()


def test_a_theme_of_two_humps_is_found_and_one_of_one_is_not() -> None:
    two = np.concatenate([near(0, 40, 1), near(1, 40, 2)])
    rows, vectors = members(two=two, one=near(2, 80, 3))
    assert find_two_humped(rows, vectors, min_opinions=10)["theme_id"].to_list() == ["two"]
    assert find_two_humped(rows, vectors, min_opinions=60).is_empty()


def test_the_cut_in_two_follows_the_humps_and_not_the_order() -> None:
    two = np.concatenate([near(0, 50, 1), near(1, 30, 2)])
    half = split_in_two(two)
    assert half.tolist() == [0] * 50 + [1] * 30
    order = np.random.default_rng(5).permutation(80)
    assert np.array_equal(split_in_two(two[order]), half[order])
    assert split_in_two(np.repeat(two[:1], 6, axis=0)).tolist() == [0] * 6


@pytest.mark.parametrize("n", [6, 200])
def test_few_members_and_many_are_cut_by_the_same_humps(n: int) -> None:
    two = np.concatenate([near(0, n, 1), near(1, n // 2, 2)])
    assert split_in_two(two).tolist() == [0] * n + [1] * (n // 2)
