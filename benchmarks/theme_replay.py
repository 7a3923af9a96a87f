"""Thirty nights through the real store: placement, births, drift, a flood, a merge by a person, a kill.

Labelled texts arrive night by night as `theme_nights.draw_scenario` draws them, in a store of their own; each
night is the steps of the nightly flow. The texts are not part of this repository; the benchmark says so where
they are absent. Figures of a final part are reported, never tuned on. With
--change-model, another and poorer embedding model (`mean_pooled.py`) reads from night 20 on, and what kept
its theme is reported.

    python benchmarks/theme_replay.py [--part dev|final] [--seeds 10] [--change-model]
        [--data FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from embedding import machine  # noqa: E402
from mean_pooled import build  # noqa: E402
from sklearn.metrics import adjusted_rand_score  # noqa: E402
from theme_nights import DATA, FLOOD, FLOOD_COPIES, KILL_NIGHT, MERGE_NIGHT, NIGHTS, draw_scenario  # noqa: E402

from analytics.identity import document_id  # noqa: E402
from analytics.insight.grouping import find_groups  # noqa: E402
from analytics.models.embedding import describe_model, load_embedder  # noqa: E402
from analytics.settings import EmbeddingSettings, load_settings  # noqa: E402
from analytics.store.generation import digests  # noqa: E402
from analytics.store.layout import Store  # noqa: E402
from analytics.store.pointer import read_pointer  # noqa: E402
from analytics.store.read import open_published  # noqa: E402
from flows import decisions as deciding  # noqa: E402
from flows import ingest, publish, recommendations, steps, themes, words  # noqa: E402
from flows.night import begin_night  # noqa: E402
from flows.theme_commands import tell_merge  # noqa: E402

FIRST = date(2026, 1, 1)
FOUNDING_SHARE = 0.6
COLLAPSED = 3.0
MODEL_NIGHT = 20
OTHER_MODEL = """
[embedding]
model = "{folder}"
languages = ["en"]
"""
SETTINGS = """
[store]
data_dir = "data"
min_authors = 5
[[sources]]
name = "questions"
kind = "documents"
path = "questions.jsonl"
language = "en"
columns = { id = "doc_id", text = "text", created_at = "at", user = "author" }
"""


def run_night(config: Path, as_of: date) -> None:
    """The steps of the nightly flow, without Prefect."""
    with begin_night(config, as_of) as night:
        documents = ingest.read_sources(night)
        texts = words.clean(night)
        sentences = steps.find_opinions(night, texts)
        vectors = steps.embed(night, texts, sentences)
        sentiment = steps.judge(night, texts, sentences, vectors)
        registry = themes.place_themes(night, texts, sentences, vectors)
        decisions = deciding.decide(night, [documents, texts, sentences, vectors, sentiment, registry])
        lists = recommendations.recommend_items(night, vectors)
        handles = [documents, texts, sentences, vectors, sentiment, registry, decisions, lists]
        publish.publish(night, handles)


def kill_once(config: Path, as_of: date, seconds: float) -> bool:
    """Begin a night in a process of its own, and kill it so many seconds after it began to work.

    Returns:
        Whether it was killed before it had published.
    """
    store = Store(load_settings(config).data_dir)
    n_before = store.journal.runs_of(as_of)
    command = [sys.executable, __file__, "--night", str(config), as_of.isoformat()]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while store.journal.runs_of(as_of) == n_before and child.poll() is None:
        time.sleep(0.02)
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    child.wait()
    active = read_pointer(store.published).active
    return active is None or active.as_of < as_of


def as_published(config: Path, labels: dict[str, str]) -> pl.DataFrame:
    """Each text by its longest statement: its label, its theme (null: waits), and how it came there."""
    published = open_published(load_settings(config).data_dir)
    try:
        rows = published.query(
            """SELECT o.opinion_id, o.document_id, o.quote, d.day, ot.theme_id, ot.similarity
            FROM opinion AS o JOIN document AS d USING (document_id)
            LEFT JOIN opinion_theme AS ot USING (opinion_id) WHERE d.is_covered"""
        )
    finally:
        published.close()
    rows = rows.sort("opinion_id", "similarity", "theme_id", descending=[False, True, False], nulls_last=True)
    rows = rows.unique("opinion_id", keep="first", maintain_order=True)
    longest = pl.col("quote").str.len_chars()
    rows = rows.sort(longest, "opinion_id", descending=[True, False]).unique("document_id", keep="first")
    return rows.with_columns(label=pl.col("document_id").replace_strict(labels, return_dtype=pl.String))


def majority(rows: pl.DataFrame) -> dict[str, tuple[str, float]]:
    """Theme to the label of most of its opinions, and their share."""
    counted = (
        rows.drop_nulls("theme_id").group_by("theme_id", "label").len().sort("len", "label", descending=True)
    )
    totals = dict(rows.group_by("theme_id").len().iter_rows())
    first = counted.unique("theme_id", keep="first", maintain_order=True)
    return {theme: (label, n / totals[theme]) for theme, label, n in first.iter_rows()}


def replay(
    texts: pl.DataFrame,
    vectors: np.ndarray,
    flood: tuple[pl.DataFrame, np.ndarray],
    seed: int,
    other_model: Path | None = None,
) -> dict:
    """One seed: the figures of all its nights."""
    folder = Path(tempfile.mkdtemp(prefix="nightloom-replay-"))
    try:
        return _replay(folder, draw_scenario(texts, vectors, flood, seed), seed, other_model)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replay(folder: Path, scenario: Any, seed: int, other_model: Path | None) -> dict[str, Any]:
    config = folder / "nightloom.toml"
    config.write_text(SETTINGS)
    (folder / "questions.jsonl").touch()
    arrivals = scenario.arrivals
    labels = {
        document_id("questions", row[0]): row[1] for row in arrivals.select("doc_id", "label").iter_rows()
    }
    had: set[str] = set()
    found: dict[str, int] = {}
    nights, n_births, n_right, same_after_kill = [], 0, 0, None
    known_themes: set[str] = set()
    rows, changed = pl.DataFrame(), {}
    for night in range(1, NIGHTS + 1):
        as_of = FIRST + timedelta(days=night - 1)
        tonight = arrivals.filter(pl.col("night") == night)
        _append(folder / "questions.jsonl", tonight, as_of)
        before = rows
        if other_model and night == MODEL_NIGHT:
            config.write_text(SETTINGS + OTHER_MODEL.format(folder=other_model))
        started = time.monotonic()
        if night == KILL_NIGHT:
            same_after_kill = _killed(folder, config, as_of, seed)
        else:
            run_night(config, as_of)
        seconds = time.monotonic() - started
        rows = as_published(config, labels)
        if other_model and night == MODEL_NIGHT:
            changed = {"kept_theme": _kept_theme(before, rows), "reanchor_agreement": _agreement(config)}
        led = majority(rows)
        if night > 1:
            for theme in sorted(set(led) - known_themes):
                n_births += 1
                founders = rows.filter(pl.col("theme_id") == theme)
                label, share = majority(founders)[theme]
                if share >= FOUNDING_SHARE and label not in had and label != FLOOD:
                    n_right += 1
                    found[label] = night
        known_themes |= set(led)
        had |= {label for label, _ in led.values()}
        nights.append({"night": night, "seconds": round(seconds, 1), **_measure(rows, led, had, as_of)})
        if night == MERGE_NIGHT:
            _merge_by_hand(config, rows, led, scenario.merged, labels)
    planted = scenario.planted
    in_time = [
        found.get(label, NIGHTS + 1) <= due for label, due in planted.select("label", "due_night").iter_rows()
    ]
    return {
        "seed": seed,
        "n_planted": planted.height,
        "recall": float(np.mean(in_time)),
        "n_births": n_births,
        "precision": n_right / n_births if n_births else None,
        "n_collapsed": sum(row["is_collapsed"] for row in nights),
        "accuracy": float(np.mean([row["accuracy"] for row in nights[1:]])),
        "placed_share": float(np.mean([row["placed_share"] for row in nights[1:]])),
        "same_after_kill": same_after_kill,
        **_at_the_end(rows, seed),
        **changed,
        "nights": nights,
    }


def _kept_theme(before: pl.DataFrame, after: pl.DataFrame) -> float:
    """Share of the opinions that were placed the night before and stand under the same theme."""
    now = after.select("opinion_id", now="theme_id")
    both = before.drop_nulls("theme_id").join(now, on="opinion_id", how="left")
    return float((both["theme_id"] == both["now"]).fill_null(False).mean() or 0.0)


def _agreement(config: Path) -> float | None:
    published = open_published(load_settings(config).data_dir)
    try:
        rows = published.query("SELECT value FROM quality WHERE metric = 'reanchor_agreement'")
    finally:
        published.close()
    return rows["value"].item() if rows.height else None


def _append(path: Path, tonight: pl.DataFrame, as_of: date) -> None:
    with path.open("a", encoding="utf-8") as file:
        for row in tonight.iter_rows(named=True):
            line = {
                "doc_id": row["doc_id"],
                "text": row["text"],
                "at": as_of.isoformat(),
                "author": f"a{row['author']}",
            }
            file.write(json.dumps(line) + "\n")


def _killed(folder: Path, config: Path, as_of: date, seed: int) -> bool:
    """Kill a night at a random moment and run it again; whether an undisturbed copy says the same."""
    copy = folder / "undisturbed"
    copy.mkdir()
    shutil.copytree(folder / "data", copy / "data")
    for name in ("nightloom.toml", "questions.jsonl"):
        shutil.copy(folder / name, copy / name)
    run_night(copy / "nightloom.toml", as_of)
    # A night that had published is not run again: that would be another run, with other ids.
    if kill_once(config, as_of, float(np.random.default_rng(seed).uniform(0.1, 2.0))):
        run_night(config, as_of)
    one, other = (_tables(base) for base in (copy, folder))
    names = ("theme", "theme_event", "opinion_theme", "theme_proposal")
    return all(one[name] == other[name] for name in names)


def _tables(base: Path) -> dict[str, str]:
    published = base / "data" / "published"
    active = read_pointer(published).active
    return digests(published / active.generation) if active else {}


def _measure(
    rows: pl.DataFrame, led: dict[str, tuple[str, float]], had: set[str], as_of: date
) -> dict[str, Any]:
    lead = {theme: label for theme, (label, _) in led.items()}
    new = rows.filter(pl.col("day") == as_of, pl.col("label").is_in(list(had)), pl.col("label") != FLOOD)
    placed = new.drop_nulls("theme_id").with_columns(
        is_right=pl.col("theme_id").replace_strict(lead, return_dtype=pl.String) == pl.col("label")
    )
    real = rows.filter(pl.col("label") != FLOOD)
    largest_theme = real.drop_nulls("theme_id").group_by("theme_id").len()["len"].max() or 0
    largest_label = real.group_by("label").len()["len"].max() or 1
    return {
        "accuracy": float(placed["is_right"].mean() or 0.0),
        "placed_share": placed.height / max(1, new.height),
        "n_themes": len(led),
        "n_waiting": rows["theme_id"].null_count(),
        "is_collapsed": bool(largest_theme > COLLAPSED * largest_label),
    }


def _merge_by_hand(
    config: Path,
    rows: pl.DataFrame,
    led: dict[str, tuple[str, float]],
    pair: tuple[str, str],
    labels: dict[str, str],
) -> None:
    """Merge the largest themes of two labels, which are one from then on."""
    sizes = dict(rows.group_by("theme_id").len().iter_rows())
    largest = [
        max(
            (theme for theme, (label, _) in led.items() if label == wanted),
            key=lambda t: sizes[t],
            default=None,
        )
        for wanted in pair
    ]
    if all(largest):
        tell_merge(load_settings(config), [str(largest[1])], str(largest[0]))
    for document, label in labels.items():
        labels[document] = pair[0] if label == pair[1] else label


def _at_the_end(rows: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Agreement with the labels, and that of one discovery over everything."""
    real = rows.filter(pl.col("label") != FLOOD)
    settings = EmbeddingSettings()
    vectors = load_embedder(describe_model(settings), settings).embed(real["quote"].to_list())
    at_once = find_groups(vectors, seed=seed).group
    return {
        "end_ari": adjusted_rand_score(real["label"], real["theme_id"].fill_null("waits")),
        "at_once_ari": adjusted_rand_score(real["label"], at_once),
    }


