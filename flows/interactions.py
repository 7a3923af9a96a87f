"""What people did with items, as a night knows it."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from analytics.settings import Use
from analytics.tables import TABLES
from flows.gather import live_rows
from flows.night import Night
from flows.steps import with_rating_share


@lru_cache(maxsize=2)
def interactions_of(night: Night, use: Use) -> pl.DataFrame:
    """Live interactions of sources that grant a use.

    Returns:
        Columns id, user_id, author_key, item_id, kind, created_at, day, rating_share.
    """
    rows = live_rows(night, "interactions", use=use)
    if rows.is_empty():
        empty = TABLES["interaction"].empty().rename({"interaction_id": "id"})
        return empty.with_columns(author_key=pl.lit(None, pl.String))
    local = pl.col("created_at").dt.convert_time_zone(night.settings.store.time_zone)
    return with_rating_share(rows, night).with_columns(day=local.dt.date())
