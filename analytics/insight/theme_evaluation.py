"""How good found themes are: beside labels, beside another seed, and between two halves of the same texts.

Statements that no theme took (-1) count in every comparison as one group of their own, as BERTopic's outlier
topic does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from analytics.insight.grouping import Groups

Discover = Callable[[np.ndarray, int], Groups]
"""Finds groups among some rows of the vectors: int64 row numbers and a seed in, groups in their order out."""

UNPLACED = -1
_BLOCK = 1_024


def evaluate_discovery(
    discover: Discover,
    vectors: np.ndarray,
    wordings: np.ndarray,
    labels: Sequence[str | None] | None,
    *,
    seed: int,
) -> dict[str, Any]:
    """Discover four times, and measure.

    The first discovery, over all rows, gives the themes that are measured, and `seconds`; the second, with
    the next seed, gives `seed_agreement_ari` over all texts. Each seed shuffles the rows as well. The other
    two, over two halves, give `half_agreement_ari` (see `halves_agreement`). Nothing is found out by the
    labels.

    Args:
        discover: What finds themes.
        vectors: float32 (n_wordings, n_dims), unit rows, each wording once.
        wordings: int64 (n_texts,): which row of `vectors` each text is.
        labels: One per text, null where there is none; texts without one count in no label measure.
        seed: Of the first discovery.

    Returns:
        ari, nmi, purity (share of texts whose label is the commonest of their theme) and upper_ari, null
        without labels; n_themes, n_groups (upper level), unplaced_share, largest_share (the largest theme's
        share of all texts); seed_agreement_ari; half_agreement_ari and n_shared; seconds.
    """
    started = time.perf_counter()
    found = discover_shuffled(discover, len(vectors), seed)
    seconds = time.perf_counter() - started
    other = discover_shuffled(discover, len(vectors), seed + 1)
    group = found.group[wordings]
    half_agreement, n_shared = halves_agreement(discover, vectors, seed=seed)
    return {
        **measure_labels(group, labels),
        "upper_ari": measure_labels(upper_level(found)[wordings], labels)["ari"],
        **measure_sizes(group),
        "n_groups": len(np.unique(found.parent)),
        "seed_agreement_ari": agreement(group, other.group[wordings]),
        "half_agreement_ari": half_agreement,
        "n_shared": n_shared,
        "seconds": round(seconds, 3),
    }


def discover_shuffled(discover: Discover, n_rows: int, seed: int) -> Groups:
    """Groups of rows 0 to n - 1, found in an order that the seed decides, and given in row order."""
    rows = np.random.default_rng(seed).permutation(n_rows)
    found = discover(rows, seed)
    group = np.empty(n_rows, dtype=np.int64)
    group[rows] = found.group
    return Groups(group, found.parent)


def upper_level(groups: Groups) -> np.ndarray:
    """Which upper group each vector is in: int64 (n,), -1 for the unplaced."""
    # The unplaced take the last entry, which is theirs.
    return np.append(groups.parent, UNPLACED)[groups.group]


def measure_labels(group: np.ndarray, labels: Sequence[str | None] | None) -> dict[str, float | None]:
    """How well groups match labels: ari, nmi and purity, over what has a label; null where nothing has.

    ari: Hubert and Arabie 1985; nmi: normalised by the arithmetic mean of the two entropies; purity: the
    share that bears the commonest label of its group.
    """
    from sklearn.metrics import normalized_mutual_info_score

    known = np.array([label is not None for label in labels or ()], dtype=bool)
    if not known.any():
        return {"ari": None, "nmi": None, "purity": None}
    group = group[known]
    _, label = np.unique([one for one in labels or () if one is not None], return_inverse=True)
    return {
        "ari": agreement(label, group),
        "nmi": round(float(normalized_mutual_info_score(label, group)), 6),
        "purity": _purity(group, label),
    }


def _purity(group: np.ndarray, label: np.ndarray) -> float:
    both, counts = np.unique(np.column_stack([group, label]), axis=0, return_counts=True)
    starts = np.flatnonzero(np.r_[True, both[1:, 0] != both[:-1, 0]])
    return round(float(np.maximum.reduceat(counts, starts).sum() / len(group)), 6)


def measure_sizes(group: np.ndarray) -> dict[str, Any]:
    """n_themes, unplaced_share and largest_share of texts in groups."""
    sizes = np.unique(group[group != UNPLACED], return_counts=True)[1]
    return {
        "n_themes": len(sizes),
        "unplaced_share": round(float((group == UNPLACED).mean()), 6),
        "largest_share": round(float(sizes.max(initial=0) / len(group)), 6),
    }


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Adjusted Rand index of two groupings of the same texts (Hubert and Arabie 1985)."""
    from sklearn.metrics import adjusted_rand_score

    return round(float(adjusted_rand_score(one, other)), 6)


def halves_agreement(discover: Discover, vectors: np.ndarray, *, seed: int) -> tuple[float | None, int]:
    """Whether two halves of the texts, each looked at alone, show the same themes.

    The rows are split at random into halves A and B, and themes are found in A alone and in B alone. A text
    of A and a text of B share their neighbour where each is the other's nearest in the half that it is not
    in. Each such pair is one observation with two groups: the one that A gave the text of A and the one that
    B gave the text of B. The agreement is the adjusted Rand index of the two over all pairs. It is the same
    with the halves exchanged: carrying B's themes to A along the pairs or A's to B compares the same.

    Args:
        discover: What finds themes; it is called for A with the seed and for B with the next one.
        vectors: float32 (n, n_dims), unit rows, no wording twice.
        seed: Decides the split, too.

    Returns:
        The agreement, null with fewer than two pairs, and how many pairs there are.
    """
    rows = np.random.default_rng([seed, 2]).permutation(len(vectors))
    one, other = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    in_one, in_other = mutual_neighbours(vectors[one], vectors[other])
    if len(in_one) < 2:
        return None, len(in_one)
    found, found_other = discover(one, seed), discover(other, seed + 1)
    return agreement(found.group[in_one], found_other.group[in_other]), len(in_one)


def mutual_neighbours(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs in which each is the other's nearest by cosine; of equally near ones the first is the nearest.

    Args:
        left: float32 (n_left, n_dims), unit rows.
        right: float32 (n_right, n_dims), unit rows.

    Returns:
        Rows of `left`, ascending, and of `right`: int64 (n_pairs,) each.
    """
    to_right = np.empty(len(left), dtype=np.int64)
    to_left = np.zeros(len(right), dtype=np.int64)
    nearest = np.full(len(right), -np.inf)
    for start in range(0, len(left), _BLOCK):
        cosines = left[start : start + _BLOCK] @ right.T
        to_right[start : start + _BLOCK] = cosines.argmax(axis=1)
        best = cosines.argmax(axis=0)
        of_best = cosines[best, np.arange(len(right))]
        is_nearer = of_best > nearest
        nearest[is_nearer] = of_best[is_nearer]
        to_left[is_nearer] = start + best[is_nearer]
    rows = np.arange(len(left))
    is_mutual = to_left[to_right] == rows
    return rows[is_mutual], to_right[is_mutual]
