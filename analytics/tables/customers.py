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
            "score": pl.Float64,  # probability that it is taken next; one scale for items old and new
            "method": pl.String,  # generator that gave most: linear | follows | next | words | popular …
            "made_on": pl.Date,  # night that made the list: an earlier one where tonight's is withheld
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
            "because_item_id": pl.String,  # that the customer has
            "interaction_id": pl.String,  # of the customer's latest event with it
            "given": pl.Float64,  # its share of what speaks for the item
            "theme_id": pl.String,  # that reviewers praise in the item, and the customer in the other
            "opinion_id": pl.String,  # the customer's own praise
        },
        key=("user_id", "rank", "nth"),
        database="customers",
        journaled=True,
    ),
    Table(
        "recommendation_candidate",
        "user × place",
        {
            "user_id": pl.String,
            "place": pl.Int32,  # before rules
            "item_id": pl.String,
            "score": pl.Float64,
        },
        key=("user_id", "place"),
        database="customers",
        journaled=True,
    ),
    Table(
        "rule_log",
        "user × item",
        {
            "user_id": pl.String,
            "item_id": pl.String,
            "rule": pl.String,  # excluded | variant | diversity | new_items
            "place": pl.Int32,  # that it would have had on the list
        },
        key=("user_id", "item_id"),
        database="customers",
        journaled=True,
    ),
)
