"""A ranker that learns from what customers took next which generator to trust, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.candidates import Candidates

if TYPE_CHECKING:
    import lightgbm as lgb
    from sklearn.linear_model import LogisticRegression

N_TREES, PATIENCE = 300, 50
"""Trees at most; fewer where so many more rank other customers' items no better."""
PARAMETERS = {
    "objective": "lambdarank",
    "learning_rate": 0.04,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.7,
    "lambdarank_truncation_level": 50,
    "lambda_l2": 1.0,
    "metric": "ndcg",
    "eval_at": [10],
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
MIN_LISTS = 200
"""With fewer customers to learn from there is no ranker."""
DECIMALS = 6


@dataclass(frozen=True)
class Ranker:
    """Trees over the features of a candidate, and what their sums are worth as a probability."""

    trees: lgb.Booster
    scale: LogisticRegression
    """From the sum of the trees, and whether the item is cold, to the probability that it is taken next."""
    cold_feature: int
    """Feature that is 0 where nobody ever took the item."""

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probability that the customer takes each candidate next, float64 (n,): one scale for all items."""
        return np.round(self.scale.predict_proba(self._scaled(self.sums(features), features))[:, 1], DECIMALS)

    def sums(self, features: np.ndarray) -> np.ndarray:
        """What the trees add up to, float64 (n,): the order of a customer's candidates."""
        return np.asarray(self.trees.predict(features))

    def contributions(self, features: np.ndarray) -> np.ndarray:
        """What each feature adds to the sum (TreeSHAP, Lundberg 2018), float64 (n, n_features)."""
        return np.asarray(self.trees.predict(features, pred_contrib=True))[:, :-1]

    def _scaled(self, sums: np.ndarray, features: np.ndarray) -> np.ndarray:
        is_cold = (features[:, self.cold_feature] == 0).astype(np.float64)
        return np.stack([sums, is_cold, sums * is_cold], axis=1)


def fit_ranker(
    learned: Candidates, is_taken: np.ndarray, held_out: Candidates, is_taken_later: np.ndarray,
    *, feature_names: Sequence[str], cold_feature: str, seed: int
) -> Ranker:  # fmt: skip
    """Learn the order of candidates from what was taken of them, and its scale from other customers.

    Args:
        learned: Candidates of customers to learn from.
        is_taken: bool (n,): which of them were taken next.
        held_out: Candidates of other customers.
        is_taken_later: The same of those.
        feature_names: Of the columns of features.
        cold_feature: The one that is 0 where nobody ever took the item.
        seed: Of what is drawn.
    """
    import lightgbm as lgb
    from sklearn.linear_model import LogisticRegression

    data = _dataset(learned, is_taken)
    trees = lgb.train(
        {**PARAMETERS, "seed": seed},
        data,
        N_TREES,
        valid_sets=[_dataset(held_out, is_taken_later, data)],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
    )
    ranker = Ranker(trees, LogisticRegression(), list(feature_names).index(cold_feature))
    sums = ranker.sums(held_out.features)
    ranker.scale.fit(ranker._scaled(sums, held_out.features), is_taken_later)
    return ranker


def _dataset(lists: Candidates, is_taken: np.ndarray, reference: lgb.Dataset | None = None) -> lgb.Dataset:
    """Lists of which something was taken."""
    import lightgbm as lgb

    has_any = np.zeros(lists.row.max(initial=-1) + 1, dtype=bool)
    has_any[lists.row[is_taken]] = True
    used = has_any[lists.row]
    sizes = np.bincount(lists.row[used])
    return lgb.Dataset(
        lists.features[used], is_taken[used].astype(np.int8), group=sizes[sizes > 0], reference=reference
    )
