"""Lists of a night as tables: made anew, or those of the night before as far as they may stand."""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.tables import TABLES
from flows.night import Night
from flows.recommendation_reasons import Praise, praise_of, with_praise
from flows.recommendation_store import Known
from recommender.attribution import Reasons, attribute, named
from recommender.events import Events, place_within
from recommender.model import Listed, Model, recommend_items
from recommender.rules import Removed, Rules, apply_rules

LISTS = ("recommendation", "recommendation_evidence", "recommendation_candidate", "rule_log")
"""Tables that hold a night's lists, as the journal keeps them."""
USERS_AT_ONCE = 5_000
DECIMALS = 6

Tables = dict[str, pl.DataFrame]


def make_lists(night: Night, model: Model, known: Known, rules: Rules, recipe: str) -> Tables:
    """Lists for all customers, reasons for what is on them, and what rules took from them.

    Customers who did nothing yet have the same list, which is made once.

    Args:
        night: The night.
        model: Fitted on all that is known.
        known: Customers, what they did and the items.
        rules: What a list may hold.
        recipe: That names how lists are made.
    """
    events = known.events
    n_kept = night.settings.recommendations.kept_candidates
    active = np.flatnonzero(np.diff(events.start) > 0)
    idle = np.flatnonzero(np.diff(events.start) == 0)
    latest = _latest_events(known)
    parts = [
        _tables_of(model, events.of_users(rows), rules, n_kept, latest)
        for first in range(0, len(active), USERS_AT_ONCE)
        for rows in [active[first : first + USERS_AT_ONCE]]
    ]
    if len(idle):
        one = _tables_of(model, events.of_users(idle[:1]), rules, n_kept, latest)
        users = pl.DataFrame({"user_id": [events.users[row] for row in idle]})
        parts.append({name: users.join(rows.drop("user_id"), how="cross") for name, rows in one.items()})
    lists = {
        name: pl.concat([_empty(name), *(part[name].select(_empty(name).columns) for part in parts)])
        for name in LISTS
    }
    praise = praise_of(night) if lists["recommendation_evidence"].height else Praise.none()
    lists["recommendation_evidence"] = with_praise(
        lists["recommendation_evidence"], lists["recommendation"], known.interactions, praise
    )
    lists["recommendation"] = lists["recommendation"].with_columns(
        recipe=pl.lit(recipe), made_on=pl.lit(night.as_of)
    )
    return {name: TABLES[name].conform(rows) for name, rows in lists.items()}


def last_lists(night: Night, known: Known) -> Tables:
    """The lists that the night before published, without what may not stand tonight.

    What goes: customers who object or are unknown, items that they have by now, that are excluded or gone,
    and reasons that name an event which is no more.
    """
    before = night.earlier[-1:]
    found = {name: night.store.journal.read(name, before).drop("_run_id") for name in LISTS}
    events = known.events
    users = pl.DataFrame({"user_id": events.users}, schema={"user_id": pl.String})
    has = pl.DataFrame(
        {
            "user_id": pl.Series([events.users[row] for row in events.user[events.is_had]], dtype=pl.String),
            "item_id": pl.Series(
                [events.items[one] for one in events.column[events.is_had]], dtype=pl.String
            ),
        }
    )
    excluded = pl.Series(
        "item_id", np.array(events.items, dtype=object)[known.is_excluded].tolist(), pl.String
    )
    stands = {name: rows.join(users, on="user_id", how="semi") for name, rows in found.items()}
    for name in ("recommendation", "recommendation_candidate"):
        left = stands[name].join(has, on=["user_id", "item_id"], how="anti")
        stands[name] = left.filter(~pl.col("item_id").is_in(excluded.implode()))
    listed = stands["recommendation"].sort("user_id", "rank")
    renumbered = listed.with_columns(new=pl.int_range(1, pl.len() + 1).over("user_id").cast(pl.Int32))
    evidence = stands["recommendation_evidence"].join(
        known.interactions.select(interaction_id="id"), on="interaction_id", how="semi"
    )
    stands["recommendation_evidence"] = (
        evidence.join(renumbered.select("user_id", "rank", "new"), on=["user_id", "rank"])
        .with_columns(rank="new")
        .drop("new")
    )
    stands["recommendation"] = renumbered.with_columns(rank="new").drop("new")
    return {name: TABLES[name].conform(rows) for name, rows in stands.items()}


def _empty(name: str) -> pl.DataFrame:
    return TABLES[name].empty().drop("recipe", "made_on", "theme_id", "opinion_id", strict=False)


def _latest_events(known: Known) -> pl.DataFrame:
    """Of each customer and item the latest interaction: user_id, item_id, interaction_id."""
    return (
        known.interactions.sort("created_at", "id", nulls_last=False)
        .group_by("user_id", "item_id")
        .agg(interaction_id=pl.col("id").last())
    )


def _tables_of(model: Model, events: Events, rules: Rules, n_kept: int, latest: pl.DataFrame) -> Tables:
    """The tables of some customers, without what is the same for all lists."""
    kept = recommend_items(model, events, n_kept)
    listed, removed = apply_rules(kept, rules)
    parts = model.parts(listed.features)
    reasons = attribute(model, events, listed, parts)
    users, items = pl.Series(events.users, dtype=pl.String), pl.Series(events.items, dtype=pl.String)
    return {
        "recommendation": _recommendation(listed, parts, users, items),
        "recommendation_evidence": _evidence(reasons, listed, events, users, items, latest),
        "recommendation_candidate": _frame(
            "recommendation_candidate",
            user_id=users.gather(kept.row),
            place=kept.rank,
            item_id=items.gather(kept.column),
            score=np.round(kept.score, DECIMALS),
        ),
        "rule_log": _rule_log(removed, users, items),
    }


def _frame(name: str, **columns: object) -> pl.DataFrame:
    schema = _empty(name).schema
    return pl.DataFrame(columns).select(pl.col(column).cast(dtype) for column, dtype in schema.items())


def _recommendation(
    listed: Listed, parts: dict[str, np.ndarray], users: pl.Series, items: pl.Series
) -> pl.DataFrame:
    names = list(parts)
    strongest = np.argmax(np.stack([parts[name] for name in names]), axis=0)
    return _frame(
        "recommendation",
        user_id=users.gather(listed.row),
        rank=listed.rank,
        item_id=items.gather(listed.column),
        score=np.round(listed.score, DECIMALS),
        method=pl.Series(names, dtype=pl.String).gather(strongest),
    )


def _evidence(
    reasons: Reasons,
    listed: Listed,
    events: Events,
    users: pl.Series,
    items: pl.Series,
    latest: pl.DataFrame,
) -> pl.DataFrame:
    """What is named as the reason for each item: events of the customer, and their shares of what speaks."""
    told = named(reasons)
    rows = pl.DataFrame(
        {
            "user_id": users.gather(listed.row[told.listed]),
            "rank": listed.rank[told.listed],
            "nth": place_within(told.listed) + 1,
            "because_item_id": items.gather(events.column[told.entry]),
            "given": np.round(told.share, DECIMALS),
        }
    )
    known = rows.join(
        latest, left_on=["user_id", "because_item_id"], right_on=["user_id", "item_id"], how="left"
    )
    return _frame("recommendation_evidence", **{name: known[name] for name in known.columns})


def _rule_log(removed: Removed, users: pl.Series, items: pl.Series) -> pl.DataFrame:
    return _frame(
        "rule_log",
        user_id=users.gather(removed.row),
        item_id=items.gather(removed.column),
        rule=pl.Series(removed.rule, dtype=pl.String),
        place=removed.rank,
    )
