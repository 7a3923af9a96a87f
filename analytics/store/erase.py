"""Erasing: the one exception to append only. Each part of the store can drop what belongs to a person.

The tombstone comes first (`State.bury`) and keeps the rows from coming back. Then every kept generation is
rewritten under a new name, the pointer moved, the old ones deleted; placement, state, journal and lake are
swept. Aggregates stay until the next night. A text shared with another author stays for that author: the
caller names only keys that nobody else needs.

A sweep that was killed is run again. So each part goes before what it is found by: what opinion ids name
before the texts that those are hashes of, and arrivals and the rows of sources last.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from analytics.store.files import facts_of, put_parquet
from analytics.store.generation import Content, new_name, read_manifest, write_generation
from analytics.store.labels import drop_labels
from analytics.store.layout import Store
from analytics.store.pointer import move_pointer, read_pointer
from analytics.tables import TABLES, Table


@dataclass(frozen=True)
class Belongings:
    """What belongs to one person, by the ids under which the parts of a store know it."""

    user_ids: frozenset[str] = frozenset()
    document_ids: frozenset[str] = frozenset()
    """Documents that are wholly theirs."""

    replaced_ids: frozenset[str] = frozenset()
    """Documents of which an earlier version was theirs and the one that counts is not."""

    opinion_ids: frozenset[str] = frozenset()
    interaction_ids: frozenset[str] = frozenset()
    clean_keys: frozenset[str] = frozenset()
    """Cleaned texts of their documents, shared ones too."""

    lake_keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Stage to keys of rows that nobody else needs."""

    @property
    def source_keys(self) -> frozenset[str]:
        """Lake keys of what sources said of them."""
        return frozenset().union(*(self.lake_keys.get(stage, frozenset()) for stage in SOURCES))

    def by_column(self, column: str) -> frozenset[str]:
        """The values by which a column names this person."""
        return {
            "user_id": self.user_ids,
            "document_id": self.document_ids | self.replaced_ids,
            "opinion_id": self.opinion_ids,
            "interaction_id": self.interaction_ids,
            "row_hash": self.source_keys,
        }[column]

    def arrived(self) -> pl.Expr:
        """Whether a row of arrivals is theirs."""
        ids = {
            "users": self.user_ids,
            "documents": self.document_ids,
            "interactions": self.interaction_ids,
        }
        is_theirs = pl.col("key").is_in(list(self.source_keys)).fill_null(False)
        for kind, theirs in ids.items():
            is_theirs |= (pl.col("kind") == kind) & pl.col("id").is_in(list(theirs))
        return is_theirs

    def read(self) -> pl.Expr:
        """Whether a row of readings is theirs."""
        document, text = pl.col("document_id"), pl.col("clean_key")
        is_replaced = document.is_in(list(self.replaced_ids)) & text.is_in(list(self.clean_keys))
        return document.is_in(list(self.document_ids)) | is_replaced.fill_null(False)


MADE_OF_QUOTES = ("brief_sentence", "theme_name")
"""Stages in which a language model made something of several quotes; their rows keep the quotes' hashes."""

DERIVED = (
    *MADE_OF_QUOTES,
    "embedding",
    "sentiment",
    "aspect",
    "sentence",
    "extraction",
    "block",
    "clean",
)
"""Stages made of texts, each before those by which its rows are found."""

SOURCES = ("interaction", "user", "document")
"""Stages that hold what sources say."""

JOURNAL_OWNERS: dict[str, tuple[str, ...]] = {
    "decision_evidence": ("opinion_id",),
    "brief_citation": ("opinion_id",),
    "recommendation": ("user_id",),
    "recommendation_evidence": ("user_id", "opinion_id", "interaction_id"),
    "recommendation_candidate": ("user_id",),
    "rule_log": ("user_id",),
    "quarantine": ("row_hash",),
}
"""Journal tables with rows about a person, and the columns any of which says whom."""

GENERATION_OWNERS: dict[str, tuple[str, ...]] = {
    "document": ("document_id",),
    "document_edit": ("document_id",),
    "opinion": ("document_id",),
    "opinion_theme": ("opinion_id",),
    "user": ("user_id",),
    "interaction": ("user_id",),
    **JOURNAL_OWNERS,
}
"""Published tables with rows about a person, and the columns any of which says whom."""

GENERATION_MENTIONS = {
    "theme": ("typical_opinion_id", "opinion_id"),
    "document": ("repeat_of", "document_id"),
}
"""Published columns that name a person's opinion or document in a row which is not theirs."""


def sweep(store: Store, belongings: Belongings) -> dict[str, int]:
    """Drop what is theirs from placement, state, journal and lake.

    Returns:
        How many rows went, by part; parts that held none are left out.
    """
    gone = {"placement": store.placement.drop_opinions(belongings.opinion_ids)}
    gone["labels"] = drop_labels(store.state, belongings.document_ids | belongings.replaced_ids)
    if belongings.opinion_ids:
        gone["state"] = store.state.drop_opinions(belongings.opinion_ids)
    for table, n_rows in drop_from_journal(store, belongings).items():
        gone[f"journal/{table}"] = n_rows
    for stage in DERIVED:
        gone[f"lake/{stage}"] = drop_from_lake(store, stage, belongings)
    gone["journal/reading"] = _drop_journaled(store, "reading", belongings.read())
    gone["journal/arrival"] = _drop_journaled(store, "arrival", belongings.arrived())
    for stage in SOURCES:
        gone[f"lake/{stage}"] = drop_from_lake(store, stage, belongings)
    return {part: n_rows for part, n_rows in gone.items() if n_rows}


