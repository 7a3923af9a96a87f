"""What themes are held against: ratings, columns of a source, and what customers did next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from analytics.insight.drivers import COLUMN, HARM, RATING, REPURCHASE
from flows.compose import Insights
from flows.gather import raw_documents
from flows.interactions import interactions_of
from flows.night import Night

_YES_NO = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class Outcome:
    """Something that documents have, or that followed them."""

    name: str
    kind: str
    """rating, column, harm (the less the better) or repurchase; a column may be good or bad."""
    is_share: bool
    """Whether it is yes or no, so that effects are points of a share."""
    values: pl.DataFrame
    """Columns document_id, value (float64)."""
    scale: float = 1.0
    """From its lowest value to its highest."""


def outcomes_of(night: Night, insights: Insights, documents: pl.DataFrame) -> Iterator[Outcome]:
    """Every outcome that the store knows of, over the given documents.

    Args:
        night: The night.
        insights: What is told of it.
        documents: Rows of table document.
    """
    for source in night.settings.sources:
        low, high = source.rating_scale
        values = _values(documents.filter(pl.col("source") == source.name), pl.col("rating"))
        yield Outcome(f"rating in {source.name}", RATING, False, values, high - low)
    yield from _columns(documents, night.settings.drivers.outcomes)
    yield from _what_followed(night, documents)


def _values(documents: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    return documents.select("document_id", value=value.cast(pl.Float64)).drop_nulls()


def _columns(documents: pl.DataFrame, names: Sequence[str]) -> Iterator[Outcome]:
    segments = documents.select("document_id", "segments").explode("segments").unnest("segments")
    for name in names:
        text = pl.col("value").str.to_lowercase()
        given = _values(
            segments.filter(pl.col("name") == name),
            pl.coalesce(text.replace_strict(_YES_NO, default=None), text.cast(pl.Float64, strict=False)),
        )
        if given.is_empty():
            continue
        is_share = given["value"].is_in([0.0, 1.0]).all()
        scale = 1.0 if is_share else float(np.ptp(given["value"].to_numpy()))
        yield Outcome(name, COLUMN, is_share, given.unique("document_id"), scale)


def _what_followed(night: Night, documents: pl.DataFrame) -> Iterator[Outcome]:
    settings, orders = night.settings.drivers, night.settings.trends.order_kinds
    if not settings.harm_kinds and not orders:
        return
    written = raw_documents(night).select("document_id", "author_key", "created_at")
    written = documents.select("document_id", "item_id", "day").join(written, on="document_id")
    written = written.drop_nulls(["author_key", "created_at", "day"])
    done = interactions_of(night, "insight").drop_nulls(["author_key", "created_at"])
    for kind in settings.harm_kinds:
        bought = _of_buyers(written, done.filter(pl.col("kind").is_in(orders))) if orders else written
        harm = done.filter(pl.col("kind") == kind)
        followed = _followed(bought, harm, ["author_key", "item_id"], settings.harm_days, night.as_of)
        yield Outcome(f"{kind} within {settings.harm_days} days", HARM, True, followed)
    if orders:
        again = done.filter(pl.col("kind").is_in(orders))
        followed = _followed(written, again, ["author_key"], settings.repurchase_days, night.as_of)
        yield Outcome(f"next order within {settings.repurchase_days} days", REPURCHASE, True, followed)


def _of_buyers(written: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Documents about an item that their author had ordered by then."""
    first = orders.group_by("author_key", "item_id").agg(ordered_at=pl.col("created_at").min())
    owned = written.join(first, on=["author_key", "item_id"])
    return owned.filter(pl.col("ordered_at") <= pl.col("created_at")).select(written.columns)


def _followed(
    written: pl.DataFrame, done: pl.DataFrame, by: list[str], n_days: int, as_of: date
) -> pl.DataFrame:
    """Whether something followed a document; those that are too new to tell are left out."""
    old_enough = written.filter(pl.col("day") <= as_of - timedelta(days=n_days))
    times = done.select(*by, then="created_at").drop_nulls().sort("then")
    joined = (
        old_enough.drop_nulls(by)
        .sort("created_at")
        .join_asof(
            times,
            left_on="created_at",
            right_on="then",
            by=by,
            strategy="forward",
            tolerance=timedelta(days=n_days),
            allow_exact_matches=False,
            check_sortedness=False,
        )
    )
    return joined.select("document_id", value=pl.col("then").is_not_null().cast(pl.Float64))
