"""Lists as customers get them: their laws, what they learn, and how they are held against what came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import polars as pl
import pytest
from test_lending import events

from recommender import model as model_module
from recommender.candidates import Catalogue, Generators, Written, fit_generators, propose
from recommender.evaluation import (
    Lists,
    as_lists,
    evaluate_model,
    find_leaks,
    interval_of_difference,
    lists_of_generator,
    lists_of_model,
    measure,
    slices_of,
)
from recommender.events import MAX_EVENTS, Events, read_events
from recommender.model import Model, cut, cut_interactions, fit_model, hold_out, recommend_items, without_last
from recommender.rules import no_rules

N_ITEMS, N_TASTES = 60, 4
TASTES = np.arange(N_ITEMS) % N_TASTES
TEXTS = [f"taste{TASTES[item]} thing{item % 7} word" for item in range(N_ITEMS)]


def store(n_customers: int = 900, seed: int = 3, *, has_time: bool = False) -> Events:
    """Customers of one taste each, who take the items of it in a loose order."""
    draw = np.random.default_rng(seed)
    histories = []
    for nth in range(n_customers):
        mine = np.flatnonzero(TASTES == nth % N_TASTES)
        length = int(draw.integers(4, 9))
        first = int(draw.integers(0, len(mine)))
        walk = [mine[(first + step) % len(mine)] for step in range(length)]
        walk[draw.integers(0, length)] = int(draw.integers(0, N_ITEMS))
        histories.append([int(item) for item in dict.fromkeys(walk)])
    made = events(histories, N_ITEMS)
    if not has_time:
        return made
    day = np.concatenate([np.sort(draw.random(len(one)) * 100) for one in histories])
    return Events(
        made.users, made.items, made.start, made.column, made.weight, day, made.is_had, made.is_learned
    )


@pytest.fixture(scope="module")
def fitted() -> tuple[Model, Events]:
    future = without_last(store())
    return fit_model(future.known, Catalogue(TEXTS), now=0.0, seed=1), future.known


def lists(fitted: Model, known: Events, n: int = 10) -> np.ndarray:
    return as_lists(recommend_items(fitted, known, n), known.n_users, n).columns


def test_lists_foresee_better_than_what_is_popular() -> None:
    future = without_last(store())
    found = evaluate_model(
        lambda known: fit_model(known, Catalogue(TEXTS), now=0.0, seed=1),
        future,
        replace(no_rules(N_ITEMS, 10), diversity=0.5),
        None,
        seed=1,
    )
    assert found["has_ranker"]
    assert found["leaks"] == []
    assert found["rules_diversity"] > 0.01
    assert found["rules_price"] < found["metrics"]["ndcg_at_10"]
    assert found["metrics"]["recall_at_10"] > 0.6
    assert found["peers"]["popular"]["ahead_low"] > 0.1
    assert found["slices"]["warm_item"]["n"] + found["slices"]["cold_item"]["n"] == len(future.taken.column)


def test_laws_of_a_list(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    listed = recommend_items(made, known, 10)
    for row in range(0, known.n_users, 37):
        mine = listed.row == row
        assert listed.rank[mine].tolist() == list(range(1, 11))
        assert len(set(listed.column[mine])) == 10
        had = known.column[known.start[row] : known.start[row + 1]]
        assert not set(had) & set(listed.column[mine])
    assert ((listed.score > 0) & (listed.score < 1)).all()


def test_one_customers_events_change_nobody_elses_list(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    before = lists(made, known)
    changed = known.where((known.user != 5) | (known.back > 0))
    after = lists(made, changed)
    assert (np.delete(before, 5, axis=0) == np.delete(after, 5, axis=0)).all()
    assert (before[5] != after[5]).any()


def test_small_blocks_give_the_same_lists(fitted: tuple[Model, Events], monkeypatch) -> None:
    made, known = fitted
    whole = lists(made, known)
    monkeypatch.setattr(model_module, "BLOCK_CELLS", 7 * N_ITEMS)
    assert (lists(made, known) == whole).all()


def test_the_same_seed_gives_the_same_lists(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    again = fit_model(known, Catalogue(TEXTS), now=0.0, seed=1)
    assert (lists(again, known) == lists(made, known)).all()


def test_a_score_is_the_probability_that_an_item_is_taken(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    future = without_last(store())
    listed = recommend_items(made, known, 10)
    target = np.full(known.n_users, -1)
    target[future.taken.user] = future.taken.column
    is_taken = target[listed.row] == listed.column
    assert listed.score.mean() == pytest.approx(is_taken.mean(), rel=0.25)


def test_contributions_add_up_to_the_sum_of_the_trees(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    assert made.ranker is not None
    features = recommend_items(made, known.of_users(np.arange(20)), 5).features
    added = made.ranker.contributions(features).sum(axis=1)
    sums = made.ranker.sums(features)
    assert np.ptp(sums - added) < 1e-6, "but for what all lists begin with"


def test_what_speaks_for_an_item_never_counts_against_it(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    assert made.ranker is not None
    features = recommend_items(made, known.of_users(np.arange(40)), 10).features
    sums = made.ranker.sums(features)
    for column, name in enumerate(made.ranker.feature_names):
        if name.endswith(": score"):
            more = features.copy()
            more[:, column] *= 1.5
            assert (made.ranker.sums(more) >= sums - 1e-9).all(), name


def test_with_few_customers_there_is_no_ranker_and_yet_a_list() -> None:
    known = store(30)
    made = fit_model(known, Catalogue(TEXTS), now=0.0, seed=1)
    assert made.ranker is None
    listed = recommend_items(made, known, 10)
    assert (np.bincount(listed.row) == 10).all()
    assert (np.diff(listed.score)[np.diff(listed.row) == 0] <= 1e-9).all()


@pytest.mark.parametrize(
    ("histories", "n_items", "expected"),
    [([[0]], 1, [[-1]]), ([[]], 1, [[-1]]), ([[0], [1]], 2, [[1], [0]]), ([[], [0, 1]], 2, [[0], [-1]])],
)
def test_small_stores(histories: list[list[int]], n_items: int, expected: list[list[int]]) -> None:
    known = events(histories, n_items)
    for texts in ([""] * n_items, ["one word"] * n_items):
        made = fit_model(known, Catalogue(texts), now=0.0, seed=1)
        assert lists(made, known, 1).tolist() == expected


def test_nobody_and_nothing() -> None:
    known = events([], 0)
    made = fit_model(known, Catalogue([]), now=0.0, seed=1)
    assert lists(made, known, 3).shape == (0, 3)


@pytest.mark.slow
def test_only_the_latest_of_ten_thousand_events_tell_a_taste() -> None:
    n = 10_000
    known = events([list(range(n)), [0, 1], [n, n + 1]], n + 2)
    generators = fit_generators(known, Catalogue([""] * (n + 2)), half_life_days=None, now=0.0, seed=1)
    counted = generators.history(known, generators.by_history[0])
    assert counted[0].nnz == n
    assert (np.asarray(counted[0].todense()).ravel() > 0).sum() <= MAX_EVENTS
    assert lists(Model(generators, None), known.of_users(np.array([0])), 2).tolist() == [[n, n + 1]]


def test_a_score_is_the_sum_of_what_each_item_of_the_history_lends(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    one = known.of_users(np.array([7]))
    for generator in made.generators.by_history:
        history = made.generators.history(one, generator).toarray()[0]
        lent = sum(history[item] * generator.lends[item].toarray()[0] for item in one.column)
        lent[one.column] = 0.0
        scores = made.generators.scores(one, generator).toarray()[0]
        assert scores == pytest.approx(lent, abs=1e-5), generator.name


def test_proposals_have_the_features_that_are_named(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    proposed = propose(made.generators, known.of_users(np.arange(3)))
    assert proposed.features.shape == (len(proposed.row), len(made.generators.feature_names))


# ---- what is known when


def test_a_cut_of_interactions_knows_nothing_that_came_later() -> None:
    """Ann looks at the pan and buys it later, rates the tent twice, and buys the kettle again and again."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        ("ann", "pan", 1, None, "view"),
        ("ann", "tent", 2, 1.0, "order"),
        ("ann", "kettle", 3, None, "order"),
        ("ann", "pan", 20, None, "order"),
        ("ann", "tent", 21, 0.0, "order"),
        ("ann", "kettle", 22, None, "order"),
        ("ann", "mug", 23, None, "view"),
        ("ann", "bowl", 40, None, "order"),
    ]
    schema = ["user_id", "item_id", "created_at", "rating_share", "kind"]
    told = [(user, item, day + timedelta(days=n), *rest) for user, item, n, *rest in rows]
    frame = pl.DataFrame(told, schema=schema, orient="row")
    items = ["bowl", "kettle", "mug", "pan", "tent"]
    read = partial(read_events, items=items, kind_weights={"view": 0.2}, passing_kinds=["view"])
    now = day.timestamp() / 86_400 + 10
    future = cut_interactions(frame, read, now, now + 20)
    known = dict(zip(future.known.column.tolist(), future.known.weight.round(2).tolist(), strict=True))
    expected = {items.index("pan"): 0.2, items.index("tent"): 1.0, items.index("kettle"): 1.0}
    assert known == pytest.approx(expected)
    assert future.known.time.max() < now
    assert [items[column] for column in future.taken.column] == ["pan"]
    assert hold_out(read(frame), partial(cut_interactions, frame, read))


