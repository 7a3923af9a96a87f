"""Thirty nights of a theme registry against labels: placement, births, drift, a flood, a merge, a kill.

Labelled texts arrive night by night. Part of the labels is known from the first night, the others begin
later: each is a birth to be found. The texts are not part of this repository; the benchmark says so where
they are absent.

    python benchmarks/theme_nights.py [--part dev|final] [--seeds 10] [--data FOLDER] [--json]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NIGHTS = 30
KNOWN_SHARE = 0.4
STOCK_SHARE = 0.5
"""Share of a known label's texts that the first night brings."""
FIRST_BIRTHS, LAST_BIRTHS = 6, 24
BIRTH_RATES = (5, 15)
SURGES, SURGE_NIGHTS, SURGE_FACTOR = 3, 3, 3.0
DRIFTS = 3
MERGE_NIGHT, FLOOD_NIGHT, KILL_NIGHT = 15, 22, 25
FLOOD_COPIES = 300
TEXTS_PER_AUTHOR = 1.3
DUE_TEXTS, DUE_NIGHTS = 20, 2
FLOOD = "flood"


@dataclass(frozen=True)
class Scenario:
    """What arrives each night, what is true of it, and what people do."""

    arrivals: pl.DataFrame
    """Columns night (1 …), doc_id, text, author, label; sorted by night and doc_id."""
    vectors: np.ndarray
    """float32 (n_arrivals, n_dims), unit rows, aligned with `arrivals`."""
    planted: pl.DataFrame
    """Columns label, first_night, due_night: by the end of which its theme should be there."""
    merged: tuple[str, str]
    """Two labels whose themes a person merges at the end of `MERGE_NIGHT`."""


def draw_scenario(
    texts: pl.DataFrame, vectors: np.ndarray, flood: tuple[pl.DataFrame, np.ndarray], seed: int
) -> Scenario:
    """Draw the nights.

    Args:
        texts: Columns doc_id, text, label.
        vectors: float32 (n_texts, n_dims), unit rows, aligned with `texts`.
        flood: Columns doc_id, text of near copies, and their vectors.
        seed: Decides everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(texts["label"].unique().sort().to_list()).tolist()
    n_known = round(KNOWN_SHARE * len(labels))
    known, later = labels[:n_known], labels[n_known:]
    drifting, surging = known[:DRIFTS], known[DRIFTS : DRIFTS + SURGES]
    merged = _nearest_pair(texts, vectors, known[DRIFTS + SURGES :])
    rows, nights = [], []
    for label in labels:
        of_label = np.flatnonzero((texts["label"] == label).to_numpy())
        order = _by_first_component(vectors, of_label) if label in drifting else rng.permutation(of_label)
        when = (
            _birth_nights(rng, len(order))
            if label in later
            else _known_nights(rng, len(order), label in surging)
        )
        rows.append(order[: len(when)])
        nights.append(when)
    row = np.concatenate(rows)
    n_authors = round(len(row) / TEXTS_PER_AUTHOR)
    arrivals = (
        texts[row]
        .select("doc_id", "text", "label")
        .with_columns(
            night=pl.Series(np.concatenate(nights), dtype=pl.Int64),
            author=pl.Series(rng.integers(0, n_authors, len(row)), dtype=pl.Int64),
        )
    )
    copies = (
        flood[0]
        .with_columns(
            label=pl.lit(FLOOD), night=pl.lit(FLOOD_NIGHT, pl.Int64), author=pl.lit(n_authors, pl.Int64)
        )
        .select(arrivals.columns)
    )
    everything = pl.concat([arrivals, copies]).with_row_index("row").sort("night", "doc_id")
    stacked = np.concatenate([vectors[row], flood[1]])[everything["row"].to_numpy()]
    everything = everything.drop("row")
    return Scenario(everything, stacked, _planted(everything, later), merged)


def _known_nights(rng: np.random.Generator, n: int, is_surging: bool) -> np.ndarray:
    """Nights of a known label's texts, ascending: the stock on the first, the rest spread over the others."""
    weight = np.ones(NIGHTS - 1)
    if is_surging:
        start = int(rng.integers(4, NIGHTS - SURGE_NIGHTS))
        weight[start : start + SURGE_NIGHTS] = SURGE_FACTOR
    n_stock = round(STOCK_SHARE * n)
    spread = rng.choice(np.arange(2, NIGHTS + 1), n - n_stock, p=weight / weight.sum())
    return np.sort(np.concatenate([np.ones(n_stock, dtype=np.int64), spread]))


def _birth_nights(rng: np.random.Generator, n: int) -> np.ndarray:
    """Nights of a later label's texts, ascending: at its own rate from a night of its own."""
    start = int(rng.integers(FIRST_BIRTHS, LAST_BIRTHS + 1))
    counts = rng.poisson(rng.uniform(*BIRTH_RATES), NIGHTS + 1 - start)
    return np.repeat(np.arange(start, NIGHTS + 1), counts)[:n]


def _by_first_component(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows in the order of their first principal component."""
    centred = vectors[rows].astype(np.float64) - vectors[rows].mean(axis=0)
    component = np.linalg.svd(centred, full_matrices=False)[2][0]
    component *= np.sign(component[np.abs(component).argmax()])
    return rows[np.argsort(centred @ component)]


def _nearest_pair(texts: pl.DataFrame, vectors: np.ndarray, labels: Sequence[str]) -> tuple[str, str]:
    """The two labels whose means are nearest to each other."""
    means = np.array([vectors[(texts["label"] == label).to_numpy()].mean(axis=0) for label in labels])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    cosines = np.triu(means @ means.T, 1)
    left, right = np.unravel_index(cosines.argmax(), cosines.shape)
    return labels[left], labels[right]


def _planted(arrivals: pl.DataFrame, later: Sequence[str]) -> pl.DataFrame:
    """Labels that begin later and have enough texts early enough to be found before the last night ends."""
    nights = (
        arrivals.filter(pl.col("label").is_in(list(later)))
        .sort("night", "doc_id")
        .group_by("label")
        .agg("night")
    )
    return (
        nights.filter(pl.col("night").list.len() >= DUE_TEXTS)
        .select(
            "label",
            first_night=pl.col("night").list.first(),
            due_night=pl.col("night").list.get(DUE_TEXTS - 1) + DUE_NIGHTS,
        )
        .filter(pl.col("due_night") <= NIGHTS)
        .sort("label")
    )
