"""Lists for customers: what is like the things they liked, then what many others take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from analytics.settings import RecommendationSettings
from analytics.tables import TABLES
from recommender.generators import measure_popularity, nearest_items, popular_items, text_profiles
from recommender.interactions import HistoryBlock, distinct_histories, history_blocks, items_had, known_by
from recommender.reasons import nearest_liked

VERSION = 1
"""Raised whenever the same input would give another list."""

BLOCK_CELLS = 2_000_000
"""Histories × items looked at together; about 40 bytes of memory for each."""

MAX_BLOCK_ROWS = 4_096
"""Histories looked at together where items are few: their profiles take memory too."""

_LISTED = TABLES["recommendation"].empty().drop("recipe")
_REASONS = TABLES["recommendation_evidence"].empty()


@dataclass(frozen=True)
class Lists:
    """Recommendations without their recipe, and the reasons for them."""

    recommendation: pl.DataFrame
    recommendation_evidence: pl.DataFrame


def recommend_recipe(settings: RecommendationSettings, embedding_recipe: str) -> dict[str, Any]:
    """What a list is meant to be, for a hash."""
    return {
        "stage": "recommendation",
        "version": VERSION,
        "list_length": settings.list_length,
        "popular_days": settings.popular_days,
        "embedding": embedding_recipe,
    }


def recommend(
    interactions: pl.DataFrame,
    users: Sequence[str],
    items: pl.DataFrame,
    item_vectors: np.ndarray,
    settings: RecommendationSettings,
    *,
    as_of: date,
    time_zone: str,
) -> Lists:
    """One list for each customer, from what was known by the end of `as_of`.

    Items like those a customer liked come first (`text_profile`, score = cosine to the taste), most alike
    first; popular items fill up what is missing (`popular`, score = share of the most popular). The two
    scores are two scales: each falls with the rank only within its method. An item the customer already
    has is never listed. A list is shorter than asked for when nothing more can be said for.

    Args:
        interactions: user_id, item_id, created_at (UTC), rating_share (0 to 1, or null), in any order. An
            item_id that `items` does not know can still be popular.
        users: Customers who get a list.
        items: item_id, distinct.
        item_vectors: (n_items, n_dims) in the order of `items`, unit rows; zeros for an item without text.
        settings: Length of a list, days in which popularity is counted.
        as_of: Last local day whose interactions count.
        time_zone: IANA zone in which a day begins and ends.

    Returns:
        Lists with the columns of the published tables, sorted by key; `recipe` is left to the caller.
    """
    known = known_by(interactions, as_of=as_of, time_zone=time_zone)
    catalogue = sorted({*items["item_id"], *known["item_id"]})
    column_of = {item: column for column, item in enumerate(catalogue)}
    vectors = np.zeros((len(catalogue), item_vectors.shape[1]))
    vectors[[column_of[item] for item in items["item_id"]]] = item_vectors
    popularity = measure_popularity(known, as_of=as_of, popular_days=settings.popular_days)
    popular = _Popular(
        columns=np.array([column_of[item] for item in popularity["item_id"]], dtype=np.int64),
        scores=popularity["score"].to_numpy(),
    )
    histories = distinct_histories(items_had(known), sorted(set(users)), catalogue)
    n_rows = max(1, min(MAX_BLOCK_ROWS, BLOCK_CELLS // max(1, len(catalogue))))
    blocks = [
        _list_block(block, vectors, popular, settings.list_length)
        for block in history_blocks(histories, n_items=len(catalogue), n_rows=n_rows)
    ]
    return Lists(
        _published([listed for listed, _ in blocks], _LISTED, histories.users, catalogue),
        _published([reasons for _, reasons in blocks], _REASONS, histories.users, catalogue),
    )


@dataclass(frozen=True)
class _Popular:
    columns: np.ndarray  # int (n_popular,), most popular first
    scores: np.ndarray  # float64 (n_popular,)


def _list_block(
    block: HistoryBlock, vectors: np.ndarray, popular: _Popular, list_length: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lists and reasons for one block, with histories for customers and columns for items."""
    profiles = text_profiles(block.liked, vectors)
    nearest, cosines = nearest_items(profiles, vectors, block.had, n_nearest=list_length)
    row, place = np.nonzero(nearest >= 0)
    alike = _frame(block, row, place + 1, nearest[row, place], cosines[row, place], "text_profile")

    taken = block.had.copy()
    taken[row, nearest[row, place]] = True
    n_alike = (nearest >= 0).sum(axis=1)
    row, position, nth = popular_items(popular.columns, taken, list_length - n_alike)
    rank = n_alike[row] + nth + 1
    filled = _frame(block, row, rank, popular.columns[position], popular.scores[position], "popular")

    why = nearest_liked(nearest, block.liked, vectors)
    reasons = pl.DataFrame(
        {
            "history": block.first + why.row,
            "rank": why.place + 1,
            "nth": why.nth + 1,
            "because_item_id": why.column,
            "similarity": why.similarity,
        }
    )
    return pl.concat([alike, filled]), reasons


def _frame(
    block: HistoryBlock,
    row: np.ndarray,
    rank: np.ndarray,
    column: np.ndarray,
    score: np.ndarray,
    method: str,
) -> pl.DataFrame:
    return pl.DataFrame(
        {"history": block.first + row, "rank": rank, "item_id": column, "score": score}
    ).with_columns(method=pl.lit(method))


def _published(
    blocks: list[pl.DataFrame], table: pl.DataFrame, users: pl.DataFrame, catalogue: Sequence[str]
) -> pl.DataFrame:
    """The blocks for each customer of their histories, with the ids of items and the columns of `table`."""
    if not blocks:
        return table
    names = pl.Series(catalogue, dtype=pl.String)
    item = next(name for name in table.columns if name.endswith("item_id"))
    rows = users.join(pl.concat(blocks), on="history")
    key = [name for name in ("user_id", "rank", "nth") if name in table.columns]
    named = rows.with_columns(names.gather(rows[item]).alias(item))
    return named.select(pl.col(name).cast(dtype) for name, dtype in table.schema.items()).sort(key)
