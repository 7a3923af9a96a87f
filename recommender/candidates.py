"""The items that any generator has something to say for, and what all generators say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from recommender import lending
from recommender.events import SECONDS_OF_DAY, Events, taste

N_FILLING = 200
"""Different items that were taken in a window whose popular ones fill lists; in none: all time."""
N_PROPOSED = 50
"""Items that each generator proposes to a customer."""
N_WRITTEN, WRITTEN_CHARACTERS = 30, 300
"""Of what reviewers wrote of an item so many texts, the latest, are read, and so much of each."""
WINDOWS = (7, 30, 90, 365)
"""Days in which popularity is counted; of events without time, a customer's last entries."""
WORDS, MEANING, LINEAR, FACTORS, FOLLOWS, NEXT = "words", "meaning", "linear", "factors", "follows", "next"
CATEGORY = "category"
POPULAR = "popular"
EVER_TAKEN = f"{POPULAR}: all days"
"""The feature that is 0 where nobody ever took the item."""
ALONE = "alone"
"""Ends the name of the linear model without texts: they mislead where the next item is of another kind."""
LAST = "last"
"""Ends the name of a generator that looks at a customer's last item alone."""


@dataclass(frozen=True)
class Written:
    """What reviewers wrote of items, oldest first; arrays hold one entry for each text."""

    column: np.ndarray
    """Of the item, int64 (n,)."""
    time: np.ndarray
    """float64 (n,), days."""
    text: list[str]

    def before(self, now: float) -> Written:
        """What was written before a time."""
        n_known = int(np.searchsorted(self.time, now))
        return Written(self.column[:n_known], self.time[:n_known], self.text[:n_known])

    def of_items(self, n_items: int) -> list[str]:
        """Of each item the latest texts, joined."""
        told: list[list[str]] = [[] for _ in range(n_items)]
        for entry in range(len(self.text) - 1, -1, -1):
            mine = told[self.column[entry]]
            if len(mine) < N_WRITTEN:
                mine.append(self.text[entry][:WRITTEN_CHARACTERS])
        return [" ".join(mine) for mine in told]


def written_of(documents: pl.DataFrame, items: Sequence[str]) -> Written:
    """Texts about the items of a catalogue; those of unknown day are left out.

    Args:
        documents: Columns item_id, text, created_at, in any order.
        items: The catalogue.
    """
    columns = pl.DataFrame({"item_id": items}, schema={"item_id": pl.String}).with_row_index("column")
    told = (
        documents.drop_nulls(["item_id", "text", "created_at"])
        .join(columns, on="item_id")
        .with_columns(time=pl.col("created_at").dt.epoch("us") / (SECONDS_OF_DAY * 1e6))
        .sort("time", "column", "text")
    )
    return Written(
        told["column"].to_numpy().astype(np.int64), told["time"].to_numpy(), told["text"].to_list()
    )


@dataclass(frozen=True)
class Catalogue:
    """What is known of the items themselves, in the order of the events' columns."""

    texts: list[str]
    """Title, description, attributes; empty where there are none."""
    vectors: np.ndarray | None = None
    """Embeddings of the texts, unit rows (n_items, n_dims); None: no embedding model."""
    categories: list[str | None] | None = None
    """What each item is one of; None of an item, or at all: not known."""
    written: Written | None = None
    """What reviewers say: its words belong to those of an item as far as they were written before a cut."""


@dataclass(frozen=True)
class Generator:
    """One way to speak for items: what each item of a history lends to others, and how a history counts."""

    name: str
    recency: float
    """What an item of the history counts for beside the one after it."""
    lends: sp.csr_matrix
    """float32 (n_items, n_items): row: an item of the history."""


