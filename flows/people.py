"""People's rights within a night: who objects, and what may be kept no longer."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from analytics.settings import SourceSettings
from flows.night import Night


def without_objecting(night: Night, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows without those of people who object: they are on no list and teach no model.

    Args:
        night: The night; what was said until it began counts.
        rows: With `author_key`, null where nobody is known.
    """
    objecting = night.store.state.objecting(night.state_sequence)
    if not objecting or "author_key" not in rows.columns:
        return rows
    return rows.filter(pl.col("author_key").is_in(list(objecting)).fill_null(False).not_())


def is_expired(source: SourceSettings, as_of: date, time_zone: str) -> pl.Expr:
    """Whether a row is older than its source may be kept; one without a date never is.

    Args:
        source: Its settings.
        as_of: The night.
        time_zone: Of the store.
    """
    if source.retention_days is None:
        return pl.lit(False)
    day = pl.col("created_at").dt.convert_time_zone(time_zone).dt.date()
    return (day < as_of - timedelta(days=source.retention_days)).fill_null(False)
