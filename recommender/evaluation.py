"""How well lists foresee what customers take: every item ranked, nothing known of what comes after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from recommender.attribution import measure_faithfulness
from recommender.candidates import POPULAR, Generators
from recommender.events import Events
from recommender.lending import item_popularity
from recommender.model import Future, Listed, Model, recommend_items, user_blocks
from recommender.rules import Rules, apply_rules

CUTOFFS = (10, 20)
N_DRAWS = 2_000
"""Draws of customers that an interval is made of."""
CONFIDENCE = 0.95
N_KEPT = 30
"""Candidates that rules choose from."""
N_REASONED = 300
"""Lists of which it is told whether their reasons are true."""
FEW_ITEMS = 3
"""A customer who had at most so many items is cold."""
TAIL_SHARE = 0.2
"""All but so large a share of the items, the most popular ones, are the tail."""
ALIKE = 0.3
"""Jaccard index of the words of two titles from which on they say the same."""


@dataclass(frozen=True)
class Lists:
    """Best items of each customer who is asked about, as columns; -1 where there is none."""

    columns: np.ndarray
    """int64 (n_customers, n_listed)."""


def as_lists(listed: Listed, n_customers: int, n_listed: int) -> Lists:
    """Lists as a matrix."""
    columns = np.full((n_customers, n_listed), -1)
    is_listed = listed.rank <= n_listed
    columns[listed.row[is_listed], listed.rank[is_listed] - 1] = listed.column[is_listed]
    return Lists(columns)


def lists_of_model(model: Model, known: Events, *, seed: int, n_listed: int = max(CUTOFFS)) -> Lists:
    """What the model lists for customers; items of the same score are shuffled."""
    listed = recommend_items(model, known, n_listed, shuffle=np.random.default_rng(seed))
    return as_lists(listed, known.n_users, n_listed)


def lists_of_generator(
    generators: Generators, name: str, known: Events, *, seed: int, n_listed: int = max(CUTOFFS)
) -> Lists:
    """What one generator alone lists; items of the same score are shuffled."""
    draw = np.random.default_rng(seed)
    columns = np.full((known.n_users, n_listed), -1)
    for first, block in user_blocks(known):
        if name == POPULAR:
            scores = np.tile(generators.popularity[generators.shown_window], (block.n_users, 1))
        else:
            one = next(one for one in generators.by_history if one.name == name)
            scores = (generators.history(block, one) @ one.lends).toarray()
        scores[block.has] = -np.inf
        columns[first : first + block.n_users] = _best_of(scores, n_listed, draw)
    return Lists(columns)


def _best_of(scores: np.ndarray, n_listed: int, draw: np.random.Generator) -> np.ndarray:
    shuffled = draw.permutation(scores.shape[1])
    order = np.argsort(-scores[:, shuffled], axis=1, kind="stable")[:, :n_listed]
    best = shuffled[order]
    best[~np.isfinite(np.take_along_axis(scores, best, axis=1))] = -1
    if best.shape[1] < n_listed:
        best = np.pad(best, ((0, 0), (0, n_listed - best.shape[1])), constant_values=-1)
    return best


@dataclass(frozen=True)
class Gains:
    """Of each customer asked about, by list: what was found of what he took."""

    recall: dict[int, np.ndarray]
    """By cut-off, float64 (n_customers,)."""
    ndcg: dict[int, np.ndarray]
    target_rank: np.ndarray
    """Rank of each item taken, from 1; 0 where it is not listed; int64 (n_targets,)."""


def measure(lists: Lists, taken: Events) -> Gains:
    """Hold lists against what the same customers took.

    Args:
        lists: A row for each customer of `taken`.
        taken: What they took; each at least one item.
    """
    user = taken.user
    match = lists.columns[user] == taken.column[:, None]
    rank = np.where(match.any(axis=1), match.argmax(axis=1) + 1, 0)
    n_taken = np.diff(taken.start)
    recall, ndcg = {}, {}
    for cutoff in CUTOFFS:
        is_hit = (rank > 0) & (rank <= cutoff)
        found = np.bincount(user[is_hit], minlength=taken.n_users)
        recall[cutoff] = found / n_taken
        gain = np.bincount(user[is_hit], 1 / np.log2(rank[is_hit] + 1), minlength=taken.n_users)
        best = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(cutoff) + 2))])
        ndcg[cutoff] = gain / best[np.minimum(n_taken, cutoff)]
    return Gains(recall, ndcg, rank)


def metrics_of(
    gains: Gains, lists: Lists, popularity: np.ndarray, alike: sp.csr_matrix | None
) -> dict[str, float]:
    """Means over customers, and what the lists are like, as a flat object.

    Args:
        gains: As `measure` returns them.
        lists: The same lists.
        popularity: Customers of each item that were known (n_items,).
        alike: Cosines of the items' texts; None: no diversity is told.
    """
    told = {f"recall_at_{cutoff}": float(values.mean()) for cutoff, values in gains.recall.items()}
    told |= {f"ndcg_at_{cutoff}": float(values.mean()) for cutoff, values in gains.ndcg.items()}
    shown = lists.columns[:, : CUTOFFS[0]]
    listed = shown[shown >= 0]
    share = (popularity[listed] + 1) / (popularity.sum() + len(popularity))
    told["coverage"] = len(np.unique(listed)) / max(1, len(popularity))
    told["novelty"] = float(-np.log2(share).mean()) if len(listed) else 0.0
    if alike is not None:
        told["diversity"] = _diversity(shown, alike)
    return told


def _diversity(shown: np.ndarray, alike: sp.csr_matrix) -> float:
    """1 less the mean cosine of two items of a list."""
    left, right = np.triu_indices(shown.shape[1], 1)
    pairs = shown[:, left].ravel(), shown[:, right].ravel()
    is_pair = (pairs[0] >= 0) & (pairs[1] >= 0)
    if not is_pair.any():
        return 1.0
    return float(1 - np.asarray(alike[pairs[0][is_pair], pairs[1][is_pair]]).mean())


def interval_of_difference(ours: np.ndarray, theirs: np.ndarray, *, seed: int) -> tuple[float, float, float]:
    """Mean difference over customers, and its interval by a paired bootstrap of them."""
    difference = ours - theirs
    draw = np.random.default_rng(seed)
    n = len(difference)
    means = np.empty(N_DRAWS)
    for nth in range(N_DRAWS):
        means[nth] = difference[draw.integers(0, n, n)].mean()
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(difference.mean()), float(low), float(high)


def slices_of(known: Events, taken: Events, titles: list[str] | None) -> dict[str, np.ndarray]:
    """Which of the items taken belong to each part that is looked at alone; bool (n_targets,) each.

    Args:
        known: What was known of the same customers and items.
        taken: What they took.
        titles: Of the items; None: nothing is said of titles.
    """
    popularity = np.bincount(known.column, minlength=known.n_items)
    order = np.argsort(-popularity, kind="stable")
    is_head = np.zeros(known.n_items, dtype=bool)
    is_head[order[: int(np.ceil(TAIL_SHARE * known.n_items))]] = True
    is_cold_user = np.diff(known.start) <= FEW_ITEMS
    found = {
        "warm_item": popularity[taken.column] > 0,
        "cold_item": popularity[taken.column] == 0,
        "tail": ~is_head[taken.column],
        "cold_user": is_cold_user[taken.user],
    }
    if titles is not None:
        is_near = _is_near(known, taken, titles)
        found |= {"title_alike": is_near, "title_unlike": ~is_near}
    return found


def _is_near(known: Events, taken: Events, titles: list[str]) -> np.ndarray:
    """Whether the title of an item taken repeats one of the history, by their words."""
    words = [frozenset(title.lower().split()) for title in titles]
    is_near = np.zeros(len(taken.column), dtype=bool)
    for place, (user, column) in enumerate(zip(taken.user, taken.column, strict=True)):
        mine = words[column]
        history = known.column[known.start[user] : known.start[user + 1]]
        is_near[place] = any(_jaccard(mine, words[other]) >= ALIKE for other in history)
    return is_near


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def slice_metrics(gains: Gains, parts: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Of each part the number of items taken, and how many of them were listed and how high."""
    told = {}
    for name, is_in in parts.items():
        rank = gains.target_rank[is_in]
        is_hit = (rank > 0) & (rank <= CUTOFFS[0])
        told[name] = {
            "n": int(is_in.sum()),
            f"recall_at_{CUTOFFS[0]}": float(is_hit.mean()) if len(rank) else 0.0,
            f"ndcg_at_{CUTOFFS[0]}": float((is_hit / np.log2(np.maximum(rank, 1) + 1)).mean())
            if len(rank)
            else 0.0,
        }
    return told


