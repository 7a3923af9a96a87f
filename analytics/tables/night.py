"""What a night says of itself: runs, costs, quality, sources."""

from __future__ import annotations

import polars as pl

from analytics.tables.table import UTC_TIME, Table

NIGHT = (
    Table(
        "run",
        "run",
        {
            "run_id": pl.String,
            "as_of": pl.Date,
            "nth": pl.Int32,
            "n_documents": pl.Int64,
            "n_new": pl.Int64,
            "n_changed": pl.Int64,
            "n_gone": pl.Int64,
            "n_waiting": pl.Int64,
            "n_quarantined": pl.Int64,
            "n_not_analysed": pl.Int64,
            "n_not_counted": pl.Int64,  # repeats and floods
            "n_waiting_to_be_read": pl.Int64,  # above the night's cap on model calls
            "n_undated": pl.Int64,
            "model_calls": pl.Int64,
            "min_authors": pl.Int32,  # fewest distinct authors behind what is shown
            "degraded": pl.List(pl.String),
            "attempt": pl.Int32,
            "started_at": UTC_TIME,
            "seconds": pl.Float64,
        },
        key=("run_id",),
        run_facts=("attempt", "started_at", "seconds"),
        journaled=True,
    ),
    Table(
        "ledger",
        "stage × run",
        {
            "run_id": pl.String,
            "stage": pl.String,
            "recipe": pl.String,
            "n_calls": pl.Int64,
            "n_answers": pl.Int64,
            "n_failed": pl.Int64,
            "n_input_tokens": pl.Int64,  # that a language model read
            "n_output_tokens": pl.Int64,
            "usd": pl.Float64,
            "n_parts": pl.Int64,
            "engine": pl.String,
            "seconds": pl.Float64,
            "load_seconds": pl.Float64,
        },
        key=("run_id", "stage", "recipe"),
        run_facts=("n_input_tokens", "n_output_tokens", "usd", "engine", "seconds", "load_seconds"),
    ),
    Table(
        "quality",
        "metric × run",
        {
            "run_id": pl.String,
            "metric": pl.String,
            "value": pl.Float64,
            "n": pl.Int64,
            "about": pl.String,
        },
        key=("run_id", "metric", "about"),
        journaled=True,
    ),
    Table(
        "quarantine",
        "rejected row",
        {
            "source": pl.String,
            "position": pl.Int64,  # from 1: line of a text file, element of a JSON array, row of a table
            "reason": pl.String,
            "row_hash": pl.String,
        },
        key=("source", "position", "reason"),
        journaled=True,
    ),
    Table(
        "source",
        "source",
        {
            "source": pl.String,
            "kind": pl.String,
            "uses": pl.List(pl.String),
            "n_documents": pl.Int64,
            "n_covered": pl.Int64,
            "last_day": pl.Date,
            # ok | too new to tell | stopped | late | volume, scale, mix or collection changed
            "status": pl.String,
            "since": pl.Date,
            "is_held": pl.Boolean,  # claims that rest on it are on hold
            "sentence": pl.String,  # what that means, in plain words
        },
        key=("source",),
    ),
    Table(
        "source_day",
        "source × day",
        {
            "source": pl.String,
            "day": pl.Date,
            "n_arrived": pl.Int64,
            "expected": pl.Float64,  # null: too short a history, or a holiday
            "expected_low": pl.Float64,
            "expected_high": pl.Float64,
            "status": pl.String,
        },
        key=("source", "day"),
    ),
    Table(
        "calendar_event",
        "event",
        {
            "name": pl.String,
            "kind": pl.String,  # holiday | promotion | launch | outage | other
            "start": pl.Date,
            "end": pl.Date,
            "sources": pl.List(pl.String),  # empty: all
        },
        key=("start", "name"),
    ),
)
