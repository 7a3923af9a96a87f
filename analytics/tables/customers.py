"""What is known of each customer; in a database of its own, opened by fewer people."""

from __future__ import annotations

import polars as pl

from analytics.tables.table import SEGMENTS, UTC_TIME, Table

CUSTOMERS = (
    Table(
        "user",
        "user",
        {"user_id": pl.String, "author_key": pl.String, "segments": SEGMENTS},
        key=("user_id",),
        run_facts=("author_key",),
        database="customers",
    ),
    Table(
        "interaction",
        "interaction",
        {
            "interaction_id": pl.String,
            "user_id": pl.String,
            "item_id": pl.String,
            "kind": pl.String,
            "created_at": UTC_TIME,
            "day": pl.Date,
            "rating_share": pl.Float64,
        },
        key=("interaction_id",),
        database="customers",
    ),
    Table(
        "recommendation",
        "user × rank",
        {
            "user_id": pl.String,
            "rank": pl.Int32,
            "item_id": pl.String,
            "score": pl.Float64,
            "method": pl.String,  # text_profile | popular
            "recipe": pl.String,
        },
        key=("user_id", "rank"),
        database="customers",
        journaled=True,
    ),
    Table(
        "recommendation_evidence",
        "user × rank × reason",
        {
            "user_id": pl.String,
            "rank": pl.Int32,
            "nth": pl.Int32,
            "because_item_id": pl.String,
            "similarity": pl.Float64,
        },
        key=("user_id", "rank", "nth"),
        database="customers",
        journaled=True,
    ),
)
