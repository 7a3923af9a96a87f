"""Discovery: from statements to themes at two levels, with all that the registry keeps of a theme."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analytics import identity
from analytics.insight.grouping import find_groups
from analytics.insight.keywords import find_keywords, name_themes
from analytics.insight.placement import make_anchors
from analytics.insight.sentences import count_words
from analytics.rows import ANCHOR_ROWS
from analytics.settings import ThemeSettings

THEME_VERSION = 4
TYPICAL_WORDS = (4, 25)
CRITERION_WORDS = 4
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
_CONTRAST = -1
"""Group of statements that only show which words are common to all."""

FOUND_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "level": pl.String,
    "parent_id": pl.String,
    "name": pl.String,
    "criterion": pl.String,
    "keywords": pl.List(pl.String),
    "typical_opinion_id": pl.String,
    "n_opinions": pl.Int64,
}
_MEMBERS: dict[str, pl.DataType | type[pl.DataType]] = {"opinion_id": pl.String, "theme_id": pl.String}


@dataclass(frozen=True)
class Found:
    """Themes that were found, and who founded them."""

    themes: pl.DataFrame
    """Columns of FOUND_ROWS, largest first; groups of themes after the themes."""
    anchors: pl.DataFrame
    """theme_id, centroid (unit), radius: one or more rows for each theme, none for a group of themes."""
    members: pl.DataFrame
    """opinion_id, theme_id: the founding statements."""


def theme_recipe(settings: ThemeSettings) -> dict[str, Any]:
    """What decides which themes are found, apart from the statements and their vectors."""
    return {
        "stage": "themes",
        "version": THEME_VERSION,
        "method": "neighbour graph, Leiden, grain chosen from the data",
        **settings.model_dump(exclude={"auto_apply", "names"}),
    }


def discover_themes(
    opinions: pl.DataFrame,
    vectors: np.ndarray,
    settings: ThemeSettings,
    *,
    min_authors: int,
    run_id: str,
    seed: int,
    taken: Collection[str] = (),
) -> Found:
    """Find the themes of a store that has none.

    Args:
        opinions: Columns opinion_id, author (null: all such count as one author), quote, may_quote.
        vectors: float32 (n_opinions, n_dims), unit rows, aligned with `opinions`.
        settings: The grain, and what is too small.
        min_authors: A group with fewer distinct authors is no theme.
        run_id: The run in which the themes are born.
        seed: Decides the draw where there are too many statements, and the search's random choices.
        taken: Names that other themes have.
    """
    statements = _distinct_statements(opinions, settings.max_discovery_opinions, seed)
    found = find_groups(vectors[statements["row"].to_numpy()], granularity=settings.granularity, seed=seed)
    grouped = opinions.with_row_index("row").join(
        statements.select("quote", pl.Series("group", found.group)), on="quote", maintain_order="left"
    )
    grouped = grouped.filter(pl.col("group") >= 0)
    large = _large_enough(grouped, min_opinions=settings.min_opinions, min_authors=min_authors)
    themes = describe_groups(
        grouped.join(large, on="group", how="semi", maintain_order="left"),
        vectors,
        min_authors=min_authors,
        run_id=run_id,
        taken=taken,
    )
    theme_of = _theme_of(large, run_id)
    parents = {theme: int(found.parent[group]) for group, theme in theme_of.items()}
    return _with_upper_level(themes, parents, grouped, min_authors=min_authors, run_id=run_id)


def describe_groups(
    grouped: pl.DataFrame,
    vectors: np.ndarray,
    *,
    min_authors: int,
    run_id: str,
    contrast: Iterable[str] = (),
    taken: Collection[str] = (),
    usual_radius: float | None = None,
    known: Collection[str] = (),
) -> Found:
    """Make a theme of each group: its identity, words, anchors and typical statement.

    Args:
        grouped: Columns row (of `vectors`), group, opinion_id, author, quote, may_quote: all that founds.
        vectors: float32 (n, n_dims), unit rows.
        min_authors: A keyword that fewer distinct authors use could give one of them away.
        run_id: The run in which the themes are born.
        contrast: Quotes of other themes, against which the keywords are chosen.
        taken: Names that other themes have.
        usual_radius: Radius of other themes, for groups too small to know their own.
        known: Themes that there are: a statement that founded one of them in the same run founds no other.
    """
    if grouped.is_empty():
        return Found(*(pl.DataFrame(schema=rows) for rows in (FOUND_ROWS, ANCHOR_ROWS, _MEMBERS)))
    free = pl.Series([identity.theme_id(run_id, one) not in known for one in grouped["opinion_id"]])
    sizes = (
        grouped.with_columns(is_free=free)
        .group_by("group")
        .agg(n_opinions=pl.len(), founding_opinion_id=pl.col("opinion_id").filter("is_free").min())
        .drop_nulls("founding_opinion_id")
    )
    sizes = sizes.sort("n_opinions", "founding_opinion_id", descending=[True, False])
    theme_of = _theme_of(sizes, run_id)
    others = pl.DataFrame({"quote": list(contrast)}, schema={"quote": pl.String}).select(
        pl.lit(_CONTRAST, pl.Int64).alias("group"), pl.int_range(pl.len()).alias("author"), "quote"
    )
    spoken = grouped.select(pl.col("group").cast(pl.Int64), pl.col("author").cast(pl.Int64), "quote")
    keywords = find_keywords(pl.concat([spoken, others]), min_authors=min_authors)
    names = name_themes({theme: keywords[group] for group, theme in theme_of.items()}, taken)
    distinct = grouped.sort("may_quote", "opinion_id", descending=[True, False])
    distinct = distinct.unique("quote", keep="first", maintain_order=True).sort("opinion_id")
    rows, anchors = [], []
    for group, n_opinions in sizes.select("group", "n_opinions").iter_rows():
        founders = distinct.filter(pl.col("group") == group)
        members = vectors[founders["row"].to_numpy()]
        found = make_anchors(members, usual_radius=usual_radius)
        anchors += [(theme_of[group], centroid, radius) for centroid, radius in found]
        rows.append(
            {
                "theme_id": theme_of[group],
                "level": "theme",
                "parent_id": None,
                "name": names[theme_of[group]],
                "criterion": write_criterion(keywords[group]),
                "keywords": keywords[group],
                "typical_opinion_id": find_typical(founders, members),
                "n_opinions": n_opinions,
            }
        )
    members_of = grouped.select(
        "opinion_id", theme_id=pl.col("group").replace_strict(theme_of, return_dtype=pl.String)
    )
    return Found(
        pl.DataFrame(rows, schema=FOUND_ROWS, orient="row"),
        pl.DataFrame(anchors, schema=ANCHOR_ROWS, orient="row"),
        members_of.sort("opinion_id"),
    )


def write_criterion(keywords: Collection[str]) -> str:
    """What a statement must say to belong, in one sentence, from the theme's keywords."""
    words = list(keywords)[:CRITERION_WORDS]
    if not words:
        return "Says what the typical statement says."
    spoken = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    return f"Says something about {spoken}."


