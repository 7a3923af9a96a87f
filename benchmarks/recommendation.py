"""Lists for customers beside those of the peers, on the same split, every item ranked.

Peers run in environments of their own, built at the first call from `benchmarks/peers/`; each has the same
number of trials, judged on a split within what is known. Public data sets, in a folder of their own:

    python benchmarks/recommendation.py [--data NAME …] [--trials N] [--no-embedding] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from embedding import environment

from analytics.settings import Settings
from flows.evaluate_recommendations import cut_events, embed_items, read_interactions, read_items, texts_of
from recommender.attribution import measure_faithfulness
from recommender.candidates import POPULAR, Catalogue
from recommender.evaluation import (
    CUTOFFS,
    Lists,
    find_leaks,
    interval_of_difference,
    lists_of_generator,
    lists_of_model,
    measure,
    slice_metrics,
    slices_of,
)
from recommender.events import read_events
from recommender.lending import word_vectors
from recommender.model import Future, Model, fit_model

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SEED = 7
ESASREC, WITHOUT_TEXTS = "esasrec", "without_texts"
PUBLISHED = {"beauty": {ESASREC: {"recall_at_10": 0.0928, "ndcg_at_10": 0.0523}}}
"""What its authors report."""
N_REASONED = 500
ENVIRONMENTS = {
    "item_knn": "irspack",
    "ease": "irspack",
    "edlae": "irspack",
    "ials_words": "irspack",
    "implicit_als": "implicit",
    ESASREC: "rectools",
}


@dataclass(frozen=True)
class DataSet:
    """Files of a public data set, and how it is cut."""

    interactions: str
    items: str
    protocol: str


SETS = {
    "beauty": DataSet("recsys_amazon_beauty_seq", "items_amazon_beauty", "leave-one-out"),
    "rt": DataSet("reviews_rt_critics", "items_rt_movies", "temporal"),
    "ml100k": DataSet("recsys_ml100k_ratings", "items_ml100k", "temporal"),
}


def interactions_of(name: str, folder: Path, scratch: Path) -> Path:
    """The file of interactions; of critics without dates that cannot be and with the rating's own name."""
    path = folder / f"{SETS[name].interactions}.parquet"
    if name != "rt":
        return path
    rows = pl.read_parquet(path).drop_nulls("user_id").filter(pl.col("created_at") >= pl.datetime(1990, 1, 1))
    told = scratch / "rt.parquet"
    rows.select("user_id", "item_id", "created_at", rating="rating_0_1").write_parquet(told)
    return told


