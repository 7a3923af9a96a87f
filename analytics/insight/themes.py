"""Themes: found once by grouping like statements; afterwards statements are only placed into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from analytics import identity
from analytics.insight.keywords import find_keywords, name_themes
from analytics.insight.neighbours import group_vectors
from analytics.insight.sentences import count_words
from analytics.settings import ThemeSettings

THEME_VERSION = 1
LOWEST_RADIUS = 0.3
"""A statement with a lower cosine than this to every centroid belongs to no theme."""
RADIUS_QUANTILE = 0.1
"""The share of a theme's founding statements that may lie outside its radius."""
TYPICAL_WORDS = (4, 25)
_BLOCK = 8_192
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")

_THEMES: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "name": pl.String,
    "keywords": pl.List(pl.String),
    "centroid": pl.List(pl.Float32),
    "radius": pl.Float64,
    "typical_opinion_id": pl.String,
    "n_opinions": pl.Int64,
}
_PLACED: dict[str, pl.DataType | type[pl.DataType]] = {
    "opinion_id": pl.String,
    "theme_id": pl.String,
    "similarity": pl.Float64,
}


def theme_recipe(settings: ThemeSettings) -> dict[str, Any]:
    """What decides which themes are found, apart from the statements and their vectors."""
    return {
        "stage": "themes",
        "version": THEME_VERSION,
        "method": "shared neighbours, Leiden on modularity",
        "lowest_radius": LOWEST_RADIUS,
        "radius_quantile": RADIUS_QUANTILE,
        **settings.model_dump(),
    }


def discover_themes(
    opinions: pl.DataFrame,
    vectors: np.ndarray,
    settings: ThemeSettings,
    *,
    min_authors: int,
    run_id: str,
    seed: int,
) -> pl.DataFrame:
    """Find the themes of a store that has none.

    Args:
        opinions: Columns opinion_id, document_id, author (null: all such count as one author), quote,
            may_quote.
        vectors: float32 (n_opinions, n_dims), unit rows, aligned with `opinions`.
        settings: Shape of the neighbour graph and what is too small.
        min_authors: A group with fewer distinct authors is no theme.
        run_id: The run in which the themes are born.
        seed: Decides the draw where there are too many statements, and Leiden's random choices.

    Returns:
        Columns theme_id, name, keywords, centroid (unit), radius (lowest cosine at which a statement is
        placed), typical_opinion_id, n_opinions; sorted by theme_id.
    """
    statements = _distinct_statements(opinions, settings.max_discovery_opinions, seed)
    groups = group_vectors(
        vectors[statements["row"].to_numpy()],
        n_neighbours=settings.neighbours,
        resolution=settings.resolution,
        seed=seed,
    )
    statements = statements.with_columns(pl.Series("group", groups))
    members = opinions.join(statements.select("quote", "group"), on="quote").sort("opinion_id")
    large_enough = (
        members.group_by("group")
        .agg(
            n_opinions=pl.len(),
            n_authors=pl.col("author").n_unique(),
            founding_opinion_id=pl.col("opinion_id").min(),
        )
        .filter(pl.col("n_opinions") >= settings.min_opinions, pl.col("n_authors") >= min_authors)
        .sort("n_opinions", "founding_opinion_id", descending=[True, False])
    )
    keywords = find_keywords(
        members.join(large_enough, on="group", how="semi", maintain_order="left"), min_authors=min_authors
    )
    theme_of = {
        group: identity.theme_id(run_id, founder)
        for group, founder in large_enough.select("group", "founding_opinion_id").iter_rows()
    }
    names = name_themes({theme: keywords[group] for group, theme in theme_of.items()})
    rows = []
    for group, n_opinions in large_enough.select("group", "n_opinions").iter_rows():
        founders = statements.filter(pl.col("group") == group)
        centroid, similarities = _centre(vectors[founders["row"].to_numpy()])
        rows.append(
            {
                "theme_id": theme_of[group],
                "name": names[theme_of[group]],
                "keywords": keywords[group],
                "centroid": centroid.tolist(),
                "radius": _radius(similarities),
                "typical_opinion_id": _typical(founders, similarities),
                "n_opinions": n_opinions,
            }
        )
    return pl.DataFrame(rows, schema=_THEMES, orient="row").sort("theme_id")


