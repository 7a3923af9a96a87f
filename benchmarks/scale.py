"""Seconds and memory of shares and trends in a large store: a million documents, 200 themes, 12 segments.

Seconds on the clock and of the processors: on a machine that does other work the second tell more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import polars as pl

from analytics.insight.shares import trends
from analytics.insight.trends import find_changes
from analytics.settings.steps import TrendSettings
from analytics.tables import SEGMENTS
from flows.changes import places_of

AS_OF = date(2026, 6, 30)
N_THEMES, N_SEGMENTS, N_WEEKS = 200, 12, 30
OPINIONS_PER_DOCUMENT, DOCUMENTS_PER_AUTHOR = 2, 1_000_000 / 300_000
MIN_AUTHORS = 5


def draw_store(n_documents: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Documents, opinions and placements: sizes of themes and segments fall off, authors are uneven."""
    rng = np.random.default_rng(seed)
    n_authors = int(n_documents / DOCUMENTS_PER_AUTHOR)
    activity = rng.lognormal(0, 1, n_authors)
    author = rng.choice(n_authors, n_documents, p=activity / activity.sum()).astype(np.int32)
    segment = _falling(rng, N_SEGMENTS, n_documents)
    documents = pl.DataFrame(
        {"author": author, "ago": rng.integers(0, 7 * N_WEEKS, n_documents), "value": segment}
    ).select(
        pl.int_range(pl.len()).cast(pl.String).str.pad_start(32, "0").alias("document_id"),
        (pl.lit(AS_OF) - pl.duration(days=pl.col("ago"))).alias("day"),
        "author",
        pl.concat_list(pl.struct(name=pl.lit("country"), value=pl.format("segment {}", "value")))
        .cast(SEGMENTS)
        .alias("segments"),
        pl.lit(True).alias("is_covered"),
        pl.lit("reviews").alias("source"),
        pl.lit(None, pl.String).alias("item_id"),
    )
    n_opinions = n_documents * OPINIONS_PER_DOCUMENT
    theme = _falling(rng, N_THEMES, n_opinions)
    opinions = pl.DataFrame(
        {"place": np.repeat(np.arange(n_documents), OPINIONS_PER_DOCUMENT), "theme": theme}
    ).select(
        pl.int_range(pl.len()).cast(pl.String).str.pad_start(32, "0").alias("opinion_id"),
        documents["document_id"].gather(np.repeat(np.arange(n_documents), OPINIONS_PER_DOCUMENT)),
        pl.col("theme").cast(pl.String).str.pad_start(32, "0").alias("theme_id"),
    )
    return documents, opinions.drop("theme_id"), opinions.select("opinion_id", "theme_id")


def _falling(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    weight = 1 / np.arange(1, n + 1)
    return rng.choice(n, size, p=weight / weight.sum())


def peak_gb() -> float:
    """Most memory that this process has held so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def measure(n_documents: int, seed: int) -> dict[str, float]:
    """Seconds of each step, and the peak memory after it, that of the store's own tables included."""
    documents, opinions, placed = draw_store(n_documents, seed)
    found: dict[str, float] = {"n_documents": n_documents, "store_peak_gb": round(peak_gb(), 2)}

    def timed(name: str, step: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        start, start_cpu = time.perf_counter(), time.process_time()
        rows = step()
        found[f"{name}_seconds"] = round(time.perf_counter() - start, 2)
        found[f"{name}_cpu"] = round(time.process_time() - start_cpu, 2)
        found[f"{name}_peak_gb"] = round(peak_gb(), 2)
        print(f"{name}: {found[f'{name}_seconds']} s, {found[f'{name}_peak_gb']} GB", file=sys.stderr)
        return rows

    cells = timed("shares", lambda: trends(opinions, placed, documents, AS_OF, min_authors=MIN_AUTHORS))
    found["n_cells"] = cells.height
    found["shown_share"] = round(float(cells["is_shown"].cast(pl.Float64).mean() or 0.0), 4)
    del cells
    places = timed("places", lambda: places_of(documents))
    said = timed(
        "mentions",
        lambda: (
            placed.join(opinions, on="opinion_id")
            .select("theme_id", "document_id")
            .unique()
            .join(places, on="document_id")
        ),
    )
    exposure = (
        places.unique(["author", "day", "subject_kind", "subject"])
        .group_by("subject_kind", "subject", "day")
        .agg(n=pl.len().cast(pl.Float64))
    )
    settings = TrendSettings()
    timed("changes", lambda: find_changes(said, exposure, settings, as_of=AS_OF, min_authors=MIN_AUTHORS))
    clocks = {
        total: round(sum(value for name, value in found.items() if name.endswith(end)), 2)
        for total, end in (("seconds", "_seconds"), ("cpu_seconds", "_cpu"))
    }
    return {**found, **clocks, "peak_gb": round(peak_gb(), 2)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print one table or one object with the machine, and what else it was doing, beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    machine = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
        "polars_threads": pl.thread_pool_size(),
    }
    found = measure(given.documents, given.seed) | machine
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:24} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
