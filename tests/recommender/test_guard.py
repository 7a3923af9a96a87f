"""Whether lists may be published, on stores in which it is known what they are worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_model import N_ITEMS, TEXTS, store

from recommender.candidates import Catalogue, fit_generators
from recommender.evaluation import Lists
from recommender.events import Events, place_within
from recommender.guard import AHEAD, MIN_CUSTOMERS, NO_EVIDENCE, WORSE, check_lists, last_window
from recommender.model import Future, Model, cut, fit_model
from recommender.rules import Rules, no_rules

NOW = 100.0


@pytest.fixture(scope="module")
def events() -> Events:
    return store(has_time=True)


@pytest.fixture(scope="module")
def future(events: Events) -> Future:
    found = last_window(events, NOW)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def model(future: Future) -> Model:
    return fit_model(future.known, Catalogue(TEXTS), now=future.now, seed=1)


def check(model: Model, future: Future, rules: Rules | None = None, n_kept: int = 30):
    rules = rules or no_rules(N_ITEMS, 10)
    return check_lists(model, future, rules, days=NOW - future.now, n_kept=n_kept, seed=1)


def test_the_shortest_window_that_brings_enough_customers_is_held_out(events: Events) -> None:
    found = last_window(events, NOW)
    assert found is not None
    assert NOW - found.now == 7
    few = events.of_users(np.arange(250))
    wide = last_window(few, NOW)
    assert wide is not None
    assert NOW - wide.now == 28
    assert len(wide.customers) >= MIN_CUSTOMERS
    assert last_window(events.where(events.time > NOW - 10), NOW) is None


def test_lists_that_know_a_taste_are_ahead(future: Future, model: Model) -> None:
    found = check(model, future)
    assert found.verdict == AHEAD
    assert found.low is not None
    assert found.ahead is not None
    assert 0 < found.low < found.ahead
    assert found.ndcg == pytest.approx((found.popular_ndcg or 0) + found.ahead)
    assert found.rules_price == 0


def test_lists_that_lose_to_popular_items_are_worse(
    future: Future, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Popular items that happen to be what everybody takes next."""
    taken = future.taken.of_users(future.customers)
    columns = np.full((taken.n_users, 10), -1)
    columns[taken.user, place_within(taken.user)] = taken.column
    monkeypatch.setattr("recommender.guard.lists_of_generator", lambda *_, **__: Lists(columns))
    found = check(model, future)
    assert found.verdict == WORSE
    assert found.high is not None
    assert found.high < 0
    assert found.popular_ndcg == pytest.approx(1.0)


def test_rules_have_their_price(future: Future, model: Model) -> None:
    rules = replace(no_rules(N_ITEMS, 10), is_excluded=np.arange(N_ITEMS) < 30)
    assert (check(model, future, rules).rules_price or 0) > 0.05


def test_few_customers_are_no_evidence(future: Future) -> None:
    rows = future.customers[: MIN_CUSTOMERS - 1]
    few = Future(future.known.of_users(rows), future.taken.of_users(rows), future.now)
    model = fit_model(few.known, Catalogue(TEXTS), now=few.now, seed=1)
    found = check(model, few)
    assert (found.verdict, found.n_customers, found.ahead) == (NO_EVIDENCE, MIN_CUSTOMERS - 1, None)


def test_what_was_learned_from_the_days_held_out_is_refused(
    events: Events, future: Future, model: Model
) -> None:
    of_all = fit_generators(events, Catalogue(TEXTS), half_life_days=None, now=NOW, seed=1)
    with pytest.raises(ValueError, match="days after the cut were learned from"):
        check(Model(of_all, model.ranker), future)
    with pytest.raises(ValueError, match="of the items to foresee were known"):
        check(model, Future(events, future.taken, future.now))
    assert cut(events, future.now).known.column.tolist() == future.known.column.tolist()