def _distinct_statements(opinions: pl.DataFrame, most: int, seed: int) -> pl.DataFrame:
    """Each quote once, as the first that may be shown or the first of all; at most `most`, drawn by hash."""
    distinct = (
        opinions.select("opinion_id", "quote", "may_quote")
        .with_row_index("row")
        .sort("may_quote", "opinion_id", descending=[True, False])
        .unique("quote", keep="first", maintain_order=True)
        .sort("opinion_id")
    )
    if distinct.height > most:
        draw = pl.Series("draw", [identity.hash_of([seed, "themes", quote]) for quote in distinct["quote"]])
        distinct = distinct.with_columns(draw).sort("draw").head(most).sort("opinion_id")
    return distinct


def _centre(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit mean (n_dims,) of unit rows as float32, and each row's cosine to it."""
    mean = rows.astype(np.float64).sum(axis=0)
    length = np.sqrt(mean @ mean)
    centroid = (mean / (length if length > 0 else 1.0)).astype(np.float32)
    return centroid, np.round(rows.astype(np.float64) @ centroid.astype(np.float64), 6)


def _radius(similarities: np.ndarray) -> float:
    return max(LOWEST_RADIUS, round(float(np.quantile(similarities, RADIUS_QUANTILE)), 6))


def _typical(founders: pl.DataFrame, similarities: np.ndarray) -> str:
    """The nearest to the centroid of those that may be shown and read well alone, or the nearest of all."""
    fewest, most = TYPICAL_WORDS
    shown = founders["may_quote"].to_numpy()
    if shown.any():
        founders, similarities = founders.filter(shown), similarities[shown]
    ranked = sorted(
        zip(
            founders["opinion_id"].to_list(), founders["quote"].to_list(), similarities.tolist(), strict=True
        ),
        key=lambda row: (-row[2], row[0]),
    )
    for opinion, quote, _ in ranked:
        is_whole = quote.endswith(_SENTENCE_ENDS) and not quote[0].islower()
        if is_whole and not quote.isupper() and fewest <= count_words(quote) <= most:
            return opinion
    return ranked[0][0]


def place_opinions(opinion_ids: Sequence[str], vectors: np.ndarray, themes: pl.DataFrame) -> pl.DataFrame:
    """Place each statement into its nearest theme, where it lies within that theme's radius.

    Args:
        opinion_ids: One per row of `vectors`.
        vectors: (n_opinions, n_dims), unit rows.
        themes: Columns theme_id, centroid, radius.

    Returns:
        Columns opinion_id, theme_id, similarity, sorted by opinion_id; a statement outside is left out. A
        statement's row does not depend on which others are given.
    """
    themes = themes.sort("theme_id")
    if themes.is_empty() or not len(opinion_ids):
        return pl.DataFrame(schema=_PLACED)
    centroids = np.array(themes["centroid"].to_list(), dtype=np.float64)  # (n_themes, n_dims)
    radii = themes["radius"].to_numpy()
    nearest = np.empty(len(opinion_ids), dtype=np.int64)
    similarity = np.empty(len(opinion_ids), dtype=np.float64)
    for start in range(0, len(opinion_ids), _BLOCK):
        block = slice(start, start + _BLOCK)
        # In float64 the block's shape shows only far behind the sixth decimal; of equals the first wins.
        cosines = np.round(vectors[block].astype(np.float64) @ centroids.T, 6)
        nearest[block] = cosines.argmax(axis=1)
        similarity[block] = cosines.max(axis=1)
    inside = similarity >= radii[nearest]
    return pl.DataFrame(
        {
            "opinion_id": pl.Series(opinion_ids, dtype=pl.String).filter(pl.Series(inside)),
            "theme_id": themes["theme_id"].gather(nearest[inside]),
            "similarity": similarity[inside],
        },
        schema=_PLACED,
    ).sort("opinion_id")
