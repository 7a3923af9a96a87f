"""What each item of a customer's history gave to a place on the list, and whether that is true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.candidates import describe
from recommender.events import Events, place_within
from recommender.lending import entries_of
from recommender.model import Listed, Model, recommend_items, user_blocks

N_NAMED = 2
"""Items of the history that are named as the reason for one that is listed."""
LEAST_SHARE = 0.05
"""Of all that speaks for an item an event gives at least so much, or it is not named."""
MIN_HISTORY = 5
"""With fewer items in it, removing some of a history leaves too little to compare."""


@dataclass(frozen=True)
class Reasons:
    """What was given by each item of a history to each listed item that it gave something to."""

    listed: np.ndarray
    """Entry of the list, int64 (n,), rising."""
    entry: np.ndarray
    """Entry of the events, int64 (n,)."""
    given: np.ndarray
    """float64 (n,): part of the sum of the trees, largest first within a listed item."""
    share: np.ndarray
    """float64 (n,): the same as a share of all that speaks for the listed item, popularity too."""


def attribute(
    model: Model, events: Events, listed: Listed, parts: dict[str, np.ndarray] | None = None
) -> Reasons:
    """Split what generators add to each listed item over the history.

    What the features of a generator add to the sum of the trees (TreeSHAP) belongs to those items of the
    history of which its score is the sum, each by its part of that sum; both are exact and add up. What
    popularity, age and the length of a history add belongs to no item.

    Args:
        model: With a ranker; without one each generator adds alike.
        events: Of the customers.
        listed: As `recommend_items` returns it for them.
        parts: As `Model.parts` returns it for what is listed, where that is known.
    """
    added = model.parts(listed.features) if parts is None else parts
    lengths = np.diff(events.start)[listed.row]
    which = np.repeat(np.arange(len(listed.row)), lengths)
    first = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    entry = np.repeat(events.start[listed.row] - first, lengths) + np.arange(len(which))
    given = np.zeros(len(which))
    for generator in model.generators.by_history:
        counted = model.generators.history(events, generator).data
        lent = entries_of(generator.lends, events.column[entry], listed.column[which])
        said = np.where(counted[entry] != 0, counted[entry] * lent, 0.0)
        whole = np.bincount(which, said, minlength=len(listed.row))
        share = np.divide(said, whole[which], out=np.zeros_like(said), where=np.abs(whole[which]) > 1e-12)
        given += added[generator.name][which] * share
    order = np.lexsort((entry, -given, which))
    kept = order[given[order] != 0]
    speaks = np.maximum(np.sum([np.maximum(part, 0) for part in added.values()], axis=0), 1e-12)
    return Reasons(which[kept], entry[kept], given[kept], given[kept] / speaks[which[kept]])


def named(reasons: Reasons, n_named: int = N_NAMED) -> Reasons:
    """Of each listed item the reasons that gave most, and a fair share: what is popular has none."""
    kept = (place_within(reasons.listed) < n_named) & (reasons.share >= LEAST_SHARE)
    return Reasons(reasons.listed[kept], reasons.entry[kept], reasons.given[kept], reasons.share[kept])


@dataclass(frozen=True)
class Faithfulness:
    """How often taking the named items out of a history lowers scores more than taking others out."""

    n_lists: int
    share: float | None
    """Of the lists; where both lower them alike, a half. None where there is no list."""
    share_at_random: float | None
    """The same where the named items are drawn from the history."""


def measure_faithfulness(
    model: Model, events: Events, *, n_lists: int, n_listed: int, seed: int
) -> Faithfulness:
    """Take named items out of histories, and as many others, and see how scores change.

    Args:
        model: The model.
        events: Of customers; those with few items are left out.
        n_lists: So many customers are drawn.
        n_listed: Length of a list; the changes of its items are averaged.
        seed: Of what is drawn.
    """
    draw = np.random.default_rng(seed)
    enough = np.flatnonzero(np.diff(events.start) >= MIN_HISTORY)
    chosen = events.of_users(np.sort(draw.permutation(enough)[:n_lists]))
    listed = recommend_items(model, chosen, n_listed)
    if not len(listed.row):
        return Faithfulness(0, None, None)
    told = named(attribute(model, chosen, listed))
    named_of = [told.entry[told.listed == one] for one in range(len(listed.row))]
    drawn_of, others_of, others_of_drawn = [], [], []
    for one, row in enumerate(listed.row):
        history = np.arange(chosen.start[row], chosen.start[row + 1])
        n = len(named_of[one])
        drawn_of.append(draw.permutation(history)[:n])
        others_of.append(draw.permutation(np.setdiff1d(history, named_of[one]))[:n])
        others_of_drawn.append(draw.permutation(np.setdiff1d(history, drawn_of[one]))[:n])
    scores = [
        _scores_without(model, chosen, listed, taken)
        for taken in (named_of, others_of, drawn_of, others_of_drawn)
    ]
    has_reason = np.array([len(entries) > 0 for entries in named_of])
    row = listed.row[has_reason]

    def wins(lower: np.ndarray, higher: np.ndarray) -> float | None:
        n = np.bincount(row, minlength=chosen.n_users)
        mean = np.bincount(row, (higher - lower)[has_reason], minlength=chosen.n_users) / np.maximum(n, 1)
        return float(np.where(np.abs(mean) < 1e-9, 0.5, mean > 0)[n > 0].mean()) if n.any() else None

    return Faithfulness(len(np.unique(row)), wins(scores[0], scores[1]), wins(scores[2], scores[3]))


def _scores_without(model: Model, events: Events, listed: Listed, taken: list[np.ndarray]) -> np.ndarray:
    """Score of each listed item after some entries were taken from its customer's history."""
    copies = events.of_users(listed.row)
    is_kept = np.ones(len(copies.column), dtype=bool)
    for one, entries in enumerate(taken):
        is_kept[copies.start[one] + entries - events.start[listed.row[one]]] = False
    copies = copies.where(is_kept)
    parts = []
    for first, block in user_blocks(copies):
        rows = np.arange(block.n_users)
        features = describe(model.generators, block, rows, listed.column[first : first + block.n_users])
        parts.append(model.order(features))
    return np.concatenate(parts)
