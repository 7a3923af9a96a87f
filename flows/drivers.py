"""What each theme does to each outcome, as of a night: documents, outcomes and controls put together."""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.insight.drivers import measure_effects
from analytics.insight.rates import benjamini_hochberg
from analytics.store.registry import THEME
from flows.compose import Insights
from flows.night import Night
from flows.outcomes import Outcome, outcomes_of

MAX_DOCUMENTS = 100_000
"""Effects are measured on at most so many documents of an outcome, drawn by their id, which is a hash."""
MIN_DOCUMENTS = 60
"""An outcome with fewer documents tells nothing."""
MIN_MENTIONS = 10
"""A theme with fewer authors among them is not tested."""
MAX_CONTROLS = 60


def drivers_of(night: Night, insights: Insights) -> pl.DataFrame:
    """Effect of every shown theme on every outcome, corrected by outcome for themes being many; DRIVER_ROWS.

    Sources on hold are left out. What is predicted of a text, such as its sentiment, is no part of it.
    """
    documents = insights.documents.filter("is_covered", ~pl.col("source").is_in(insights.held))
    said = (
        insights.opinion_themes.select("opinion_id", "theme_id")
        .join(insights.themes.filter("is_shown", pl.col("level") == THEME), on="theme_id", how="semi")
        .join(insights.opinions.select("opinion_id", "document_id"), on="opinion_id")
        .select("theme_id", "document_id")
        .unique()
    )
    least = max(MIN_MENTIONS, night.settings.store.min_authors)
    found = [_effects(outcome, documents, said, least) for outcome in outcomes_of(night, insights, documents)]
    return pl.concat([pl.DataFrame(schema=DRIVER_ROWS), *found]).sort("theme_id", "outcome")


DRIVER_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "outcome": pl.String,
    "outcome_kind": pl.String,  # rating | column | harm | repurchase
    "is_share": pl.Boolean,  # effects are then points of a share, 0 to 1
    "scale": pl.Float64,  # from the outcome's lowest value to its highest; 1 of a share
    "n_documents": pl.Int64,
    "n_authors": pl.Int64,  # who mention the theme
    "share": pl.Float64,  # of the documents that mention it
    "mean_outcome": pl.Float64,
    "effect": pl.Float64,
    "effect_low": pl.Float64,
    "effect_high": pl.Float64,
    "p_value": pl.Float64,
    "q_value": pl.Float64,
    "recoverable": pl.Float64,  # by how much the mean would change were the theme never mentioned
    "recoverable_plain": pl.Float64,  # the same without adjustment
}
"""What is told of a theme and an outcome."""


def _effects(outcome: Outcome, documents: pl.DataFrame, said: pl.DataFrame, least: int) -> pl.DataFrame:
    rows = documents.join(outcome.values, on="document_id").sort("document_id").head(MAX_DOCUMENTS)
    empty = pl.DataFrame(schema=DRIVER_ROWS)
    if rows.height < MIN_DOCUMENTS or rows["value"].n_unique() < 2:
        return empty
    rows = rows.with_row_index("row").with_columns(
        author=pl.coalesce(pl.col("author").cast(pl.String), pl.lit("")).rank("dense") - 1,
        item=pl.coalesce("item_id", pl.lit("")).rank("dense") - 1,
    )
    mentions = said.join(rows.select("document_id", "row", "author"), on="document_id")
    tested = (
        mentions.group_by("theme_id")
        .agg(n_authors=pl.col("author").n_unique(), n_mentions=pl.len())
        .filter(pl.col("n_authors") >= least, pl.col("n_mentions") < rows.height)
        .sort("theme_id")
        .with_row_index("column")
    )
    if tested.is_empty():
        return empty
    at = mentions.join(tested.select("theme_id", "column"), on="theme_id")
    presence = np.zeros((rows.height, tested.height))
    presence[at["row"].to_numpy(), at["column"].to_numpy()] = 1.0
    effects = measure_effects(
        presence,
        rows["value"].to_numpy(),
        item=rows["item"].to_numpy(),
        author=rows["author"].to_numpy(),
        controls=_controls(rows),
    )
    told = tested.with_columns(
        outcome=pl.lit(outcome.name),
        outcome_kind=pl.lit(outcome.kind),
        is_share=pl.lit(outcome.is_share),
        scale=pl.lit(outcome.scale),
        n_documents=pl.lit(rows.height, pl.Int64),
        share=pl.Series(presence.mean(axis=0)),
        mean_outcome=pl.lit(rows["value"].mean()),
        effect=pl.Series(effects.effect),
        effect_low=pl.Series(effects.low),
        effect_high=pl.Series(effects.high),
        p_value=pl.Series(effects.p_value),
        recoverable=pl.Series(effects.recoverable),
        recoverable_plain=pl.Series(effects.plain),
    ).filter(pl.col("p_value").is_not_nan())
    q_value = pl.Series(benjamini_hochberg(told["p_value"].to_numpy()), dtype=pl.Float64)
    return told.with_columns(q_value=q_value).select(
        pl.col(name).cast(dtype) for name, dtype in DRIVER_ROWS.items()
    )


def _controls(documents: pl.DataFrame) -> np.ndarray | None:
    """Month, source, language and segments of each document as terms of 0 and 1 (n_documents, n_controls)."""
    month = documents["day"].dt.strftime("%Y-%m").fill_null("none").alias("month")
    known = documents.select("row", "source", pl.col("language").fill_null("none")).with_columns(month)
    of_columns = known.unpivot(index="row").with_columns(pl.col("variable").cast(pl.String))
    segments = documents.select("row", "segments").explode("segments").drop_nulls().unnest("segments")
    of_segments = segments.select("row", variable="name", value="value").drop_nulls()
    terms = pl.concat([of_columns, of_segments]).unique()
    least = max(20, documents.height // 200)
    used = (
        terms.group_by("variable", "value")
        .len()
        .filter(pl.col("len") >= least, pl.col("len") <= documents.height - least)
        .sort(["len", "variable", "value"], descending=[True, False, False])
        .head(MAX_CONTROLS)
        .with_row_index("column")
    )
    if used.is_empty():
        return None
    at = terms.join(used, on=["variable", "value"])
    columns = np.zeros((documents.height, used.height))
    columns[at["row"].to_numpy(), at["column"].to_numpy()] = 1.0
    return columns
