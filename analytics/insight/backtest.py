"""How often a store would cry wolf: its own weeks, shuffled, in which nothing changes but by chance."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from analytics.insight.trends import STEADY, WEEK_DAYS, days_looked_at, find_changes
from analytics.settings import TrendSettings


def false_alarm_rate(
    mentions: pl.DataFrame,
    exposure: pl.DataFrame,
    settings: TrendSettings,
    *,
    as_of: date,
    min_authors: int,
    n_shuffles: int,
    seed: int,
) -> float:
    """Share of shuffled nights that tell of any change.

    Whole weeks are shuffled, all places and themes alike, so that days of the week, bursts within one and
    what moves together stay as they are.

    Args:
        mentions: As for `find_changes`.
        exposure: As for `find_changes`.
        settings: As for `find_changes`.
        as_of: As for `find_changes`.
        min_authors: As for `find_changes`.
        n_shuffles: How many nights.
        seed: Of the shuffles.
    """
    rng = np.random.default_rng(seed)
    n_weeks = days_looked_at(settings) // WEEK_DAYS
    within = pl.col("day").is_between(as_of - timedelta(days=n_weeks * WEEK_DAYS - 1), as_of)
    said, shown = mentions.filter(within), exposure.filter(within)
    n_alarms = 0
    for _ in range(n_shuffles):
        order = rng.permutation(n_weeks)
        found = find_changes(
            said.with_columns(_shuffled(order, as_of)),
            shown.with_columns(_shuffled(order, as_of)),
            settings,
            as_of=as_of,
            min_authors=min_authors,
        )
        n_alarms += bool((found["kind"] != STEADY).any())
    return n_alarms / n_shuffles


def _shuffled(order: np.ndarray, as_of: date) -> pl.Expr:
    """The day that each day becomes; its place within the week stays."""
    ago = (pl.lit(as_of) - pl.col("day")).dt.total_days()
    week = (ago // WEEK_DAYS).replace_strict(
        list(range(len(order))), [int(place) for place in order], return_dtype=pl.Int64
    )
    return (pl.lit(as_of) - pl.duration(days=week * WEEK_DAYS + ago % WEEK_DAYS)).alias("day")