def load(part: str, data: Path) -> tuple[pl.DataFrame, np.ndarray, tuple[pl.DataFrame, np.ndarray]]:
    """Texts with labels, their vectors, and the copies of the flood."""
    questions = pl.read_parquet(data / "support_banking77.parquet").unique(
        "text", keep="first", maintain_order=True
    )
    names = questions["label"].unique().sort().to_list()
    if part == "dev":
        questions = questions.filter(pl.col("split") == "train", pl.col("label").is_in(names[::2]))
    copies = [f"Buy cheap watches at our shop today, offer number {n}" for n in range(FLOOD_COPIES)]
    settings = EmbeddingSettings()
    embedder = load_embedder(describe_model(settings), settings)
    flood = pl.DataFrame({"doc_id": [f"flood{n}" for n in range(FLOOD_COPIES)], "text": copies})
    texts = questions.select("doc_id", "text", "label")
    return texts, embedder.embed(texts["text"].to_list()), (flood, embedder.embed(copies))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds, print one table or one object."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", choices=("dev", "final"), default="dev", help="dev: even intents of train")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--change-model", action="store_true", help="another embedding model from night 20")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the labelled texts")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--night", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.night:
        run_night(Path(given.night[0]), date.fromisoformat(given.night[1]))
        return 0
    if not (given.data / "support_banking77.parquet").exists():
        print(f"no labelled texts in {given.data}; name their folder with --data", file=sys.stderr)
        return 1
    texts, vectors, flood = load(given.part, given.data)
    other_model = (
        build(ROOT / "benchmarks" / ".environments" / "smollm2-mean") if given.change_model else None
    )
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    results = []
    for seed in seeds:
        results.append(replay(texts, vectors, flood, seed, other_model))
        if not given.json:
            shown = {
                k: round(v, 3) if isinstance(v, float) else v for k, v in results[-1].items() if k != "nights"
            }
            print(shown, flush=True)
    figures = ["recall", "precision", "accuracy", "placed_share", "end_ari", "at_once_ari"]
    figures += ["kept_theme", "reanchor_agreement"] if other_model else []
    means = {
        name: round(float(np.mean([r[name] for r in results if r[name] is not None])), 3) for name in figures
    }
    means |= {
        "n_collapsed": sum(r["n_collapsed"] for r in results),
        "same_after_kill": all(r["same_after_kill"] for r in results),
        "n_planted": sum(r["n_planted"] for r in results),
    }
    if given.json:
        print(
            json.dumps(
                {"part": given.part, "machine": machine(), "mean": means, "seeds": results}, default=str
            )
        )
    else:
        print(f"mean of {len(results)} seeds, part {given.part}: {means}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
