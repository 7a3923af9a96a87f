"""Placing statements into themes that are there: by the nearest anchor, within its radius."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from analytics.insight.anchors import Anchors, unit
from analytics.rows import PLACED_ROWS

MEMBERS_PER_ANCHOR = 6
MAX_ANCHORS = 8
FEWEST_OF_ANCHOR = 3
RADIUS_QUANTILE = 0.08
NARROWER = 0.15
"""How much of the way from its radius to 1 an anchor's border is wide."""
LOWEST_RADIUS = 0.3
"""A statement with a lower cosine than this to every anchor belongs to no theme."""
_FOLDS = 4
_ROUNDS = 15


def make_anchors(members: np.ndarray, *, usual_radius: float | None = None) -> list[tuple[np.ndarray, float]]:
    """Points that stand for a theme, and how near to one of them a statement must be to belong.

    The radius is a low quantile of the members' cosines to anchors made without them.

    Args:
        members: (n_members, n_dims), unit rows, at least one; the order does not matter.
        usual_radius: The radius of other themes of this registry; the mean of it and the theme's own is
            taken, since the quantile of few members is unsure.

    Returns:
        Centroids, float32 (n_dims,), unit, each with the radius.
    """
    order = np.lexsort(members.T[:_FOLDS][::-1])
    rows = members[order].astype(np.float64)
    n_anchors = min(MAX_ANCHORS, max(1, len(rows) // MEMBERS_PER_ANCHOR))
    radius = float(np.quantile(_held_out(rows, n_anchors), RADIUS_QUANTILE))
    if usual_radius is not None:
        radius = (radius + usual_radius) / 2
    radius = max(LOWEST_RADIUS, round(radius, 6))
    return [(centroid.astype(np.float32), radius) for centroid in _spread(rows, n_anchors)]


def _held_out(rows: np.ndarray, n_anchors: int) -> np.ndarray:
    """Each row's greatest cosine to anchors made of the other folds."""
    fold = np.arange(len(rows)) % _FOLDS
    found = np.empty(len(rows))
    for held in range(min(_FOLDS, len(rows))):
        others = rows[fold != held] if len(rows) > 1 else rows
        found[fold == held] = (rows[fold == held] @ _spread(others, n_anchors).T).max(axis=1)
    return found


def _spread(rows: np.ndarray, n_anchors: int) -> np.ndarray:
    """Spherical k-means (Dhillon and Modha 2001) from rows far from each other, small clusters dropped."""
    starts = [int(np.round(rows @ rows.sum(axis=0), 6).argmax())]
    nearest = rows @ rows[starts[0]]
    while len(starts) < min(n_anchors, len(rows)):
        starts.append(int(np.round(nearest, 6).argmin()))
        nearest = np.maximum(nearest, rows @ rows[starts[-1]])
    centroids = rows[starts]
    belongs = np.full(len(rows), -1)
    for _ in range(_ROUNDS):
        before, belongs = belongs, np.round(rows @ centroids.T, 6).argmax(axis=1)
        if np.array_equal(before, belongs):
            break
        kept = np.flatnonzero(np.bincount(belongs, minlength=len(centroids)))
        centroids = np.array([unit(rows[belongs == number].sum(axis=0)) for number in kept])
        belongs = np.searchsorted(kept, belongs)
    sizes = np.bincount(belongs, minlength=len(centroids))
    large = sizes >= min(FEWEST_OF_ANCHOR, sizes.max())
    return centroids[large]


def narrowed(anchors: pl.DataFrame) -> pl.DataFrame:
    """Anchors within which a statement lies beyond doubt: nearer than the radius says."""
    radius = pl.col("radius")
    return anchors.with_columns((radius + NARROWER * (1 - radius)).round(6))


def place_opinions(
    opinion_ids: Sequence[str],
    vectors: np.ndarray,
    anchors: pl.DataFrame,
    *,
    apart: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Place each statement into its nearest theme, where it lies within the radius of one of its anchors.

    Args:
        opinion_ids: One per row of `vectors`.
        vectors: (n_opinions, n_dims), unit rows.
        anchors: Columns theme_id, centroid (unit), radius (lowest cosine that is within); a theme has one
            or several.
        apart: Columns opinion_id, theme_id: what a person said does not belong together.

    Returns:
        Columns opinion_id, theme_id, similarity (greatest cosine to the theme's anchors), sorted; a
        statement that is within no theme has no row. A statement's rows do not depend on which others are
        given.
    """
    if anchors.is_empty() or not len(opinion_ids):
        return pl.DataFrame(schema=PLACED_ROWS)
    known = Anchors.of(anchors)
    ids = pl.Series(opinion_ids, dtype=pl.String)
    row, theme = _forbidden(ids, known.themes, apart)
    parts = []
    for block in known.measure(vectors):
        within = block.within
        here = (row >= block.start) & (row < block.start + len(within))
        within[row[here] - block.start, theme[here]] = False
        best = np.where(within, block.similarity, -np.inf).argmax(axis=1)  # of equals the first wins
        placed = np.flatnonzero(within[np.arange(len(best)), best])
        parts.append(
            pl.DataFrame(
                {
                    "opinion_id": ids.gather(block.start + placed),
                    "theme_id": known.themes.gather(best[placed]),
                    "similarity": block.similarity[placed, best[placed]],
                },
                schema=PLACED_ROWS,
            )
        )
    return pl.concat(parts).sort("opinion_id", "theme_id")


def _forbidden(
    opinion_ids: pl.Series, themes: pl.Series, apart: pl.DataFrame | None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and theme numbers of what must stay apart."""
    if apart is None or apart.is_empty():
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    rows = pl.DataFrame({"opinion_id": opinion_ids}).with_row_index("row")
    numbers = pl.DataFrame({"theme_id": themes}).with_row_index("theme")
    found = apart.select("opinion_id", "theme_id").unique().join(rows, on="opinion_id")
    found = found.join(numbers, on="theme_id")
    return found["row"].to_numpy().astype(np.int64), found["theme"].to_numpy().astype(np.int64)
