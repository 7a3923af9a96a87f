"""The placement log: opinion × theme × registry version, append only; a move names its event."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from analytics.rows import PLACEMENT_ROWS
from analytics.store.files import drop_rows, put_parquet
from analytics.store.journal import Attempt


class Placement:
    """The placement log of one store."""

    def __init__(self, root: Path):
        self.root = root

    def append(self, attempt: Attempt, rows: pl.DataFrame) -> None:
        """Land the placements of one attempt; what is taken out comes before what is put in."""
        rows = rows.select(pl.col(name).cast(dtype) for name, dtype in PLACEMENT_ROWS.items())
        put_parquet(self.root / attempt.file, rows.sort("opinion_id", "is_member", "theme_id"))

    def read(self, attempts: Iterable[Attempt]) -> pl.DataFrame:
        """Placements made by the given attempts, in their order."""
        files = [self.root / attempt.file for attempt in attempts]
        frames = [pl.DataFrame(schema=PLACEMENT_ROWS), *(pl.read_parquet(f) for f in files if f.exists())]
        return pl.concat(frames)

    def drop_opinions(self, opinion_ids: Iterable[str]) -> int:
        """Rewrite the log without the given opinions; returns how many rows went."""
        return drop_rows(sorted(self.root.glob("*.parquet")), "opinion_id", opinion_ids)
