"""How many of the covered documents mention a theme, by day, week and segment, and how sure that is."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from analytics.tables import ALL, TABLES

Z_95 = 1.96
WEEK_DAYS = 7


def wilson(successes: ArrayLike, n: ArrayLike, z: float = Z_95) -> tuple[np.ndarray, np.ndarray]:
    """Score interval of a share (Wilson 1927).

    Args:
        successes: Counts, 0 to n.
        n: Counts of trials; where 0 the interval is NaN.
        z: Quantile of the normal distribution; 1.96 for 95 %.

    Returns:
        Lower and upper ends, float64, in the shape of the arguments.
    """
    k = np.asarray(successes, dtype=np.float64)
    trials = np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / trials
        centre = share + z**2 / (2 * trials)
        reach = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
        low = (centre - reach) / (1 + z**2 / trials)
        high = (centre + reach) / (1 + z**2 / trials)
    # At the ends the formula is 0 or 1 but for rounding.
    return np.where((k == 0) & (trials > 0), 0.0, low), np.where((k == trials) & (trials > 0), 1.0, high)


def newcombe_difference(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, z: float = Z_95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference k1/n1 - k2/n2 of two independent shares with its interval (Newcombe 1998, method 10).

    Returns:
        Difference, lower and upper ends, float64; NaN where n1 or n2 is 0.
    """
    low1, high1 = wilson(k1, n1, z)
    low2, high2 = wilson(k2, n2, z)
    with np.errstate(divide="ignore", invalid="ignore"):
        share1 = np.asarray(k1, dtype=np.float64) / np.asarray(n1, dtype=np.float64)
        share2 = np.asarray(k2, dtype=np.float64) / np.asarray(n2, dtype=np.float64)
    difference = share1 - share2
    low = difference - np.sqrt((share1 - low1) ** 2 + (high2 - share2) ** 2)
    high = difference + np.sqrt((high1 - share1) ** 2 + (share2 - low2) ** 2)
    return difference, low, high


def _by_segment(documents: pl.DataFrame) -> pl.DataFrame:
    """Each document once in the segment that holds all, and once in every segment of its own."""
    own = (
        documents.explode("segments", empty_as_null=False)
        .with_columns(
            segment_name=pl.col("segments").struct.field("name"),
            segment_value=pl.col("segments").struct.field("value"),
        )
        .drop("segments")
        .drop_nulls(["segment_name", "segment_value"])
    )
    everything = documents.drop("segments").with_columns(segment_name=pl.lit(ALL), segment_value=pl.lit(ALL))
    return pl.concat([everything, own]).unique()


def _mentions(opinion_theme: pl.DataFrame, opinions: pl.DataFrame) -> pl.DataFrame:
    return opinion_theme.select("opinion_id", "theme_id").join(opinions, on="opinion_id")


def document_days(documents: pl.DataFrame) -> pl.DataFrame:
    """Table document_day: how many documents, covered documents and authors each day and segment has.

    Args:
        documents: Columns document_id, day (null: left out), segments, author (null: all such count as one
            author), is_covered.
    """
    dated = documents.filter(pl.col("day").is_not_null()).select(
        "document_id", "day", "author", "is_covered", "segments"
    )
    counted = (
        _by_segment(dated)
        .group_by("day", "segment_name", "segment_value")
        .agg(
            n_documents=pl.len(),
            n_covered=pl.col("is_covered").sum(),
            n_authors=pl.col("author").n_unique(),
        )
    )
    return TABLES["document_day"].conform(counted)


