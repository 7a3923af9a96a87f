"""People's own themes against labels: seven labels put in by name and three examples, drawn ten times.

Of each draw the examples are taken out of the store; the rest is the history that is filled. A person looks
at the preview of each theme and removes what has another label. Measured before that, after it, and where
what the person left in counts as confirmed: precision and recall, each the mean over the themes. Then what
discovery loses that works around the own themes (filled as after the removals): adjusted Rand index on the
texts of all other labels, with those that an own theme claimed counted as a group of that theme, beside
discovery in everything. Last, themes that nobody speaks of: labels and examples of the other data set.

The data are public and not part of this repository. Settings were chosen on part `dev` alone; part `final`
is for reporting.

    python benchmarks/own_themes.py [--part dev|final] [--draws N] [--folder FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from embedding import machine
from sklearn.metrics import adjusted_rand_score

from analytics.insight.grouping import find_groups
from analytics.insight.own_matching import match_own_themes, preview_matches
from analytics.insight.own_themes import Background, define_own_theme, link_background
from analytics.models.embedding import describe_model, load_embedder
from analytics.settings import EmbeddingSettings

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
PARTS = {"dev": ("banking77 train, even intents", "bbc"), "final": ("banking77", "bbc")}
N_LABELS, N_EXAMPLES = 7, 3
STAGES = ("before", "removed", "confirmed")
ANCHORS = {"theme_id": pl.String, "centroid": pl.List(pl.Float32), "radius": pl.Float64}


@dataclass(frozen=True)
class Labelled:
    """Texts with labels, and the vectors of both."""

    name: str
    vectors: np.ndarray
    """float32 (n_texts, n_dims), unit rows."""
    label: np.ndarray
    """int64 (n_texts,): number of the label."""
    label_vectors: np.ndarray
    """float32 (n_labels, n_dims): of the labels' names, with spaces for underscores."""


@dataclass(frozen=True)
class Draw:
    """A store without the examples, and the themes that are put in."""

    vectors: np.ndarray
    label: np.ndarray
    words: dict[int, np.ndarray]
    """Label to the vectors of its name and examples."""


def read_labelled(name: str, folder: Path) -> Labelled:
    file = folder / ("topics_bbc.parquet" if name == "bbc" else "support_banking77.parquet")
    if not file.exists():
        raise SystemExit(f"{file}: no such file; pass --folder with the Parquet files")
    # Labels are numbered in alphabetical order of their names.
    rows = pl.read_parquet(file).with_columns(number=pl.col("label").rank("dense").cast(pl.Int64) - 1)
    names = rows.select("number", "label").unique().sort("number")["label"].str.replace_all("_", " ")
    if name.endswith("even intents"):
        rows = rows.filter(pl.col("split") == "train", pl.col("number") % 2 == 0)
    settings = EmbeddingSettings()
    embedder = load_embedder(describe_model(settings), settings)
    print(f"embedding {rows.height:,} texts of {name}", file=sys.stderr)
    vectors = embedder.embed(rows["text"].to_list())
    return Labelled(name, vectors, rows["number"].to_numpy(), embedder.embed(names.to_list()))


def draw_themes(data: Labelled, seed: int) -> Draw:
    rng = np.random.default_rng(seed)
    known = np.unique(data.label)
    chosen = np.sort(rng.choice(known, min(N_LABELS, len(known)), replace=False))
    examples = {
        int(label): np.sort(rng.choice(np.flatnonzero(data.label == label), N_EXAMPLES, replace=False))
        for label in chosen
    }
    stays = np.setdiff1d(np.arange(len(data.label)), np.concatenate(list(examples.values())))
    words = {
        label: np.vstack([data.label_vectors[label], data.vectors[rows]]) for label, rows in examples.items()
    }
    return Draw(data.vectors[stays], data.label[stays], words)


def match(vectors: np.ndarray, anchors: pl.DataFrame, removed: np.ndarray) -> np.ndarray:
    """Which statements are within, boolean (n,)."""
    gone = pl.DataFrame({"theme_id": ["-"] * len(removed), "vector": removed.tolist()})
    ids = [f"{row:06}" for row in range(len(vectors))]
    found = match_own_themes(ids, vectors, anchors, removed=gone if len(removed) else None)
    within = np.zeros(len(vectors), dtype=bool)
    within[found["opinion_id"].cast(pl.Int64).to_numpy()] = True
    return within


def as_frame(anchors: Sequence[tuple[np.ndarray, float]]) -> pl.DataFrame:
    rows = [("-", centroid.tolist(), radius) for centroid, radius in anchors]
    return pl.DataFrame(rows, schema=ANCHORS, orient="row")


