"""Reasons add up to the score, name the customer's own items, and are true."""

from __future__ import annotations

import numpy as np
import pytest
from test_model import TEXTS, store

from recommender.attribution import attribute, measure_faithfulness, named
from recommender.candidates import Catalogue
from recommender.events import Events
from recommender.model import Model, fit_model, recommend_items, without_last


@pytest.fixture(scope="module")
def fitted() -> tuple[Model, Events]:
    known = without_last(store()).known
    return fit_model(known, Catalogue(TEXTS), now=0.0, seed=1), known


def test_what_the_history_gave_is_what_its_generators_added(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    some = known.of_users(np.arange(40))
    listed = recommend_items(made, some, 5)
    told = attribute(made, some, listed)
    assert made.ranker is not None
    added = made.ranker.contributions(listed.features)
    names = made.generators.feature_names
    for one in range(0, len(listed.row), 7):
        expected = 0.0
        for generator in made.generators.by_history:
            score = listed.features[one, names.index(f"{generator.name}: score")]
            mine = [n for n, name in enumerate(names) if name.split(":")[0] == generator.name]
            expected += added[one, mine].sum() if score > 0 else 0.0
        assert told.given[told.listed == one].sum() == pytest.approx(expected, abs=1e-6)


def test_reasons_are_the_customers_own_and_the_largest_first(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    some = known.of_users(np.arange(60))
    listed = recommend_items(made, some, 5)
    told = named(attribute(made, some, listed))
    assert (some.user[told.entry] == listed.row[told.listed]).all()
    assert np.bincount(told.listed).max() <= 2
    same = np.diff(told.listed) == 0
    assert (np.diff(told.given)[same] <= 0).all()
    assert (told.given > 0).all()


def test_taking_the_named_items_lowers_scores_most(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    found = measure_faithfulness(made, known, n_lists=120, n_listed=5, seed=1)
    assert found.n_lists > 80
    assert found.share is not None
    assert found.share > 0.9
    assert found.share_at_random is not None
    assert 0.3 < found.share_at_random < 0.7


def test_another_customers_events_change_no_reason(fitted: tuple[Model, Events]) -> None:
    made, known = fitted
    some = known.of_users(np.arange(20))
    changed = some.where((some.user != 3) | (some.back > 0))
    one, other = (attribute(made, events, recommend_items(made, events, 5)) for events in (some, changed))
    mine, theirs = one.listed >= 5 * 4, other.listed >= 5 * 4
    assert one.given[mine].tolist() == other.given[theirs].tolist()


def test_without_a_ranker_the_nearest_items_are_named() -> None:
    known = store(30)
    made = fit_model(known, Catalogue(TEXTS), now=0.0, seed=1)
    assert made.ranker is None
    listed = recommend_items(made, known, 5)
    assert len(np.unique(named(attribute(made, known, listed)).listed)) > 100
    nobody = known.where(known.column < 0)
    assert measure_faithfulness(made, nobody, n_lists=9, n_listed=5, seed=1).share is None
