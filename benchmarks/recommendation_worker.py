"""One peer of `recommendation.py`, in its own environment: tunes on a split of its own, fits, writes lists.

    python recommendation_worker.py PEER SPLIT.npz LISTS.npy --trials N

SPLIT holds user and item of each known event in order of time, the customers to list for, the items' words as
a sparse matrix, and the length of a list. Each trial is judged by NDCG@10 of each customer's last event.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import scipy.sparse as sp

SEED = 7
CUTOFF = 10
MAX_JUDGED = 5_000
BLOCK = 1_000
MAX_EPOCHS = 100

Score = Callable[[np.ndarray, sp.csr_matrix], np.ndarray]
"""From rows of customers and their histories to scores (n_customers, n_items)."""


def fit_knn(history: sp.csr_matrix, words: sp.csr_matrix, draw: np.random.Generator) -> tuple[Score, dict]:
    """Item-kNN by cosine."""
    from irspack import CosineKNNRecommender

    chosen = {
        "shrinkage": float(10 ** draw.uniform(-1, 2.5)),
        "normalize": True,
        "top_k": int(draw.choice([50, 100, 200, 400])),
        "feature_weighting": str(draw.choice(["NONE", "TF_IDF", "BM_25"])),
    }
    model = CosineKNNRecommender(history, **chosen).learn()
    return lambda rows, seen: np.asarray((seen @ model.W).todense()), chosen


def fit_ease(history: sp.csr_matrix, words: sp.csr_matrix, draw: np.random.Generator) -> tuple[Score, dict]:
    """EASE (Steck 2019)."""
    from irspack import DenseSLIMRecommender

    chosen = {"reg": float(10 ** draw.uniform(1, 3.3))}
    model = DenseSLIMRecommender(history, **chosen).learn()
    return lambda rows, seen: np.asarray(seen @ model.W), chosen


def fit_edlae(history: sp.csr_matrix, words: sp.csr_matrix, draw: np.random.Generator) -> tuple[Score, dict]:
    """EDLAE (Steck 2020)."""
    from irspack import EDLAERecommender

    chosen = {"reg": float(10 ** draw.uniform(0, 3)), "dropout_p": float(draw.uniform(0.1, 0.8))}
    model = EDLAERecommender(history, **chosen).learn()
    return lambda rows, seen: np.asarray(seen @ model.W), chosen


def fit_ials_words(
    history: sp.csr_matrix, words: sp.csr_matrix, draw: np.random.Generator
) -> tuple[Score, dict]:
    """Implicit ALS that knows the items' words."""
    from irspack import IALSRecommender

    chosen = {
        "n_components": int(draw.choice([32, 64, 128])),
        "alpha0": float(10 ** draw.uniform(-2.5, 0)),
        "reg": float(10 ** draw.uniform(-3.5, -1.5)),
        "lambda_item_feature": float(10 ** draw.uniform(-2, 1.5)),
    }
    model = IALSRecommender(
        history, item_features=words, feature_warmup_epochs=2, n_threads=2, random_seed=SEED, **chosen
    ).learn()
    return lambda rows, seen: np.asarray(model.get_score_cold_user(seen)), chosen


def fit_als(history: sp.csr_matrix, words: sp.csr_matrix, draw: np.random.Generator) -> tuple[Score, dict]:
    """Implicit ALS (Hu et al. 2008)."""
    from implicit.als import AlternatingLeastSquares

    chosen = {
        "factors": int(draw.choice([32, 64, 128])),
        "regularization": float(10 ** draw.uniform(-2, 1.5)),
        "alpha": float(10 ** draw.uniform(0, 1.7)),
        "iterations": int(draw.choice([10, 15, 25])),
    }
    model = AlternatingLeastSquares(random_state=SEED, num_threads=2, **chosen)
    model.fit(history, show_progress=False)

    def score(rows: np.ndarray, seen: sp.csr_matrix) -> np.ndarray:
        users = model.recalculate_user(np.arange(seen.shape[0]), seen)
        return np.asarray(users @ model.item_factors.T)

    return score, chosen


PEERS = {
    "item_knn": fit_knn,
    "ease": fit_ease,
    "edlae": fit_edlae,
    "ials_words": fit_ials_words,
    "implicit_als": fit_als,
}


