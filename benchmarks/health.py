"""Source health in replays: false holds on quiet nights, and nights until each change is named.

Simulated stores of four sources (2, 10, 60 and 400 documents a day) with weekdays, holidays, over-dispersion,
slow seasons, a wave of bad ratings about one product and, in one source, late delivery. A change can be told
on the first night on which one who knew the true rates before and after it would hold odds of 10,000 to 1 for
it; the table gives the nights after that one.

    python benchmarks/health.py [--seeds 100 101 …] [--data FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analytics.intake.health import assess_sources

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FIRST = date(2025, 9, 1)
HISTORY, NIGHTS = 182, 90
N_DAYS = HISTORY + NIGHTS
HOLIDAYS = [date(2025, 12, 25), date(2025, 12, 26), date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6)]
VOLUMES = (2, 10, 60, 400)
CHANGES = {
    "stop": "stopped",
    "scale": "scale changed",
    "invitations": "collection changed",
    "double": "volume changed",
}
TOLD_NATS = float(np.log(10_000))
RATINGS = np.array([0.10, 0.05, 0.10, 0.25, 0.50])
INVITED = np.array([0.02, 0.02, 0.05, 0.16, 0.75])


@dataclass(frozen=True)
class Simulated:
    """One source: its documents, its true daily rates and the day of its change (None: quiet)."""

    documents: pl.DataFrame
    rates: np.ndarray
    dispersion: float
    changed_on: int | None


def simulate(source: str, volume: float, seed: int, change: str | None = None, *, lag: int = 0) -> Simulated:
    """Draw one source day by day; `lag` delivers each day one to `lag` nights late."""
    rng = np.random.default_rng([seed, round(volume * 10), sorted(CHANGES).index(change) if change else 9])
    changed_on = HISTORY + int(rng.integers(10, 45)) if change else None
    days = np.arange(N_DAYS)
    weekday = np.exp(rng.normal(0, 0.15, 7)) * np.array([1, 1, 1, 1, 1, 0.7, 0.6])
    week_noise = np.repeat(np.cumsum(rng.normal(0, 0.03, N_DAYS // 7 + 1)), 7)[:N_DAYS]
    season = 0.2 * np.sin(2 * np.pi * (days / 364 + rng.random()))
    rates = volume * (weekday / weekday.mean())[days % 7] * np.exp(season + week_noise)
    rates *= [0.4 if FIRST + timedelta(days=int(day)) in HOLIDAYS else 1 for day in days]
    dispersion = float(rng.uniform(0.01, 0.08))
    counts = rng.poisson(rates * rng.gamma(1 / dispersion, dispersion, N_DAYS))
    if change == "stop":
        counts[changed_on:] = 0
    if change == "double":
        rates_now = rates[changed_on:] * 2
        counts[changed_on:] = rng.poisson(rates_now * rng.gamma(1 / dispersion, dispersion, rates_now.size))
    parts = [_usual(rng, days.repeat(counts), volume)]
    wave = HISTORY + int(rng.integers(0, 30))
    defect = rng.poisson(np.where((days >= wave) & (days < wave + 35), 0.25 * volume, 0))
    if change == "stop":
        defect[changed_on:] = 0
    parts.append(_defect(rng, days.repeat(defect)))
    if change == "invitations":
        extra = rng.poisson(np.where(days >= changed_on, volume, 0))
        parts.append(_invited(rng, days.repeat(extra)))
    rows = pl.concat(parts)
    if change == "scale":
        doubled = pl.col("rating") * 2 - pl.Series(rng.integers(0, 2, rows.height))
        rows = rows.with_columns(pl.when(pl.col("row") >= changed_on).then(doubled).otherwise("rating"))
    late = pl.Series(rng.integers(1, lag + 1, rows.height) if lag else np.zeros(rows.height, dtype=int))
    share = (pl.col("rating") - 1) / 4
    documents = rows.with_columns(
        pl.lit(source).alias("source"),
        (pl.lit(FIRST) + pl.duration(days=pl.col("row"))).alias("day"),
        pl.when(share.is_between(0, 1)).then(share).alias("rating_share"),
    )
    arrived = pl.max_horizontal(
        pl.col("day") + pl.duration(days=late), pl.lit(FIRST + timedelta(days=HISTORY - 1))
    )
    return Simulated(documents.with_columns(arrived.alias("arrived_on")), rates, dispersion, changed_on)


def _rows(
    day: np.ndarray, rating: np.ndarray, rated: np.ndarray, item: np.ndarray, **more: Any
) -> pl.DataFrame:
    frame = pl.DataFrame({"row": day, "rating": rating.astype(float), "item_id": item.astype(str), **more})
    return frame.with_columns(pl.when(pl.Series(rated)).then("rating").alias("rating"))


def _usual(rng: np.random.Generator, day: np.ndarray, volume: float) -> pl.DataFrame:
    """Ratings drift and clump by day; about 80 % are rated and a third is in the second language."""
    n = day.size
    clump = rng.normal(0, 0.1, N_DAYS)[day] + 0.1 * np.sin(2 * np.pi * day / 200 + rng.random())
    tilt = np.exp(np.arange(5)[None, :] * clump[:, None]) * RATINGS
    rating = 1 + (rng.random(n)[:, None] > (tilt / tilt.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(
        axis=1
    )
    second = 0.33 + rng.normal(0, 0.03, N_DAYS)[day] + 0.04 * np.sin(2 * np.pi * day / 150)
    return _rows(
        day,
        np.minimum(rating, 5),
        rng.random(n) < 0.8,
        rng.zipf(1.5, n) % 40,
        language=np.where(rng.random(n) < second, "de", "en"),
        n_words=np.maximum(1, rng.lognormal(3.2, 0.8, n)).astype(int),
    )


def _defect(rng: np.random.Generator, day: np.ndarray) -> pl.DataFrame:
    n = day.size
    return _rows(
        day,
        rng.integers(1, 3, n),
        rng.random(n) < 0.85,
        np.full(n, 7),
        language=np.where(rng.random(n) < 0.33, "de", "en"),
        n_words=np.maximum(1, rng.lognormal(3.6, 0.7, n)).astype(int),
    )


def _invited(rng: np.random.Generator, day: np.ndarray) -> pl.DataFrame:
    n = day.size
    return _rows(
        day,
        rng.choice(5, n, p=INVITED) + 1,
        rng.random(n) < 0.98,
        rng.zipf(1.5, n) % 40,
        language=np.where(rng.random(n) < 0.33, "de", "en"),
        n_words=np.maximum(1, rng.lognormal(1.8, 0.6, n)).astype(int),
    )


def told_on(change: str, simulated: Simulated) -> int | None:
    """Day on which the drawn documents give odds of 10,000 to 1 to one who knows the true rates."""
    start, rates, spread = simulated.changed_on, simulated.rates, simulated.dispersion
    assert start is not None
    today = simulated.documents.filter(pl.col("row") >= start)
    counts = np.bincount(today["row"].to_numpy(), minlength=N_DAYS)[start:]
    before = rates[start:]

    def binomial(rate: np.ndarray) -> np.ndarray:
        return counts * np.log(rate / (1 + spread * rate)) - np.log1p(spread * rate) / spread

    if change == "stop":
        nats = np.log1p(spread * before) / spread
    elif change == "double":
        nats = binomial(2 * before) - binomial(before)
    elif change == "scale":
        # One rating in 200 may be a slip of the hand; of the new ones more than half lie above 5.
        above = np.bincount(today.filter(pl.col("rating") > 5)["row"].to_numpy(), minlength=N_DAYS)[start:]
        rated = np.bincount(today.filter(pl.col("rating").is_not_null())["row"], minlength=N_DAYS)[start:]
        nats = above * np.log(0.8 / 0.005) + (rated - above) * np.log(0.2 / 0.995)
    else:
        more = before + float(np.median(rates))
        nats = binomial(more) - binomial(before) + _marks(today, before, more, start)
    reached = np.flatnonzero(np.cumsum(nats) >= TOLD_NATS)
    return start + int(reached[0]) if reached.size else None


def _marks(today: pl.DataFrame, before: np.ndarray, more: np.ndarray, start: int) -> np.ndarray:
    """Log likelihood ratio of ratings and lengths of documents: the usual ones mixed with invited ones."""
    day = today["row"].to_numpy() - start
    invited = (1 - before / more)[day]
    rating = today["rating"].to_numpy()
    rated = ~np.isnan(rating)
    index = np.where(rated, np.nan_to_num(rating, nan=1), 1).astype(int) - 1
    words = np.log(today["n_words"].to_numpy())

    def density(rates: np.ndarray, share: float, centre: float, width: float) -> np.ndarray:
        mark = np.where(rated, share * rates[index], 1 - share)
        return np.asarray(mark * np.exp(-(((words - centre) / width) ** 2) / 2) / width)

    usual, new = density(RATINGS, 0.8, 3.2, 0.8), density(INVITED, 0.98, 1.8, 0.6)
    ratio = np.log((1 - invited) + invited * new / np.maximum(usual, 1e-12))
    return np.bincount(day, weights=ratio, minlength=before.size)


def nights_of(documents: pl.DataFrame, first: int, last: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Night and its table of states, from row `first` to row `last`, from what had arrived by then."""
    for row in range(first, last):
        night = FIRST + timedelta(days=row)
        seen = documents.filter(pl.col("arrived_on") <= night)
        yield row, assess_sources(seen, as_of=night, holidays=HOLIDAYS).source_state


