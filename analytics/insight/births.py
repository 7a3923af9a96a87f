"""The birth test: what waits, or lies at the edge of a theme, becomes one where it is a group of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.insight.grouping import find_groups
from analytics.insight.mixing import mixing_share

CONTEXT_PER_THEME = 30
"""So many members of each theme show the search what is a theme already."""
MOST_CORE_SHARE = 0.3
"""A group with a larger share of those is that theme, and not a new one."""
MOST_MIXING = 0.15
"""Of pairs of like intents of questions to a bank 95 in 100 mix less, halves of one three times more."""
PER_AUTHOR = 2
"""So many statements of one author count towards a theme: who repeats himself is not many."""
MOST_POOLED = 20_000
"""Of what waits at most this much is searched in a night, the newest by the order given."""


@dataclass(frozen=True)
class Births:
    """What was found in what waits."""

    born: pl.DataFrame
    """Columns row, group: the founders of each new theme."""
    wider: pl.DataFrame
    """Columns row, group, theme_id: groups that are a known theme in new words."""


def find_births(
    statements: pl.DataFrame,
    vectors: np.ndarray,
    *,
    min_opinions: int,
    min_authors: int,
    granularity: str,
    seed: int,
) -> Births:
    """Search what waits for themes that do not exist yet.

    What waits and what may move is grouped together with some core members of every theme, as discovery
    groups a store. A group is a theme of its own where few core members are in it, enough distinct authors
    say it, and it does not mix with the theme that is nearest to it.

    Args:
        statements: Columns opinion_id, author (null: all such count as one author), theme_id (null: waits),
            similarity (to that theme), may_move (placed of late, and no founder); newest first.
        vectors: float32 (n_statements, n_dims), unit rows, aligned.
        min_opinions: Fewest statements of a theme, of one author two at most.
        min_authors: Fewest distinct authors.
        granularity: The registry's.
        seed: Decides the search's random choices.
    """
    none = Births(
        pl.DataFrame(schema={"row": pl.Int64, "group": pl.Int64}),
        pl.DataFrame(schema={"row": pl.Int64, "group": pl.Int64, "theme_id": pl.String}),
    )
    marked = _mark(statements)
    pool = marked.filter("is_pooled").head(MOST_POOLED)
    if pool["author"].n_unique() < min_authors or pool.height < min_opinions:
        return none
    searched = pl.concat([pool, marked.filter("is_context")]).sort("opinion_id")
    found = find_groups(vectors[searched["row"].to_numpy()], granularity=granularity, seed=seed)
    searched = searched.with_columns(pl.Series("group", found.group))
    themes = _themes(marked)
    means = np.array([vectors[rows].mean(axis=0, dtype=np.float64) for rows in themes.values()])
    born, wider = [], []
    for group in _large_enough(searched, min_opinions, min_authors):
        rows = searched.filter(pl.col("group") == group, "is_pooled").select("row", "group")
        theme, mixing = _nearest_theme(themes, means, vectors, rows["row"].to_numpy())
        if mixing <= MOST_MIXING:
            born.append(rows)
        else:
            wider.append(rows.with_columns(theme_id=pl.lit(theme)))
    return Births(pl.concat([none.born, *born]), pl.concat([none.wider, *wider]))


def _mark(statements: pl.DataFrame) -> pl.DataFrame:
    """Which statements are pooled, and which stand for their theme."""
    core = pl.col("similarity").median().over("theme_id")
    is_pooled = pl.col("theme_id").is_null() | (pl.col("may_move") & (pl.col("similarity") < core))
    marked = statements.with_row_index("row").with_columns(
        pl.col("row").cast(pl.Int64), is_pooled=is_pooled, is_core=~is_pooled & (pl.col("similarity") >= core)
    )
    nth = pl.col("opinion_id").rank("ordinal").over("theme_id", "is_core")
    return marked.with_columns(is_context=pl.col("is_core") & (nth <= CONTEXT_PER_THEME))


def _large_enough(searched: pl.DataFrame, min_opinions: int, min_authors: int) -> list[int]:
    """Groups that may be born, by number."""
    pooled = searched.filter("is_pooled", pl.col("group") >= 0)
    of_author = (
        pooled.group_by("group", "author").len().with_columns(pl.col("len").clip(upper_bound=PER_AUTHOR))
    )
    spoken = of_author.group_by("group").agg(n=pl.col("len").sum(), n_authors=pl.len())
    core = searched.group_by("group").agg(core_share=pl.col("is_context").mean())
    large = spoken.join(core, on="group").filter(
        pl.col("n") >= min_opinions,
        pl.col("n_authors") >= min_authors,
        pl.col("core_share") <= MOST_CORE_SHARE,
    )
    return sorted(large["group"].to_list())


def _themes(marked: pl.DataFrame) -> dict[str, np.ndarray]:
    """Rows of each theme's members, in an order that says nothing of them."""
    members = marked.filter(pl.col("theme_id").is_not_null()).sort("theme_id", "opinion_id")
    groups = members.group_by("theme_id", maintain_order=True)
    return {str(theme): of_theme["row"].to_numpy() for (theme,), of_theme in groups}


def _nearest_theme(
    themes: dict[str, np.ndarray], means: np.ndarray, vectors: np.ndarray, rows: np.ndarray
) -> tuple[str | None, float]:
    """Of the three nearest themes the one with which a group mixes most, and how much; None where none is."""
    if not themes:
        return None, 0.0
    centre = vectors[rows].mean(axis=0, dtype=np.float64)
    cosines = np.round(means @ centre / np.maximum(np.linalg.norm(means, axis=1), 1e-9), 6)
    names = list(themes)
    share, theme = max(
        (mixing_share(vectors[rows], vectors[_but(themes[names[n]], rows)]), names[n])
        for n in np.argsort(-cosines, kind="stable")[:3]
    )
    return theme, share


def _but(rows: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    return rows[~np.isin(rows, left_out)]
