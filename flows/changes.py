"""What has changed in a store as of a night: mentions and exposure put together, and tested."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from analytics.insight.trends import days_looked_at, find_changes
from flows.compose import Insights
from flows.generation import interactions_of
from flows.night import Night

EVERYTHING, ITEM, SEGMENT = "all", "item", "segment"
_PLACE = ("subject_kind", "subject")


def changes_of(night: Night, insights: Insights) -> pl.DataFrame:
    """Changes of the last days and steps of the last half year, themes in all their places; CHANGE_ROWS."""
    settings = night.settings.trends
    oldest = night.as_of - timedelta(days=days_looked_at(settings))
    is_asked = (pl.col("day") > oldest) & ~pl.col("source").is_in(insights.held)
    places = places_of(insights.documents.filter("is_covered", is_asked))
    said = (
        insights.opinion_themes.select("opinion_id", "theme_id")
        .join(insights.opinions.select("opinion_id", "document_id"), on="opinion_id")
        .select("theme_id", "document_id")
        .unique()
        .join(places, on="document_id")
    )
    return find_changes(
        said,
        exposure_of(night, places),
        settings,
        as_of=night.as_of,
        min_authors=night.settings.store.min_authors,
    )


def places_of(documents: pl.DataFrame) -> pl.DataFrame:
    """Every document in all places that it belongs to: document_id, author, day, subject_kind, subject."""
    known = documents.with_columns(author=pl.coalesce(pl.col("author").cast(pl.String), pl.lit("")))
    base = known.select("document_id", "author", "day", "item_id", "segments")
    everywhere = base.with_columns(subject_kind=pl.lit(EVERYTHING), subject=pl.lit(EVERYTHING))
    of_items = base.drop_nulls("item_id").with_columns(subject_kind=pl.lit(ITEM), subject="item_id")
    of_segments = (
        base.explode("segments")
        .drop_nulls("segments")
        .with_columns(
            subject_kind=pl.lit(SEGMENT),
            subject=pl.format(
                "{}: {}", pl.col("segments").struct.field("name"), pl.col("segments").struct.field("value")
            ),
        )
        .drop_nulls("subject")
    )
    columns = ["document_id", "author", "day", *_PLACE]
    return pl.concat([part.select(columns) for part in (everywhere, of_items, of_segments)])


def exposure_of(night: Night, places: pl.DataFrame) -> pl.DataFrame:
    """What mentions are counted in, by place and day: orders where the settings name them, else authors.

    Returns:
        Columns subject_kind, subject, day, n.
    """
    written = places.unique(["author", "day", *_PLACE]).group_by(*_PLACE, "day").agg(n=pl.len())
    kinds = night.settings.trends.order_kinds
    orders = interactions_of(night).filter(pl.col("kind").is_in(kinds)) if kinds else None
    if orders is None or orders.is_empty():
        return written.with_columns(pl.col("n").cast(pl.Float64))
    everywhere = orders.select("day", subject_kind=pl.lit(EVERYTHING), subject=pl.lit(EVERYTHING))
    of_items = orders.drop_nulls("item_id").select("day", subject_kind=pl.lit(ITEM), subject="item_id")
    sold = pl.concat([everywhere, of_items]).group_by(*_PLACE, "day").agg(n=pl.len())
    others = written.join(sold, on=list(_PLACE), how="anti")
    return pl.concat([sold, others.select(sold.columns)]).with_columns(pl.col("n").cast(pl.Float64))
