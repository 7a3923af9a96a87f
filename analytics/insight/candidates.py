"""From changes in many cells to the few things that happened: where each is, since when, told once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl

from analytics.insight.trends import FALLING, GONE, NEW, RISING, STEADY

EVERYTHING, ITEM, SEGMENT = "all", "item", "segment"
MIN_CONCENTRATION = 0.6
"""A change is one of an item, or of a segment, where at least so much of it happened there."""
SAME_TIME = timedelta(days=14)
"""Changes of one place that begin within so many days may be one thing."""
MIN_OVERLAP = 0.2
"""Changes of the whole store are one where so many of the authors who speak of either speak of both."""

_UP = pl.col("kind").is_in([NEW, RISING])
_DIRECTION = pl.when(_UP).then(pl.lit("up")).when(pl.col("kind").is_in([FALLING, GONE])).then(pl.lit("down"))


def locate_changes(changes: pl.DataFrame) -> pl.DataFrame:
    """Each theme's changes in their narrowest place: one row for a theme, a direction and a place.

    Where one item, or one value of a segment, holds most of what a theme has gained or lost a day everywhere,
    the change is told of it; else of everything. What changed in one place alone is told of that place.

    Args:
        changes: As `find_changes` returns them.

    Returns:
        The same columns with direction (up, down) and excess: authors since then beyond what the rate before
        would have given, below 0 where it fell.
    """
    excess = pl.col("n_after") - pl.col("n_before") / pl.col("exposure_before") * pl.col("exposure_after")
    told = changes.filter(pl.col("kind") != STEADY).with_columns(direction=_DIRECTION, excess=excess.round(6))
    daily = pl.col("excess") / pl.col("days_after")
    everywhere = told.filter(subject_kind=EVERYTHING).select("theme_id", "direction", total=daily)
    inside = told.filter(pl.col("subject_kind") != EVERYTHING).join(
        everywhere, on=["theme_id", "direction"], how="left"
    )
    share = daily / pl.col("total")
    narrow = (
        inside.filter((share >= MIN_CONCENTRATION) | pl.col("total").is_null())
        .sort(share.fill_null(1.0), "subject_kind", "subject", descending=[True, True, False])
        .sort("theme_id", maintain_order=True)
    )
    alone = narrow.filter(pl.col("total").is_null())
    best = narrow.filter(pl.col("total").is_not_null()).unique(
        ["theme_id", "direction"], keep="first", maintain_order=True
    )
    chosen = pl.concat([alone, best]).drop("total")
    rest = told.filter(subject_kind=EVERYTHING).join(best, on=["theme_id", "direction"], how="anti")
    return pl.concat([chosen, rest.select(chosen.columns)]).sort(
        "theme_id", "direction", "subject_kind", "subject"
    )


def merge_alike(located: pl.DataFrame, mentions: pl.DataFrame) -> pl.DataFrame:
    """Tell once what several themes say of the same thing: same place, direction and time.

    Args:
        located: As `locate_changes` returns it.
        mentions: Columns theme_id, author: who speaks of what since the first of the changes.

    Returns:
        The largest change of each group, with `others`: the themes that it stands for too.
    """
    speakers = {
        str(theme): set(authors)
        for theme, authors in mentions.group_by("theme_id").agg(pl.col("author").unique()).iter_rows()
    }
    kept: list[dict[str, Any]] = []
    ranked = located.sort(-pl.col("excess").abs(), "theme_id", "subject_kind", "subject", "direction")
    for row in ranked.iter_rows(named=True):
        same = next((one for one in kept if _is_same(one, row, speakers)), None)
        if same is None:
            kept.append({**row, "others": []})
        elif row["theme_id"] not in (same["theme_id"], *same["others"]):
            same["others"].append(row["theme_id"])
    return pl.DataFrame(kept, schema={**located.schema, "others": pl.List(pl.String)})


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any], speakers: Mapping[str, set[Any]]) -> bool:
    place = ("subject_kind", "subject", "direction")
    if any(one[name] != other[name] for name in place):
        return False
    if one["since"] is None or other["since"] is None:
        return False
    if abs(one["since"] - other["since"]) > SAME_TIME:
        return False
    if one["subject_kind"] != EVERYTHING:
        return True
    left, right = (speakers.get(str(row["theme_id"]), set()) for row in (one, other))
    return len(left & right) >= MIN_OVERLAP * max(1, min(len(left), len(right)))
