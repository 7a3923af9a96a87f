"""Changes that come from what is written about, and not from what is said of it.

Where customers turn to other items, themes of the old ones fade and themes of the new ones grow, though of no
item more or less is said. What each item's own rate before gives in the mix of items since is what was to be
expected (indirect standardisation, as of death rates by age): only what differs from it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from analytics.insight.trends import NEW, RISING, STEADY
from analytics.insight.windows import CELL, EVERYTHING, ITEM

HALF = 0.5
"""Added to counts before they are divided, as one of them may be 0."""


def without_mix(
    changes: pl.DataFrame,
    mentions: pl.DataFrame,
    exposure: pl.DataFrame,
    *,
    as_of: date,
    n_days: int,
    min_ratio: float,
) -> pl.DataFrame:
    """Changes without those of the whole store, and of its segments, that the mix of items accounts for.

    Args:
        changes: As `find_changes` returns them.
        mentions: Columns theme_id, document_id, author, day, subject_kind, subject.
        exposure: Columns subject_kind, subject, day, n.
        as_of: The night.
        n_days: How many days were looked at.
        min_ratio: What is told must be so many times what was to be expected, or one by so many of it.
    """
    told = changes.filter(pl.col("subject_kind") != ITEM, pl.col("kind") != STEADY).drop_nulls("ratio")
    first = as_of - timedelta(days=n_days - 1)
    is_within = pl.col("day").is_between(first, as_of)
    held = mentions.filter(is_within).join(told, on="theme_id", how="semi")
    by_item = held.filter(subject_kind=ITEM).select("document_id", item="subject").unique("document_id")
    shown = exposure.filter(is_within, pl.col("subject_kind").is_in([ITEM, EVERYTHING]))
    mixed = []
    for row in told.iter_rows(named=True):
        usual = row["n_before"] / row["exposure_before"] * row["exposure_after"]
        expected = usual * _ratio_of_mix(row, held, by_item, shown)
        beyond = (row["n_after"] + HALF) / (expected + HALF)
        if beyond < min_ratio if row["kind"] in (NEW, RISING) else beyond > 1 / min_ratio:
            mixed.append(tuple(row[name] for name in CELL))
    cells = pl.DataFrame(mixed, schema=dict.fromkeys(CELL, pl.String), orient="row")
    joined = changes.join(
        cells.with_columns(is_mix=True), on=list(CELL), how="left", maintain_order="left"
    ).with_columns(pl.col("is_mix").fill_null(False))
    return joined.with_columns(
        kind=pl.when("is_mix").then(pl.lit(STEADY)).otherwise("kind"),
        since=pl.when(~pl.col("is_mix")).then("since"),
    ).drop("is_mix")


def _ratio_of_mix(
    change: Mapping[str, Any], held: pl.DataFrame, by_item: pl.DataFrame, shown: pl.DataFrame
) -> float:
    """How many times as often a theme would be mentioned by the mix alone, at each item's rate before.

    An item's rate before is drawn by as much as one mention: where a theme rises to the rate of all items,
    so that one that was not there yet is held to that; where it falls to the item's own rate since, as one
    that was not there yet took nothing away. What is about no item is one more, counted in the whole store's
    exposure. Of a segment its own mentions count, in the exposure of the items everywhere.
    """
    is_before = pl.col("day") < pl.lit(change["since"])
    said = (
        held.filter(*(pl.col(name) == change[name] for name in CELL))
        .join(by_item, on="document_id", how="left")
        .unique(["item", "author", "day"])
        .with_columns(subject=pl.col("item").fill_null(EVERYTHING))
        .group_by("subject")
        .agg(said=is_before.sum(), said_since=(~is_before).sum())
    )
    exposed = shown.group_by("subject_kind", "subject").agg(
        before=pl.col("n").filter(is_before).sum(), after=pl.col("n").filter(~is_before).sum()
    )
    items = exposed.join(said, on="subject", how="left").with_columns(
        pl.col("said", "said_since").fill_null(0)
    )
    is_item = pl.col("subject_kind") == ITEM
    of_items = items.filter(is_item)
    n_said, before = float(of_items["said"].sum()), float(of_items["before"].sum())
    none = items.filter(~is_item)
    others = float((none["said"] / none["before"] * none["after"]).fill_nan(0.0).sum())
    if not n_said or not before:
        return 1.0
    overall = n_said / before
    rises = change["kind"] in (NEW, RISING)
    own = (of_items["said_since"] / of_items["after"]).fill_nan(overall) / overall
    drawn = (of_items["said"] + (1 if rises else own)) / (of_items["before"] + 1 / overall)
    by_mix, by_rate = float((drawn * of_items["after"]).sum()), overall * float(of_items["after"].sum())
    return (by_mix + others) / max(by_rate + others, 1e-9)
