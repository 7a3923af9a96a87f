"""Cells named by whole numbers: millions of mentions are put into them without handling names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.tables import ALL

_NAMED = ("theme_id", "segment_name", "segment_value", "source")


@dataclass(frozen=True)
class Numbering:
    """Numbers of all names that cells are made of."""

    names: dict[str, pl.Series]
    """Column to its distinct names, sorted, ALL among them."""
    n_weeks: int
    """One more than the last week."""

    @classmethod
    def of(cls, *frames: pl.DataFrame) -> Numbering:
        """Number the names in some frames, each with the columns of a cell that it has, and week."""
        names = {
            name: pl.concat(
                [frame[name].unique() for frame in frames if name in frame.columns] + [pl.Series([ALL])]
            )
            .unique()
            .sort()
            for name in _NAMED
        }
        weeks = [int(frame["week"].max() or 0) for frame in frames if frame.height]  # type: ignore[arg-type]
        return cls(names, 1 + max(weeks, default=0))

    @property
    def n_spots(self) -> int:
        """How many places and weeks there can be of each theme."""
        sizes = [self.names[name].len() for name in _NAMED[1:]]
        return int(np.prod([*sizes, self.n_weeks], dtype=np.int64))

    def number(self, rows: pl.DataFrame) -> dict[str, np.ndarray]:
        """Number of each row's names and week, int64 (n_rows,); a missing theme is 0."""
        found = {
            name: rows[name].cast(pl.Enum(self.names[name])).to_physical().cast(pl.Int64).to_numpy()
            for name in _NAMED
            if name in rows.columns
        }
        week = rows["week"].cast(pl.Int64).to_numpy()
        return {"theme_id": np.zeros(rows.height, np.int64), **found, "week": week}

    def pack(
        self, numbers: dict[str, np.ndarray], not_told: Sequence[str] = (), n_weeks: int = 1
    ) -> np.ndarray:
        """One number for each row's cell, int64 (n_rows,): -1 where it lies outside windows of `n_weeks`.

        Args:
            numbers: Of the rows, by column.
            not_told: Columns of the place that are not told apart.
            n_weeks: Length of the window, which ends with week 0; 1: each week by itself.
        """
        packed = numbers["theme_id"].copy()
        for name in _NAMED[1:]:
            known = self.names[name]
            packed *= known.len()
            packed += int(known.search_sorted(ALL)) if name in not_told else numbers[name]
        packed *= self.n_weeks
        week = numbers["week"]
        return packed + week if n_weeks == 1 else np.where(week < n_weeks, packed, -1)

    def unpack(self, packed: pl.Series) -> pl.DataFrame:
        """Columns theme_id, segment_name, segment_value, source and week of packed cells."""
        rest = packed.to_numpy()
        rest, week = np.divmod(rest, self.n_weeks)
        columns = {"week": pl.Series(week)}
        for name in reversed(_NAMED[1:]):
            rest, number = np.divmod(rest, self.names[name].len())
            columns[name] = self.names[name].gather(number)
        columns["theme_id"] = self.names["theme_id"].gather(rest)
        return pl.DataFrame({name: columns[name] for name in (*_NAMED, "week")})
