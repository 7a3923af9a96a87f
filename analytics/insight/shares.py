"""How many of the covered documents mention a theme, by day, week and segment, and how sure that is."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from analytics.insight.clustering import Clusters, author_quantile, design_effect
from analytics.insight.counting import COUNTED, count_cells
from analytics.insight.privacy import CELL, NONE, PLACE, WINDOW, safe_cells
from analytics.tables import ALL, TABLES

Z_95 = 1.96
WEEK_DAYS = 7
WINDOWS_WEEKS = (4, 13, 26)
"""Lengths of the windows, above a week, that end with the night."""


def wilson(successes: ArrayLike, n: ArrayLike, z: ArrayLike = Z_95) -> tuple[np.ndarray, np.ndarray]:
    """Score interval of a share (Wilson 1927).

    Args:
        successes: Counts, 0 to n.
        n: Counts of trials; where 0 the interval is NaN.
        z: Quantile of the normal distribution, or of Student's t; 1.96 for 95 %.

    Returns:
        Lower and upper ends, float64, in the shape of the arguments.
    """
    k = np.asarray(successes, dtype=np.float64)
    trials = np.asarray(n, dtype=np.float64)
    z = np.asarray(z, dtype=np.float64)
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


def theme_days(
    opinions: pl.DataFrame,
    opinion_theme: pl.DataFrame,
    documents: pl.DataFrame,
    trend: pl.DataFrame,
    *,
    min_authors: int,
) -> pl.DataFrame:
    """Table theme_day: who mentioned a theme on each day, and how; days without a mention have no row.

    A day is shown in all documents alone, within a week that `trend` shows, and only where every day of that
    week has no author or enough of them, so that no day follows from the others.

    Args:
        opinions: Columns opinion_id, document_id, sentiment_label.
        opinion_theme: Columns opinion_id, theme_id.
        documents: As for `document_days`.
        trend: Table trend of the same night.
        min_authors: Fewest distinct authors of a shown cell.
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
    weeks = trend.filter(
        "is_shown",
        pl.col("segment_name") == ALL,
        pl.col("source") == ALL,
        (pl.col("window_end") - pl.col("window_start")).dt.total_days() == WEEK_DAYS - 1,
    ).select("theme_id", "segment_name", "segment_value", "window_start", "window_end")
    days = counted.sort("day").join_asof(
        weeks.sort("window_start"),
        left_on="day",
        right_on="window_start",
        by=["theme_id", "segment_name", "segment_value"],
        check_sortedness=False,
    )
    week = pl.when(pl.col("day") <= pl.col("window_end")).then("window_start")
    has_enough = (pl.col("n_authors") >= min_authors).all()
    return TABLES["theme_day"].conform(
        days.with_columns(week=week).with_columns(
            is_shown=pl.col("week").is_not_null()
            & has_enough.over("theme_id", "segment_name", "segment_value", "week")
        )
    )


def trends(
    opinions: pl.DataFrame,
    opinion_theme: pl.DataFrame,
    documents: pl.DataFrame,
    as_of: date,
    *,
    n_weeks: int = 26,
    min_authors: int,
) -> pl.DataFrame:
    """Table trend: each theme's share of the covered documents, by segment, source and window.

    Windows are whole weeks, counted back from `as_of`, and the last 4, 13 and 26 weeks. A theme has a row
    for every window of all documents, and for a segment, a source or both together in every window that
    mentions it there. Where no document is covered the share is null; its interval knows that one author
    writes several documents, as `_with_clustered_shares` tells. A cell is shown by the rule of
    `privacy.safe_cells`, which must hold for the mentions and for the covered documents behind the share.

    Args:
        opinions: Columns opinion_id, document_id.
        opinion_theme: Columns opinion_id, theme_id.
        documents: As for `document_days`, and source; only covered ones count.
        as_of: Last day of the last week.
        n_weeks: How many weeks.
        min_authors: Fewest distinct authors of a shown cell.
    """
    windows = [length for length in WINDOWS_WEEKS if length <= n_weeks]
    covered = _divided(documents.filter("is_covered"), as_of, n_weeks)
    mentions = _mentions(opinion_theme, opinions.select("opinion_id", "document_id"))
    mentioned = mentions.select("theme_id", "document_id").unique().join(covered, on="document_id")
    cells, written = count_cells(mentioned, covered, windows)
    written = written.filter(pl.col("week") < n_weeks)
    of_weeks = covered.filter(pl.col("week") < n_weeks).with_columns(theme_id=pl.lit(ALL))
    written = written.select(
        *PLACE, *WINDOW, written_squares="said_squares", n_covered="n_documents", n_writers="n_authors",
        is_base_shown=safe_cells(
            of_weeks, written, windows=windows, min_authors=min_authors, has_open_totals=False
        ),
    )  # fmt: skip
    cells = cells.with_columns(
        is_shown=safe_cells(mentioned, cells, windows=windows, min_authors=min_authors, has_open_totals=True)
    )
    published = (
        _lines(cells, n_weeks, windows)
        .join(written, on=[*PLACE, *WINDOW], how="left")
        .join(cells, on=CELL, how="left")
        .with_columns(
            pl.col("n_covered", "n_writers", "written_squares", *COUNTED).fill_null(0),
            is_shown=(pl.col("is_shown") & pl.col("is_base_shown")).fill_null(False),
        )
    )
    window_end = pl.lit(as_of) - pl.duration(days=pl.col("week") * WEEK_DAYS)
    window_start = window_end - pl.duration(days=pl.col("n_weeks") * WEEK_DAYS - 1)
    return TABLES["trend"].conform(
        _with_clustered_shares(published).with_columns(
            *(pl.lit(None, pl.Float64).alias(f"corrected_{name}") for name in ("share", "low", "high")),
            window_start=window_start,
            window_end=window_end,
            correction=pl.lit("none"),
        )
    )


