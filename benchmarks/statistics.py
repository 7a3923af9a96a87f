"""Whether alerts mean what they say: false alerts, false discoveries, power and delay, coverage of intervals.

Everything is simulated with a known truth: stores of 200 themes whose weekly authors vary more than independent
ones would, each theme by its own dispersion, under a volume that grows and falls, with authors who write thirty
texts a week. Stores are independent, and go through the function that a night calls.

    python benchmarks/statistics.py [--nights 2000] [--replications 300] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from analytics.insight.shares import wilson
from analytics.insight.trends import FALLING, GONE, NEW, RISING, STEADY, find_changes
from analytics.settings import TrendSettings

SETTINGS = TrendSettings()
AS_OF = date(2026, 6, 30)
N_THEMES = 200
N_WEEKS = 9
MIN_AUTHORS = 5
UP, DOWN = (NEW, RISING), (GONE, FALLING)


@dataclass
class Store:
    """One simulated store: what each theme has in each day, and what everybody writes."""

    means: np.ndarray
    """Authors a week of each theme (n_themes,)."""
    dispersion: np.ndarray
    volume: np.ndarray
    """How much is written on each day by the usual (n_days,)."""


def draw_store(rng: np.random.Generator, n_days: int) -> Store:
    """Themes of every size, a volume with weekdays and a drift."""
    means = np.minimum(200, rng.lognormal(2.5, 1.0, N_THEMES))
    weekday = rng.uniform(0.6, 1.4, 7)[np.arange(n_days) % 7]
    drift = np.exp(np.cumsum(rng.normal(0, 0.02, n_days)))
    return Store(means, 1 + rng.gamma(2.0, 0.25, N_THEMES), weekday * drift)


def draw_counts(rng: np.random.Generator, store: Store, factor: np.ndarray) -> np.ndarray:
    """Authors of each theme and day: negative binomial by week, spread over its days (n_themes, n_days)."""
    n_days = store.volume.shape[0]
    daily = store.means[:, None] / 7 * store.volume * factor
    counts = np.zeros((N_THEMES, n_days), dtype=np.int64)
    for start in range(0, n_days, 7):
        days = slice(start, min(n_days, start + 7))
        expected = daily[:, days].sum(axis=1)
        more = np.maximum(store.dispersion - 1, 1e-9)
        burst = rng.gamma(np.maximum(expected, 1e-9) / more, more / np.maximum(expected, 1e-9))
        counts[:, days] = rng.poisson(daily[:, days] * burst[:, None])
    return counts


def as_frames(
    rng: np.random.Generator, counts: np.ndarray, volume: np.ndarray, as_of: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mentions and exposure as a night has them; one author in five themes writes thirty texts in the week."""
    theme, day = np.nonzero(counts)
    repeats = counts[theme, day]
    theme, day = np.repeat(theme, repeats), np.repeat(day, repeats)
    loud = rng.choice(N_THEMES, 5, replace=False)
    author = np.concatenate([np.arange(len(theme)), np.repeat(-1 - np.arange(5), 30)])
    n_days = len(volume)
    theme = np.concatenate([theme, np.repeat(loud, 30)])
    day = np.concatenate([day, rng.integers(n_days - 7, n_days, 150)])
    first = as_of - timedelta(days=n_days - 1)
    mentions = pl.DataFrame({"theme_id": theme, "author": author, "ago": day}).select(
        pl.col("theme_id").cast(pl.String),
        pl.lit("all").alias("subject_kind"),
        pl.lit("all").alias("subject"),
        "author",
        (pl.lit(first) + pl.duration(days=pl.col("ago"))).alias("day"),
    )
    days = [first + timedelta(days=nth) for nth in range(n_days)]
    exposure = pl.DataFrame({"day": days, "n": np.round(volume * 400)}).with_columns(
        subject_kind=pl.lit("all"), subject=pl.lit("all")
    )
    return mentions, exposure


def changes_of(
    rng: np.random.Generator, counts: np.ndarray, volume: np.ndarray, as_of: date
) -> dict[int, str]:
    """Theme to the kind of its change, steady ones left out."""
    mentions, exposure = as_frames(rng, counts, volume, as_of)
    found = find_changes(mentions, exposure, SETTINGS, as_of=as_of, min_authors=MIN_AUTHORS)
    changed = found.filter(pl.col("kind") != STEADY)
    return {int(theme): kind for theme, kind in changed.select("theme_id", "kind").iter_rows()}


def quiet_nights(n: int, seed: int) -> dict[str, float]:
    """How often a store in which nothing changes gives an alert, with the lower end of its interval."""
    n_false = 0
    for nth in range(n):
        rng = np.random.default_rng([seed, nth])
        store = draw_store(rng, 7 * N_WEEKS)
        counts = draw_counts(rng, store, np.ones((N_THEMES, 7 * N_WEEKS)))
        n_false += bool(changes_of(rng, counts, store.volume, AS_OF))
    low, high = wilson([n_false], [n])
    return {
        "false_alert_rate": n_false / n,
        "false_alert_rate_lower": float(low[0]),
        "false_alert_rate_upper": float(high[0]),
    }


