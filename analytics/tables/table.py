"""What a published table is, and the types that several tables share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")
SEGMENTS = pl.List(pl.Struct({"name": pl.String, "value": pl.String}))
SEGMENT = {"segment_name": pl.String, "segment_value": pl.String}


@dataclass(frozen=True)
class Table:
    """One published table."""

    name: str
    grain: str
    columns: dict[str, pl.DataType | type[pl.DataType]]
    key: tuple[str, ...]
    run_facts: tuple[str, ...] = ()
    database: Literal["insights", "customers"] = "insights"
    journaled: bool = False
    """Its rows are a night's own facts, kept in the journal, not derived from lake and placement."""

    derived: tuple[str, ...] = ()
    """Columns of a journaled table that are added when a generation is built: the journal holds no text."""

    def empty(self) -> pl.DataFrame:
        """A frame with the table's columns and no rows."""
        return pl.DataFrame(schema=self.columns)

    @property
    def journal_columns(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        """The columns without the derived ones."""
        return {name: dtype for name, dtype in self.columns.items() if name not in self.derived}

    def conform(self, frame: pl.DataFrame, *, journaled: bool = False) -> pl.DataFrame:
        """`frame` with exactly the table's columns, in order and type, sorted by key.

        Args:
            frame: The rows.
            journaled: Leave out derived columns, as the journal does.

        Raises:
            pl.exceptions.ColumnNotFoundError, pl.exceptions.InvalidOperationError: the frame does not fit.
        """
        columns = self.journal_columns if journaled else self.columns
        return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items()).sort(self.key)