@dataclass(frozen=True)
class Generators:
    """All generators as they were fitted, and how popular items were then."""

    by_history: list[Generator]
    popularity: np.ndarray
    """Customers of each item in each of WINDOWS and ever, float32 (n_windows + 1, n_items)."""
    age: np.ndarray
    """Days since the item's first event, float32 (n_items,); NaN where it has none, or none with a time."""
    half_life_days: float | None
    now: float
    latest_event: float
    """Of those learned from, in days; -inf where none has a time."""
    latest_text: float
    """Of reviewers, read as words of items, in days; -inf where none was read."""

    @property
    def shown_window(self) -> int:
        """Row of popularity that lists of popular items are made of: the shortest window that fills them."""
        wide = np.flatnonzero((self.popularity > 0).sum(axis=1) >= N_FILLING)
        return int(wide[0]) if len(wide) else len(self.popularity) - 1

    @property
    def names(self) -> list[str]:
        """Of all generators, those that know no history last."""
        return [*(generator.name for generator in self.by_history), POPULAR]

    @property
    def feature_names(self) -> list[str]:
        """What `propose` tells of each candidate; up to the first colon the generator that it comes from."""
        told = [f"{one.name}: {what}" for one in self.by_history for what in ("score", "of best", "best")]
        popular = [f"{POPULAR}: {days} days" for days in WINDOWS]
        return [
            *told,
            *popular,
            EVER_TAKEN,
            f"{POPULAR}: age",
            "customer: items",
            "customer: popularity of last",
        ]

    def history(self, events: Events, generator: Generator) -> sp.csr_matrix:
        """Customers × items: what each item of a history counts for."""
        counted = taste(events, recency=generator.recency, half_life_days=self.half_life_days, now=self.now)
        return events.matrix(counted)

    def scores(self, events: Events, generator: Generator) -> sp.csr_matrix:
        """Customers × items: what a generator says of each item that the customer does not have."""
        spoken = (self.history(events, generator) @ generator.lends).tocsr()
        spoken.sort_indices()
        row = np.repeat(np.arange(spoken.shape[0]), np.diff(spoken.indptr))
        spoken.data[events.has[row, spoken.indices]] = 0.0
        return spoken


def fit_generators(
    events: Events,
    catalogue: Catalogue,
    *,
    half_life_days: float | None,
    now: float,
    seed: int,
    texts_alike: dict[str, sp.csr_matrix] | None = None,
) -> Generators:
    """Learn what items lend each other from what customers did.

    Args:
        events: Entries up to `now`.
        catalogue: Its rows are the events' columns.
        half_life_days: After so long an event counts half.
        now: The end of what is known.
        seed: Of what is drawn.
        texts_alike: As `compare_texts` returns it, where that is known.
    """
    alike = dict(compare_texts(catalogue) if texts_alike is None else texts_alike)
    latest_text = -np.inf
    if catalogue.written is not None:
        written = catalogue.written.before(now)
        latest_text = float(written.time.max(initial=-np.inf))
        said = written.of_items(events.n_items)
        texts = [f"{text} {more}" for text, more in zip(catalogue.texts, said, strict=True)]
        alike[WORDS] = lending.alike(lending.word_vectors(texts))
    found = [
        Generator(FOLLOWS, 0.7, lending.follows(events, half_life_days=half_life_days, now=now)),
        Generator(NEXT, 0.0, lending.comes_next(events, half_life_days=half_life_days, now=now)),
    ]
    if events.n_items <= lending.MAX_DENSE_ITEMS:
        with_texts, alone = lending.linear(events, alike.get(WORDS, alike.get(MEANING)))
        found.append(Generator(LINEAR, 0.9, with_texts))
        if alike:
            found.append(Generator(f"{LINEAR} {ALONE}", 0.9, alone))
    else:
        found.append(Generator(FACTORS, 0.9, lending.factors(events, seed=seed)))
    for name, matrix in alike.items():
        found += [Generator(name, 0.7, matrix), Generator(f"{name} {LAST}", 0.0, matrix)]
    popularity = _popularity(events, now)
    if catalogue.categories is not None and any(catalogue.categories):
        found.append(Generator(CATEGORY, 0.7, lending.popular_alike(catalogue.categories, popularity)))
    latest_event = float(events.time[np.isfinite(events.time)].max(initial=-np.inf))
    age = _age(events, now)
    return Generators(found, popularity, age, half_life_days, now, latest_event, latest_text)


