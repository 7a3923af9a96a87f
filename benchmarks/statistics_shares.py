"""Whether the intervals of shares hold the truth: as they are counted, and corrected by labels."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from analytics.insight.shares import trends
from analytics.tables import SEGMENTS

AS_OF = date(2026, 6, 30)
MIN_AUTHORS = 5
LIKENESS = 0.2
"""Correlation between what two documents of one author speak of."""


def draw_speakers(rng: np.random.Generator, authors: np.ndarray, share: np.ndarray, n: int) -> np.ndarray:
    """Which documents speak of each of n themes (n, n_documents); those of one author are alike.

    An author's inclination is of the beta distribution around the share of the documents.
    """
    _, first, who = np.unique(authors, return_index=True, return_inverse=True)
    weight = 1 / LIKENESS - 1
    inclined = rng.beta(share[first] * weight, (1 - share[first]) * weight, (n, len(first)))
    return rng.random((n, len(authors))) < inclined[:, who]


def coverage(
    rng: np.random.Generator, documents: pl.DataFrame, share: np.ndarray, n: int, segment: str = "all"
) -> float:
    """In how many of n themes the interval of the last week's share in a segment holds the truth."""
    spoken = draw_speakers(rng, documents["author"].to_numpy(), share, n)
    theme, place = np.nonzero(spoken)
    ids = documents["document_id"].to_numpy()
    opinions = pl.DataFrame({"document_id": ids[place], "theme_id": theme.astype(str)}).with_row_index("row")
    opinions = opinions.with_columns(opinion_id=pl.col("row").cast(pl.String))
    cells = trends(
        opinions.select("opinion_id", "document_id"),
        opinions.select("opinion_id", "theme_id"),
        documents,
        AS_OF,
        n_weeks=2,
        min_authors=MIN_AUTHORS,
    ).filter(pl.col("segment_value") == segment, pl.col("source") == "all", pl.col("window_end") == AS_OF)
    is_there = documents["day"].to_numpy() > np.datetime64(AS_OF - timedelta(days=7))
    if segment != "all":
        is_there &= documents["segments"].list.first().struct.field("value").to_numpy() == segment
    truth = float(share[is_there].mean())
    is_held = (pl.col("share_low") <= truth) & (truth <= pl.col("share_high"))
    holds = cells.filter(is_held).height
    # A theme that nobody in the segment mentions has no row there; nothing is said of it.
    return holds / cells.height


def documents_of(authors: np.ndarray, days_ago: np.ndarray, segments: np.ndarray) -> pl.DataFrame:
    """Covered documents of one source, each in a segment."""
    return pl.DataFrame(
        {"author": authors, "ago": days_ago, "value": segments}, schema_overrides={"author": pl.Int32}
    ).select(
        pl.int_range(pl.len()).cast(pl.String).alias("document_id"),
        (pl.lit(AS_OF) - pl.duration(days=pl.col("ago"))).alias("day"),
        "author",
        pl.concat_list(pl.struct(name=pl.lit("channel"), value="value")).cast(SEGMENTS).alias("segments"),
        pl.lit(True).alias("is_covered"),
        pl.lit("reviews").alias("source"),
    )


def share_coverage(n: int, seed: int) -> dict[str, float]:
    """Authors who write one to five texts or so, themes of every size."""
    held = []
    for share in (0.05, 0.2, 0.5):
        rng = np.random.default_rng([seed, 1, int(100 * share)])
        authors = np.repeat(np.arange(150), rng.geometric(0.5, 150))
        place = np.full(len(authors), "web")
        documents = documents_of(authors, rng.integers(0, 7, len(authors)), place)
        held.append(coverage(rng, documents, np.full(len(authors), share), n))
    return {f"share_coverage_{name}": value for name, value in zip(("5", "20", "50"), held, strict=True)} | {
        "share_coverage": float(np.mean(held))
    }


def share_coverage_one_author_30_texts(n: int, seed: int) -> dict[str, float]:
    """Of 300 texts one author wrote 30."""
    rng = np.random.default_rng([seed, 2])
    authors = np.concatenate([np.full(30, 270), np.arange(270)])
    documents = documents_of(authors, rng.integers(0, 7, 300), np.full(300, "web"))
    return {"share_coverage_one_author_30_texts": coverage(rng, documents, np.full(300, 0.2), n)}


def share_coverage_segment_grows(n: int, seed: int) -> dict[str, float]:
    """A segment that speaks less of the theme has ten times as many documents in the last week."""
    rng = np.random.default_rng([seed, 3])
    days_ago = np.concatenate([rng.integers(0, 14, 140), rng.integers(7, 14, 30), rng.integers(0, 7, 300)])
    segments = np.repeat(["web", "shop"], [140, 330])
    authors = np.concatenate([rng.integers(0, 100, 140), 1_000 + rng.integers(0, 200, 330)])
    documents = documents_of(authors, days_ago, segments)
    share = np.where(segments == "shop", 0.1, 0.25)
    return {
        "share_coverage_segment_grows": coverage(rng, documents, share, n),
        "share_coverage_segment_grows_inside": coverage(rng, documents, share, n, "shop"),
    }
