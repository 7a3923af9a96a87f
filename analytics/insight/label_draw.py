"""Which documents people should read to tell how right the placements under themes are."""

from __future__ import annotations

import numpy as np
import polars as pl

PAIR_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "document_id": pl.String,
    "theme_id": pl.String,
    "is_placed": pl.Boolean,
    "probability": pl.Float64,  # with which this draw takes the pair
}


def draw_pairs(
    documents: pl.Series, placed: pl.DataFrame, themes: pl.Series, known: pl.DataFrame, *, n: int, seed: int
) -> pl.DataFrame:
    """Draw pairs of a document and a theme: half of what is placed, half of the rest, as many of each theme.

    A simple random sample in each stratum (theme, placed or not). Where the strata's sizes are no whole
    number, which themes have one more is drawn too, and a pair's probability is the expected one.

    Args:
        documents: Ids of the documents that may be shown.
        placed: Columns document_id, theme_id: what is placed tonight.
        themes: Ids of the themes.
        known: Columns document_id, theme_id: pairs that were drawn before, left out.
        n: How many pairs; fewer where there are none left.
        seed: Of the draw.

    Returns:
        See PAIR_ROWS; sorted by theme and document.
    """
    rng = np.random.default_rng(seed)
    documents, themes = documents.unique().sort(), themes.unique().sort()
    number = pl.DataFrame({"document_id": documents}).with_row_index("at")
    at_placed, at_known = (_places(pairs, number) for pairs in (placed, known))
    found = []
    for is_placed, wanted in ((True, n // 2), (False, n - n // 2)):
        takes = np.full(themes.len(), wanted // max(1, themes.len()))
        takes[rng.permutation(themes.len())[: wanted - int(takes.sum())]] += 1
        for theme, take in zip(themes, takes, strict=True):
            is_in = np.zeros(documents.len(), dtype=bool)
            is_in[at_placed.get(theme, [])] = True
            stratum = is_in if is_placed else ~is_in
            stratum[at_known.get(theme, [])] = False
            rows = np.flatnonzero(stratum)
            drawn = rng.choice(rows, min(take, len(rows)), replace=False)
            probability = min(1.0, wanted / themes.len() / max(1, len(rows)))
            found.append(
                pl.DataFrame(
                    {"document_id": documents.gather(drawn)}, schema={"document_id": pl.String}
                ).with_columns(
                    pl.lit(theme).alias("theme_id"),
                    pl.lit(is_placed).alias("is_placed"),
                    pl.lit(probability).alias("probability"),
                )
            )
    return pl.concat(found or [pl.DataFrame(schema=PAIR_ROWS)]).sort("theme_id", "document_id")


def _places(pairs: pl.DataFrame, number: pl.DataFrame) -> dict[str, list[int]]:
    """Theme to the places of its documents."""
    joined = pairs.select("document_id", "theme_id").unique().join(number, on="document_id")
    return dict(joined.group_by("theme_id").agg("at").iter_rows())