def lists_of_peer(
    peer: str, split: Path, trials: int, minutes: float = 0, first: int = 0
) -> tuple[Lists, dict[str, Any]]:
    """What a peer lists, and what it chose among its trials; of one trial alone nothing is judged."""
    python = environment(ENVIRONMENTS[peer])
    worker = Path(__file__).with_name("recommendation_worker.py")
    lists = split.with_name(f"{peer}.npy")
    command = [str(python), str(worker), peer, str(split), str(lists), "--trials", str(trials)]
    command += ["--minutes", str(minutes), "--first", str(first)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
    if done.returncode:
        raise SystemExit(f"benchmark: {peer} ended early: {done.stderr.strip()[-2_000:]}")
    return Lists(np.load(lists)), json.loads(lists.with_suffix(".json").read_text())


def write_split(path: Path, future: Future, texts: list[str], allowed: np.ndarray | None = None) -> None:
    """What a peer is given; it lists allowed items, bool (n_items,), among themselves too."""
    if allowed is None:
        allowed = np.ones(future.known.n_items, dtype=bool)
    known, words = future.known, word_vectors(texts)
    is_liked = known.weight > 0
    order = np.lexsort((-known.back[is_liked], np.nan_to_num(known.time[is_liked])))
    np.savez(
        path,
        user=known.user[is_liked][order],
        item=known.column[is_liked][order],
        shape=np.array([known.n_users, known.n_items]),
        customers=future.customers,
        allowed=allowed,
        n_listed=max(CUTOFFS),
        data=words.data,
        indices=words.indices,
        indptr=words.indptr,
        words_shape=np.array(words.shape),
    )


def compare(name: str, folder: Path, trials: int, *, has_embedding: bool, minutes: float) -> dict[str, Any]:
    """All methods on one data set: recall, NDCG, slices, seconds, and how far we are ahead of each."""
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        path = interactions_of(name, folder, scratch)
        described = read_items(folder / f"{SETS[name].items}.parquet")
        events = read_events(read_interactions(path), described["item_id"].to_list())
        future = cut_events(events, SETS[name].protocol, path)
        texts, titles = texts_of(events.items, described)
        settings = Settings.model_construct(sources=())
        catalogue = Catalogue(texts, embed_items(settings, texts) if has_embedding else None)
        half_life = settings.recommendations.half_life_days if np.isfinite(events.time).any() else None
        known, taken = future.known.of_users(future.customers), future.taken.of_users(future.customers)

        def lists_with(catalogue: Catalogue) -> tuple[Model, Lists, dict[str, Any]]:
            started = time.perf_counter()
            model = fit_model(future.known, catalogue, half_life_days=half_life, now=future.now, seed=SEED)
            found = lists_of_model(model, known, seed=SEED)
            return model, found, {"seconds": round(time.perf_counter() - started, 1)}

        without_texts = Catalogue([""] * len(texts))
        lists: dict[str, Lists] = {}
        about: dict[str, dict[str, Any]] = {}
        _, lists[WITHOUT_TEXTS], about[WITHOUT_TEXTS] = lists_with(without_texts)
        model, lists["nightloom"], about["nightloom"] = lists_with(catalogue)
        about["nightloom"]["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        reasons = measure_faithfulness(model, known, n_lists=N_REASONED, n_listed=CUTOFFS[0], seed=SEED)
        lists[POPULAR] = lists_of_generator(model.generators, POPULAR, known, seed=SEED)
        about[POPULAR] = {}
        split = scratch / "split.npz"
        write_split(split, future, texts)
        for peer in [peer for peer in ENVIRONMENTS if peer != ESASREC or minutes]:
            lists[peer], about[peer] = lists_of_peer(peer, split, trials, minutes)
            print(name, peer, about[peer], file=sys.stderr)
    parts = slices_of(known, taken, titles)
    gains = {method: measure(one, taken) for method, one in lists.items()}
    ours = gains["nightloom"].ndcg[10]
    rows = {}
    for method, gain in gains.items():
        ahead, low, high = interval_of_difference(ours, gain.ndcg[10], seed=SEED)
        rows[method] = {
            "recall_at_10": float(gain.recall[10].mean()),
            "ndcg_at_10": float(gain.ndcg[10].mean()),
            "slices": slice_metrics(gain, parts),
            "ahead": ahead,
            "ahead_low": low,
            "ahead_high": high,
            "published": PUBLISHED.get(name, {}).get(method),
            **about[method],
        }
    return {
        "n_customers": len(future.customers),
        "leaks": find_leaks(future, model.generators),
        "methods": rows,
        "reasons": asdict(reasons),
    }


def main() -> None:
    """Compare, and print one table a data set, or one object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--folder", type=Path, default=DATA, help="where the data sets lie")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=0, help="train eSASRec for so long; 0: leave it out")
    parser.add_argument("--no-embedding", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "trials": given.trials,
    }
    for name in given.data:
        found[name] = compare(
            name, given.folder, given.trials, has_embedding=not given.no_embedding, minutes=given.minutes
        )
        if given.json:
            continue
        print(f"{name}: {found[name]['n_customers']:,} customers, {SETS[name].protocol}")
        for method, row in found[name]["methods"].items():
            ahead = f"{row['ahead']:+.4f} ({row['ahead_low']:+.4f} to {row['ahead_high']:+.4f})"
            print(f"  {method:<14}{row['recall_at_10']:>8.4f}{row['ndcg_at_10']:>8.4f}   {ahead}")
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
