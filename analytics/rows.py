"""Rows that are not published: what a source yields, the journal's tables and the placement log."""

from __future__ import annotations

import polars as pl

from analytics.tables import SEGMENTS, TABLES, UTC_TIME

SOURCE_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "position": pl.Int64,  # from 1: line of a text file, element of a JSON array, row of a table or query
    "source_id": pl.String,
    "title": pl.String,
    "text": pl.String,
    "created_at": UTC_TIME,  # null: none, unreadable or impossible
    "item_id": pl.String,
    "user_id": pl.String,
    "name": pl.String,  # of a user
    "rating": pl.Float64,
    "language": pl.String,  # primary subtag, lower case; null where the row does not say
    "thread_id": pl.String,
    "speaker": pl.String,  # as the source writes it
    "channel": pl.String,  # lower case
    "question": pl.String,
    "url": pl.String,
    "kind": pl.String,  # of an interaction, lower case
    "segments": SEGMENTS,
}
"""What a source of any kind yields, block by block; a column that is not mapped is null."""

REJECTED_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "position": pl.Int64,
    "reason": pl.String,
    "row_hash": pl.String,
}
"""A row that was not let in; never its content."""

ATTEMPT_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "run_id": pl.String,
    "attempt": pl.Int32,
    "as_of": pl.Date,
    "nth": pl.Int32,
    "state_sequence": pl.Int64,
    "is_limited": pl.Boolean,
    "started_at": UTC_TIME,
}
"""Journal: the start of an attempt; as_of and state_sequence are those of the run's first attempt."""

MANIFEST_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "stage": pl.String,
    "recipe": pl.String,
    "content": pl.String,  # canonical JSON: of a recipe, or of the settings that shape the published tables
}
"""Journal: which recipe each stage of the run used."""

ARRIVAL_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,  # documents | items | users | interactions
    "source": pl.String,
    "id": pl.String,
    "key": pl.String,  # of the lake row that holds this version; null when gone
    "change": pl.String,  # new | changed | gone
}
"""Journal: what came, changed and went in a night."""

READING_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "document_id": pl.String,
    "clean_key": pl.String,  # of the lake row with its cleaned text
}
"""Journal: which cleaned text a document got in a night; of a document's entries the last counts."""

EPISODE_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,
    "subject": pl.String,
    "theme_id": pl.String,
    "episode": pl.Int32,
    "is_open": pl.Boolean,
    "decision_id": pl.String,
    "first_run": pl.String,
}
"""Journal: every episode of every decision as of a night."""

PLACEMENT_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "opinion_id": pl.String,
    "theme_id": pl.String,
    "similarity": pl.Float64,
    "is_member": pl.Boolean,  # false: taken out of the theme
    "registry_version": pl.Int64,  # number of registry events that counted when it was placed
    "run_id": pl.String,
    "cause": pl.String,  # discovery | placed | born | split | own theme | linked
    "event_id": pl.String,  # of the registry event that moved it; null where none did
}
"""Placement log: an opinion put under a theme by a run, or taken out of it."""

PLACED_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "opinion_id": pl.String,
    "theme_id": pl.String,
    "similarity": pl.Float64,  # greatest cosine to the theme's anchors
}
"""What stands under a theme."""

ANCHOR_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "centroid": pl.List(pl.Float32),  # unit vector
    "radius": pl.Float64,  # lowest cosine at which a statement belongs
}
"""Points that stand for a theme; it has one or several."""

JOURNAL_ROWS = {
    "attempt": ATTEMPT_ROWS,
    "manifest": MANIFEST_ROWS,
    "arrival": ARRIVAL_ROWS,
    "reading": READING_ROWS,
    "episode": EPISODE_ROWS,
    **{table.name: table.journal_columns for table in TABLES.values() if table.journaled},
}
"""Every journal table and its columns."""
