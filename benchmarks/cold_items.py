"""Items that nobody took yet, found by what is said of them: ours beside titles alone and feature-aware iALS.

A tenth of the items is hidden from all that is learned from, five times; those whose next item is one of them
are asked about. They are listed once among all items, and once among the hidden ones alone.

    python benchmarks/cold_items.py [--seeds N] [--no-embedding] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from recommendation import DATA, SETS, lists_of_peer, write_split

from analytics.settings import Settings
from flows.evaluate_recommendations import embed_items, read_interactions, read_items, texts_of
from recommender.candidates import Catalogue, describe
from recommender.evaluation import Lists, interval_of_difference, lists_of_model, measure
from recommender.events import Events, read_events
from recommender.lending import word_vectors
from recommender.model import Future, fit_model, user_blocks, without_last

IALS = "ials_words"
HIDDEN_SHARE = 0.1
IALS_TRIALS = (2, 3)
"""Settings of feature-aware iALS, of those that `recommendation.py` tries: the best on the whole set, and one
that trusts words more; the better one on hidden items is told, as seen on the items that are asked about."""
N_LISTED = CUTOFF = 10
RECENCY = (1.0, 0.5)
"""What an item of a history counts for beside the one after it; titles alone take the better one."""


def hide(future: Future, seed: int) -> tuple[Future, np.ndarray]:
    """The same future for those whose next item is hidden, and which items are, bool (n_items,)."""
    is_hidden = np.random.default_rng(seed).random(future.known.n_items) < HIDDEN_SHARE
    known = future.known.where(~is_hidden[future.known.column])
    return Future(known, future.taken.where(is_hidden[future.taken.column]), future.now), is_hidden


def best_of(score: Callable[[Events], np.ndarray], known: Events, allowed: np.ndarray) -> Lists:
    """Best items of customers by scores (n_users, n_items), none that they have; equals are shuffled."""
    shuffled = np.random.default_rng(0).permutation(known.n_items)
    parts = []
    for _, block in user_blocks(known):
        scores = np.where(allowed, score(block), -np.inf)
        scores[block.has] = -np.inf
        order = np.argsort(-scores[:, shuffled], axis=1, kind="stable")[:, :N_LISTED]
        parts.append(shuffled[order])
    return Lists(np.concatenate(parts))


def by_titles(words: Any, recency: float) -> Callable[[Events], np.ndarray]:
    """Cosine of each item's words to those of the history."""

    def score(block: Events) -> np.ndarray:
        return np.asarray((block.matrix(recency**block.back) @ words @ words.T).toarray())

    return score


@dataclass(frozen=True)
class Store:
    """A data set as it is cut, and what is known of its items."""

    whole: Future
    catalogue: Catalogue
    titles: Any
    """Words of the titles, unit rows (n_items, n_words)."""


def load(name: str, folder: Path, *, has_embedding: bool) -> Store:
    """Read a data set."""
    path = folder / f"{SETS[name].interactions}.parquet"
    described = read_items(folder / f"{SETS[name].items}.parquet")
    whole = without_last(read_events(read_interactions(path), described["item_id"].to_list()))
    texts, _ = texts_of(whole.known.items, described)
    vectors = embed_items(Settings.model_construct(sources=()), texts) if has_embedding else None
    return Store(whole, Catalogue(texts, vectors), word_vectors(described["title"].to_list()))


def compare(store: Store, seed: int) -> dict[str, Any]:
    """NDCG@10 of each method on hidden items, among all and among themselves."""
    future, is_hidden = hide(store.whole, seed)
    known, taken = future.known.of_users(future.customers), future.taken.of_users(future.customers)
    model = fit_model(future.known, store.catalogue, now=future.now, seed=seed)
    hidden = np.flatnonzero(is_hidden)

    def of_hidden(block: Events) -> np.ndarray:
        scores = np.full((block.n_users, block.n_items), -np.inf)
        rows = np.repeat(np.arange(block.n_users), len(hidden))
        features = describe(model.generators, block, rows, np.tile(hidden, block.n_users))
        scores[:, hidden] = model.order(features).reshape(block.n_users, len(hidden))
        return scores

    ours = {
        "all": lists_of_model(model, known, seed=seed, n_listed=N_LISTED),
        "hidden": best_of(of_hidden, known, is_hidden),
    }
    found: dict[str, Any] = {"n_customers": len(future.customers), "n_hidden": len(hidden)}
    with tempfile.TemporaryDirectory() as temporary:
        split = Path(temporary) / "split.npz"
        write_split(split, future, store.catalogue.texts, is_hidden)
        theirs: dict[str, list[Lists]] = {"all": [], "hidden": []}
        for trial in IALS_TRIALS:
            theirs["all"].append(lists_of_peer(IALS, split, 1, first=trial)[0])
            theirs["hidden"].append(Lists(np.load(split.with_name(f"{IALS}.allowed.npy"))))

        def found_by(lists: Lists) -> float:
            return float(measure(lists, taken).ndcg[CUTOFF].mean())

        for among, allowed in (("all", np.ones(known.n_items, dtype=bool)), ("hidden", is_hidden)):
            lists = {
                "nightloom": ours[among],
                IALS: max(theirs[among], key=found_by),
                "titles": max(
                    (best_of(by_titles(store.titles, recency), known, allowed) for recency in RECENCY),
                    key=found_by,
                ),
            }
            gains = {method: measure(one, taken).ndcg[CUTOFF] for method, one in lists.items()}
            found[among] = {
                method: {
                    "ndcg_at_10": float(gain.mean()),
                    "ahead": interval_of_difference(gains["nightloom"], gain, seed=seed),
                }
                for method, gain in gains.items()
            }
            print(seed, among, found[among], file=sys.stderr)
    return found


def main() -> None:
    """Compare over seeds, and print one table or one object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", choices=[name for name in SETS if name == "beauty"], default="beauty")
    parser.add_argument("--folder", type=Path, default=DATA, help="where the data sets lie")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--no-embedding", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    store = load(given.data, given.folder, has_embedding=not given.no_embedding)
    found = [compare(store, seed) for seed in range(1, given.seeds + 1)]
    if given.json:
        print(json.dumps({"data": given.data, "seeds": found}))
        return
    for among in ("all", "hidden"):
        print(f"{given.data}, {given.seeds} seeds, hidden items among {among}: NDCG@10")
        for method in found[0][among]:
            values = [one[among][method]["ndcg_at_10"] for one in found]
            print(f"  {method:<12}{np.mean(values):>8.4f}  ({min(values):.4f} to {max(values):.4f})")


if __name__ == "__main__":
    main()
