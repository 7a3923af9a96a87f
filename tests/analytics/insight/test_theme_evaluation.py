from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.insight import theme_evaluation
from analytics.insight.grouping import Groups
from analytics.insight.theme_evaluation import (
    agreement,
    discover_shuffled,
    evaluate_discovery,
    halves_agreement,
    measure_labels,
    measure_sizes,
    mutual_neighbours,
    upper_level,
)


def at_angles(*degrees):
    radians = np.deg2rad(np.array(degrees, dtype=np.float64))
    return np.column_stack([np.cos(radians), np.sin(radians)]).astype(np.float32)


def groups_of(group, parent=None):
    group = np.array(group, dtype=np.int64)
    k = group.max(initial=-1) + 1
    return Groups(group, np.arange(k) if parent is None else np.array(parent, dtype=np.int64))


def by_truth(truth):
    """A discovery that finds the true groups, under numbers that depend on the order of the rows."""

    def discover(rows, seed):
        _, first = np.unique(truth[rows], return_index=True)
        order = truth[rows][np.sort(first)]
        number = {group: nth for nth, group in enumerate(order)}
        return groups_of([number[group] for group in truth[rows]])

    return discover


def test_agreement_is_the_adjusted_rand_index():
    assert agreement(np.array([0, 0, 1, 1]), np.array([5, 5, 2, 2])) == 1
    # No pair is together in both; 2 × 2 / 6 would be by chance, and at most 2: (0 - 2/3) / (2 - 2/3).
    assert agreement(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) == -0.5


def test_labels_that_match_and_labels_that_are_independent():
    matching = measure_labels(np.array([3, 3, 0, 0]), ["a", "a", "b", "b"])
    assert matching == {"ari": 1, "nmi": 1, "purity": 1}
    independent = measure_labels(np.array([0, 0, 1, 1]), ["a", "b", "a", "b"])
    assert independent == {"ari": -0.5, "nmi": 0, "purity": 0.5}


def test_purity_counts_the_commonest_label_of_each_group():
    measured = measure_labels(np.array([0, 0, 0, 1, 1, 2]), ["a", "a", "b", "b", "c", "c"])
    assert measured["purity"] == pytest.approx((2 + 1 + 1) / 6, abs=1e-6)


def test_the_unplaced_are_one_group_of_their_own():
    assert measure_labels(np.array([-1, -1, 0, 0]), ["a", "a", "b", "b"])["ari"] == 1
    assert measure_labels(np.array([-1, -1, 0, 0]), ["a", "b", "c", "c"])["purity"] == 0.75


def test_texts_without_a_label_count_in_no_label_measure():
    labels = ["a", None, "a", "b", None, "b"]
    assert measure_labels(np.array([0, 1, 0, 1, 0, 1]), labels)["ari"] == 1
    nothing = {"ari": None, "nmi": None, "purity": None}
    assert measure_labels(np.array([0, 1]), None) == nothing
    assert measure_labels(np.array([0, 1]), [None, None]) == nothing


def test_sizes():
    measured = measure_sizes(np.array([0, 0, 0, 2, -1]))
    assert measured == {"n_themes": 2, "unplaced_share": 0.2, "largest_share": 0.6}
    assert measure_sizes(np.array([-1, -1]))["largest_share"] == 0


def test_the_upper_level_leaves_the_unplaced_unplaced():
    assert upper_level(groups_of([0, 1, -1, 2], parent=[7, 7, 4])).tolist() == [7, 7, -1, 4]
    assert upper_level(groups_of([-1, -1])).tolist() == [-1, -1]