def find_leaks(future: Future, generators: Generators) -> list[str]:
    """What was learned from that nobody could know at the cut; empty where all is well.

    The order of items with the same score can tell nothing: it is shuffled in whatever is measured.

    Args:
        future: The cut that is evaluated.
        generators: As they were fitted; they say what they learned from.
    """
    leaks = []
    if generators.latest_event >= future.now:
        leaks.append(
            f"events up to {generators.latest_event - future.now:.3f} days after the cut were learned from"
        )
    if generators.latest_text >= future.now:
        leaks.append(f"texts up to {generators.latest_text - future.now:.3f} days after the cut were read")
    others = generators.popularity[-1] != item_popularity(future.known).astype(np.float32)
    if others.any():
        leaks.append(
            f"of {int(others.sum())} items other events were learned from than were known at the cut"
        )
    known = future.known.matrix(future.known.is_had.astype(np.float32))
    same = known.multiply(future.taken.matrix(np.ones(len(future.taken.column))))
    if same.nnz:
        leaks.append(f"{same.nnz} of the items to foresee were known")
    return leaks


def evaluate_model(
    fit: Callable[[Events], Model],
    future: Future,
    rules: Rules,
    titles: list[str] | None,
    *,
    seed: int,
) -> dict[str, Any]:
    """Fit on what was known at a cut, and hold the lists against what was taken after it.

    Args:
        fit: Fits a model on the events it is given.
        future: The cut.
        rules: Whose price is told; how alike items are is taken from the model.
        titles: Of the items, for telling targets that repeat the history.
        seed: Of what is drawn.

    Returns:
        n_customers, metrics, rules_price and rules_diversity (by how much rules lower NDCG@10 and raise
        diversity), slices, peers (of each generator alone its metrics, and by how much the model is
        ahead of it in NDCG@10, with its interval), reasons (as `Faithfulness`; null without a list), leaks.
    """
    model = fit(future.known)
    leaks = find_leaks(future, model.generators)
    customers = future.customers
    known, taken = future.known.of_users(customers), future.taken.of_users(customers)
    popularity = np.bincount(future.known.column, minlength=future.known.n_items).astype(np.float64)
    alike = next((one.lends for one in model.generators.by_history if one.name in ("words", "meaning")), None)
    kept = recommend_items(model, known, N_KEPT, shuffle=np.random.default_rng(seed))
    lists = as_lists(kept, known.n_users, max(CUTOFFS))
    gains = measure(lists, taken)
    ruled = as_lists(apply_rules(kept, replace(rules, alike=alike))[0], known.n_users, rules.n_listed)
    peers = {}
    for name in (POPULAR, *(one.name for one in model.generators.by_history)):
        theirs = lists_of_generator(model.generators, name, known, seed=seed)
        their_gains = measure(theirs, taken)
        ahead, low, high = interval_of_difference(gains.ndcg[10], their_gains.ndcg[10], seed=seed)
        peers[name] = {
            **metrics_of(their_gains, theirs, popularity, alike),
            "ahead_ndcg_at_10": ahead,
            "ahead_low": low,
            "ahead_high": high,
        }
    return {
        "n_customers": len(customers),
        "has_ranker": model.ranker is not None,
        "metrics": metrics_of(gains, lists, popularity, alike),
        "rules_price": float(gains.ndcg[10].mean() - measure(ruled, taken).ndcg[10].mean()),
        "rules_diversity": 0.0
        if alike is None
        else _diversity(ruled.columns, alike) - _diversity(lists.columns[:, :10], alike),
        "slices": slice_metrics(gains, slices_of(known, taken, titles)),
        "peers": peers,
        "reasons": asdict(
            measure_faithfulness(model, known, n_lists=N_REASONED, n_listed=CUTOFFS[0], seed=seed)
        ),
        "leaks": leaks,
    }
