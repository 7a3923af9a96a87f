"""Decisions: what to fix, to watch and to keep, ranked by size, tone and change, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from analytics import identity
from analytics.insight.common_words import in_common_words
from analytics.insight.sentences import count_words
from analytics.insight.shares import newcombe_difference, with_shares
from analytics.rows import EPISODE_ROWS, JOURNAL_ROWS
from analytics.settings import DecisionSettings
from analytics.tables import ALL

MIN_COVERED = 30
"""With fewer covered documents a window says nothing about change."""
FIX_SHARE = 0.5
"""A theme whose statements are negative at least this often is to be fixed."""
KEEP_SHARE = 0.7
"""A theme whose statements are positive at least this often is to be kept."""
PRAISE_WEIGHT = 0.25
"""What a share without any complaint weighs beside one that is all complaint, which weighs 1 more."""
QUOTE_WORDS = (4, 40)
ENOUGH = "enough"
NOT_ENOUGH = "not enough evidence"


@dataclass(frozen=True)
class Ranked:
    """A night's decisions, the quotes under them, and the episodes as they stand after it."""

    decisions: pl.DataFrame
    evidence: pl.DataFrame
    episodes: pl.DataFrame


@dataclass(frozen=True)
class _Window:
    documents: pl.DataFrame
    first_day: date | None  # null: documents without a day are in it too
    last_day: date | None


def rank_decisions(
    themes: pl.DataFrame,
    opinions: pl.DataFrame,
    opinion_theme: pl.DataFrame,
    documents: pl.DataFrame,
    settings: DecisionSettings,
    *,
    as_of: date,
    min_authors: int,
    run_id: str,
    earlier: pl.DataFrame,
) -> Ranked:
    """Rank what a theme asks for.

    A theme counts when at least `min_authors` distinct authors mention it in the recent window and a quote
    shows it, in words that others use too. The score is `share_low * (0.25 + negative_share) +
    max(0, change_low)`: the share that the theme surely has, five times as heavy where all complain as where
    none does, plus the growth that it surely had; ties go to the smaller id.

    Where the recent window covers fewer than 30 documents, the window is the whole dated history, or all
    documents where even that covers fewer. The change is null, for not enough evidence, unless the recent
    window and the one before it cover 30 documents each.

    Args:
        themes: Column theme_id: the themes to look at.
        opinions: Columns opinion_id, document_id, sentiment_label, quote.
        opinion_theme: Columns opinion_id, theme_id, similarity.
        documents: Columns document_id, day, author (null: all such count as one author), is_covered,
            may_quote.
        settings: Length of the window and of the lists.
        as_of: Last day of the window.
        min_authors: Fewest distinct authors behind a decision.
        run_id: The run that lists them.
        earlier: As `episodes` of the run before; empty at first.

    Returns:
        The journal's tables decision, decision_evidence and episode. An episode goes on while its theme asks
        for the same, be it below the last rank listed; it ends when the theme no longer does.
    """
    covered = documents.filter("is_covered").select("document_id", "day", "author", "may_quote")
    window, before = _windows(covered, as_of, settings.recent_days)
    mentions = (
        opinion_theme.select("opinion_id", "theme_id", "similarity")
        .join(themes.select("theme_id"), on="theme_id", how="semi")
        .join(opinions.select("opinion_id", "document_id", "sentiment_label", "quote"), on="opinion_id")
    )
    recent = mentions.join(window.documents, on="document_id")
    asking = _themes_asking(recent, window.documents.height, min_authors)
    asking = _with_change(asking, mentions, window, before)
    said = opinions.join(covered, on="document_id").select("author", "quote")
    common = recent.filter(in_common_words(said, recent["quote"]))
    evidence = _evidence(common, asking, settings.max_quotes)
    asking = _scored(asking.join(evidence, on="theme_id", how="semi"))
    listed = asking.head(settings.max_decisions).with_row_index("rank", offset=1)
    episodes = _episodes(listed, asking, earlier, run_id)
    decisions = listed.join(
        episodes.filter("is_open"), on=["kind", "subject", "theme_id"], maintain_order="left"
    ).with_columns(window_start=pl.lit(window.first_day), window_end=pl.lit(window.last_day))
    quotes = evidence.join(decisions.select("theme_id", "decision_id"), on="theme_id")
    return Ranked(
        _journal_rows("decision", decisions).sort("decision_id"),
        _journal_rows("decision_evidence", quotes).sort("decision_id", "rank"),
        episodes,
    )


def _journal_rows(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in JOURNAL_ROWS[table].items())


def _windows(covered: pl.DataFrame, as_of: date, recent_days: int) -> tuple[_Window, _Window | None]:
    """The window to judge by, and the one before it where the two can be compared."""
    known = covered.filter(pl.col("day").is_null() | (pl.col("day") <= as_of))
    dated = known.drop_nulls("day")
    starts = as_of - timedelta(days=recent_days - 1)
    recent = dated.filter(pl.col("day") >= starts)
    if recent.height >= MIN_COVERED:
        earlier_start, earlier_end = starts - timedelta(days=recent_days), starts - timedelta(days=1)
        earlier = dated.filter(pl.col("day").is_between(earlier_start, earlier_end))
        comparable = earlier.height >= MIN_COVERED
        return _Window(recent, starts, as_of), (
            _Window(earlier, earlier_start, earlier_end) if comparable else None
        )
    if dated.height >= MIN_COVERED or dated.height == known.height > 0:
        days = dated["day"].sort()
        return _Window(dated, days[0], as_of), None
    return _Window(known, None, None), None


