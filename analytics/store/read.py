"""Reading what is published: a reader pins one generation and never waits for a night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl

from analytics.errors import NotPublished
from analytics.store.generation import read_manifest
from analytics.store.pointer import Entry, read_pointer

READER = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "2GB",
    "threads": "2",
    "lock_configuration": "true",
}
"""Settings of a reading connection: it can read its one file and nothing else."""


@dataclass(frozen=True)
class Published:
    """One pinned generation."""

    entry: Entry
    folder: Path
    connection: duckdb.DuckDBPyConnection

    @property
    def generation(self) -> str:
        """Name of the generation."""
        return self.entry.generation

    @property
    def as_of(self) -> date:
        """The night it covers."""
        return self.entry.as_of

    @property
    def manifest(self) -> dict[str, Any]:
        """What the generation says about itself."""
        return read_manifest(self.folder)

    def query(self, sql: str, **values: Any) -> pl.DataFrame:
        """Rows of one SQL query; values stand in it as `$name`. Safe from several threads."""
        with self.connection.cursor() as cursor:
            return cursor.sql(sql, params=values or None).pl()

    def close(self) -> None:
        """Let the generation go."""
        self.connection.close()


def active_entry(data_dir: Path) -> Entry:
    """The generation that readers see now.

    Raises:
        NotPublished: no night has been published in this store.
    """
    active = read_pointer(data_dir / "published").active
    if active is None:
        raise NotPublished(f"nothing is published in {data_dir} yet; run `nightloom run` first")
    return active


def open_published(
    data_dir: Path, database: Literal["insights", "customers"] = "insights", generation: str | None = None
) -> Published:
    """Pin the active generation, or a kept one by name, for reading.

    Raises:
        NotPublished: nothing is published, or that generation is not kept.
    """
    # Between reading the pointer and opening the file a prune may come; the pointer then names another
    # generation.
    for last_try in (False, False, True):
        entry = active_entry(data_dir) if generation is None else _entry_of(data_dir, generation)
        folder = data_dir / "published" / entry.generation
        path = folder / f"{database}.duckdb"
        try:
            return Published(entry, folder, duckdb.connect(str(path), read_only=True, config=dict(READER)))
        except duckdb.IOException as error:
            if last_try:
                raise NotPublished(
                    f"generation {entry.generation} cannot be opened ({error}); "
                    "`nightloom publish --list` shows those kept"
                ) from error
    raise AssertionError("unreachable")


def _entry_of(data_dir: Path, generation: str) -> Entry:
    for entry in read_pointer(data_dir / "published").listed:
        if entry.generation == generation:
            return entry
    raise NotPublished(f"no generation {generation!r} is listed; `nightloom publish --list` shows those kept")
