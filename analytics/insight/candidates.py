"""From changes in many cells to the few things that happened: where each is, since when, told once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from analytics.insight.trends import FALLING, GONE, NEW, RISING, STEADY
from analytics.insight.windows import EVERYTHING, SEGMENT

MIN_CONCENTRATION = 0.6
"""A change is one of an item, or of a segment, where at least so much of it happened there."""
MIN_BEYOND_USUAL, FEW = 0.2, 5
"""A segment that nearly everybody is in holds most of every change: it must hold so much more than before."""
SAME_TIME = timedelta(days=14)
"""Changes of one place that begin within so many days may be one thing."""
MIN_OVERLAP = 0.2
"""Changes may be one where so many of the authors who speak of either speak of both."""
MIN_OVERLAP_ELSEWHERE = 0.5
"""The same, where one is told of a place and the other of the whole store."""
MIN_LIFT = 1.5
"""Who speaks of two things of the whole store must be so many times more than would by chance."""

UP, DOWN = "up", "down"
_DIRECTION = (
    pl.when(pl.col("kind").is_in([NEW, RISING]))
    .then(pl.lit(UP))
    .when(pl.col("kind").is_in([FALLING, GONE]))
    .then(pl.lit(DOWN))
)


def locate_changes(changes: pl.DataFrame) -> pl.DataFrame:
    """Each theme's changes in their narrowest place: one row for a theme, a direction and a place.

    Where one item, or one value of a segment, holds most of what a theme has gained or lost a day everywhere,
    the change is told of it, of a segment only where that holds more of it than of the theme before; else of
    everything. What changed in one place alone is told of that place.

    Args:
        changes: As `find_changes` returns them.

    Returns:
        The same columns with direction (up, down) and excess: authors since then beyond what the rate before
        would have given, below 0 where it fell.
    """
    excess = pl.col("n_after") - pl.col("n_before") / pl.col("exposure_before") * pl.col("exposure_after")
    told = changes.filter(pl.col("kind") != STEADY).with_columns(direction=_DIRECTION, excess=excess.round(6))
    daily = pl.col("excess") / pl.col("days_after")
    everywhere = told.filter(subject_kind=EVERYTHING).select(
        "theme_id", "direction", total=daily, n_before_everywhere="n_before"
    )
    inside = told.filter(pl.col("subject_kind") != EVERYTHING).join(
        everywhere, on=["theme_id", "direction"], how="left"
    )
    share = daily / pl.col("total")
    usual = pl.col("n_before") / (pl.col("n_before_everywhere") + FEW)
    is_large = (pl.col("subject_kind") == SEGMENT) & (share < usual + MIN_BEYOND_USUAL)
    narrow = (
        inside.filter(((share >= MIN_CONCENTRATION) & ~is_large) | pl.col("total").is_null())
        .sort(share.fill_null(1.0), "subject_kind", "subject", descending=[True, True, False])
        .sort("theme_id", maintain_order=True)
    )
    alone = narrow.filter(pl.col("total").is_null())
    best = narrow.filter(pl.col("total").is_not_null()).unique(
        ["theme_id", "direction"], keep="first", maintain_order=True
    )
    chosen = pl.concat([alone, best]).drop("total", "n_before_everywhere")
    rest = told.filter(subject_kind=EVERYTHING).join(best, on=["theme_id", "direction"], how="anti")
    return pl.concat([chosen, rest.select(chosen.columns)]).sort(
        "theme_id", "direction", "subject_kind", "subject"
    )


def narrow_groups(located: pl.DataFrame, parents: Mapping[str, str]) -> pl.DataFrame:
    """Without the changes of groups of themes that their own themes tell: most of it happened in them.

    A theme tells it where it is told of a narrower place, or is at least as sure as the group.

    Args:
        located: As `locate_changes` returns it.
        parents: Theme to its group.
    """
    group = pl.col("theme_id").replace_strict(dict(parents), default=None, return_dtype=pl.String)
    groups = located.filter(subject_kind=EVERYTHING).select("theme_id", "direction", sure="p_value")
    is_better = (pl.col("subject_kind") != EVERYTHING) | (pl.col("p_value") <= pl.col("sure"))
    told = (
        located.with_columns(theme_id=group)
        .join(groups, on=["theme_id", "direction"])
        .filter(is_better)
        .group_by("theme_id", "direction")
        .agg(told=pl.col("excess").sum())
    )
    held = located.join(told, on=["theme_id", "direction"], how="left", maintain_order="left")
    is_told = (pl.col("told") / pl.col("excess") >= MIN_CONCENTRATION).fill_null(False)
    return held.filter(~is_told).drop("told")


def merge_alike(
    located: pl.DataFrame, mentions: pl.DataFrame, parents: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Tell once what several themes say of the same thing: same place and direction, same time or people.

    Args:
        located: As `locate_changes` returns it.
        mentions: Columns theme_id, direction, author: who speaks of what, of what went up since the first of
            the changes, of what went down before the last of them.
        parents: Theme to its group; a theme and its group say the same.

    Returns:
        The surest change of each group, with `others`: the themes that it stands for too. The largest may
        be a broad theme that took in some of what was said.
    """
    spoken = mentions.group_by("theme_id", "direction").agg(pl.col("author").unique())
    speakers = {
        direction: {theme: set(authors) for theme, authors in said.drop("direction").iter_rows()}
        for (direction,), said in spoken.partition_by("direction", as_dict=True).items()
    }
    n_speakers = dict(mentions.group_by("direction").agg(pl.col("author").n_unique()).iter_rows())
    kept: list[dict[str, Any]] = []
    ranked = located.sort(
        "p_value", -pl.col("excess").abs(), "theme_id", "subject_kind", "subject", "direction"
    )
    for row in ranked.iter_rows(named=True):
        direction = row["direction"]
        people = _People(speakers.get(direction, {}), n_speakers.get(direction, 0))
        same = next((one for one in kept if _is_same(one, row, people, parents or {})), None)
        if same is None:
            kept.append({**row, "others": []})
        elif row["theme_id"] not in (same["theme_id"], *same["others"]):
            same["others"].append(row["theme_id"])
    return pl.DataFrame(kept, schema={**located.schema, "others": pl.List(pl.String)})