def quiet_replay(seed: int) -> dict[str, int]:
    """Ninety nights of a store whose sources do not change: nights, holds begun, nights held."""
    store = [simulate(f"s{volume}", volume, seed, lag=3 if volume == 10 else 0) for volume in VOLUMES]
    documents = pl.concat([source.documents for source in store])
    tally = {
        "nights": 0,
        "source_nights": 0,
        "nights_held": 0,
        "holds_begun": 0,
        "volume_named": 0,
        "late": 0,
    }
    held_before: set[str] = set()
    for _, state in nights_of(documents, HISTORY, N_DAYS):
        held = set(state.filter("held")["source"])
        tally["nights"] += 1
        tally["source_nights"] += state.height
        tally["nights_held"] += bool(held)
        tally["holds_begun"] += len(held - held_before)
        tally["volume_named"] += int((state["status"] == "volume changed").sum())
        tally["late"] += int((state["status"] == "late").sum())
        held_before = held
    return tally


def change_replay(change: str, volume: float, seed: int) -> dict[str, Any]:
    """Nights from when a change could be told to when it was named; None where the replay ends before."""
    source = simulate("s", volume, seed, change)
    assert source.changed_on is not None
    told, named, other = told_on(change, source), None, []
    for row, state in nights_of(source.documents, source.changed_on - 5, N_DAYS):
        status = state["status"][0]
        if status == CHANGES[change] and row >= source.changed_on:
            named = row
            break
        if status != "ok":
            other.append(status)
    return {
        "change": change,
        "volume": volume,
        "seed": seed,
        "changed_on": source.changed_on,
        "told_after": None if told is None else told - source.changed_on,
        "named_after": None if named is None else named - source.changed_on,
        "since_error": None if named is None else (state["since"][0] - FIRST).days - source.changed_on,
        "other": sorted(set(other)),
    }


