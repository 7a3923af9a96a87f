"""Which statements a person's own theme takes in, and a preview of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from analytics.insight.anchors import Anchors
from analytics.rows import PLACED_ROWS

NEAR_COPY = 0.95
"""Cosine from which two statements are too alike for both to be previewed."""
NEAR_REMOVED = 0.9
"""Cosine from which a statement goes out with one that a person removed."""
NEAREST, BETWEEN, EDGE = "nearest", "between", "edge"
"""Parts of a preview."""

# Chosen by benchmarks/own_themes.py --part dev.
_N_NEAREST, _N_BETWEEN, _N_WITHIN, _N_BEYOND = 4, 8, 3, 5
_EDGE_SHARE = 0.1
_BEYOND_SHARE = 0.3

_PREVIEW: dict[str, pl.DataType | type[pl.DataType]] = {
    "opinion_id": pl.String,
    "quote": pl.String,
    "similarity": pl.Float64,
    "part": pl.String,
    "is_match": pl.Boolean,
}


def match_own_themes(
    opinion_ids: Sequence[str],
    vectors: np.ndarray,
    anchors: pl.DataFrame,
    *,
    removed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Put each statement under every theme in whose border it lies.

    Args:
        opinion_ids: One per row of `vectors`.
        vectors: (n_opinions, n_dims), unit rows.
        anchors: Columns theme_id, centroid (unit), radius (lowest cosine that is within); a theme has one
            or several.
        removed: Columns theme_id, vector (unit): what a person removed; it and its near copies stay out.

    Returns:
        Columns opinion_id, theme_id, similarity (greatest cosine to the theme's anchors), sorted; a
        statement may have several rows, or none. Its rows do not depend on which others are given.
    """
    if anchors.is_empty() or not len(opinion_ids):
        return pl.DataFrame(schema=PLACED_ROWS)
    known = Anchors.of(anchors)
    ids = pl.Series(opinion_ids, dtype=pl.String)
    out_of = _removed_from(known.themes, removed)
    parts = []
    for block in known.measure(vectors):
        for number, gone in out_of.items():
            mine = np.flatnonzero(block.within[:, number])
            stays = np.round(block.vectors[mine] @ gone.T, 6) < NEAR_REMOVED
            block.within[mine, number] = stays.all(axis=1)
        row, theme = np.nonzero(block.within)
        found = [
            ids.gather(block.start + row),
            known.themes.gather(theme),
            pl.Series(block.similarity[row, theme]),
        ]
        parts.append(pl.DataFrame(found, schema=PLACED_ROWS))
    return pl.concat(parts).sort("opinion_id", "theme_id")


def _removed_from(themes: pl.Series, removed: pl.DataFrame | None) -> dict[int, np.ndarray]:
    """Number of each theme that something was removed from, and the vectors of that: (n, n_dims)."""
    if removed is None:
        return {}
    return {
        number: np.array(gone["vector"].to_list(), dtype=np.float64)
        for number, theme in enumerate(themes)
        if (gone := removed.filter(pl.col("theme_id") == theme)).height
    }


def preview_matches(
    opinions: pl.DataFrame,
    vectors: np.ndarray,
    anchors: pl.DataFrame,
    *,
    min_authors: int,
    answered: Sequence[str] = (),
) -> pl.DataFrame:
    """Statements by which a person sees what a theme takes in: the nearest, some between, some at its edge.

    At the edge are some just within and some just beyond: where a person leaves the latter in, the border
    moves out. No two are near copies of each other, or by one known author.

    Args:
        opinions: Columns opinion_id, author (null: all such count as one author), quote, may_quote.
        vectors: (n_opinions, n_dims), unit rows, aligned with `opinions`.
        anchors: Of one theme: columns centroid (unit), radius.
        min_authors: Where fewer distinct authors are within, nothing is shown.
        answered: Opinions that the person has spoken of already; they are not shown again.

    Returns:
        Columns opinion_id, quote, similarity, part (NEAREST, BETWEEN, EDGE), is_match (False: just beyond);
        at most 20 rows, the nearest first.
    """
    centroids = np.array(anchors["centroid"].to_list(), dtype=np.float64)
    cosines = np.round(vectors.astype(np.float64) @ centroids.T, 6)
    ranked = (
        opinions.select("opinion_id", "author", "quote", "may_quote")
        .with_row_index("row")
        .with_columns(
            pl.Series("similarity", cosines.max(axis=1)),
            pl.Series("inside", (cosines - anchors["radius"].to_numpy()).max(axis=1)),
            wording=pl.col("quote").str.to_lowercase().str.replace_all(r"\W+", " ").str.strip_chars(),
        )
        .sort("inside", "opinion_id", descending=[True, False])
    )
    if ranked.filter(pl.col("inside") >= 0)["author"].n_unique() < min_authors:
        return pl.DataFrame(schema=_PREVIEW)
    ranked = ranked.filter("may_quote", ~pl.col("opinion_id").is_in(list(answered))).unique(
        "wording", keep="first", maintain_order=True
    )
    n_within = int((ranked["inside"] >= 0).sum())
    chosen = _spread(ranked, vectors[ranked["row"].to_numpy()], n_within)
    parts = pl.DataFrame(chosen, schema={"place": pl.UInt32, "part": pl.String}, orient="row")
    shown = ranked.with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt32)).join(parts, on="place")
    return shown.sort("place").select(
        "opinion_id", "quote", "similarity", "part", is_match=pl.col("inside") >= 0
    )


def _spread(ranked: pl.DataFrame, vectors: np.ndarray, n_within: int) -> list[tuple[int, str]]:
    """Places in the ranking to show, each with its part."""
    edge = n_within * (1 - _EDGE_SHARE)
    beyond = n_within * (1 + _BEYOND_SHARE) + 2
    wanted = [
        (NEAREST, np.arange(_N_NEAREST), 0, n_within),
        (EDGE, np.linspace(edge, n_within - 1, _N_WITHIN), 0, n_within),
        (BETWEEN, np.linspace(_N_NEAREST, max(_N_NEAREST, edge), _N_BETWEEN), 0, n_within),
        (EDGE, np.linspace(n_within, beyond, _N_BEYOND), n_within, len(vectors)),
    ]
    authors = ranked["author"].to_list()
    chosen: list[tuple[int, str]] = []
    taken: list[int] = []
    for part, targets, first, end in wanted:
        for target in targets.astype(np.int64):
            for place in [*range(max(int(target), first), end), *range(int(target) - 1, first - 1, -1)]:
                if place >= end or place in taken:
                    continue
                is_known = authors[place] is not None and authors[place] in {authors[t] for t in taken}
                if not is_known and not (taken and (vectors[taken] @ vectors[place]).max() >= NEAR_COPY):
                    taken.append(place)
                    chosen.append((place, part))
                    break
    return chosen