@dataclass(frozen=True)
class _People:
    """Who speaks of each theme, and how many speak of anything."""

    speakers: Mapping[str, set[Any]]
    n: int

    def overlap(self, one: str, other: str) -> tuple[float, float]:
        """Share of the fewer speakers who speak of both, and how many times more than chance that is."""
        said = self.speakers.get(one, set()), self.speakers.get(other, set())
        n_both, sizes = len(said[0] & said[1]), [max(1, len(speakers)) for speakers in said]
        return n_both / min(sizes), n_both * self.n / (sizes[0] * sizes[1])


def _is_same(
    one: Mapping[str, Any], other: Mapping[str, Any], people: _People, parents: Mapping[str, str]
) -> bool:
    is_same_place = all(one[name] == other[name] for name in ("subject_kind", "subject"))
    is_wider = EVERYTHING in (one["subject_kind"], other["subject_kind"])
    if one["direction"] != other["direction"] or not (is_same_place or is_wider):
        return False
    left, right = one["theme_id"], other["theme_id"]
    if parents.get(left) == right or parents.get(right) == left:
        return True
    if one["since"] is None or other["since"] is None:
        return False
    is_same_time = abs(one["since"] - other["since"]) <= SAME_TIME
    overlap, lift = people.overlap(left, right)
    if is_wider:
        least = MIN_OVERLAP if is_same_place else MIN_OVERLAP_ELSEWHERE
        return is_same_time and overlap >= least and lift >= MIN_LIFT
    return is_same_time or overlap >= MIN_OVERLAP


def with_rates(located: pl.DataFrame, *, min_authors: int) -> pl.DataFrame:
    """Changes with rate_before and rate_after, authors per 1,000 of the exposure, as they may be told.

    A rate behind which there is somebody, and fewer than `min_authors`, is null, and so are the ratio and its
    interval, from which it would follow.

    Args:
        located: Columns n_before, n_after, exposure_before, exposure_after, ratio, ratio_low, ratio_high.
        min_authors: Fewest distinct authors behind a figure.
    """
    sides = ("before", "after")
    is_few = {side: pl.col(f"n_{side}").is_between(1, min_authors - 1) for side in sides}
    rate = {side: 1000 * pl.col(f"n_{side}") / pl.col(f"exposure_{side}") for side in sides}
    is_told = ~(is_few["before"] | is_few["after"])
    return located.with_columns(
        *(pl.when(~is_few[side]).then(rate[side].round(2)).alias(f"rate_{side}") for side in sides),
        *(pl.when(is_told).then(pl.col(name).round(2)).alias(name) for name in _RATIOS),
    )


_RATIOS = ("ratio", "ratio_low", "ratio_high")