def real_replays(folder: Path) -> list[dict[str, Any]]:
    """One hundred nights over dense periods of public reviews, which are not part of this repository."""
    rows = []
    for name, last, rating in (
        ("reviews_rt_critics", date(2018, 10, 31), "rating_0_1"),
        ("reviews_datafiniti_electronics", date(2017, 9, 30), "rating"),
        ("reviews_nsmc_ko", date(2015, 5, 31), "rating"),
        ("reviews_zomato", date(2019, 4, 30), "rating"),
    ):
        path = folder / f"{name}.parquet"
        if not path.exists():
            continue
        table = pl.read_parquet(path).select(
            pl.lit(name).alias("source"),
            pl.col("created_at").dt.date().alias("day"),
            pl.col(rating).cast(pl.Float64).alias("rating"),
            pl.col(rating).cast(pl.Float64).alias("rating_share"),
            pl.lit("xx").alias("language"),
            pl.col("created_at").dt.date().alias("arrived_on"),
            "item_id",
            pl.col("text").str.count_matches(" ").add(1).alias("n_words"),
        )
        spells: list[tuple[str, bool, date]] = []
        count: dict[str, int] = {}
        for back in range(99, -1, -1):
            state = assess_sources(table, as_of=last - timedelta(days=back), holidays=[]).source_state
            status, held, since, sentence = state.select("status", "held", "since", "sentence").row(0)
            count[status] = count.get(status, 0) + 1
            if not spells or spells[-1][0] != status:
                spells.append((status, held, last - timedelta(days=back), since, sentence))  # type: ignore[arg-type]
        rows.append({"source": name, "last": str(last), "nights": count, "spells": spells})
    return rows


