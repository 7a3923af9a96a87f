"""The journal: a night's own facts, one file per table and attempt, append only.

Of every table only a run's last attempt counts, which is the one that `CURRENT` lists or, for the run under
way, its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from analytics.rows import JOURNAL_ROWS
from analytics.store.files import drop_rows, put_parquet


@dataclass(frozen=True)
class Attempt:
    """One attempt at a run: whose files count."""

    run_id: str
    attempt: int

    @property
    def file(self) -> str:
        """Name of its file in a journal table or in the placement log."""
        return f"{self.run_id}-{self.attempt}.parquet"


class Journal:
    """All journal tables of one store, below one folder."""

    def __init__(self, root: Path):
        self.root = root

    def write(self, table: str, attempt: Attempt, rows: pl.DataFrame) -> None:
        """Land a table's rows for one attempt."""
        schema = JOURNAL_ROWS[table]
        rows = rows.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        put_parquet(self.root / table / attempt.file, rows)

    def read(self, table: str, attempts: Iterable[Attempt]) -> pl.DataFrame:
        """Rows of the given attempts in their order, with `_run_id` naming whose they are.

        What an older version of this program wrote lacks columns that came later: they are null.
        """
        schema = {**JOURNAL_ROWS[table], "_run_id": pl.String}
        frames = [pl.DataFrame(schema=schema)]
        for attempt in attempts:
            path = self.root / table / attempt.file
            if path.exists():
                rows = pl.read_parquet(path).with_columns(_run_id=pl.lit(attempt.run_id))
                frames.append(rows.match_to_schema(schema, missing_columns="insert", extra_columns="ignore"))
        return pl.concat(frames)

    def attempts(self) -> pl.DataFrame:
        """Every attempt ever started, oldest first: the columns of ATTEMPT_ROWS."""
        files = sorted((self.root / "attempt").glob("*.parquet"))
        frames = [pl.DataFrame(schema=JOURNAL_ROWS["attempt"]), *(pl.read_parquet(file) for file in files)]
        return pl.concat(frames).sort("started_at", "attempt")

    def last_attempt(self, run_id: str) -> int:
        """Number of a run's last attempt; 0 where it has none."""
        found = self.attempts().filter(pl.col("run_id") == run_id)["attempt"].max()
        return int(found) if isinstance(found, int) else 0

    def runs_of(self, as_of: date) -> int:
        """How many runs of this night have been started."""
        return self.attempts().filter(pl.col("as_of") == as_of)["run_id"].n_unique()

    def live(self, kind: str, attempts: Iterable[Attempt]) -> pl.DataFrame:
        """What is live after the given attempts (oldest first): id, key, source, first_seen_run; by id."""
        arrivals = self.read("arrival", attempts).filter(pl.col("kind") == kind)
        return (
            arrivals.group_by("id", maintain_order=True)
            .agg(
                pl.col("key", "source", "change").last(),
                first_seen_run=pl.col("_run_id").first(),
            )
            .filter(pl.col("change") != "gone")
            .drop("change")
            .sort("id")
        )

    def drop_rows(self, table: str, column: str, values: Iterable[str]) -> int:
        """Rewrite a table's files without rows whose column holds one of the values; how many went."""
        return drop_rows(sorted((self.root / table).glob("*.parquet")), column, values)
