"""Interactions as numbers: order, weights, floods, and who is who."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recommender.events import MAX_PER_DAY, Events, read_events, taste

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
SCHEMA = {
    "user_id": pl.String,
    "item_id": pl.String,
    "created_at": pl.Datetime("us", "UTC"),
    "rating_share": pl.Float64,
    "kind": pl.String,
}


def events(*rows: tuple, users: tuple[str, ...] = (), **more) -> Events:
    """Rows of user, item, day (None: unknown), rating, kind."""
    told = [
        (user, item, None if day is None else FIRST + timedelta(days=day), *rest, *(None,) * (2 - len(rest)))
        for user, item, day, *rest in rows
    ]
    frame = pl.DataFrame(told, schema=SCHEMA, orient="row")
    return read_events(frame, ["kettle", "pan", "tent"], users, **more)


def told_of(made: Events, user: str) -> list[tuple[str, float]]:
    row = made.users.index(user)
    entries = range(made.start[row], made.start[row + 1])
    return [(made.items[made.column[one]], round(float(made.weight[one]), 2)) for one in entries]


def test_each_item_of_a_customer_once_at_its_latest_time_oldest_first() -> None:
    made = events(("ann", "pan", 3), ("ann", "kettle", 5), ("ann", "tent", None), ("ann", "kettle", 1))
    assert told_of(made, "ann") == [("tent", 1.0), ("pan", 1.0), ("kettle", 1.0)]
    assert made.back.tolist() == [2, 1, 0]


def test_ratings_are_signed_and_the_last_one_counts() -> None:
    made = events(
        ("ann", "pan", 1, 1.0), ("ann", "tent", 2, 0.25), ("ann", "kettle", 3, 1.0), ("ann", "kettle", 4, 0.0)
    )
    assert told_of(made, "ann") == [("pan", 1.0), ("tent", 0.0), ("kettle", -0.33)]


def test_kinds_weigh_as_the_settings_say() -> None:
    rows = [
        ("ann", "pan", 1, None, "view"),
        ("ann", "tent", 2, None, "order"),
        ("bob", "pan", 1, None, "return"),
    ]
    made = events(*rows, kind_weights={"view": 0.2, "return": -1.0})
    assert told_of(made, "ann") == [("pan", 0.2), ("tent", 1.0)]
    assert told_of(made, "bob") == [("pan", -1.0)]


def test_what_was_given_back_last_counts_against_it() -> None:
    rows = [("ann", "pan", 1, None, "order"), ("ann", "pan", 9, None, "return")]
    weights = {"return": -1.0}
    assert told_of(events(*rows, kind_weights=weights), "ann") == [("pan", -1.0)]
    assert told_of(events(*rows, ("ann", "pan", 20, None, "order"), kind_weights=weights), "ann") == [
        ("pan", 1.0)
    ]


def test_what_a_customer_only_looked_at_is_not_his() -> None:
    rows = [
        ("ann", "pan", 1, None, "view"),
        ("ann", "tent", 2, None, "view"),
        ("ann", "tent", 3, None, "order"),
    ]
    made = events(*rows, kind_weights={"view": 0.2}, passing_kinds=["view"])
    assert made.has.tolist() == [[False, False, True]]
    assert told_of(made, "ann") == [("pan", 0.2), ("tent", 1.0)]


def test_customers_and_items_without_events_have_their_place() -> None:
    made = events(("bob", "mug", 1), users=("ann", "cem"))
    assert made.users == ["ann", "bob", "cem"]
    assert made.items == ["kettle", "pan", "tent", "mug"]
    assert np.diff(made.start).tolist() == [0, 1, 0]
    assert made.of_users(np.array([1, 0])).users == ["bob", "ann"]


def test_nothing_is_learned_from_a_machine() -> None:
    flood = [("bot", f"item{n}", 1 + n / 1e4) for n in range(MAX_PER_DAY + 1)]
    made = events(*flood, ("ann", "pan", 1))
    assert dict(zip(made.users, made.is_learned, strict=True)) == {"ann": True, "bot": False}


def test_a_taste_looks_at_the_last_items_and_the_latest_days_most() -> None:
    made = events(("ann", "pan", 0), ("ann", "tent", 90), ("ann", "kettle", 180))
    now = float(made.time[-1])
    assert taste(made, recency=0.5, half_life_days=None, now=now).tolist() == [0.25, 0.5, 1.0]
    assert taste(made, recency=0.0, half_life_days=None, now=now).tolist() == [0.0, 0.0, 1.0]
    aged = taste(made, recency=1.0, half_life_days=90, now=now)
    assert aged.tolist() == pytest.approx([0.25, 0.5, 1.0])


def test_the_order_of_rows_changes_nothing() -> None:
    rows = [("ann", "pan", 1), ("ann", "tent", 1), ("bob", "mug", 2, 0.5), ("bob", "jar", None)]
    one, other = events(*rows), events(*reversed(rows))
    assert one.users == other.users
    assert one.items == other.items
    assert one.column.tolist() == other.column.tolist()
