"""A recommender fitted on what customers did: generators, a ranker over them, and lists for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from recommender.candidates import (
    POPULAR,
    WINDOWS,
    Candidates,
    Catalogue,
    Generators,
    compare_texts,
    fit_generators,
    propose,
)
from recommender.events import SECONDS_OF_DAY, Events, place_within
from recommender.lending import BLOCK_CELLS, entries_of
from recommender.ranker import MIN_LISTS, Lists, Ranker, fit_ranker, stack_lists

HORIZONS = (7, 14, 28, 56, 112)
"""Days of the window whose events are learned to be foreseen: the first one in which enough customers act."""
ENOUGH_CUSTOMERS = 1_000
MAX_WINDOWS = 6
LEARNED_SPAN = 0.5
"""So much of the time at most is learned to be foreseen."""
MAX_LISTS = 8_000
"""Customers that the ranker learns from at most."""
LEARNED_SHARE = 0.75
"""Of them; from the others it learns what its sums are worth."""
POPULAR_PART = 4.0
"""What popularity counts for beside each generator where there is no ranker: few data tell of tastes less."""
COLD_SHARE, THIN_SHARE = 0.1, 0.1
"""Of items that are hidden from the generators, and of customers whose history is cut to its last entry,
while the ranker learns, so that it learns what to trust where little is known.

Where events have times no item is hidden: items that are new in a window are there, and as many as there are.
"""


@dataclass(frozen=True)
class Future:
    """What was known at a cut, and what customers took after it."""

    known: Events
    taken: Events
    """Of the same customers and items."""
    now: float
    """The cut."""

    @property
    def customers(self) -> np.ndarray:
        """Rows of customers who took something, int64."""
        return np.flatnonzero(np.diff(self.taken.start) > 0)


@dataclass(frozen=True)
class Model:
    """What lists are made with; `ranker` is None where too few customers came back to learn from."""

    generators: Generators
    ranker: Ranker | None

    def order(self, features: np.ndarray) -> np.ndarray:
        """What candidates are put in order by, float64 (n,).

        Without a ranker a blend of how near each comes to the best of each generator, and popularity.
        """
        if self.ranker is not None:
            return np.round(self.ranker.sums(features), 9)
        return np.asarray(np.sum(list(self.parts(features).values()), axis=0))

    def parts(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """What each generator, popularity among them, adds to the order of candidates: float64 (n,) each."""
        names = self.generators.feature_names
        if self.ranker is not None:
            added = self.ranker.contributions(features)
            of = [name.split(":")[0] for name in names]
            return {one: added[:, [name == one for name in of]].sum(axis=1) for one in self.generators.names}
        window = self.generators.shown_window
        most = float(np.log1p(self.generators.popularity[window].max(initial=0)))
        popular = features[:, names.index(f"{POPULAR}: {[*WINDOWS, 'all'][window]} days")]
        whole = len(self.generators.by_history) + POPULAR_PART
        found = {
            one.name: features[:, names.index(f"{one.name}: of best")] / whole
            for one in self.generators.by_history
        }
        return {**found, POPULAR: POPULAR_PART * popular / max(most, 1e-9) / whole}


def popular_alone(generators: Generators) -> Model:
    """A model that lists what is popular, whoever asks."""
    return Model(replace(generators, by_history=[]), None)


@dataclass(frozen=True)
class Listed:
    """Best items of some customers, customer by customer, best first; one entry each."""

    row: np.ndarray
    """Of the customer, int64 (n,)."""
    rank: np.ndarray
    """From 1, int64 (n,)."""
    column: np.ndarray
    """Of the item, int64 (n,)."""
    score: np.ndarray
    """float64 (n,): as `Ranker.scores`, or a blend of the generators from 0 to 1."""
    features: np.ndarray
    """float32 (n, n_features)."""


def cut(events: Events, now: float, until: float = np.inf) -> Future:
    """Take what happened before a time for known, and what was liked from then on for the future."""
    is_known = np.isnan(events.time) | (events.time < now)
    is_taken = ~is_known & (events.time < until) & (events.weight > 0)
    return Future(events.where(is_known), events.where(is_taken), now)


CutAt = Callable[[float, float], Future]
"""Cuts what happened at a time, and takes what came from then until another time for the future."""


def cut_interactions(
    interactions: pl.DataFrame, read: Callable[[pl.DataFrame], Events], now: float, until: float
) -> Future:
    """A cut of interactions themselves: nothing that an item of a customer became later is known.

    Args:
        interactions: As `read_events` takes them.
        read: Reads some of them; always with the same customers and items.
        now: The cut, in days.
        until: The end of the future.
    """
    time = pl.col("created_at").dt.epoch("s") / SECONDS_OF_DAY
    known = read(interactions.filter(time.is_null() | (time < now)))
    later = read(interactions.filter(time >= now, time < until))
    row, column = later.user, later.column
    is_had = entries_of(known.matrix(known.is_had.astype(np.float32)), row, column) > 0
    return Future(known, later.where((later.weight > 0) & later.is_had & ~is_had), now)


def without_last(events: Events) -> Future:
    """Take each customer's last entry for the future; for events that have no time."""
    is_last = (events.back == 0) & (np.diff(events.start)[events.user] > 1)
    now = float(np.nanmax(events.time)) + 1e-6 if np.isfinite(events.time).any() else 0.0
    return Future(events.where(~is_last), events.where(is_last & (events.weight > 0)), now)


