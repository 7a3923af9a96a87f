"""What rules take from lists, beside lists worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.model import Listed
from recommender.rules import (
    DIVERSITY,
    EXCLUDED,
    NEW_ITEMS,
    VARIANT,
    Rules,
    apply_rules,
    no_rules,
    variants_of,
)

N_ITEMS = 8


def kept(*lists: list[int], scores: list[float] | None = None) -> Listed:
    """Candidates of customers, best first; scores fall by a tenth from 1."""
    row = np.concatenate([np.full(len(one), nth) for nth, one in enumerate(lists)]).astype(np.int64)
    rank = np.concatenate([np.arange(1, len(one) + 1) for one in lists]).astype(np.int64)
    column = np.concatenate([np.array(one, dtype=np.int64) for one in lists])
    score = 1.1 - rank / 10 if scores is None else np.array(scores)
    return Listed(row, rank, column, score, column[:, None].astype(np.float32))


def rules(n_listed: int, **held: object) -> Rules:
    made = {
        "is_excluded": np.zeros(N_ITEMS, dtype=bool),
        "variant": np.arange(N_ITEMS),
        "is_new": np.zeros(N_ITEMS, dtype=bool),
        **held,
    }
    return Rules(n_listed=n_listed, **made)  # type: ignore[arg-type]


def on(*columns: int) -> np.ndarray:
    held = np.zeros(N_ITEMS, dtype=bool)
    held[list(columns)] = True
    return held


def lists_of(listed: Listed) -> list[list[int]]:
    return [listed.column[listed.row == row].tolist() for row in range(int(listed.row.max(initial=-1)) + 1)]


def test_without_rules_the_best_are_listed_and_nothing_is_removed() -> None:
    listed, removed = apply_rules(kept([3, 1, 2], [5], [0, 7]), no_rules(N_ITEMS, 2))
    assert lists_of(listed) == [[3, 1], [5], [0, 7]]
    assert listed.features[:, 0].tolist() == [3, 1, 5, 0, 7]
    assert removed.rule == []


def test_excluded_items_and_later_variants_go_and_are_logged() -> None:
    variant = np.arange(N_ITEMS)
    variant[[1, 4]] = 1
    listed, removed = apply_rules(
        kept([0, 1, 4, 2, 3], [4, 1, 0]), rules(3, is_excluded=on(0), variant=variant)
    )
    assert lists_of(listed) == [[1, 2, 3], [4]]
    assert listed.rank.tolist() == [1, 2, 3, 1]
    told = list(zip(removed.row, removed.column, removed.rank, removed.rule, strict=True))
    assert told == [(0, 0, 1, EXCLUDED), (0, 4, 3, VARIANT), (1, 1, 2, VARIANT), (1, 0, 3, EXCLUDED)]


def test_a_variant_of_an_excluded_item_may_be_listed() -> None:
    variant = np.zeros(N_ITEMS, dtype=np.int64)
    listed, _ = apply_rules(kept([0, 1]), rules(2, is_excluded=on(0), variant=variant))
    assert lists_of(listed) == [[1]]


def test_what_is_like_a_listed_item_gives_way_as_far_as_diversity_says() -> None:
    """By hand: after 0, item 1 is worth .9 - .3, item 2 .8, so 2 is chosen; without diversity 1 is."""
    alike = sp.csr_matrix(([1.0, 1.0], ([0, 1], [1, 0])), shape=(N_ITEMS, N_ITEMS))
    listed, removed = apply_rules(kept([0, 1, 2]), rules(2, diversity=0.3, alike=alike))
    assert lists_of(listed) == [[0, 2]]
    assert (removed.column.tolist(), removed.rule) == ([1], [DIVERSITY])
    assert lists_of(apply_rules(kept([0, 1, 2]), rules(2, diversity=0.05, alike=alike))[0]) == [[0, 1]]


def test_new_items_take_the_last_places_that_are_theirs() -> None:
    listed, removed = apply_rules(kept([0, 1, 2, 3, 4, 5]), rules(3, is_new=on(3, 4, 5), n_new=2))
    assert lists_of(listed) == [[0, 3, 4]]
    assert list(zip(removed.column, removed.rule, strict=True)) == [(1, NEW_ITEMS), (2, NEW_ITEMS)]
    has_one, none_left = apply_rules(kept([3, 1, 2, 4]), rules(3, is_new=on(3), n_new=2))
    assert lists_of(has_one) == [[3, 1, 2]]
    assert none_left.rule == []


@settings(deadline=None, max_examples=60)
@given(
    lists=st.lists(st.lists(st.integers(0, N_ITEMS - 1), unique=True, max_size=N_ITEMS), max_size=5),
    excluded=st.sets(st.integers(0, N_ITEMS - 1)),
    new=st.sets(st.integers(0, N_ITEMS - 1)),
    variant=st.lists(st.integers(0, 3), min_size=N_ITEMS, max_size=N_ITEMS),
    n_listed=st.integers(1, 5),
    n_new=st.integers(0, 3),
    diversity=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 9),
)
def test_laws_of_rules(lists, excluded, new, variant, n_listed, n_new, diversity, seed) -> None:
    """Nothing excluded, no product twice, ranks whole, full where there is enough, each list its own."""
    near = np.random.default_rng(seed).random((N_ITEMS, N_ITEMS))
    held = rules(
        n_listed,
        is_excluded=on(*excluded),
        is_new=on(*new),
        variant=np.array(variant),
        n_new=min(n_new, n_listed),
        diversity=diversity,
        alike=sp.csr_matrix(np.maximum(near, near.T)),
    )
    listed, removed = apply_rules(kept(*lists) if lists else kept([]), held)
    made = lists_of(listed)
    for row, candidates in enumerate(lists):
        mine = made[row] if row < len(made) else []
        free = [column for column in candidates if column not in excluded]
        assert not excluded & set(mine)
        assert len({variant[column] for column in mine}) == len(mine)
        assert len(mine) == min(n_listed, len({variant[column] for column in free}))
        assert listed.rank[listed.row == row].tolist() == list(range(1, len(mine) + 1))
        assert [column for column in candidates if column in mine] == mine
        gone = removed.column[removed.row == row].tolist()
        assert set(gone) == set(candidates[:n_listed]) - set(mine)
        alone, _ = apply_rules(kept(candidates), held)
        assert alone.column.tolist() == mine


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Shower Gel, 250 ml", "Shower gel 500ml", True),
        ("T-Shirt Basic red XL", "T-Shirt Basic blue S", True),
        ("Toy Story 2", "Toy Story 3", False),
        ("Kettle", "Lamp", False),
        ("", "", False),
        ("Red", "Blue", False),
    ],
)
def test_variants_differ_by_size_and_colour_alone(one: str, other: str, is_same: bool) -> None:
    numbers = variants_of([one, other])
    assert (numbers[0] == numbers[1]) == is_same