def compare_texts(catalogue: Catalogue) -> dict[str, sp.csr_matrix]:
    """How alike the texts of items are, by their words and by their meaning, where either is known.

    That is the same at every cut; what reviewers wrote is left out.
    """
    found = {}
    if any(catalogue.texts):
        found[WORDS] = lending.alike(lending.word_vectors(catalogue.texts))
    if catalogue.vectors is not None and catalogue.vectors.any():
        found[MEANING] = lending.alike(catalogue.vectors.astype(np.float32))
    return found


@dataclass(frozen=True)
class Candidates:
    """Items proposed to customers, customer by customer; arrays hold one entry for each."""

    row: np.ndarray
    """Row of the customer, int64 (n,)."""
    column: np.ndarray
    """Of the item, int64 (n,), rising within a customer."""
    features: np.ndarray
    """float32 (n, n_features), as `Generators.feature_names` names them."""


def propose(generators: Generators, events: Events, *, n_proposed: int = N_PROPOSED) -> Candidates:
    """What each generator proposes to each customer; nothing that the customer has or nothing speaks for.

    Args:
        generators: As they were fitted.
        events: Of the customers, few enough for a matrix of customers × items.
        n_proposed: By each generator.
    """
    n_items = events.n_items
    has = events.has
    n = min(n_proposed, n_items)
    proposed = np.zeros_like(has)
    furthest = n + int(np.diff(events.start).max(initial=0))
    for popularity in generators.popularity:
        order = np.argsort(-popularity, kind="stable")[:furthest]
        order = order[popularity[order] > 0]
        is_free = ~has[:, order]
        row, place = np.nonzero(is_free & (np.cumsum(is_free, axis=1) <= n))
        proposed[row, order[place]] = True
    spoken = [generators.scores(events, generator) for generator in generators.by_history]
    for scores in spoken:
        row, column = lending.largest_of(scores, n)
        proposed[row, column] = True
    row, column = np.nonzero(proposed)
    return Candidates(row, column, _features(generators, events, spoken, row, column))


def describe(generators: Generators, events: Events, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """What all generators say of some items, float32 (n, n_features).

    Args:
        generators: As they were fitted.
        events: Of the customers, few enough for a matrix of customers × items.
        row: Of the customer, int64 (n,).
        column: Of the item, int64 (n,).
    """
    spoken = [generators.scores(events, generator) for generator in generators.by_history]
    return _features(generators, events, spoken, row, column)


def _features(
    generators: Generators, events: Events, spoken: list[sp.csr_matrix], row: np.ndarray, column: np.ndarray
) -> np.ndarray:
    told = []
    for scores in spoken:
        best = np.zeros(events.n_users, np.float32)
        if scores.nnz:
            best = np.maximum(scores.max(axis=1).toarray().ravel(), best)
        own = lending.entries_of(scores, row, column)
        told += [own, own / np.maximum(best[row], 1e-9), best[row]]
    popular = np.log1p(generators.popularity[:, column])
    age = np.log1p(generators.age[column])
    n_had = np.log1p(np.diff(events.start))[row]
    last = np.full(events.n_users, -1)
    is_last = events.back == 0
    last[events.user[is_last]] = events.column[is_last]
    ever = np.where(last >= 0, np.log1p(generators.popularity[-1][last]), np.nan)[row]
    return np.stack([*told, *popular, age, n_had, ever], axis=1).astype(np.float32)


def _popularity(events: Events, now: float) -> np.ndarray:
    counted = []
    for days in WINDOWS:
        is_undated = np.isnan(events.time)
        is_recent = np.where(is_undated, events.back < _last_entries(days), events.time > now - days)
        counted.append(lending.item_popularity(events.where(is_recent)))
    return np.stack([*counted, lending.item_popularity(events)]).astype(np.float32)


def _last_entries(days: int) -> int:
    """How many of a customer's last entries stand for a window where there are no times."""
    return 1 + WINDOWS.index(days)


def _age(events: Events, now: float) -> np.ndarray:
    first = np.full(events.n_items, np.inf)
    np.minimum.at(first, events.column, np.nan_to_num(events.time, nan=np.inf))
    return np.where(np.isfinite(first), np.maximum(now - first, 0.0), np.nan).astype(np.float32)
