"""Documents and authors of every cell of a theme, and of what its share is a share of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from analytics.insight.cells import Numbering
from analytics.insight.privacy import CELL, EVERYWHERE, NOT_TOLD_APART, OF_BOTH, OF_SEGMENT, OF_SOURCE
from analytics.tables import ALL

COUNTED = ("n_documents", "n_authors", "said_squares", "products")
"""Documents and distinct authors of a cell; with k of an author's n documents there, sums of k² and k · n."""


def count_cells(
    mentions: pl.DataFrame, written: pl.DataFrame, windows: Sequence[int]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What every cell that has a mention adds up to, and every cell of all documents: CELL and COUNTED.

    Args:
        mentions: One row for each theme, document and segment name: theme_id, document_id, author (null: all
            such are one author), week, source, segment_name, segment_value.
        written: All covered documents: the same columns without theme_id.
        windows: Lengths of the windows above a week.

    Returns:
        Cells of themes, and those of what is written, whose theme is ALL.
    """
    numbering = Numbering.of(mentions, written)
    n_authors = 2 + int(written["author"].max() or 0)  # type: ignore[arg-type]
    once = mentions.unique(["theme_id", "document_id"]), written.unique("document_id")
    cells, bases = [], []
    for rows, places in ((once, (EVERYWHERE, OF_SOURCE)), ((mentions, written), (OF_SEGMENT, OF_BOTH))):
        said, wrote = (numbering.number(some) for some in rows)
        by, by_all = (some["author"].cast(pl.Int64).fill_null(-1).to_numpy() + 1 for some in rows)
        for place in places:
            for length in (1, *windows):
                not_told = NOT_TOLD_APART[place]
                base = _by_author(numbering.pack(wrote, not_told, length), by_all, n_authors)
                own = _by_author(numbering.pack(said, not_told, length), by, n_authors)
                spots = pl.col("whose") % (numbering.n_spots * n_authors)
                own = own.with_columns(spot=spots).join(
                    base.rename({"n": "n_written"}), left_on="spot", right_on="whose"
                )
                cells.append(_add_up(own, numbering, n_authors, length))
                bases.append(_add_up(base.with_columns(n_written="n"), numbering, n_authors, length))
    return pl.concat(cells), pl.concat(bases).with_columns(theme_id=pl.lit(ALL))


def _by_author(cell: np.ndarray, author: np.ndarray, n_authors: int) -> pl.DataFrame:
    """Documents of each author in each cell, -1 left out: whose (cell · n_authors + author) and n."""
    whose = pl.DataFrame({"whose": (cell * n_authors + author)[cell >= 0]})
    return whose.group_by("whose").agg(n=pl.len().cast(pl.Float64))


def _add_up(rows: pl.DataFrame, numbering: Numbering, n_authors: int, n_weeks: int) -> pl.DataFrame:
    """Sums over the authors of each cell: CELL and COUNTED."""
    counted = (
        rows.group_by(cell=pl.col("whose") // n_authors)
        .agg(
            n_documents=pl.col("n").sum().cast(pl.Int64),
            n_authors=pl.len().cast(pl.Int64),
            said_squares=(pl.col("n") ** 2).sum(),
            products=(pl.col("n") * pl.col("n_written")).sum(),
        )
        .sort("cell")
    )
    names = numbering.unpack(counted["cell"]).with_columns(n_weeks=pl.lit(n_weeks, pl.Int64))
    return names.hstack(counted.select(COUNTED)).select(*CELL, *COUNTED)
