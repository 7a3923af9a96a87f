"""Changes of the whole store that come from what is written about, and not from what is said of it.

Where customers turn to other items, themes of the old ones fade and themes of the new ones grow, though of no
item more or less is said. What each item's own rate before gives in the mix of items since is the rate that
was to be expected (indirect standardisation, as of death rates by age): only what differs from it is told.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from analytics.insight.trends import FALLING, GONE, NEW, RISING, STEADY
from analytics.insight.windows import EVERYTHING, ITEM

_UP, _DOWN = (NEW, RISING), (FALLING, GONE)


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
    whole = changes.filter(pl.col("subject_kind") == EVERYTHING, pl.col("kind") != STEADY)
    told = whole.select("theme_id", "kind", "since").drop_nulls()
    first = as_of - timedelta(days=n_days - 1)
    held = mentions.filter(pl.col("day").is_between(first, as_of)).join(told, on="theme_id", how="semi")
    if held.filter(subject_kind=ITEM).is_empty():
        return changes
    shown = exposure.filter(pl.col("day").is_between(first, as_of))
    ratio = pl.col("said") / pl.col("expected")
    is_mix = pl.when(pl.col("kind").is_in(_UP)).then(ratio < min_ratio).otherwise(ratio > 1 / min_ratio)
    mixed = (
        pl.concat([_beside_expected(row, held, shown) for row in told.iter_rows(named=True)])
        .filter(is_mix)
        .select("theme_id", was_up=pl.col("kind").is_in(_UP), is_mix=pl.lit(True))
    )
    is_up = pl.when(pl.col("kind").is_in(_UP)).then(True).when(pl.col("kind").is_in(_DOWN)).then(False)
    joined = changes.with_columns(was_up=is_up).join(
        mixed, on=["theme_id", "was_up"], how="left", maintain_order="left"
    )
    is_dropped = pl.col("is_mix").fill_null(False) & (pl.col("subject_kind") != ITEM)
    return joined.with_columns(
        kind=pl.when(is_dropped).then(pl.lit(STEADY)).otherwise("kind"),
        since=pl.when(~is_dropped).then("since"),
    ).drop("was_up", "is_mix")


def _beside_expected(change: dict[str, object], held: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Authors a day that mention a theme since it changed, and how many were to be expected; one row.

    An item's rate before is drawn towards that of all items by as much as one mention, so that one that was
    not there yet is held to the rate of all. What is about no item is one more, counted in the whole store's
    exposure.
    """
    mentions = held.filter(theme_id=change["theme_id"])
    of_items = mentions.filter(subject_kind=ITEM)
    of_none = mentions.filter(subject_kind=EVERYTHING).join(of_items, on="document_id", how="anti")
    is_after = pl.col("day") >= pl.lit(change["since"])
    places = pl.col("subject_kind").is_in([ITEM, EVERYTHING])
    counts = (
        pl.concat([of_items, of_none])
        .unique(["subject_kind", "subject", "author", "day"])
        .group_by("subject_kind", "subject")
        .agg(said=is_after.sum(), said_before=(~is_after).sum())
    )
    exposed = (
        shown.filter(places)
        .group_by("subject_kind", "subject")
        .agg(after=pl.col("n").filter(is_after).sum(), before=pl.col("n").filter(~is_after).sum())
    )
    beside = exposed.join(counts, on=["subject_kind", "subject"], how="left").with_columns(
        pl.col("said", "said_before").fill_null(0)
    )
    is_item = pl.col("subject_kind") == ITEM
    overall = pl.col("said_before").filter(is_item).sum() / pl.col("before").filter(is_item).sum()
    drawn = (pl.col("said_before") + 1) / (pl.col("before") + 1 / overall)
    rate = pl.when(is_item & (overall > 0)).then(drawn).otherwise(pl.col("said_before") / pl.col("before"))
    expected = (rate.fill_nan(0.0) * pl.col("after")).sum()
    return beside.select(
        theme_id=pl.lit(change["theme_id"]),
        kind=pl.lit(change["kind"]),
        said=pl.col("said").sum(),
        expected=expected,
    )
