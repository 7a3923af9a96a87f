"""Whether the intervals of shares hold the truth: as they are counted, and corrected by labels."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy.special import stdtrit

from analytics.insight.correction import LABEL_ROWS, correct_shares, measure_rates
from analytics.insight.shares import trends, wilson
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


N_TEXTS, N_LABELS = 10_000, 200
CASES = {"half_80": (0.5, 0.8), "half_90": (0.5, 0.9), "rare_80": (0.05, 0.8), "rare_90": (0.05, 0.9)}
"""Share of the texts that say it, and balanced accuracy of what is placed."""


def draw_theme(
    rng: np.random.Generator, share: float, right: float, wrong: float
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the texts say it, and which are placed, so often where they do and where they do not."""
    says = rng.random(N_TEXTS) < share
    return says, rng.random(N_TEXTS) < np.where(says, right, wrong)


def draw_rows(rng: np.random.Generator, placed: np.ndarray, is_halved: bool) -> tuple[np.ndarray, np.ndarray]:
    """Texts to label and the probability of each: of all alike, or half of what is placed."""
    if not is_halved:
        return rng.choice(N_TEXTS, N_LABELS, replace=False), np.full(N_LABELS, N_LABELS / N_TEXTS)
    sides = [np.flatnonzero(placed), np.flatnonzero(~placed)]
    half = N_LABELS // 2
    rows = np.concatenate([rng.choice(side, half, replace=False) for side in sides])
    return rows, np.repeat([half / len(side) for side in sides], half)


def labels_of(theme: str, says: np.ndarray, placed: np.ndarray, probability: np.ndarray) -> pl.DataFrame:
    """Labels of texts of authors of their own."""
    return pl.DataFrame(
        [np.full(len(says), theme), np.arange(len(says)), placed, says, probability], schema=LABEL_ROWS
    )


def raw_shares(placed: dict[str, np.ndarray]) -> pl.DataFrame:
    """The share of what is placed under each theme, with its interval."""
    k = np.array([rows.sum() for rows in placed.values()])
    low, high = wilson(k, N_TEXTS)
    columns = {"theme_id": list(placed), "share": k / N_TEXTS, "share_low": low, "share_high": high}
    return pl.DataFrame(columns).with_columns(n_covered=N_TEXTS)


def corrected(labels: pl.DataFrame, placed: dict[str, np.ndarray]) -> pl.DataFrame:
    """The same, corrected."""
    shares = raw_shares(placed)
    return correct_shares(shares, measure_rates(labels, shares), is_inherited=False)


def corrected_coverage(n: int, seed: int) -> dict[str, float]:
    """Coverage, bias and width of corrected shares, by the width that the labels alone would give."""
    found: dict[str, float] = {}
    for case, (share, accuracy) in CASES.items():
        ends, raw, alone = [], [], []
        for nth in range(n):
            rng = np.random.default_rng([seed, nth, len(case), int(100 * share), int(100 * accuracy)])
            says, placed = draw_theme(rng, share, accuracy, 1 - accuracy)
            for is_halved in (False, True):
                rows, probability = draw_rows(rng, placed, is_halved)
                row = corrected(labels_of("t", says[rows], placed[rows], probability), {"t": placed})
                ends.append(row.select("corrected_low", "corrected_share", "corrected_high").row(0))
                if not is_halved:
                    low, high = wilson([says[rows].sum()], [N_LABELS], stdtrit(N_LABELS - 1, 0.975))
                    alone.append(high[0] - low[0])
            raw.append(placed.mean())
        alike, halved = np.array(ends[::2]), np.array(ends[1::2])
        for name, drawn in (("", alike), ("_halved", halved)):
            is_held = (drawn[:, 0] <= share) & (share <= drawn[:, 2])
            found[f"corrected_coverage_{case}{name}"] = float(is_held.mean())
            ratio = (drawn[:, 2] - drawn[:, 0]).mean() / np.mean(alone)
            found[f"corrected_width_ratio_{case}{name}"] = float(ratio)
            found[f"corrected_bias_{case}{name}"] = float(drawn[:, 1].mean() - share)
        found[f"raw_bias_{case}"] = float(np.mean(raw) - share)
    return found


def pooled_coverage(n: int, seed: int) -> dict[str, float]:
    """Twenty themes that differ in how right they are, ten labels of each: shares that borrow from all."""
    n_themes, held, ratios = 20, [], []
    for nth in range(n // n_themes):
        rng = np.random.default_rng([seed, nth, 7])
        labels, placed, truth = [], {}, []
        for theme in map(str, range(n_themes)):
            share = float(rng.uniform(0.02, 0.2))
            says, under = draw_theme(rng, share, float(rng.beta(16, 4)), 0.25 * share)
            truth.append(share)
            placed[theme] = under
            sides = [np.flatnonzero(under), np.flatnonzero(~under)]
            rows = np.concatenate([rng.choice(side, 5, replace=False) for side in sides])
            probability = np.repeat([5 / len(side) for side in sides], 5)
            labels.append(labels_of(theme, says[rows], under[rows], probability))
        every = pl.concat(labels).with_columns(author=pl.int_range(pl.len(), dtype=pl.Int32))
        told = corrected(every, placed)
        low, high = told["corrected_low"].to_numpy(), told["corrected_high"].to_numpy()
        held.append((low <= np.array(truth)) & (np.array(truth) <= high))
        ratios.append((high - low).mean() / np.mean(truth))
    return {
        "pooled_coverage": float(np.mean(held)),
        "pooled_width_by_share": float(np.mean(ratios)),
    }


def measure_shares(n: int, seed: int) -> dict[str, float]:
    """All figures of shares and of their correction."""
    found: dict[str, float] = {}
    for run in (
        share_coverage,
        share_coverage_one_author_30_texts,
        share_coverage_segment_grows,
        corrected_coverage,
        pooled_coverage,
    ):
        found |= run(n, seed)
        print(f"{run.__name__}: done", file=sys.stderr)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every simulation and print one table or one object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found = measure_shares(given.replications, given.seed)
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:48} {value:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
