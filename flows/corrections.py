"""Shares corrected by the labels that people gave, for a night and for a rebuild."""

from __future__ import annotations

import polars as pl

from analytics.insight.correction import LABEL_ROWS, NONE, correct_shares, measure_rates
from analytics.store.labels import read_labels
from analytics.store.registry import THEME
from analytics.tables import ALL, TABLES
from flows.compose import Insights
from flows.night import Night

SHARE_WEEKS = 13
"""Length of the window whose shares are published corrected; labels are drawn from it."""


def correct_trend(night: Night, insights: Insights, trend: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables share and trend: each theme's own correction, and the same rates in every part of the documents.

    The labels are those of the state as the night reads it, whose documents still count. They are held
    against tonight's placements. A theme that was merged or split is another one, and starts without labels.
    Documents that may not be quoted are never labelled: placements are taken to be as right in them.
    """
    shown = insights.themes.filter("is_shown", pl.col("level") == THEME).select("theme_id")
    n_days = (pl.col("window_end") - pl.col("window_start")).dt.total_days() + 1
    whole = trend.filter(
        "is_shown",
        pl.col("segment_name") == ALL,
        pl.col("source") == ALL,
        pl.col("share").is_not_null(),
        n_days == 7 * SHARE_WEEKS,
    ).join(shown, on="theme_id", how="semi")
    rates = measure_rates(_labels(night, insights), whole)
    return _shares(whole, rates), TABLES["trend"].conform(correct_shares(trend, rates, is_inherited=True))


def _labels(night: Night, insights: Insights) -> pl.DataFrame:
    """Answered labels of covered documents, beside tonight's placements: LABEL_ROWS."""
    placed = (
        insights.opinion_themes.select("opinion_id", "theme_id")
        .join(insights.opinions.select("opinion_id", "document_id"), on="opinion_id")
        .select("document_id", "theme_id", is_placed=pl.lit(True))
        .unique()
    )
    answered = read_labels(night.store.state, night.state_sequence).drop_nulls("says_it").drop("is_placed")
    return (
        answered.join(
            insights.documents.filter("is_covered").select("document_id", "author"), on="document_id"
        )
        .join(placed, on=["document_id", "theme_id"], how="left")
        .with_columns(pl.col("is_placed").fill_null(False))
        .sort("theme_id", "document_id")
        .select(*LABEL_ROWS)
    )


def _shares(whole: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """Table share: where nothing is corrected, the share as it is counted, with its own interval."""
    corrected = correct_shares(whole, rates, is_inherited=False).join(
        rates.select("theme_id", "n_labels", "right"), on="theme_id", how="left"
    )
    is_raw = pl.col("correction") == NONE
    found = pl.when(pl.col("corrected_share") > 0).then(
        (pl.col("right") * pl.col("share") / pl.col("corrected_share")).clip(0.0, 1.0)
    )
    return TABLES["share"].conform(
        corrected.with_columns(
            share_raw="share",
            right_share=pl.col("right").clip(0.0, 1.0).round(6),
            found_share=found.round(6),
            **{
                name: pl.when(is_raw).then(name).otherwise(f"corrected_{name.removeprefix('share_')}")
                for name in ("share", "share_low", "share_high")
            },
        )
    )