def theme_days(opinions: pl.DataFrame, opinion_theme: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """Table theme_day: who mentioned a theme on each day, and how; days without a mention have no row.

    Args:
        opinions: Columns opinion_id, document_id, sentiment_label.
        opinion_theme: Columns opinion_id, theme_id.
        documents: As for `document_days`.
    """
    dated = documents.filter(pl.col("day").is_not_null()).select("document_id", "day", "author", "segments")
    mentions = _mentions(opinion_theme, opinions.select("opinion_id", "document_id", "sentiment_label"))
    counted = (
        mentions.join(_by_segment(dated), on="document_id")
        .group_by("theme_id", "day", "segment_name", "segment_value")
        .agg(
            n_documents=pl.col("document_id").n_unique(),
            n_opinions=pl.len(),
            n_authors=pl.col("author").n_unique(),
            n_negative=(pl.col("sentiment_label") == "negative").sum(),
            n_positive=(pl.col("sentiment_label") == "positive").sum(),
        )
    )
    return TABLES["theme_day"].conform(counted)


def trends(
    opinions: pl.DataFrame,
    opinion_theme: pl.DataFrame,
    documents: pl.DataFrame,
    as_of: date,
    *,
    n_weeks: int = 26,
    min_authors: int,
) -> pl.DataFrame:
    """Table trend: each theme's share of the covered documents in the weeks that end on `as_of`.

    A theme has a row for every week in the segment that holds all, and in each segment that mentions it in
    one of the weeks. Where no document is covered the share is null. The cell is shown when at least
    `min_authors` distinct authors mention the theme in it.

    Args:
        opinions: Columns opinion_id, document_id.
        opinion_theme: Columns opinion_id, theme_id.
        documents: As for `document_days`; only covered ones count.
        as_of: Last day of the last week.
        n_weeks: How many weeks.
        min_authors: Fewest distinct authors of a shown cell.
    """
    cell = ["segment_name", "segment_value", "week"]
    weeks_ago = (pl.lit(as_of) - pl.col("day")).dt.total_days() // WEEK_DAYS
    covered = _by_segment(
        documents.filter("is_covered")
        .with_columns(week=weeks_ago)
        .filter(pl.col("week").is_between(0, n_weeks - 1))
        .select("document_id", "author", "week", "segments")
    )
    mentions = _mentions(opinion_theme, opinions.select("opinion_id", "document_id"))
    mentioned = (
        mentions.select("theme_id", "document_id")
        .unique()
        .join(covered, on="document_id")
        .group_by("theme_id", *cell)
        .agg(n_documents=pl.len(), n_authors=pl.col("author").n_unique())
    )
    themes = opinion_theme.select("theme_id").unique()
    lines = pl.concat(
        [
            themes.with_columns(segment_name=pl.lit(ALL), segment_value=pl.lit(ALL)),
            mentioned.select("theme_id", "segment_name", "segment_value"),
        ]
    ).unique()
    cells = (
        lines.join(pl.DataFrame({"week": range(n_weeks)}, schema={"week": pl.Int64}), how="cross")
        .join(covered.group_by(cell).agg(n_covered=pl.len()), on=cell, how="left")
        .join(mentioned, on=["theme_id", *cell], how="left")
        .with_columns(pl.col("n_covered", "n_documents", "n_authors").fill_null(0))
    )
    window_end = pl.lit(as_of) - pl.duration(days=pl.col("week") * WEEK_DAYS)
    return TABLES["trend"].conform(
        with_shares(cells).with_columns(
            window_start=window_end - timedelta(days=WEEK_DAYS - 1),
            window_end=window_end,
            is_shown=pl.col("n_authors") >= min_authors,
        )
    )


def with_shares(cells: pl.DataFrame) -> pl.DataFrame:
    """`cells` with share, share_low and share_high of n_documents in n_covered; null where that is 0."""
    low, high = wilson(cells["n_documents"].to_numpy(), cells["n_covered"].to_numpy())
    return cells.with_columns(
        share=(pl.col("n_documents") / pl.col("n_covered")).round(6),
        share_low=pl.Series(low).round(6),
        share_high=pl.Series(high).round(6),
    ).with_columns(pl.col("share", "share_low", "share_high").fill_nan(None))
