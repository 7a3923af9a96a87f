"""Erasing: the one exception to append only. Each part of the store can drop what belongs to a person.

The tombstone comes first (`State.bury`) and keeps the rows from coming back; then lake, journal, placement
and state are swept, and every kept generation is rewritten under a new name, the pointer moved, the old ones
deleted. Aggregates stay until the next night. A text shared with another author stays for that author: the
caller names only keys that nobody else needs.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from analytics.store.generation import Content, new_name, read_manifest, write_generation
from analytics.store.layout import Store
from analytics.store.pointer import move_pointer, read_pointer
from analytics.tables import TABLES


@dataclass(frozen=True)
class Belongings:
    """What belongs to one person, by the ids under which the parts of a store know it."""

    user_ids: frozenset[str] = frozenset()
    author_keys: frozenset[str] = frozenset()
    document_ids: frozenset[str] = frozenset()
    interaction_ids: frozenset[str] = frozenset()
    opinion_ids: frozenset[str] = frozenset()
    lake_keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Stage to keys of rows that only this person's texts need."""

    def by_column(self, column: str) -> frozenset[str]:
        """The values by which a column names this person."""
        return {
            "user_id": self.user_ids,
            "author_key": self.author_keys,
            "document_id": self.document_ids,
            "interaction_id": self.interaction_ids,
            "opinion_id": self.opinion_ids,
            "id": self.user_ids | self.document_ids | self.interaction_ids,
        }[column]


LAKE_OWNERS = {"document": "author_key", "user": "author_key", "interaction": "author_key"}
"""Stages whose rows name their author."""

JOURNAL_OWNERS = {
    "arrival": "id",
    "decision_evidence": "opinion_id",
    "recommendation": "user_id",
    "recommendation_evidence": "user_id",
}
"""Journal tables with rows about a person, and the column that says whom."""

GENERATION_OWNERS = {
    "document": "document_id",
    "opinion": "document_id",
    "opinion_theme": "opinion_id",
    "decision_evidence": "opinion_id",
    "user": "user_id",
    "interaction": "user_id",
    "recommendation": "user_id",
    "recommendation_evidence": "user_id",
}
"""Published tables with rows about a person, and the column that says whom."""


def drop_from_lake(store: Store, belongings: Belongings) -> int:
    """Rewrite the lake without the person's rows; returns how many went."""
    n_dropped = 0
    for stage, column in LAKE_OWNERS.items():
        for recipe in store.lake.recipes(stage):
            owned = store.lake.keys_where(stage, recipe, column, belongings.by_column(column))
            n_dropped += store.lake.drop_keys(stage, recipe, owned)
    for stage, keys in belongings.lake_keys.items():
        for recipe in store.lake.recipes(stage):
            n_dropped += store.lake.drop_keys(stage, recipe, pl.DataFrame({"key": sorted(keys)}))
    return n_dropped


def drop_from_journal(store: Store, belongings: Belongings) -> int:
    """Rewrite the journal without the person's rows; returns how many went."""
    return sum(
        store.journal.drop_rows(table, column, belongings.by_column(column))
        for table, column in JOURNAL_OWNERS.items()
    )


def drop_from_placement(store: Store, belongings: Belongings) -> int:
    """Rewrite the placement log without the person's opinions; returns how many rows went."""
    return store.placement.drop_opinions(belongings.opinion_ids)


def drop_from_state(store: Store, belongings: Belongings) -> int:
    """Take the person's opinion ids out of the state and vacuum it; returns how many entries changed."""
    return store.state.drop_opinions(belongings.opinion_ids)


def drop_from_generations(store: Store, belongings: Belongings) -> dict[str, str]:
    """Rewrite every kept generation without the person's rows, move the pointer, delete the old ones.

    Returns:
        Old name to new name.
    """
    names: dict[str, str] = {}
    pointer = read_pointer(store.published)
    for entry in pointer.listed:
        folder = store.published / entry.generation
        if (folder / "manifest.json").exists():
            new = new_name(store.published, entry.as_of, entry.run_id, entry.attempt)
            _rewrite(folder, store.published / new, belongings)
            names[entry.generation] = new
    move_pointer(store.published, pointer.renamed(names))
    for folder in store.published.iterdir():
        if folder.is_dir() and folder.name not in names.values():
            shutil.rmtree(folder)
    return names


def _rewrite(old: Path, new: Path, belongings: Belongings) -> None:
    tables: dict[str, pl.DataFrame] = {}
    for database in ("insights", "customers"):
        with duckdb.connect(str(old / f"{database}.duckdb"), read_only=True) as connection:
            for table in TABLES.values():
                if table.database == database:
                    rows = table.conform(connection.sql(f'SELECT * FROM "{table.name}"').pl())
                    tables[table.name] = _without(table.name, rows, belongings)
    vectors = {path.stem: pl.read_parquet(path) for path in (old / "vectors").glob("*.parquet")}
    facts = {name: value for name, value in read_manifest(old).items() if name != "tables"}
    write_generation(new, Content(tables, vectors), {**facts, "generation": new.name})


def _without(table: str, rows: pl.DataFrame, belongings: Belongings) -> pl.DataFrame:
    if table == "theme":
        gone = pl.col("typical_opinion_id").is_in(list(belongings.opinion_ids))
        return rows.with_columns(typical_opinion_id=pl.when(~gone).then("typical_opinion_id"))
    column = GENERATION_OWNERS.get(table)
    if column is None:
        return rows
    return rows.filter(~pl.col(column).is_in(list(belongings.by_column(column))))
