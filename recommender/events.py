"""What customers did with items, as numbers: each customer's items in order, with how much each tells."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

NEUTRAL_SHARE = 0.25
"""A rating, 0 to 1, at which nothing is told; below it the customer turns away from what is alike."""
MAX_PER_DAY = 200
"""A customer with more different items on one day is a machine or a flood: nothing is learned from it."""
MAX_EVENTS = 400
"""So many of a customer's latest items tell his taste."""
SECONDS_OF_DAY = 86_400


@dataclass(frozen=True)
class Events:
    """Each customer's different items, oldest first; arrays hold one entry for each customer and item."""

    users: list[str]
    items: list[str]
    """The catalogue: item of each column."""
    start: np.ndarray
    """int64 (n_users + 1,): where each customer's entries begin."""
    column: np.ndarray
    """int32 (n,): column of the item."""
    weight: np.ndarray
    """float32 (n,), -1 to 1: how much it tells, below 0 where the customer did not like it."""
    time: np.ndarray
    """float64 (n,): days, of any beginning; NaN where nobody knows. Later entries are never earlier."""
    is_had: np.ndarray
    """bool (n,): whether the customer has the item now; what he only looked at may still be listed."""
    is_learned: np.ndarray
    """bool (n_users,): whether others' lists may learn from the customer."""

    @property
    def n_users(self) -> int:
        """How many customers."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """How many items."""
        return len(self.items)

    @property
    def user(self) -> np.ndarray:
        """Row of the customer of each entry, int64 (n,)."""
        return np.repeat(np.arange(self.n_users), np.diff(self.start))

    @property
    def back(self) -> np.ndarray:
        """How many of the customer's entries come after each, int64 (n,)."""
        return np.repeat(self.start[1:], np.diff(self.start)) - 1 - np.arange(len(self.column))

    def where(self, is_kept: np.ndarray) -> Events:
        """The same customers and items with some of the entries.

        Args:
            is_kept: bool (n,).
        """
        counts = np.bincount(self.user[is_kept], minlength=self.n_users)
        start = np.concatenate([[0], np.cumsum(counts)])
        kept = self.column[is_kept], self.weight[is_kept], self.time[is_kept], self.is_had[is_kept]
        return Events(self.users, self.items, start, *kept, self.is_learned)

    def of_users(self, rows: np.ndarray) -> Events:
        """Some of the customers, in the order of `rows`."""
        lengths = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(lengths)])
        entries = np.repeat(self.start[rows] - start[:-1], lengths) + np.arange(start[-1])
        return Events(
            [self.users[row] for row in rows],
            self.items,
            start,
            self.column[entries],
            self.weight[entries],
            self.time[entries],
            self.is_had[entries],
            self.is_learned[rows],
        )

    @property
    def has(self) -> np.ndarray:
        """Customers × items, bool: what each customer has."""
        has = np.zeros((self.n_users, self.n_items), dtype=bool)
        has[self.user[self.is_had], self.column[self.is_had]] = True
        return has

    def matrix(self, values: np.ndarray) -> sp.csr_matrix:
        """Customers × items, float32, with the given value of each entry (n,)."""
        shape = (self.n_users, self.n_items)
        return sp.csr_matrix((values.astype(np.float32), self.column, self.start), shape=shape)


