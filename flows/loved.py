"""Which items a group of customers loves and hardly anybody sees, as of a night."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import polars as pl

from analytics.insight.loved import find_loved
from analytics.tables import SEGMENTS
from flows.compose import Insights
from flows.gather import live_rows, raw_documents
from flows.interactions import interactions_of
from flows.night import Night

SEEN_DAYS = 90
"""Days in which it is counted how often people dealt with an item."""


def loved_items(night: Night, insights: Insights) -> pl.DataFrame:
    """Items that are loved and rarely seen, by the ratings of the last half year; LOVED_ROWS."""
    first = night.as_of - timedelta(weeks=night.settings.trends.step_weeks)
    rated = insights.documents.filter(
        "is_covered", pl.col("day") > first, ~pl.col("source").is_in(insights.held)
    ).drop_nulls(["item_id", "rating_share", "author"])
    groups = groups_of(night, rated)
    return find_loved(
        rated.select("document_id", "item_id", "author", "rating_share").join(groups, on="document_id"),
        _seen(night, rated),
        min_authors=max(2, night.settings.store.min_authors),
        false_discovery_rate=night.settings.trends.false_discovery_rate,
    )


def groups_of(night: Night, documents: pl.DataFrame) -> pl.DataFrame:
    """Segments of each document and of its author: document_id, segment (name: value)."""
    own = documents.select("document_id", "segments")
    of_users = documents.select("document_id").join(_segments_of_authors(night), on="document_id")
    return (
        pl.concat([own, of_users])
        .explode("segments")
        .drop_nulls()
        .unnest("segments")
        .drop_nulls()
        .select("document_id", segment=pl.format("{}: {}", "name", "value"))
        .unique()
    )


@lru_cache(maxsize=1)
def _segments_of_authors(night: Night) -> pl.DataFrame:
    """Segments of each document's author, where a source of users knows them: document_id, segments."""
    users = live_rows(night, "users", use="insight")
    if users.is_empty():
        return pl.DataFrame(schema={"document_id": pl.String, "segments": SEGMENTS})
    authors = raw_documents(night).select("document_id", "author_key").drop_nulls()
    return authors.join(users.select("author_key", "segments"), on="author_key").drop("author_key")


def _seen(night: Night, rated: pl.DataFrame) -> pl.DataFrame:
    """How often people dealt with each item; where no interaction is known, how often they wrote of it."""
    items = rated.select("item_id").unique()
    done = interactions_of(night, "insight").filter(pl.col("day") > night.as_of - timedelta(days=SEEN_DAYS))
    counted = (done if done.height else rated).group_by("item_id").agg(n=pl.len())
    return items.join(counted, on="item_id", how="left").with_columns(pl.col("n").fill_null(0))
