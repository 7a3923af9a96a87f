"""Where candidates come from: the taste that a customer's items tell, and what many customers take."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

DECIMALS = 6
"""Similarities are compared and kept to so many decimals, so that rounding errors decide nothing."""

POPULAR_PRIOR = 5
"""Customers added to those of the most popular item: with few customers no share comes near 1."""


def text_profiles(liked: np.ndarray, item_vectors: np.ndarray) -> np.ndarray:
    """Taste of each customer: the mean direction of the texts of the items liked.

    Args:
        liked: bool (n_users, n_items).
        item_vectors: float64 (n_items, n_dims), unit rows; a zero row is an item without text.

    Returns:
        float64 (n_users, n_dims); unit rows, or zeros where nothing liked has a text.
    """
    sums = np.zeros((len(liked), item_vectors.shape[1]))
    row, column = np.nonzero(liked)
    ends = np.searchsorted(row, np.arange(len(liked) + 1))
    # Row by row: most customers liked a few items, so a product of whole matrices costs several times more,
    # and gathering the vectors of a block at once has no bound.
    for user in np.unique(row):
        sums[user] = item_vectors[column[ends[user] : ends[user + 1]]].sum(axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 1e-9)


def nearest_items(
    profiles: np.ndarray, item_vectors: np.ndarray, had: np.ndarray, *, n_nearest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Items that no customer of the row has, by cosine to the profile; equals in the order of columns.

    An item with a cosine of 0 or less is not alike and left out; so is an item without text.

    Returns:
        columns int64 and cosines float64, both (n_users, n_nearest), best first; column -1 where there are
        fewer.
    """
    n_items = len(item_vectors)
    # One whole number for both orders: cosine first, then the smaller column. Whole numbers leave no ties,
    # so a partition picks the same items as a full sort.
    scale = 10**DECIMALS
    cosines = profiles @ item_vectors.T
    cosines *= scale
    keys = np.rint(cosines, out=cosines).astype(np.int64)
    keys[had] = 0
    keys *= n_items
    keys += np.arange(n_items - 1, -1, -1)
    n_kept = min(n_nearest, n_items)
    if n_kept < n_items:
        keys = np.partition(keys, n_items - n_kept, axis=1)[:, n_items - n_kept :]
    keys = np.sort(keys, axis=1)[:, ::-1]
    steps, reverse = np.divmod(keys, n_items)
    columns = np.full((len(profiles), n_nearest), -1)
    columns[:, :n_kept] = np.where(steps > 0, n_items - 1 - reverse, -1)
    nearest = np.zeros((len(profiles), n_nearest))
    nearest[:, :n_kept] = steps / scale
    return columns, nearest


def measure_popularity(interactions: pl.DataFrame, *, as_of: date, popular_days: int) -> pl.DataFrame:
    """How many distinct customers took each item in the last `popular_days`, or ever if nobody took any.

    Args:
        interactions: user_id, item_id, day, none later than `as_of`.
        as_of: Last day of the window.
        popular_days: Days in the window.

    Returns:
        item_id, n_users, score; most popular first, equals by item_id. The score is the item's share of the
        customers of the most popular item, with `POPULAR_PRIOR` customers added to those.
    """
    recent = interactions.filter(pl.col("day") > as_of - timedelta(days=popular_days))
    counted = interactions if recent.is_empty() else recent
    return (
        counted.group_by("item_id")
        .agg(n_users=pl.col("user_id").n_unique())
        .with_columns(score=(pl.col("n_users") / (pl.col("n_users").max() + POPULAR_PRIOR)).round(DECIMALS))
        .sort("n_users", "item_id", descending=[True, False])
    )


def popular_items(
    order: np.ndarray, taken: np.ndarray, n_wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The most popular items that are not taken, as many as each customer wants and there are.

    Args:
        order: int (n_popular,), columns of items, most popular first.
        taken: bool (n_users, n_items), items had or already listed.
        n_wanted: int (n_users,).

    Returns:
        Three int arrays of one length, by customer and then by popularity: row of `taken`, position in
        `order`, and how many of the customer's popular items come before it.
    """
    rows = np.flatnonzero(n_wanted > 0)
    # Nobody needs to look further than past all that is taken.
    furthest = int((n_wanted[rows] + taken[rows].sum(axis=1)).max(initial=0))
    is_free = ~taken[np.ix_(rows, order[:furthest])]
    nth = np.cumsum(is_free, axis=1)
    picked, position = np.nonzero(is_free & (nth <= n_wanted[rows, None]))
    return rows[picked], position, nth[picked, position] - 1