def time_of_a_night(n_documents: int = 500_000) -> float:
    """Seconds of one night over four sources of a half year."""
    rng = np.random.default_rng(1)
    parts = [_usual(rng, np.sort(rng.integers(0, N_DAYS, n_documents // 4)), 1) for _ in range(4)]
    documents = pl.concat(
        [
            part.with_columns(
                pl.lit(f"s{number}").alias("source"),
                (pl.lit(FIRST) + pl.duration(days=pl.col("row"))).alias("day"),
                ((pl.col("rating") - 1) / 4).alias("rating_share"),
                (pl.lit(FIRST) + pl.duration(days=pl.col("row"))).alias("arrived_on"),
            )
            for number, part in enumerate(parts)
        ]
    )
    started = time.perf_counter()
    assess_sources(documents, as_of=FIRST + timedelta(days=N_DAYS - 1), holidays=HOLIDAYS)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 108)))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    quiet = pl.DataFrame([quiet_replay(seed) for seed in options.seeds]).sum().row(0, named=True)
    changes = [
        change_replay(change, volume, seed)
        for change in CHANGES
        for volume in VOLUMES
        for seed in options.seeds
    ]
    report = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "seconds_500k": round(time_of_a_night(), 2),
        "quiet": quiet,
        "changes": changes,
        "real": real_replays(options.data),
    }
    if options.json:
        print(json.dumps(report, default=str))
        return
    print(report["machine"], "· one night over 500,000 documents:", report["seconds_500k"], "s")
    print("quiet:", quiet)
    print(f"{'change':<12} {'a day':>5} {'named':>7} {'told after':>11} {'named after':>12} {'later':>8}")
    for change in CHANGES:
        for volume in VOLUMES:
            rows = [row for row in changes if (row["change"], row["volume"]) == (change, volume)]
            named = [row for row in rows if row["named_after"] is not None and row["told_after"] is not None]
            late = [row["named_after"] - row["told_after"] for row in named]
            told = [row["told_after"] for row in named]
            after = [row["named_after"] for row in named]
            print(
                f"{change:<12} {volume:>5} {len(named):>3}/{len(rows):<3} "
                f"{np.median(told or [np.nan]):>11.1f} "
                f"{np.median(after or [np.nan]):>12.1f} "
                f"{np.median(late or [np.nan]):>8.1f} ({min(late, default=0)}..{max(late, default=0)})"
                f"  other: {sorted({status for row in rows for status in row['other']})}"
            )
    for row in report["real"]:  # type: ignore[attr-defined]
        print(row["source"], "until", row["last"], row["nights"])
        for spell in row["spells"]:
            print("   ", *spell)


if __name__ == "__main__":
    main()