def drop_from_lake(store: Store, stage: str, belongings: Belongings) -> int:
    """Rewrite a stage of the lake without the person's rows; returns how many went."""
    keys = belongings.lake_keys.get(stage)
    if not keys:
        return 0
    gone = pl.DataFrame({"key": sorted(keys)}, schema={"key": pl.String})
    return sum(store.lake.drop_keys(stage, recipe, gone) for recipe in store.lake.recipes(stage))


def replace_in_lake(store: Store, stage: str, recipe: str, rows: pl.DataFrame) -> None:
    """Put rows in the place of all that a stage holds for a recipe; none removes it, recipe and all."""
    parts = store.lake.parts(stage, recipe)
    if rows.is_empty():
        shutil.rmtree(store.lake.folder(stage, recipe), ignore_errors=True)
    elif parts:
        put_parquet(parts[0], rows.sort("key"), facts_of(parts[0]))
        for path in parts[1:]:
            path.unlink()


def change_in_lake(store: Store, stage: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Rewrite the parts of a stage whose rows differ after `change`, which leaves keys and order alone."""
    for recipe in store.lake.recipes(stage):
        for path in store.lake.parts(stage, recipe):
            rows = pl.read_parquet(path)
            changed = change(rows)
            if not changed.equals(rows):
                put_parquet(path, changed, facts_of(path))


def drop_from_journal(store: Store, belongings: Belongings) -> dict[str, int]:
    """Rewrite what nights found without the person's rows; returns how many went, by table.

    A decision that has lost all its evidence goes too: nothing is claimed without.
    """
    gone = {
        table: sum(store.journal.drop_rows(table, column, belongings.by_column(column)) for column in columns)
        for table, columns in JOURNAL_OWNERS.items()
    }
    gone["decision"] = 0
    for path in sorted((store.journal.root / "decision").glob("*.parquet")):
        evidence = store.journal.root / "decision_evidence" / path.name
        if evidence.exists():
            decisions = pl.read_parquet(path)
            left = _supported(decisions, pl.read_parquet(evidence))
            if left.height < decisions.height:
                put_parquet(path, left, facts_of(path))
                gone["decision"] += decisions.height - left.height
    return gone


def _drop_journaled(store: Store, table: str, is_gone: pl.Expr) -> int:
    n_dropped = 0
    for path in sorted((store.journal.root / table).glob("*.parquet")):
        rows = pl.read_parquet(path)
        left = rows.filter(~is_gone)
        if left.height < rows.height:
            put_parquet(path, left, facts_of(path))
            n_dropped += rows.height - left.height
    return n_dropped


def _supported(decisions: pl.DataFrame, evidence: pl.DataFrame) -> pl.DataFrame:
    """Decisions that have evidence, ranked anew without gaps."""
    left = decisions.join(evidence, on="decision_id", how="semi", maintain_order="left")
    return left.with_columns(pl.col("rank").rank("ordinal").cast(decisions.schema["rank"]))


def _cited(briefs: pl.DataFrame, citations: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sentences of briefs that still have all that they cite, and what those cite."""
    counted = citations.group_by("brief_id", "nth").agg(n=pl.len())
    whole = briefs.join(counted, on=["brief_id", "nth"], how="left", maintain_order="left")
    whole = whole.filter(pl.col("n").fill_null(0) == pl.col("n_citations")).drop("n")
    return whole, citations.join(whole, on=["brief_id", "nth"], how="semi", maintain_order="left")


def drop_from_generations(store: Store, belongings: Belongings) -> dict[str, str]:
    """Rewrite every kept generation without the person's rows, move the pointer, delete the old ones.

    Returns:
        Old name to new name.
    """
    names: dict[str, str] = {}
    if not store.published.exists():
        return names
    pointer = read_pointer(store.published)
    for entry in pointer.listed:
        folder = store.published / entry.generation
        if (folder / "manifest.json").exists():
            new = new_name(store.published, entry.as_of, entry.run_id, entry.attempt)
            _rewrite(folder, store.published / new, belongings)
            names[entry.generation] = new
    if names:
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
                    tables[table.name] = _without(table, _published(connection, table), belongings)
    tables["brief"], tables["brief_citation"] = _cited(tables["brief"], tables["brief_citation"])
    tables["decision"] = _supported(tables["decision"], tables["decision_evidence"])
    vectors = {path.stem: pl.read_parquet(path) for path in (old / "vectors").glob("*.parquet")}
    # The briefing holds sums and no words of customers, and stays as it was.
    files = {path.name: path.read_text(encoding="utf-8") for path in old.glob("briefing.*")}
    facts = {name: value for name, value in read_manifest(old).items() if name != "tables"}
    write_generation(new, Content(tables, vectors, files), {**facts, "generation": new.name})


def _published(connection: duckdb.DuckDBPyConnection, table: Table) -> pl.DataFrame:
    """Rows of a published table; what a generation of an older version of this program lacks is empty."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = $name", {"name": table.name}
    ).fetchall()
    if not known[0][0]:
        return table.empty()
    rows = connection.sql(f'SELECT * FROM "{table.name}"').pl()
    lacking = [
        pl.lit(None, dtype).alias(name) for name, dtype in table.columns.items() if name not in rows.columns
    ]
    return table.conform(rows.with_columns(lacking))


def _without(table: Table, rows: pl.DataFrame, belongings: Belongings) -> pl.DataFrame:
    for owner in GENERATION_OWNERS.get(table.name, ()):
        gone = pl.col(owner).is_in(list(belongings.by_column(owner))).fill_null(False)
        rows = rows.filter(~gone)
    mention, what = GENERATION_MENTIONS.get(table.name, ("", ""))
    if mention in table.columns:
        gone = pl.col(mention).is_in(list(belongings.by_column(what)))
        rows = rows.with_columns(pl.when(~gone).then(mention))
    return rows