def read_events(
    interactions: pl.DataFrame,
    items: Sequence[str],
    users: Sequence[str] = (),
    *,
    kind_weights: Mapping[str, float] | None = None,
    passing_kinds: Collection[str] = (),
) -> Events:
    """Put interactions together: one entry for each customer and item, at its latest time.

    A rating counts as it stands last, below NEUTRAL_SHARE as dislike; without one the weight is that of the
    weightiest kind, or of the last one where that turns away from the item. What has no time comes first.

    Args:
        interactions: Columns user_id, item_id, created_at (null: unknown), rating_share (0 to 1, null: none);
            kind and position (of what has no time) where there are some.
        items: Catalogue; items of interactions that it lacks are added to it.
        users: Customers who need a row though they did nothing.
        kind_weights: Of kinds that count for less than 1; below 0 they count as dislike.
        passing_kinds: Kinds after which a customer does not have the item.
    """
    known = interactions.drop_nulls(["user_id", "item_id"])
    time = pl.col("created_at").dt.epoch("s") / SECONDS_OF_DAY
    kind = pl.col("kind") if "kind" in known.columns else pl.lit(None, pl.String)
    weight = kind.replace_strict(dict(kind_weights or {}), default=1.0, return_dtype=pl.Float64)
    is_had = ~kind.is_in(list(passing_kinds)).fill_null(False)
    place = pl.col("position") if "position" in known.columns else pl.lit(0)
    rows = known.select(
        "user_id", "item_id", "rating_share", time=time, weight=weight, is_had=is_had, place=place
    )
    flooded = (
        rows.drop_nulls("time")
        .group_by("user_id", day=pl.col("time").floor())
        .agg(n=pl.col("item_id").n_unique())
        .filter(pl.col("n") > MAX_PER_DAY)["user_id"]
        .unique()
    )
    told = (
        rows.sort("time", "place", "rating_share", nulls_last=False)
        .group_by("user_id", "item_id")
        .agg(
            rating=pl.col("rating_share").drop_nulls().last(),
            weight=pl.when(pl.col("weight").last() < 0)
            .then(pl.col("weight").last())
            .otherwise(pl.col("weight").max()),
            is_had=pl.col("is_had").any(),
            time=pl.col("time").last(),
            place=pl.col("place").last(),
        )
        .sort("user_id", "time", "place", "item_id", nulls_last=False)
    )
    liked = ((pl.col("rating") - NEUTRAL_SHARE) / (1 - NEUTRAL_SHARE)).clip(-1.0, 1.0)
    told = told.with_columns(weight=pl.coalesce(liked * pl.col("weight").abs(), pl.col("weight")).clip(-1, 1))
    every_item = [*dict.fromkeys([*items, *told["item_id"].unique().sort()])]
    every_user = sorted({*users, *told["user_id"]})
    columns = pl.DataFrame({"item_id": every_item}, schema={"item_id": pl.String}).with_row_index("column")
    told = told.join(columns, on="item_id", how="left", maintain_order="left")
    counts = dict(told.group_by("user_id").len().iter_rows())
    floods = set(flooded)
    return Events(
        every_user,
        every_item,
        np.concatenate([[0], np.cumsum([counts.get(user, 0) for user in every_user], dtype=np.int64)]).astype(
            np.int64
        ),
        told["column"].to_numpy().astype(np.int32),
        told["weight"].to_numpy().astype(np.float32),
        told["time"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        told["is_had"].to_numpy().astype(bool),
        np.array([user not in floods for user in every_user], dtype=bool),
    )


def place_within(groups: np.ndarray) -> np.ndarray:
    """How many entries of the same group come before each, int64 (n,); groups stand together."""
    is_first = np.ones(len(groups), dtype=bool)
    is_first[1:] = np.diff(groups) != 0
    starts = np.flatnonzero(is_first)
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.append(starts, len(groups))))


def taste(events: Events, *, recency: float, half_life_days: float | None, now: float) -> np.ndarray:
    """What each entry counts for in the taste of its customer, float32 (n,).

    Args:
        events: Entries.
        recency: What an entry counts for beside the one after it, 0 to 1; 0: the last one alone.
        half_life_days: After so long it counts half; None: age counts for nothing.
        now: Time of tonight.
    """
    back = events.back
    steps = np.where(back == 0, 1.0, 0.0) if recency == 0 else recency ** np.minimum(back, 1_000)
    counted = events.weight * steps * (back < MAX_EVENTS)
    if half_life_days is not None:
        age = np.nan_to_num(now - events.time, nan=half_life_days)
        counted = counted * 0.5 ** (np.maximum(age, 0.0) / half_life_days)
    return np.asarray(counted, dtype=np.float32)