def _divided(documents: pl.DataFrame, as_of: date, n_weeks: int) -> pl.DataFrame:
    """Each document once for every name of a segment, with its value there; NONE where it has none.

    Returns:
        Columns document_id, author, source, week (`n_weeks`: older, or without a date), segment_name,
        segment_value.
    """
    weeks_ago = (pl.lit(as_of) - pl.col("day")).dt.total_days() // WEEK_DAYS
    dated = documents.with_columns(
        week=pl.when(weeks_ago.is_between(0, n_weeks - 1)).then(weeks_ago).otherwise(n_weeks),
        # The name of what is not told apart can name nothing else.
        source=pl.when(pl.col("source") != ALL).then("source").otherwise(pl.lit(NONE)),
    )
    values = _by_segment(dated.select("document_id", "segments")).filter(pl.col("segment_name") != ALL)
    names = values.select("segment_name").unique()
    if names.is_empty():
        names = pl.DataFrame({"segment_name": [NONE]})
    return (
        dated.select("document_id", "author", "source", "week")
        .join(names, how="cross")
        .join(values, on=["document_id", "segment_name"], how="left")
        .with_columns(pl.col("segment_value").fill_null(NONE))
    )


def _lines(cells: pl.DataFrame, n_weeks: int, windows: list[int]) -> pl.DataFrame:
    """The cells that are published: all windows of all documents, and where else a theme is mentioned."""
    lengths = [*((week, 1) for week in range(n_weeks)), *((0, length) for length in windows)]
    every = pl.DataFrame(lengths, schema={"week": pl.Int64, "n_weeks": pl.Int64}, orient="row")
    everywhere = (
        cells.select("theme_id", *(pl.lit(ALL).alias(name) for name in PLACE))
        .unique()
        .join(every, how="cross")
    )
    has_name = (pl.col("segment_value") != NONE) & (pl.col("source") != NONE)
    mentioned = cells.filter(has_name, pl.col("week") < n_weeks).select(CELL)
    return pl.concat([everywhere, mentioned]).unique()


def _with_clustered_shares(cells: pl.DataFrame) -> pl.DataFrame:
    """`cells` with share, share_low and share_high of n_documents in n_covered; null where that is 0.

    An author's documents are alike: Wilson's interval is that of the effective number of documents, as Korn
    and Graubard, Survey Methodology 24 (1998) do with the exact interval.
    """
    said, written, writers, said_squares, products, written_squares = (
        cells[name].cast(pl.Float64).to_numpy()
        for name in ("n_documents", "n_covered", "n_writers", "said_squares", "products", "written_squares")
    )
    effect = design_effect(Clusters(said, written, writers, said_squares, products, written_squares))
    z = author_quantile(written, written_squares)
    return _with_interval(cells, *wilson(said / effect, written / effect, z))


def _with_interval(cells: pl.DataFrame, low: np.ndarray, high: np.ndarray) -> pl.DataFrame:
    return cells.with_columns(
        share=(pl.col("n_documents") / pl.col("n_covered")).round(6),
        share_low=pl.Series(low).round(6),
        share_high=pl.Series(high).round(6),
    ).with_columns(pl.col("share", "share_low", "share_high").fill_nan(None))