def _themes_asking(recent: pl.DataFrame, n_covered: int, min_authors: int) -> pl.DataFrame:
    """Themes with enough authors in the window: their share, tone and kind."""
    label = pl.col("sentiment_label")
    counted = (
        recent.group_by("theme_id")
        .agg(
            n_documents=pl.col("document_id").n_unique(),
            n_authors=pl.col("author").n_unique(),
            negative_share=(label == "negative").mean().round(6),
            positive_share=(label == "positive").mean().round(6),
        )
        .filter(pl.col("n_authors") >= min_authors)
        .sort("theme_id")
        .with_columns(n_covered=pl.lit(n_covered, pl.Int64), subject=pl.lit(ALL))
    )
    kind = (
        pl.when(pl.col("negative_share") >= FIX_SHARE)
        .then(pl.lit("fix"))
        .when(pl.col("positive_share") >= KEEP_SHARE)
        .then(pl.lit("keep"))
        .otherwise(pl.lit("watch"))
    )
    return with_shares(counted.with_columns(kind=kind))


def _with_change(
    asking: pl.DataFrame, mentions: pl.DataFrame, window: _Window, before: _Window | None
) -> pl.DataFrame:
    if before is None:
        nothing = pl.lit(None, pl.Float64)
        return asking.with_columns(
            change=nothing, change_low=nothing, change_high=nothing, evidence=pl.lit(NOT_ENOUGH)
        )
    counted = (
        mentions.join(before.documents, on="document_id")
        .group_by("theme_id")
        .agg(n_before=pl.col("document_id").n_unique())
    )
    asking = asking.join(counted, on="theme_id", how="left", maintain_order="left")
    change, low, high = newcombe_difference(
        asking["n_documents"].to_numpy(),
        np.full(asking.height, window.documents.height),
        asking["n_before"].fill_null(0).to_numpy(),
        np.full(asking.height, before.documents.height),
    )
    return asking.with_columns(
        change=pl.Series(change).round(6),
        change_low=pl.Series(low).round(6),
        change_high=pl.Series(high).round(6),
        evidence=pl.lit(ENOUGH),
    )


def _scored(asking: pl.DataFrame) -> pl.DataFrame:
    growth = pl.col("change_low").fill_null(0.0).clip(0.0)
    score = pl.col("share_low") * (PRAISE_WEIGHT + pl.col("negative_share")) + growth
    return asking.with_columns(score=score.round(6)).sort(["score", "theme_id"], descending=[True, False])


def _evidence(recent: pl.DataFrame, asking: pl.DataFrame, max_quotes: int) -> pl.DataFrame:
    """Most typical quotes of each theme whose tone fits its kind; an author and a wording at most once.

    What may be shown comes first.
    """
    fits = (
        pl.when(pl.col("kind") == "fix")
        .then(pl.col("sentiment_label") == "negative")
        .when(pl.col("kind") == "keep")
        .then(pl.col("sentiment_label") == "positive")
        .otherwise(pl.lit(True))
    )
    quotes = recent.join(asking.select("theme_id", "kind"), on="theme_id").filter(fits)
    n_words = pl.Series("n_words", [count_words(quote) for quote in quotes["quote"]], dtype=pl.Int64)
    wording = pl.col("quote").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    return (
        quotes.with_columns(n_words, wording=wording)
        .filter(pl.col("n_words").is_between(*QUOTE_WORDS))
        .sort(["theme_id", "may_quote", "similarity", "opinion_id"], descending=[False, True, True, False])
        .unique(["theme_id", "author"], keep="first", maintain_order=True)
        .unique(["theme_id", "wording"], keep="first", maintain_order=True)
        .with_columns(rank=pl.int_range(1, pl.len() + 1).over("theme_id"))
        .filter(pl.col("rank") <= max_quotes)
        .select("theme_id", "rank", "opinion_id", "document_id")
    )


def _episodes(listed: pl.DataFrame, asking: pl.DataFrame, earlier: pl.DataFrame, run_id: str) -> pl.DataFrame:
    """Every episode after this night: going on, begun, begun again or ended."""
    what = ("kind", "subject", "theme_id")
    is_asking = set(asking.select(what).iter_rows())
    rows: list[dict[str, Any]] = []
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in earlier.select(list(EPISODE_ROWS)).sort(*what, "episode").iter_rows(named=True):
        key = (row["kind"], row["subject"], row["theme_id"])
        row["is_open"] = row["is_open"] and key in is_asking
        rows.append(row)
        last[key] = row
    for kind, subject, theme in listed.select(what).iter_rows():
        known = last.get((kind, subject, theme))
        if known is None or not known["is_open"]:
            episode = known["episode"] + 1 if known else 1
            rows.append(
                {
                    "kind": kind,
                    "subject": subject,
                    "theme_id": theme,
                    "episode": episode,
                    "is_open": True,
                    "decision_id": identity.decision_id(kind, subject, theme, episode),
                    "first_run": run_id,
                }
            )
    return pl.DataFrame(rows, schema=EPISODE_ROWS, orient="row").sort(*what, "episode")