def hold_out(events: Events, cut_at: CutAt | None = None) -> list[Future]:
    """Cuts near the end of what happened, whose futures have enough customers together, the last one first.

    Of the shortest windows that give so many, the last ones; where none do, those that give most.
    Events without time, or of a few days, have one cut: before each customer's last entry.

    Args:
        events: All that may be learned from.
        cut_at: Cuts it; the entries themselves are cut where it is left out.
    """
    cut_at = cut_at or partial(cut, events)
    times = events.time[np.isfinite(events.time)]
    if not len(times):
        return [without_last(events)]
    end, span = float(times.max()) + 1e-6, float(times.max() - times.min())
    most: list[Future] = []
    for days in HORIZONS:
        n_windows = min(MAX_WINDOWS, int(LEARNED_SPAN * span // days))
        futures = [cut_at(end - nth * days, end - (nth - 1) * days) for nth in range(1, n_windows + 1)]
        if not futures:
            break
        n_customers = np.cumsum([len(future.customers) for future in futures])
        if n_customers[-1] >= ENOUGH_CUSTOMERS:
            return futures[: int(np.searchsorted(n_customers, ENOUGH_CUSTOMERS)) + 1]
        if n_customers[-1] > sum(len(future.customers) for future in most):
            most = futures
    return most or [without_last(events)]


def fit_model(
    events: Events,
    catalogue: Catalogue,
    *,
    half_life_days: float | None = None,
    now: float,
    seed: int,
) -> Model:
    """Fit generators on all events, and a ranker on how they would have foreseen the last of them.

    Args:
        events: Entries up to `now`.
        catalogue: Its rows are the events' columns.
        half_life_days: After so long an event counts half; None: never.
        now: The end of what is known; of no meaning where events have no time.
        seed: Of what is drawn.
    """
    alike = compare_texts(catalogue)

    def fit(known: Events, now: float) -> Generators:
        return fit_generators(
            known, catalogue, half_life_days=half_life_days, now=now, seed=seed, texts_alike=alike
        )

    ranker = learn_ranker(events, fit, seed=seed)
    return Model(fit(events, now), ranker)


def recommend_items(
    model: Model, events: Events, n_listed: int, *, shuffle: np.random.Generator | None = None
) -> Listed:
    """The best items of each customer that he does not have.

    A list depends on the model and the customer's own events alone, unless it is shuffled.

    Args:
        model: As it was fitted.
        events: Of the customers.
        n_listed: At most.
        shuffle: Draws the order of candidates with the same score, so that no order of a file flatters what
            is measured; they stand in the order of columns where it is left out.
    """
    parts = [
        (first, _best(model, propose(model.generators, block), n_listed, shuffle))
        for first, block in user_blocks(events)
    ]
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        n_features = len(model.generators.feature_names)
        return Listed(none, none, none, np.zeros(0), np.zeros((0, n_features), np.float32))
    fields = [
        np.concatenate([getattr(part, name) + (first if name == "row" else 0) for first, part in parts])
        for name in ("row", "rank", "column", "score", "features")
    ]
    return Listed(*fields)


def user_blocks(events: Events) -> Iterator[tuple[int, Events]]:
    """First row and events of blocks of customers, few enough for matrices of customers × items."""
    step = max(1, BLOCK_CELLS // max(1, events.n_items))
    for first in range(0, events.n_users, step):
        yield first, events.of_users(np.arange(first, min(first + step, events.n_users)))


Fit = Callable[[Events, float], Generators]
"""Fits generators on the events up to a time."""


def learn_ranker(events: Events, fit: Fit, *, seed: int, cut_at: CutAt | None = None) -> Ranker | None:
    """Learn how what generators say foresees the last events; None where too few customers came back.

    Args:
        events: All that may be learned from.
        fit: Fits generators on what was known at a cut.
        seed: Of what is drawn.
        cut_at: As `hold_out` takes it.
    """
    draw = np.random.default_rng(seed)
    is_judge = draw.random(events.n_users) >= LEARNED_SHARE
    futures = hold_out(events, cut_at)
    if sum(len(future.customers) for future in futures) < MIN_LISTS:
        return None
    of_windows = [
        _lists_of_window(future, fit, is_judge, MAX_LISTS // len(futures), draw) for future in futures
    ]
    learned = stack_lists([window[0] for window in of_windows])
    judged = stack_lists([window[1] for window in of_windows])
    n_lists = sum(len(np.unique(side[0].row)) for side in (learned, judged))
    if n_lists < MIN_LISTS or not learned[1].any() or not judged[1].any():
        return None
    names = of_windows[0][2]
    return fit_ranker(*learned, *judged, feature_names=names, seed=seed)


def _lists_of_window(
    future: Future, fit: Fit, is_judge: np.ndarray, n_lists: int, draw: np.random.Generator
) -> tuple[Lists, Lists, list[str]]:
    """Candidates at a cut, of customers to learn from and of those to judge by, and what features they have.

    Some items are hidden from the generators and some histories cut short.
    """
    events = future.known
    customers = draw.permutation(future.customers[events.is_learned[future.customers]])[:n_lists]
    has_time = bool(np.isfinite(events.time).any())
    is_hidden = draw.random(events.n_items) < (0.0 if has_time else COLD_SHARE)
    is_thin = draw.random(events.n_users) < THIN_SHARE
    known = events.where(~is_hidden[events.column])
    known = known.where(~is_thin[known.user] | (known.back == 0))
    generators = fit(known, future.now)
    sides = [
        _with_taken(generators, known.of_users(rows), future.taken.of_users(rows))
        for rows in (np.sort(customers[~is_judge[customers]]), np.sort(customers[is_judge[customers]]))
    ]
    return sides[0], sides[1], generators.feature_names


def _with_taken(generators: Generators, known: Events, taken: Events) -> Lists:
    parts = [
        Candidates(proposed.row + first, proposed.column, proposed.features)
        for first, block in user_blocks(known)
        for proposed in [propose(generators, block)]
    ]
    empty = Candidates(
        np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, len(generators.feature_names)), np.float32)
    )
    proposed = _joined([empty, *parts])
    is_taken = taken.matrix(np.ones(len(taken.column)))
    return proposed, entries_of(is_taken, proposed.row, proposed.column) > 0


def _joined(parts: list[Candidates]) -> Candidates:
    fields = ("row", "column", "features")
    return Candidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def _best(model: Model, proposed: Candidates, n_listed: int, shuffle: np.random.Generator | None) -> Listed:
    order_by = model.order(proposed.features)
    of_equals = proposed.column if shuffle is None else shuffle.random(len(proposed.column))
    order = np.lexsort((of_equals, -order_by, proposed.row))
    row = proposed.row[order]
    rank = place_within(row) + 1
    kept = order[rank <= n_listed]
    features = proposed.features[kept]
    score = model.ranker.scores(features) if model.ranker else model.order(features)
    return Listed(proposed.row[kept], rank[rank <= n_listed], proposed.column[kept], score, features)