def changing_nights(n: int, seed: int) -> dict[str, float]:
    """Of the changes reported where 20 of 200 themes change, the share that are none."""
    false_shares, found_shares = [], []
    for nth in range(n):
        rng = np.random.default_rng([seed, nth])
        store = draw_store(rng, 7 * N_WEEKS)
        factor = np.ones((N_THEMES, 7 * N_WEEKS))
        changed = rng.choice(N_THEMES, 20, replace=False)
        factor[changed, -7:] = np.where(rng.random(20) < 0.5, 2.5, 0.3)[:, None]
        reported = changes_of(rng, draw_counts(rng, store, factor), store.volume, AS_OF)
        n_false = sum(theme not in changed for theme in reported)
        false_shares.append(n_false / max(1, len(reported)))
        found_shares.append((len(reported) - n_false) / 20)
    return {
        "false_discovery_rate": float(np.mean(false_shares)),
        "found_share_of_all_sizes": float(np.mean(found_shares)),
    }


def doubling(n: int, seed: int) -> dict[str, Any]:
    """How soon a theme that doubles from 40 a week is reported, beside one who knows its rate before."""
    n_nights = 7
    found = np.zeros((n, n_nights), dtype=bool)
    oracle = np.zeros((n, n_nights), dtype=bool)
    for nth in range(n):
        rng = np.random.default_rng([seed, nth])
        n_days = 7 * N_WEEKS + n_nights
        store = draw_store(rng, n_days)
        store.means[0] = 40.0
        factor = np.ones((N_THEMES, n_days))
        factor[0, -n_nights:] = 2.0
        counts = draw_counts(rng, store, factor)
        for night in range(n_nights):
            end = n_days - n_nights + night + 1
            days = slice(end - 7 * N_WEEKS, end)
            reported = changes_of(rng, counts[:, days], store.volume[days], AS_OF)
            found[nth, night] = reported.get(0) in UP
            expected = 40.0 / 7 * store.volume[end - 7 : end].sum()
            more = store.dispersion[0] - 1
            tail = stats.nbinom.sf(counts[0, end - 7 : end].sum() - 1, expected / more, 1 / (1 + more))
            oracle[nth, night] = 2 * tail <= SETTINGS.false_discovery_rate / N_THEMES
    by_night = np.maximum.accumulate(found, axis=1)
    by_oracle = np.maximum.accumulate(oracle, axis=1)
    first = np.where(by_night.any(axis=1), by_night.argmax(axis=1) + 1, np.nan)
    return {
        "power": float(by_night[:, -1].mean()),
        "power_oracle": float(by_oracle[:, -1].mean()),
        "delay_nights": float(np.nanmedian(first)),
        "found_by_night": by_night.mean(axis=0).round(4).tolist(),
        "found_by_night_oracle": by_oracle.mean(axis=0).round(4).tolist(),
    }


def ratio_coverage(n: int, seed: int) -> dict[str, float]:
    """How often the 95 % interval of a rate ratio holds the truth."""
    covers: dict[str, list[bool]] = {"steady": [], "doubled": [], "segment_grows_tenfold": []}
    for nth in range(n):
        for name, ratio, growth in (
            ("steady", 1.0, 1.0),
            ("doubled", 2.0, 1.0),
            ("segment_grows_tenfold", 1.0, 10.0),
        ):
            rng = np.random.default_rng([seed, nth, len(name)])
            store = draw_store(rng, 7 * N_WEEKS)
            store.volume[-7:] *= growth
            factor = np.ones((N_THEMES, 7 * N_WEEKS))
            factor[:, -7:] = ratio
            counts = draw_counts(rng, store, factor)
            mentions, exposure = as_frames(rng, counts, store.volume, AS_OF)
            found = find_changes(mentions, exposure, SETTINGS, as_of=AS_OF, min_authors=MIN_AUTHORS)
            row = found.row(int(rng.integers(found.height)), named=True)
            high = np.inf if row["ratio_high"] is None else row["ratio_high"]
            covers[name].append(row["ratio_low"] <= ratio <= high)
    return {f"coverage_rate_ratio_{name}": float(np.mean(held)) for name, held in covers.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every simulation and print one table or one object."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nights", type=int, default=2_000)
    parser.add_argument("--replications", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    for name, run, n in (
        ("quiet nights", quiet_nights, given.nights),
        ("nights with changes", changing_nights, given.replications // 4),
        ("a theme that doubles", doubling, given.replications // 4),
        ("coverage", ratio_coverage, given.replications),
    ):
        found |= run(n, given.seed)
        print(f"{name}: done", file=sys.stderr)
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:40} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