def test_the_seed_shuffles_the_rows_and_the_groups_come_back_in_order():
    orders = []

    def discover(rows, seed):
        orders.append(rows.tolist())
        return groups_of(rows // 10)

    found = [discover_shuffled(discover, 40, seed).group.tolist() for seed in (1, 2)]
    assert found == [[nth // 10 for nth in range(40)]] * 2
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(40))


def test_neighbours_are_mutual_where_each_is_the_nearest_of_the_other():
    left, right = at_angles(0, 10, 90), at_angles(1, 85, 200)
    # 10° would go to 1°, which 0° is nearer to; 200° would go to 90°, which 85° is nearer to.
    rows, others = mutual_neighbours(left, right)
    assert (rows.tolist(), others.tolist()) == ([0, 2], [0, 1])


@given(
    left=st.lists(st.integers(0, 359), min_size=1, max_size=12, unique=True),
    right=st.lists(st.integers(0, 359), min_size=1, max_size=12, unique=True),
)
def test_blocks_change_nothing_and_exchanged_sides_give_the_same_pairs(left, right):
    # Offsets of their own keep every two distances apart.
    left = at_angles(*[angle + 0.001 * angle**0.5 for angle in left])
    right = at_angles(*[angle + 0.3 + 0.002 * angle**0.7 for angle in right])
    whole = np.column_stack(mutual_neighbours(left, right))
    cosines = left @ right.T
    expected = [
        (row, cosines[row].argmax())
        for row in range(len(left))
        if cosines[:, cosines[row].argmax()].argmax() == row
    ]
    assert whole.tolist() == [list(pair) for pair in expected]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theme_evaluation, "_BLOCK", 3)
        in_blocks = np.column_stack(mutual_neighbours(left, right))
    assert in_blocks.tolist() == whole.tolist()
    exchanged = np.column_stack(mutual_neighbours(right, left))
    assert sorted(map(tuple, exchanged[:, ::-1].tolist())) == sorted(map(tuple, whole.tolist()))


def test_each_half_is_looked_at_alone_and_together_they_are_all_texts():
    vectors = at_angles(*range(0, 330, 11))
    calls = []

    def discover(rows, seed):
        calls.append((rows.tolist(), seed))
        return groups_of(rows // 10)

    halves_agreement(discover, vectors, seed=4)
    (one, seed), (other, other_seed) = calls
    assert abs(len(one) - len(other)) <= 1
    assert sorted(one + other) == list(range(len(vectors)))
    assert seed != other_seed


def test_halves_that_show_the_same_themes_agree_and_others_do_not():
    truth = np.repeat(np.arange(6), 20)
    vectors = at_angles(*(60 * truth + 0.2 * np.tile(np.arange(20), 6)))
    agreed, n_shared = halves_agreement(by_truth(truth), vectors, seed=1)
    assert agreed == 1
    assert 12 <= n_shared <= 60
    drawn = np.random.default_rng(5).integers(0, 6, 120)
    blind, _ = halves_agreement(by_truth(drawn), vectors, seed=1)
    assert abs(blind) < 0.2


def test_one_pair_is_no_agreement():
    assert halves_agreement(by_truth(np.array([0, 0])), at_angles(0, 5), seed=1) == (None, 1)


def test_every_text_counts_in_the_theme_of_its_wording():
    truth = np.array([0, 0, 1, 1])
    vectors = at_angles(0, 1, 90, 91)
    wordings = np.array([0, 0, 0, 1, 2, 3])
    labels = ["a", "a", "a", "a", "b", "b"]
    measured = evaluate_discovery(by_truth(truth), vectors, wordings, labels, seed=3)
    assert (measured["ari"], measured["upper_ari"]) == (1, 1)
    assert measured["n_themes"] == measured["n_groups"] == 2
    assert measured["largest_share"] == pytest.approx(4 / 6, abs=1e-6)
    assert measured["seed_agreement_ari"] == 1
    assert measured["seconds"] >= 0


def test_a_discovery_that_follows_the_order_of_rows_is_found_out():
    vectors = at_angles(*np.linspace(0, 300, 60))

    def discover(rows, seed):
        return groups_of(np.arange(len(rows)) // 10)

    measured = evaluate_discovery(discover, vectors, np.arange(60), None, seed=3)
    assert abs(measured["seed_agreement_ari"]) < 0.2
    assert measured["ari"] is None
    assert measured["upper_ari"] is None


def test_the_same_seed_gives_the_same_measures():
    vectors = at_angles(*range(0, 300, 5))
    truth = np.arange(60) // 7
    one, other = (
        evaluate_discovery(by_truth(truth), vectors, np.arange(60), None, seed=9) | {"seconds": 0}
        for _ in range(2)
    )
    assert one == other