def test_nothing_after_a_cut_is_known() -> None:
    made = store(has_time=True)
    future = cut(made, 80.0)
    assert np.nanmax(future.known.time) < 80.0 <= future.taken.time.min()
    assert len(future.known.column) + len(future.taken.column) == len(made.column)


def test_a_leak_is_found() -> None:
    made = store(300, has_time=True)
    future = cut(made, 80.0)

    def leaks(events: Events, now: float = 80.0, written: Written | None = None) -> list[str]:
        catalogue = Catalogue(TEXTS, written=written)
        fitted = fit_generators(events, catalogue, half_life_days=None, now=now, seed=1)
        return find_leaks(future, fitted)

    assert leaks(future.known) == []
    later, others = leaks(made)
    assert "days after the cut were learned from" in later
    assert others.startswith("of ")
    more = future.known.where(future.known.user > 0)
    n_items = len(set(future.known.column[future.known.user == 0]))
    assert leaks(more) == [f"of {n_items} items other events were learned from than were known at the cut"]
    written = Written(np.array([0, 1]), np.array([79.0, 81.0]), ["early", "late"])
    assert leaks(future.known, written=written) == []
    assert leaks(future.known, now=82.0, written=written) == [
        "texts up to 1.000 days after the cut were read"
    ]
    had = replace(future, known=made)
    assert any(
        "were known" in leak
        for leak in find_leaks(
            had, fit_generators(made, Catalogue(TEXTS), half_life_days=None, now=101.0, seed=1)
        )
    )


