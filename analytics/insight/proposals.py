"""What the registry proposes to people: themes that are one, that are two, or that need a wider border."""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.insight.anchors import unit
from analytics.insight.mixing import mixing_share

DUPLICATE_MIXING = 0.35
"""Of intents of questions to a bank two distinct ones mixed up to .21, two halves of one from .46."""
TWO_HUMPED_MIXING = 0.012
"""The halves of a single one of those intents mixed at least so much."""
_ROUNDS = 30
_PAIRS = {"theme_id": pl.String, "other_id": pl.String, "evidence": pl.Float64}


def split_in_two(vectors: np.ndarray) -> np.ndarray:
    """Cut members of a theme in two: 2-means from the two sides of the first principal component.

    Args:
        vectors: (n, n_dims), unit rows; the order does not matter.

    Returns:
        int64 array (n,) of 0 (the larger half) and 1; all 0 where there is nothing to tell apart.
    """
    rows = vectors.astype(np.float64)
    centred = rows - rows.mean(axis=0)
    half = (np.round(_first_component(centred), 9) > 0).astype(np.int64)
    for _ in range(_ROUNDS):
        if half.min() == half.max():
            return np.zeros(len(rows), dtype=np.int64)
        centroids = np.array([unit(rows[half == side].sum(axis=0)) for side in (0, 1)])
        before, half = half, np.round(rows @ centroids.T, 6).argmax(axis=1)
        if np.array_equal(before, half):
            break
    return half if 2 * half.sum() <= len(half) else 1 - half


def _first_component(centred: np.ndarray) -> np.ndarray:
    """Where rows lie along the direction in which they differ most: (n,)."""
    if len(centred) < centred.shape[1]:
        # The same from the smaller matrix: many themes have few members.
        return np.linalg.eigh(centred @ centred.T)[1][:, -1]
    return centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]


def find_duplicates(
    members: pl.DataFrame, vectors: np.ndarray, *, apart: frozenset[tuple[str, str]] = frozenset()
) -> pl.DataFrame:
    """Pairs of themes that are one: their statements are each other's nearest neighbours.

    Args:
        members: Columns row (of `vectors`), theme_id: some members of each theme that may be merged, in an
            order that says nothing of them.
        vectors: float32 (n, n_dims), unit rows.
        apart: Pairs, the smaller id first, that a person keeps apart.

    Returns:
        Columns theme_id (the smaller theme, to be merged), other_id, evidence (share of neighbours across;
        two halves of one theme have about .5); a theme is in one pair at most.
    """
    rows_of = {theme: rows for (theme,), rows in _by_theme(members)}
    themes = sorted(rows_of)
    if len(themes) < 2:
        return pl.DataFrame(schema=_PAIRS)
    centroids = np.array([unit(vectors[rows_of[theme]].sum(axis=0, dtype=np.float64)) for theme in themes])
    cosines = np.round(centroids @ centroids.T, 6)
    np.fill_diagonal(cosines, -2.0)
    found = []
    for left, right in enumerate(cosines.argmax(axis=1).tolist()):
        one, other = sorted((themes[left], themes[right]), key=lambda theme: (len(rows_of[theme]), theme))
        if (min(one, other), max(one, other)) not in apart:
            found.append((one, other, mixing_share(vectors[rows_of[one]], vectors[rows_of[other]])))
    taken: set[str] = set()
    pairs = []
    for one, other, mixing in sorted(set(found), key=lambda pair: (-pair[2], pair[0], pair[1])):
        if mixing >= DUPLICATE_MIXING and not {one, other} & taken:
            taken |= {one, other}
            pairs.append((one, other, round(mixing, 6)))
    return pl.DataFrame(pairs, schema=_PAIRS, orient="row")


def find_two_humped(members: pl.DataFrame, vectors: np.ndarray, *, min_opinions: int) -> pl.DataFrame:
    """Themes that are two: cut in two, hardly any statement has a neighbour on the other side.

    Args:
        members: As for `find_duplicates`.
        vectors: float32 (n, n_dims), unit rows.
        min_opinions: Fewest members of either half.

    Returns:
        Columns theme_id, evidence (share of neighbours across).
    """
    found = []
    for (theme,), rows in _by_theme(members):
        half = split_in_two(vectors[rows])
        if min(np.count_nonzero(half == 0), np.count_nonzero(half == 1)) < min_opinions:
            continue
        mixing = mixing_share(vectors[rows[half == 0]], vectors[rows[half == 1]])
        if mixing <= TWO_HUMPED_MIXING:
            found.append((theme, round(mixing, 6)))
    return pl.DataFrame(found, schema={"theme_id": pl.String, "evidence": pl.Float64}, orient="row")


def _by_theme(members: pl.DataFrame) -> list[tuple[tuple[str], np.ndarray]]:
    groups = members.group_by("theme_id", maintain_order=True)
    found = [((str(theme[0]),), rows["row"].to_numpy()) for theme, rows in groups]
    return sorted(found, key=lambda pair: pair[0])
