"""Simulated stores with a known truth: what each of 200 themes has on each day.

Weekly authors are negative binomial, each theme at its own dispersion, and a burst lasts a week that may
begin on any weekday; the volume has weekdays and a drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from analytics.insight.candidates import DOWN, UP, locate_changes, merge_alike
from analytics.insight.trends import STEADY, days_looked_at, find_changes, tell_changes
from analytics.insight.windows import Diary
from analytics.settings import TrendSettings

SETTINGS = TrendSettings()
AS_OF = date(2026, 6, 30)
N_TESTS, N_DAYS = 200, days_looked_at(SETTINGS)
MIN_AUTHORS = 5
CALM, BURSTY = (1.0, 1.6), (2.0, 2.0)
"""From where to where dispersions are drawn."""


@dataclass
class Store:
    """What each cell has on each day."""

    means: np.ndarray
    """Authors a week of each cell (n_cells,)."""
    dispersion: np.ndarray
    volume: np.ndarray
    """How much is written, or ordered, on each day by the usual (n_days,)."""
    factor: np.ndarray
    """What rates are multiplied by (n_cells, n_days)."""


def draw_store(
    rng: np.random.Generator,
    dispersion: tuple[float, float] = CALM,
    *,
    n_later: int = 0,
    n_cells: int = N_TESTS,
) -> Store:
    """A store in which nothing changes, until so many days after the last."""
    n_days = N_DAYS + n_later
    means = np.minimum(200, rng.lognormal(2.5, 1.0, n_cells))
    weekday = rng.uniform(0.6, 1.4, 7)[np.arange(n_days) % 7]
    drift = np.exp(np.cumsum(rng.normal(0, 0.02, n_days)))
    return Store(means, rng.uniform(*dispersion, n_cells), weekday * drift, np.ones((n_cells, n_days)))


def draw_counts(rng: np.random.Generator, store: Store) -> np.ndarray:
    """Authors of each cell and day (n_cells, n_days)."""
    n_days = len(store.volume)
    daily = store.means[:, None] / 7 * store.volume * store.factor
    week = (np.arange(n_days) + rng.integers(7)) // 7
    starts = np.flatnonzero(np.r_[True, np.diff(week) > 0])
    expected = np.maximum(np.add.reduceat(daily, starts, axis=1), 1e-9)
    more = np.maximum(store.dispersion[:, None] - 1, 1e-9)
    burst = rng.gamma(expected / more, more / expected)
    return rng.poisson(daily * burst[:, week])


def rows_in(counts: np.ndarray, volume: np.ndarray) -> pl.DataFrame:
    """All rows that a night finds; theme_id is the number of the cell, and every author is another one."""
    cell, day = np.nonzero(counts)
    cell, day = (np.repeat(place, counts[counts > 0]) for place in (cell, day))
    cells = pl.DataFrame(
        {
            "theme_id": [f"{number:03}" for number in range(len(counts))],
            "subject_kind": "all",
            "subject": "all",
        }
    )
    place = np.zeros(len(counts), dtype=np.int64)
    is_new = np.ones(len(cell), dtype=bool)
    diary = Diary(cells, len(volume), cell, is_new, day, 400 * volume[None, :], place)
    return tell_changes(diary, SETTINGS, as_of=AS_OF, min_authors=MIN_AUTHORS)


def changes_in(counts: np.ndarray, volume: np.ndarray) -> dict[int, str]:
    """Kinds of the changes that a night finds, by the number of the cell."""
    changed = rows_in(counts, volume).filter(pl.col("kind") != STEADY)
    return {int(cell): kind for cell, kind in changed.select("theme_id", "kind").iter_rows()}


def as_frames(
    rng: np.random.Generator, counts: np.ndarray, volume: np.ndarray, places: list[str], n_loud: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mentions and exposure as a night has them, with authors who write thirty texts in the last week.

    Args:
        rng: Says which days they write on.
        counts: Of each theme in each place, theme by theme (n_themes * n_places, n_days).
        volume: Of each place (n_places, n_days).
        places: Values of a segment; without any, everything is one place.
        n_loud: How many such authors there are: each writes about the theme of his number.
    """
    cell, day = np.nonzero(counts)
    cell, day = (np.repeat(place, counts[counts > 0]) for place in (cell, day))
    author = np.concatenate([np.arange(len(cell)), np.repeat(-1 - np.arange(n_loud), 30)])
    n_places, n_days = volume.shape
    cell = np.concatenate([cell, np.repeat(np.arange(n_loud) * n_places, 30)])
    day = np.concatenate([day, rng.integers(n_days - 7, n_days, 30 * n_loud)])
    first = AS_OF - timedelta(days=n_days - 1)
    of_day = (pl.lit(first) + pl.duration(days=pl.col("day"))).alias("day")
    said = pl.DataFrame({"cell": cell, "author": author, "day": day}).select(
        (pl.col("cell") // n_places).cast(pl.String).alias("theme_id"), "author", of_day, place="cell"
    )
    said = said.with_columns(pl.col("place") % n_places)
    shown = pl.DataFrame(
        {"place": np.repeat(np.arange(n_places), n_days), "day": np.tile(np.arange(n_days), n_places)}
    ).select("place", of_day, n=pl.Series(400 * volume.ravel()))
    everywhere = {"subject_kind": pl.lit("all"), "subject": pl.lit("all")}
    mentions, exposure = said.with_columns(**everywhere), shown.with_columns(**everywhere)
    if places:
        name = pl.col("place").replace_strict(dict(enumerate(places)), return_dtype=pl.String)
        inside = {"subject_kind": pl.lit("segment"), "subject": name}
        mentions = pl.concat([mentions, said.with_columns(**inside)])
        exposure = pl.concat([exposure, shown.with_columns(**inside)])
    return mentions.drop("place"), exposure.drop("place")


def night_of(mentions: pl.DataFrame, exposure: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """All rows that a night finds, how many changed, and how many of these it tells in the end."""
    found = find_changes(mentions, exposure, SETTINGS, as_of=AS_OF, min_authors=MIN_AUTHORS)
    sides = [mentions.select("theme_id", "author", direction=pl.lit(side)) for side in (UP, DOWN)]
    told = merge_alike(locate_changes(found), pl.concat(sides))
    return found, found.filter(pl.col("kind") != STEADY).height, told.height