def test_the_order_of_items_with_the_same_score_tells_nothing_where_it_is_measured() -> None:
    known = events([[0, 1]] * 40, 8)
    fitted = fit_generators(known, Catalogue([""] * 8), half_life_days=None, now=0.0, seed=1)
    flat = Model(replace(fitted, by_history=[], popularity=np.ones_like(fitted.popularity)), None)
    asked = events([[0]] * 40, 8)
    assert (lists(flat, asked, 3) == [1, 2, 3]).all()
    drawn = lists_of_model(flat, asked, seed=1, n_listed=3).columns
    assert set(drawn[:, 0]) == set(range(1, 8))
    assert (drawn == lists_of_model(flat, asked, seed=1, n_listed=3).columns).all()


def test_what_comes_after_a_cut_changes_no_list_of_it() -> None:
    made = store(300, has_time=True)
    future = cut(made, 80.0)
    other = cut(made.where((made.time < 80.0) | (made.column % 2 == 0)), 80.0)
    both = [fit_model(one.known, Catalogue(TEXTS), now=80.0, seed=1) for one in (future, other)]
    assert (lists(both[0], future.known) == lists(both[1], other.known)).all()


def test_the_windows_learned_from_do_not_overlap_and_end_at_the_end() -> None:
    futures = hold_out(store(200, has_time=True))
    assert futures[0].now > futures[-1].now
    taken = [set(zip(one.taken.user, one.taken.column, strict=True)) for one in futures]
    assert sum(map(len, taken)) == len(set.union(*taken))


# ---- measures


def test_measures_by_hand() -> None:
    taken = events([[3, 4], [5]], 9)
    gains = measure(Lists(np.array([[3, 0, 4], [0, 1, 2]])), taken)
    assert gains.recall[10].tolist() == [1.0, 0.0]
    assert gains.ndcg[10].tolist() == pytest.approx([(1 + 1 / 2) / (1 + 1 / np.log2(3)), 0.0])
    assert gains.target_rank.tolist() == [1, 3, 0]


def test_an_interval_holds_the_mean_and_no_difference_is_none() -> None:
    ours = np.random.default_rng(1).random(400)
    mean, low, high = interval_of_difference(ours, ours - 0.1, seed=1)
    assert low == pytest.approx(mean) == pytest.approx(high) == pytest.approx(0.1)
    mean, low, high = interval_of_difference(ours, ours[::-1], seed=1)
    assert low < mean < high


def test_slices_tell_cold_from_warm_and_repeated_titles() -> None:
    known, taken = events([[0, 1], [0, 2, 3, 4]], 6), events([[5], [1]], 6)
    titles = ["red lamp", "blue lamp", "x", "y", "z", "red lamp big"]
    found = slices_of(known, taken, titles)
    assert found["cold_item"].tolist() == [True, False]
    assert found["cold_user"].tolist() == [True, False]
    assert found["title_alike"].tolist() == [True, True]
    assert slices_of(known, taken, None).keys() == {"warm_item", "cold_item", "tail", "cold_user"}


def test_a_generator_alone_lists_nothing_that_is_had(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    generators: Generators = made.generators
    for name in generators.names:
        columns = lists_of_generator(generators, name, known, seed=1).columns
        for row in range(0, known.n_users, 97):
            had = known.column[known.start[row] : known.start[row + 1]]
            assert not set(had) & set(columns[row])