def list_esasrec(
    user: np.ndarray, item: np.ndarray, customers: np.ndarray, n_listed: int, minutes: float
) -> tuple[np.ndarray, dict]:
    """What eSASRec (RecSys 2025) lists, at the settings its authors give, trained so many minutes at most."""
    import pandas as pd
    from pytorch_lightning import Trainer, seed_everything
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel
    from rectools.models.nn.item_net import IdEmbeddingsItemNet
    from rectools.models.nn.transformers.ligr import LiGRLayers

    seed_everything(SEED)
    trainer = Trainer(
        max_epochs=MAX_EPOCHS,
        max_time=timedelta(minutes=minutes),
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    model = SASRecModel(
        n_factors=256,
        n_blocks=2,
        n_heads=4,
        dropout_rate=0.2,
        session_max_len=100,
        loss="sampled_softmax",
        n_negatives=256,
        lr=1e-3,
        batch_size=128,
        transformer_layers_type=LiGRLayers,
        item_net_block_types=(IdEmbeddingsItemNet,),
        get_trainer_func=lambda: trainer,
    )
    place = pd.Series(user).groupby(user).cumcount().to_numpy()
    rows = {
        Columns.User: user,
        Columns.Item: item,
        Columns.Weight: 1.0,
        Columns.Datetime: pd.Timestamp("2020-01-01") + pd.to_timedelta(place, unit="h"),
    }
    dataset = Dataset.construct(pd.DataFrame(rows))
    model.fit(dataset)
    told = model.recommend(
        customers, dataset, k=n_listed, filter_viewed=True, on_unsupported_targets="ignore"
    )
    row_of = pd.Series(np.arange(len(customers)), index=customers)
    lists = np.full((len(customers), n_listed), -1)
    lists[row_of[told[Columns.User]].to_numpy(), told[Columns.Rank].to_numpy() - 1] = told[Columns.Item]
    return lists, {"epochs": int(trainer.current_epoch), "minutes": minutes}


def matrix(user: np.ndarray, item: np.ndarray, shape: tuple[int, int]) -> sp.csr_matrix:
    """Customers × items, 1 where there is an event."""
    return sp.csr_matrix((np.ones(len(user), np.float32), (user, item)), shape=shape)


def best(
    score: Score, rows: np.ndarray, history: sp.csr_matrix, n: int, allowed: np.ndarray | None = None
) -> np.ndarray:
    """Best items of customers, none that they have: columns (n_customers, n); equals are shuffled."""
    draw = np.random.default_rng(SEED)
    parts = []
    for first in range(0, len(rows), BLOCK):
        some = rows[first : first + BLOCK]
        seen = history[some]
        scores = np.array(score(some, seen), dtype=np.float64)
        scores[seen.nonzero()] = -np.inf
        if allowed is not None:
            scores[:, ~allowed] = -np.inf
        shuffled = draw.permutation(scores.shape[1])
        order = np.argsort(-scores[:, shuffled], axis=1, kind="stable")[:, :n]
        parts.append(shuffled[order])
    return np.concatenate(parts)


def judge(score: Score, rows: np.ndarray, history: sp.csr_matrix, target: np.ndarray) -> float:
    """NDCG@10 of one item each."""
    lists = best(score, rows, history, CUTOFF)
    match = lists == target[:, None]
    rank = np.where(match.any(axis=1), match.argmax(axis=1), CUTOFF)
    return float(np.where(rank < CUTOFF, 1 / np.log2(rank + 2), 0.0).mean())


def main() -> None:
    """Tune, fit, list; what was chosen stands beside the lists, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=[*PEERS, "esasrec"])
    parser.add_argument("split")
    parser.add_argument("lists")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first trial; of one alone, it is taken"
    )
    parser.add_argument("--minutes", type=float, default=60, help="esasrec: to train at most")
    given = parser.parse_args()
    split = np.load(given.split)
    user, item, shape = split["user"], split["item"], tuple(int(n) for n in split["shape"])
    if given.peer == "esasrec":
        started = time.perf_counter()
        lists, chosen = list_esasrec(user, item, split["customers"], int(split["n_listed"]), given.minutes)
        save(given.lists, lists, chosen, started)
        return
    words = sp.csr_matrix((split["data"], split["indices"], split["indptr"]), shape=split["words_shape"])
    last = np.zeros(shape[0], dtype=np.int64) - 1
    last[user] = np.arange(len(user))  # events are in order, so the last one stays
    n_had = np.bincount(user, minlength=shape[0])
    judged = np.flatnonzero(n_had > 1)
    judged = np.sort(np.random.default_rng(SEED).permutation(judged)[:MAX_JUDGED])
    is_held = np.zeros(len(user), dtype=bool)
    is_held[last[judged]] = True
    earlier = matrix(user[~is_held], item[~is_held], shape)
    fit, trials = PEERS[given.peer], [(0.0, given.first)]
    for trial in range(given.first, given.first + given.trials if given.trials > 1 else given.first):
        score, chosen = fit(earlier, words, np.random.default_rng(SEED + trial))
        trials.append((judge(score, judged, earlier, item[last[judged]]), trial))
        print(given.peer, trial, round(trials[-1][0], 4), chosen, file=sys.stderr)
        del score
    started = time.perf_counter()
    history = matrix(user, item, shape)
    score, chosen = fit(history, words, np.random.default_rng(SEED + max(trials)[1]))
    n_listed = int(split["n_listed"])
    lists = best(score, split["customers"], history, n_listed)
    if not split["allowed"].all():
        among = best(score, split["customers"], history, n_listed, split["allowed"])
        np.save(Path(given.lists).with_suffix(".allowed.npy"), among)
    save(given.lists, lists, chosen, started)


def save(path: str, lists: np.ndarray, chosen: dict, started: float) -> None:
    """Write lists, and beside them as JSON what was chosen: peers print of their own accord."""
    np.save(path, lists)
    told = {"chosen": chosen, "seconds": round(time.perf_counter() - started, 1)}
    Path(path).with_suffix(".json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