def look(draw: Draw, anchors: pl.DataFrame, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the preview that have the label, and rows that do not."""
    rows = np.arange(len(draw.label))
    opinions = pl.DataFrame(
        {
            "opinion_id": [f"{row:06}" for row in rows],
            "author": rows,
            "quote": [f"statement {row}" for row in rows],
            "may_quote": True,
        }
    )
    seen = preview_matches(opinions, draw.vectors, anchors, min_authors=1)
    shown = seen["opinion_id"].cast(pl.Int64).to_numpy()
    is_right = draw.label[shown] == label
    return shown[is_right], shown[~is_right]


def measure_theme(draw: Draw, store: Background, label: int) -> tuple[dict[str, Any], np.ndarray]:
    """Precision and recall at every stage, and which statements are within after the removals."""
    words, vectors = draw.words[label], draw.vectors
    started = time.perf_counter()
    anchors = as_frame(define_own_theme(words, background=store))
    within = {"before": match(vectors, anchors, vectors[:0])}
    seconds = time.perf_counter() - started
    right, wrong = look(draw, anchors, label)
    after = define_own_theme(words, background=store, negatives=vectors[wrong])
    within["removed"] = match(vectors, as_frame(after), vectors[wrong])
    after = define_own_theme(words, background=store, positives=vectors[right], negatives=vectors[wrong])
    within["confirmed"] = match(vectors, as_frame(after), vectors[wrong])
    is_label = draw.label == label
    measured: dict[str, Any] = {
        "seconds": seconds,
        "n_shown": len(right) + len(wrong),
        "n_removed": len(wrong),
    }
    for stage, found in within.items():
        measured[f"precision_{stage}"] = float(is_label[found].mean()) if found.any() else 0.0
        measured[f"recall_{stage}"] = float(found[is_label].mean())
    return measured, within["removed"]


def discovery_loss(draw: Draw, claimed: dict[int, np.ndarray], seed: int) -> dict[str, float]:
    """How well discovery finds the other labels in everything, and in what no own theme claimed."""
    others = ~np.isin(draw.label, list(draw.words))
    rest = ~np.logical_or.reduce(list(claimed.values()))
    everything = find_groups(draw.vectors, seed=seed).group
    around = np.full(len(draw.label), -1)
    around[rest] = find_groups(draw.vectors[rest], seed=seed).group
    for number, within in enumerate(claimed.values(), start=2):
        around[within] = -number
    whole = adjusted_rand_score(draw.label[others], everything[others])
    return {
        "ari_everything": float(whole),
        "ari_around": float(adjusted_rand_score(draw.label[others], around[others])),
        "rest_claimed_share": float((~rest[others]).mean()) if others.any() else 0.0,
    }


def measure_draw(data: Labelled, other: Labelled, seed: int) -> dict[str, float]:
    draw = draw_themes(data, seed)
    started = time.perf_counter()
    store = link_background(draw.vectors, seed=seed)
    linking = time.perf_counter() - started
    themes, claimed = [], {}
    for label in draw.words:
        measured, claimed[label] = measure_theme(draw, store, label)
        themes.append(measured)
    found = {name: float(np.mean([theme[name] for theme in themes])) for name in themes[0]}
    found["seconds"] = linking + sum(theme["seconds"] for theme in themes)
    if len(draw.words) < len(np.unique(data.label)):
        found |= discovery_loss(draw, claimed, seed)
    absent = [
        match(draw.vectors, as_frame(define_own_theme(words, background=store)), draw.vectors[:0]).sum()
        for words in draw_themes(other, seed).words.values()
    ]
    return {**found, "n_absent_matched": float(np.mean(absent))}


def measure(data: Labelled, other: Labelled, n_draws: int) -> dict[str, Any]:
    draws = [measure_draw(data, other, seed) for seed in range(n_draws)]
    return {
        "name": data.name,
        "n_texts": len(data.label),
        "n_labels": len(np.unique(data.label)),
        "mean": {name: round(float(np.mean([draw[name] for draw in draws])), 4) for name in draws[0]},
        "draws": draws,
    }


def table(result: dict[str, Any]) -> str:
    lines = []
    for data in result["data"]:
        mean, draws = data["mean"], data["draws"]
        lines += [f"{data['name']}: {data['n_texts']:,} texts, {data['n_labels']} labels, {len(draws)} draws"]
        lines += [f"  {'':<10} {'precision':>9} {'worst':>7} {'recall':>9} {'worst':>7}"]
        for stage in STAGES:
            figures = [
                figure
                for measure in ("precision", "recall")
                for figure in (mean[f"{measure}_{stage}"], min(d[f"{measure}_{stage}"] for d in draws))
            ]
            lines += ["  {:<10} {:>9.3f} {:>7.3f} {:>9.3f} {:>7.3f}".format(stage, *figures)]
        lines += [f"  of {mean['n_shown']:.1f} previewed {mean['n_removed']:.1f} removed"]
        if "ari_around" in mean:
            lost = [draw["ari_everything"] - draw["ari_around"] for draw in draws]
            lines += [
                f"  discovery: ARI {mean['ari_everything']:.3f} in everything, {mean['ari_around']:.3f} "
                f"around own themes (lost {np.mean(lost):.3f}, at most {max(lost):.3f})"
            ]
        lines += [
            f"  nobody speaks of it: {mean['n_absent_matched']:.1f} statements matched",
            f"  {max(draw['seconds'] for draw in draws):.1f} s at most to fill the history of a draw",
        ]
    about = result["machine"]
    return "\n".join([*lines, f"{about['cpu']}, {about['cores']} cores, load {about['load_average']}"])


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--part", choices=sorted(PARTS), default="dev")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder with the Parquet files")
    parser.add_argument("--json", action="store_true", help="print one object instead of a table")
    arguments = parser.parse_args()
    first, second = (read_labelled(name, arguments.folder) for name in PARTS[arguments.part])
    measured = [measure(first, second, arguments.draws), measure(second, first, arguments.draws)]
    result = {
        "schema_version": 1,
        "machine": machine(),
        "part": arguments.part,
        "n_examples": N_EXAMPLES,
        "data": measured,
    }
    print(json.dumps(result, ensure_ascii=False) if arguments.json else table(result))


if __name__ == "__main__":
    main()
