"""What customers had and liked up to a night, first as frames, then as rows of a matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

MIN_LIKED_SHARE = 0.5
"""A customer who rated an item below this did not like it; one who did not rate it did."""


@dataclass(frozen=True)
class Histories:
    """The distinct histories of customers: many have the same few items, or none, and get the same list."""

    users: pl.DataFrame  # user_id, history: the number of the history, from 0
    items: pl.DataFrame  # history, column, is_liked; sorted
    n_histories: int


@dataclass(frozen=True)
class HistoryBlock:
    """Some of the histories: one row each, one column for each item of the catalogue."""

    first: int  # number of the history in the first row
    had: np.ndarray  # bool (n_rows, n_items)
    liked: np.ndarray  # bool (n_rows, n_items), within had


def known_by(interactions: pl.DataFrame, *, as_of: date, time_zone: str) -> pl.DataFrame:
    """The interactions of local days up to `as_of`, with that `day`.

    Undated ones stay, with a null day: what a customer has counts, though nobody knows since when.
    """
    local = pl.col("created_at").dt.convert_time_zone(time_zone).dt.date()
    days = interactions.with_columns(day=local)
    return days.filter(pl.col("day").is_null() | (pl.col("day") <= as_of))


def items_had(interactions: pl.DataFrame) -> pl.DataFrame:
    """One row for each customer and item, with `is_liked` by the latest rating that was given, if any."""
    return (
        interactions.sort("created_at", "rating_share", nulls_last=False)
        .group_by("user_id", "item_id")
        .agg(latest=pl.col("rating_share").drop_nulls().last())
        .select(
            "user_id",
            "item_id",
            is_liked=pl.col("latest").is_null() | (pl.col("latest") >= MIN_LIKED_SHARE),
        )
        .sort("user_id", "item_id")
    )


def distinct_histories(had: pl.DataFrame, users: Sequence[str], catalogue: Sequence[str]) -> Histories:
    """The histories of `users`, each told once.

    Args:
        had: user_id, item_id, is_liked, one row each; every item_id is in the catalogue.
        users: Distinct.
        catalogue: item_id of each column, distinct.
    """
    columns = pl.DataFrame({"item_id": catalogue}, schema={"item_id": pl.String}).with_row_index("column")
    told = (
        had.join(columns, on="item_id")
        .sort("user_id", "column")
        .group_by("user_id")
        .agg(told=pl.col("column").cast(pl.Int64) * 2 + pl.col("is_liked").cast(pl.Int64))
    )
    numbered = (
        pl.DataFrame({"user_id": users}, schema={"user_id": pl.String})
        .join(told, on="user_id", how="left", maintain_order="left")
        .with_columns(pl.col("told").fill_null([]))
        .with_columns(history=pl.col("told").rank("dense").cast(pl.Int64) - 1)
    )
    distinct = numbered.unique("history").sort("history")
    items = (
        distinct.filter(pl.col("told").list.len() > 0)
        .explode("told")
        .select("history", column=pl.col("told") // 2, is_liked=pl.col("told") % 2 == 1)
        .sort("history", "column")
    )
    return Histories(numbered.select("user_id", "history"), items, len(distinct))


def history_blocks(histories: Histories, *, n_items: int, n_rows: int) -> Iterator[HistoryBlock]:
    """The histories in order, `n_rows` at a time; the last block may have fewer."""
    row, column = histories.items["history"].to_numpy(), histories.items["column"].to_numpy()
    liked = histories.items["is_liked"].to_numpy()
    for first in range(0, histories.n_histories, n_rows):
        size = min(n_rows, histories.n_histories - first)
        start, end = np.searchsorted(row, [first, first + size])
        block = HistoryBlock(
            first, had=np.zeros((size, n_items), dtype=bool), liked=np.zeros((size, n_items), dtype=bool)
        )
        block.had[row[start:end] - first, column[start:end]] = True
        block.liked[row[start:end] - first, column[start:end]] = liked[start:end]
        yield block
