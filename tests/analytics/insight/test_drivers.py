"""Effects of themes on an outcome, against a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.insight.drivers import measure_effects


def simulate(seed: int, n: int = 6_000):
    """Theme 0 costs .8 points; theme 1 does nothing but is spoken of with bad items; theme 2 does nothing."""
    rng = np.random.default_rng(seed)
    item = rng.integers(0, 60, n)
    author = rng.integers(0, n // 3, n)
    level = rng.normal(0, 0.5, 60)
    presence = np.zeros((n, 3), dtype=bool)
    presence[:, 0] = rng.random(n) < 0.1
    presence[:, 1] = rng.random(n) < np.where(level[item] < -0.4, 0.3, 0.03)
    presence[:, 2] = rng.random(n) < 0.1
    outcome = 4 - 0.8 * presence[:, 0] + level[item] + rng.normal(0, 0.5, n)[author] + rng.normal(0, 0.8, n)
    return presence, outcome, item, author


def test_a_harm_is_found_and_an_innocent_theme_is_cleared() -> None:
    presence, outcome, item, author = simulate(1)
    found = measure_effects(presence, outcome, item=item, author=author)
    assert found.low[0] < -0.8 < found.high[0] < 0
    assert found.low[1] < 0 < found.high[1]
    assert found.plain[1] > 0.02, "the plain difference blames it"
    assert found.recoverable[0] == pytest.approx(0.08, abs=0.01)
    assert found.p_value[0] < 1e-6 < found.p_value[2]


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    truth = np.array([-0.8, 0.0, 0.0])
    held = []
    for seed in range(400):
        presence, outcome, item, author = simulate(seed, 1_500)
        found = measure_effects(presence, outcome, item=item, author=author)
        held.append((found.low <= truth) & (truth <= found.high))
    assert np.mean(held, axis=0) == pytest.approx(0.95, abs=0.03)


def test_texts_of_one_author_are_no_independent_witnesses() -> None:
    rng = np.random.default_rng(2)
    n = 600
    author = np.repeat(np.arange(n // 10), 10)
    presence = (author < 20)[:, None]
    outcome = rng.normal(0, 1, n // 10)[author] + rng.normal(0, 0.2, n)
    none = np.zeros(n, dtype=np.int64)
    as_one = measure_effects(presence, outcome, item=none, author=author)
    as_many = measure_effects(presence, outcome, item=none, author=np.arange(n))
    assert as_one.high[0] - as_one.low[0] > 2 * (as_many.high[0] - as_many.low[0])


def test_what_the_data_cannot_tell_is_not_told() -> None:
    rng = np.random.default_rng(3)
    item = np.repeat(np.arange(50), 2)
    nobody = np.zeros((100, 1), dtype=bool)
    whole_items = np.repeat(rng.random(50) < 0.5, 2)[:, None]
    for presence in (nobody, whole_items):
        found = measure_effects(presence, rng.normal(0, 1, 100), item=item, author=np.arange(100))
        assert np.isnan(found.effect[0])
        assert np.isnan(found.low[0])
    constant = measure_effects(
        rng.random((100, 1)) < 0.3, np.full(100, 5.0), item=item, author=np.arange(100)
    )
    assert not constant.effect[0]
    assert np.isnan(constant.p_value[0])


def test_levels_of_many_items_cost_what_they_were_told_from() -> None:
    rng = np.random.default_rng(4)
    item = np.repeat(np.arange(400), 2)
    held = []
    for _ in range(100):
        presence = rng.random((800, 6)) < 0.3
        found = measure_effects(presence, rng.normal(0, 1, 800), item=item, author=np.arange(800))
        held += list((found.low <= 0) & (found.high >= 0))
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_one_who_wrote_much_of_it_makes_it_unsure() -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(300):
        author = np.r_[np.zeros(30, dtype=np.int64), np.arange(1, 971)]
        presence = np.r_[np.ones(30), rng.random(970) < 0.04].astype(bool)[:, None]
        outcome = rng.normal(0, 1, 971)[author] + rng.normal(0, 0.5, 1_000)
        found = measure_effects(presence, outcome, item=np.zeros(1_000, dtype=np.int64), author=author)
        held.append(found.low[0] <= 0 <= found.high[0])
    assert np.mean(held) >= 0.92


def test_where_one_author_says_it_all_there_is_no_interval() -> None:
    rng = np.random.default_rng(6)
    author = np.r_[np.zeros(10, dtype=np.int64), np.arange(1, 91)]
    presence = (author == 0)[:, None]
    nothing = np.zeros(100, dtype=np.int64)
    alone = measure_effects(presence, rng.normal(0, 1, 100), item=nothing, author=np.zeros(100, np.int64))
    assert np.isnan([alone.low[0], alone.high[0], alone.p_value[0]]).all()
    found = measure_effects(presence, rng.normal(0, 1, 100), item=nothing, author=author)
    assert np.isnan([found.low[0], found.high[0], found.p_value[0]]).all()


def test_the_same_answer_of_a_few_is_no_certainty() -> None:
    """Six of a hundred return; of ten who mention a theme nobody does, which says little."""
    rng = np.random.default_rng(3)
    outcome = (rng.random(1_000) < 0.06).astype(float)
    presence = np.zeros((1_000, 1))
    presence[np.flatnonzero(outcome == 0)[:10], 0] = 1
    found = measure_effects(presence, outcome, item=np.zeros(1_000, dtype=int), author=np.arange(1_000))
    assert found.effect[0] < 0 < found.high[0]
