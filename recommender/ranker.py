"""A ranker that learns from what customers took next which generator to trust, and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.candidates import EVER_TAKEN, Candidates

if TYPE_CHECKING:
    import lightgbm as lgb

N_TREES = 120
"""A fixed number: of a few hundred lists held out nobody could tell when to stop."""
PARAMETERS = {
    "objective": "lambdarank",
    "learning_rate": 0.04,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.7,
    "lambdarank_truncation_level": 50,
    "lambda_l2": 1.0,
    "monotone_constraints_method": "intermediate",  # "advanced" lets a few through
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
MIN_LISTS = 400
"""With fewer customers to learn from there is no ranker."""
RISING = (": score", ": of best", ": best")
"""Ends the names of features that never lower a sum as they rise: what speaks for an item must not count
against it, or a reason would not be one."""
DECIMALS = 6


@dataclass(frozen=True)
class Ranker:
    """Trees over the features of a candidate, and what their sums are worth as a probability."""

    trees: lgb.Booster
    scale: np.ndarray
    """Of a logistic curve, float64 (4,): weights of the sum, of whether nobody ever took the item and of both
    together, and a constant. From it comes the probability that an item is taken next."""
    feature_names: tuple[str, ...]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probability that the customer takes each candidate next, float64 (n,): one scale for all items."""
        told = _with_cold(self.sums(features), features, self.feature_names) @ self.scale[:3] + self.scale[3]
        return np.asarray(np.round(1 / (1 + np.exp(-told)), DECIMALS))

    def sums(self, features: np.ndarray) -> np.ndarray:
        """What the trees add up to, float64 (n,): the order of a customer's candidates."""
        return np.asarray(self.trees.predict(features))

    def contributions(self, features: np.ndarray) -> np.ndarray:
        """What each feature adds to the sum (TreeSHAP, Lundberg 2018), float64 (n, n_features)."""
        return np.asarray(self.trees.predict(features, pred_contrib=True))[:, :-1]

    def to_text(self) -> str:
        """Everything of it, as JSON."""
        return json.dumps(
            {
                "trees": self.trees.model_to_string(),
                "scale": self.scale.tolist(),
                "feature_names": self.feature_names,
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Ranker:
        """The ranker that `to_text` wrote: its answers are the same."""
        import lightgbm as lgb

        held = json.loads(text)
        trees = lgb.Booster(model_str=held["trees"])
        return cls(trees, np.array(held["scale"]), tuple(held["feature_names"]))


def _with_cold(sums: np.ndarray, features: np.ndarray, feature_names: Sequence[str]) -> np.ndarray:
    """Sums, whether each item is cold, and both together, float64 (n, 3)."""
    is_cold = (features[:, list(feature_names).index(EVER_TAKEN)] == 0).astype(np.float64)
    return np.stack([sums, is_cold, sums * is_cold], axis=1)


def fit_ranker(
    learned: Candidates, is_taken: np.ndarray, held_out: Candidates, is_taken_later: np.ndarray,
    *, feature_names: Sequence[str], seed: int
) -> Ranker:  # fmt: skip
    """Learn the order of candidates from what was taken of them, and what its sums are worth.

    The order is learned from all lists. What sums are worth is told by lists held out from another ranker of
    the same kind, as those that it knows would look surer than they are.

    Args:
        learned: Candidates of customers to learn from.
        is_taken: bool (n,): which of them were taken next.
        held_out: Candidates of other customers.
        is_taken_later: The same of those.
        feature_names: Of the columns of features.
        seed: Of what is drawn.
    """
    from sklearn.linear_model import LogisticRegression

    known = _fit_trees(_dataset(learned, is_taken), feature_names, seed)
    sums = np.asarray(known.predict(held_out.features))
    curve = LogisticRegression().fit(_with_cold(sums, held_out.features, feature_names), is_taken_later)
    whole, is_taken_ever = stack_lists([(learned, is_taken), (held_out, is_taken_later)])
    trees = _fit_trees(_dataset(whole, is_taken_ever), feature_names, seed)
    return Ranker(trees, np.append(curve.coef_[0], curve.intercept_[0]), tuple(feature_names))


Lists = tuple[Candidates, np.ndarray]
"""Candidates, and which of them were taken."""


def stack_lists(parts: Sequence[Lists]) -> Lists:
    """Several lists as one: a customer of two of them has two lists."""
    rows, n_rows = [], 0
    for proposed, _ in parts:
        rows.append(proposed.row + n_rows)
        n_rows += int(proposed.row.max(initial=-1)) + 1
    return Candidates(
        np.concatenate(rows),
        np.concatenate([proposed.column for proposed, _ in parts]),
        np.concatenate([proposed.features for proposed, _ in parts]),
    ), np.concatenate([is_taken for _, is_taken in parts])


def _fit_trees(lists: lgb.Dataset, feature_names: Sequence[str], seed: int) -> lgb.Booster:
    import lightgbm as lgb

    rises = [int(name.endswith(RISING)) for name in feature_names]
    return lgb.train({**PARAMETERS, "monotone_constraints": rises, "seed": seed}, lists, N_TREES)


def _dataset(lists: Candidates, is_taken: np.ndarray) -> lgb.Dataset:
    """Lists of which something was taken."""
    import lightgbm as lgb

    has_any = np.zeros(lists.row.max(initial=-1) + 1, dtype=bool)
    has_any[lists.row[is_taken]] = True
    used = has_any[lists.row]
    sizes = np.bincount(lists.row[used])
    return lgb.Dataset(lists.features[used], is_taken[used].astype(np.int8), group=sizes[sizes > 0])
