"""Authors who mention each theme in each place, by window, and what they are counted in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

CELL = ("theme_id", "subject_kind", "subject")
_PLACE = list(CELL[1:])
EVERYTHING, ITEM, SEGMENT = "all", "item", "segment"
"""Kinds of places."""


@dataclass(frozen=True)
class Diary:
    """Who mentions what on each of some days, as numbers: each cell, author and day once, in that order."""

    cells: pl.DataFrame
    """Columns of CELL, sorted."""
    n_days: int
    cell: np.ndarray
    """Row of `cells` (n,)."""
    is_new: np.ndarray
    """Whether the author is another one than in the row above, or the cell is (n,)."""
    day: np.ndarray
    """From the first day, 0, to the last one, n_days - 1 (n,)."""
    exposure: np.ndarray
    """Of each place and day (n_places, n_days)."""
    place: np.ndarray
    """Place of each cell (n_cells,)."""

    def count(self, n_windows: int, stride: int, n_days: int) -> tuple[np.ndarray, np.ndarray]:
        """Distinct authors of windows that end with the last day and every `stride` days before it.

        Returns:
            Counts and exposure, float64 (n_cells, n_windows), oldest first.
        """
        ago = self.n_days - 1 - self.day
        window = n_windows - 1 - ago // stride
        is_within = (window >= 0) & (ago % stride < n_days)
        cell, window = self.cell[is_within], window[is_within]
        author = np.cumsum(self.is_new, dtype=np.int32)[is_within]
        is_first = np.ones(len(cell), dtype=bool)
        is_first[1:] = (np.diff(author) > 0) | (np.diff(window) > 0)
        flat = cell[is_first].astype(np.int64) * n_windows + window[is_first]
        counts = np.bincount(flat, minlength=self.cells.height * n_windows).reshape(-1, n_windows)
        shown = self.exposure[:, self.n_days - n_windows * stride :].reshape(-1, n_windows, stride)
        return counts.astype(np.float64), shown[:, :, stride - n_days :].sum(axis=2)[self.place]

    def n_authors(self, n_days: int) -> np.ndarray:
        """Distinct authors of each cell in the last days, int64 (n_cells,)."""
        is_last = np.roll(self.is_new, -1)
        is_there = is_last & (self.day >= self.n_days - n_days)
        return np.bincount(self.cell[is_there], minlength=self.cells.height)

    def daily(self, cell: int, n_days: int) -> tuple[np.ndarray, np.ndarray]:
        """Distinct authors of a cell on each of the last days, and its exposure: both float64 (n_days,)."""
        start, end = np.searchsorted(self.cell, [cell, cell + 1])
        counts = np.bincount(self.day[start:end], minlength=self.n_days).astype(np.float64)
        return counts[-n_days:], self.exposure[self.place[cell], -n_days:]


def keep_diary(mentions: pl.DataFrame, exposure: pl.DataFrame, *, as_of: date, n_days: int) -> Diary:
    """Put mentions and exposure of the last days together.

    Args:
        mentions: Columns theme_id, subject_kind, subject, author, day; rows without an author are of one.
        exposure: Columns subject_kind, subject, day, n.
        as_of: The last day.
        n_days: How many days.
    """
    day = (n_days - 1 - (pl.lit(as_of) - pl.col("day")).dt.total_days()).cast(pl.Int32).alias("day")
    is_within = pl.col("day").is_between(0, n_days - 1)
    said = mentions.select(*CELL, "author", day).filter(is_within)
    shown = exposure.select(*_PLACE, day, "n").filter(is_within)
    cells = said.select(CELL).unique().sort(CELL)
    cell, is_new, days = _each_once(said, cells, n_days)
    places = pl.concat([cells.select(_PLACE), shown.select(_PLACE)]).unique().sort(_PLACE)
    places = places.with_row_index("place")
    of_days = np.zeros((places.height, n_days))
    placed = shown.join(places, on=_PLACE)
    np.add.at(of_days, (placed["place"].to_numpy(), placed["day"].to_numpy()), placed["n"].to_numpy())
    return Diary(
        cells,
        n_days,
        cell,
        is_new,
        days,
        of_days,
        cells.join(places, on=_PLACE, how="left", maintain_order="left")["place"].to_numpy(),
    )


def _each_once(said: pl.DataFrame, cells: pl.DataFrame, n_days: int) -> tuple[np.ndarray, ...]:
    """Row of the cell, whether its author is a new one, and the day of each different mention, sorted."""
    number = pl.col("author").cast(pl.String).cast(pl.Categorical).to_physical().cast(pl.Int64) + 1
    numbered = said.lazy().join(cells.lazy().with_row_index("cell"), on=list(CELL))
    # The number 0 is nobody's.
    numbers = numbered.select("cell", number.fill_null(0), "day").collect()
    n_authors = 1 + numbers["author"].to_numpy().max(initial=0)
    key = numbers["cell"].to_numpy().astype(np.int64) * n_authors + numbers["author"].to_numpy()
    key = np.sort(key * n_days + numbers["day"].to_numpy())
    key = key[np.diff(key, prepend=-1) > 0]
    pair = key // n_days
    is_new = np.diff(pair, prepend=-1) > 0
    return (pair // n_authors).astype(np.int32), is_new, (key % n_days).astype(np.int32)


def count_matrix(
    cells: pl.DataFrame, counted: pl.DataFrame, key: tuple[str, ...], n_windows: int
) -> np.ndarray:
    """Counts of each cell and window, float64 (n_cells, n_windows); 0 where there is none.

    Args:
        cells: Columns of `key`.
        counted: Columns of `key`, window (from 0), n.
        key: What a row of `counted` belongs to.
        n_windows: How many.
    """
    placed = cells.with_row_index("row").join(counted, on=list(key))
    matrix = np.zeros((cells.height, n_windows))
    matrix[placed["row"].to_numpy(), placed["window"].to_numpy()] = placed["n"].to_numpy()
    return matrix