def find_typical(founders: pl.DataFrame, vectors: np.ndarray) -> str:
    """The statement that stands for a theme: near its centre, short, whole, and one that may be shown.

    Args:
        founders: Columns opinion_id, quote, may_quote; no quote twice.
        vectors: float32 (n_founders, n_dims), unit rows, aligned.

    Returns:
        Its opinion_id: the nearest to the mean of those that may be shown and read well alone, or the
        nearest of all.
    """
    mean = vectors.astype(np.float64).mean(axis=0)
    similarities = np.round(vectors.astype(np.float64) @ mean, 6)
    fewest, most = TYPICAL_WORDS
    shown = founders["may_quote"].to_numpy()
    if shown.any():
        founders, similarities = founders.filter(shown), similarities[shown]
    rows = zip(founders["opinion_id"], founders["quote"], similarities.tolist(), strict=True)
    ranked = sorted(rows, key=lambda row: (-row[2], row[0]))
    for opinion, quote, _ in ranked:
        is_whole = quote.endswith(_SENTENCE_ENDS) and not quote[0].islower()
        if is_whole and not quote.isupper() and fewest <= count_words(quote) <= most:
            return str(opinion)
    return str(ranked[0][0])


def _theme_of(sizes: pl.DataFrame, run_id: str) -> dict[int, str]:
    """Theme of each group, in the order of `sizes`."""
    pairs = sizes.select("group", "founding_opinion_id").iter_rows()
    return {group: identity.theme_id(run_id, founder) for group, founder in pairs}


def _large_enough(grouped: pl.DataFrame, *, min_opinions: int, min_authors: int) -> pl.DataFrame:
    """Groups that may become themes, largest first: group, n_opinions, n_authors, founding_opinion_id."""
    return (
        grouped.group_by("group")
        .agg(
            n_opinions=pl.len(),
            n_authors=pl.col("author").n_unique(),
            founding_opinion_id=pl.col("opinion_id").min(),
        )
        .filter(pl.col("n_opinions") >= min_opinions, pl.col("n_authors") >= min_authors)
        .sort("n_opinions", "founding_opinion_id", descending=[True, False])
    )


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


def _with_upper_level(
    found: Found, parents: dict[str, int], grouped: pl.DataFrame, *, min_authors: int, run_id: str
) -> Found:
    """Add the groups of themes; one that would hold a single theme is none."""
    of_theme = pl.DataFrame(
        list(parents.items()), schema={"theme_id": pl.String, "upper": pl.Int64}, orient="row"
    )
    n_themes = of_theme.group_by("upper").len().filter(pl.col("len") > 1)
    of_theme = of_theme.join(n_themes, on="upper", how="semi")
    if of_theme.is_empty():
        return found
    spoken = (
        found.members.join(of_theme, on="theme_id")
        .join(grouped.select("opinion_id", "author", "quote"), on="opinion_id")
        .rename({"upper": "group"})
        .sort("opinion_id")
    )
    sizes = spoken.group_by("group").agg(n_opinions=pl.len(), founder=pl.col("opinion_id").min())
    sizes = sizes.sort("n_opinions", "founder", descending=[True, False])
    keywords = find_keywords(spoken, min_authors=min_authors)
    ids = {group: identity.group_id(run_id, founder) for group, _, founder in sizes.iter_rows()}
    names = name_themes({ids[group]: keywords[group] for group in ids}, found.themes["name"].to_list())
    upper = pl.DataFrame(
        [
            {
                "theme_id": ids[group],
                "level": "group",
                "parent_id": None,
                "name": names[ids[group]],
                "criterion": write_criterion(keywords[group]),
                "keywords": keywords[group],
                "typical_opinion_id": None,
                "n_opinions": n_opinions,
            }
            for group, n_opinions, _ in sizes.iter_rows()
        ],
        schema=FOUND_ROWS,
        orient="row",
    )
    parent = of_theme.select(
        "theme_id", parent_id=pl.col("upper").replace_strict(ids, return_dtype=pl.String)
    )
    themes = found.themes.drop("parent_id").join(parent, on="theme_id", how="left", maintain_order="left")
    return Found(pl.concat([themes.select(list(FOUND_ROWS)), upper]), found.anchors, found.members)
