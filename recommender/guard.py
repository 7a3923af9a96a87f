"""Whether lists may be published: on days held out, they must not lose to what is popular."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from recommender.candidates import POPULAR
from recommender.evaluation import (
    as_lists,
    find_leaks,
    interval_of_difference,
    lists_of_generator,
    measure,
)
from recommender.events import Events
from recommender.model import (
    HORIZONS,
    LEARNED_SPAN,
    CutAt,
    Future,
    Model,
    cut,
    recommend_items,
)
from recommender.rules import Rules, apply_rules, no_rules

MIN_CUSTOMERS = 200
"""Fewer who took something on the days held out are no evidence."""
MAX_CUSTOMERS = 4_000
"""So many of them are asked about at most."""
CUTOFF = 10
AHEAD, NO_WORSE, WORSE, NO_EVIDENCE = "ahead", "no worse", "worse", "not enough evidence"


@dataclass(frozen=True)
class Check:
    """How lists made at a cut compare with popular items, by NDCG@10 of what customers took afterwards."""

    verdict: str
    """AHEAD, NO_WORSE, WORSE or NO_EVIDENCE."""
    n_customers: int
    days: float | None
    """Held out."""
    ndcg: float | None = None
    popular_ndcg: float | None = None
    ahead: float | None = None
    low: float | None = None
    """Of the paired 95 % interval of the difference."""
    high: float | None = None
    rules_price: float | None = None
    """By how much NDCG@10 is higher without rules."""


def last_window(events: Events, now: float, cut_at: CutAt | None = None) -> Future | None:
    """The last days, as few as bring MIN_CUSTOMERS together; None where events are of too few days.

    Where no window within half of the time brings so many, the widest one.

    Args:
        events: All that is known.
        now: When it is known, in days.
        cut_at: As `hold_out` takes it.
    """
    cut_at = cut_at or partial(cut, events)
    times = events.time[np.isfinite(events.time)]
    span = float(now - times.min()) if len(times) else 0.0
    found = None
    for days in HORIZONS:
        if days > LEARNED_SPAN * span:
            break
        found = cut_at(now - days, now)
        if len(_asked(found)) >= MIN_CUSTOMERS:
            return found
    return found


def check_lists(model: Model, future: Future, rules: Rules, *, days: float, n_kept: int, seed: int) -> Check:
    """Hold lists of a model that knows what was known at a cut against what customers took after it.

    Args:
        model: Fitted on `future.known`, its ranker on nothing later.
        future: The days held out.
        rules: As they would have held at the cut.
        days: How many days those are.
        n_kept: Candidates that rules choose from.
        seed: Of what is drawn.

    Raises:
        ValueError: something that nobody could know at the cut was learned from.
    """
    customers = _asked(future)
    if len(customers) < MIN_CUSTOMERS:
        return Check(NO_EVIDENCE, len(customers), days)
    if leaks := find_leaks(future, model.generators):
        raise ValueError("; ".join(leaks))
    chosen = np.sort(np.random.default_rng(seed).permutation(customers)[:MAX_CUSTOMERS])
    known, taken = future.known.of_users(chosen), future.taken.of_users(chosen)
    kept = recommend_items(model, known, n_kept, shuffle=np.random.default_rng(seed))

    def ndcg(held: Rules) -> np.ndarray:
        listed, _ = apply_rules(kept, held)
        return measure(as_lists(listed, known.n_users, rules.n_listed), taken).ndcg[CUTOFF]

    ours, unruled = ndcg(rules), ndcg(no_rules(known.n_items, rules.n_listed))
    popular = lists_of_generator(model.generators, POPULAR, known, seed=seed, n_listed=rules.n_listed)
    theirs = measure(popular, taken).ndcg[CUTOFF]
    ahead, low, high = interval_of_difference(ours, theirs, seed=seed)
    verdict = WORSE if high < 0 else AHEAD if low > 0 else NO_WORSE
    price = float(unruled.mean() - ours.mean())
    return Check(
        verdict, len(chosen), days, float(ours.mean()), float(theirs.mean()), ahead, low, high, price
    )


def _asked(future: Future) -> np.ndarray:
    """Rows of customers who took something, floods left out."""
    customers = future.customers
    return customers[future.known.is_learned[customers]]
