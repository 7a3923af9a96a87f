"""Decisions: the few things that a morning should act on, each with its size and how sure it is.

Three findings ask for one: a rate that changed, a theme that harms what customers do, and an item that a
group loves and few see. They are ranked by how many people a month they touch, times the probability that
they are real; what people called wrong weighs less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from analytics import identity
from analytics.insight.drivers import HARM, RATING, REPURCHASE
from analytics.insight.trends import FALLING, GONE, NEW, RISING
from analytics.insight.windows import ITEM, SEGMENT
from analytics.rows import EPISODE_ROWS
from analytics.tables import ALL

FIX, WATCH, KEEP, PROMOTE = "fix", "watch", "keep", "promote"
CHANGE, EFFECT, LOVED = "change", "effect", "loved"
MONTH_DAYS = 30
VERY_LIKELY_Q = 0.01
"""Where at most one such finding in a hundred is chance, it is very likely; otherwise likely."""

MIN_EFFECT = 0.02
"""A harm to be mended is at least so much of the outcome's scale: .08 of the points from 1 to 5 stars."""

WHAT = ("kind", "subject", "theme_id")
"""What an identity is made of, beside the episode."""

FOUND_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String,
    "subject": pl.String,  # what the identity is made of
    "item_id": pl.String,
    "segment": pl.String,  # name: value
    "theme_id": pl.String,
    "other_themes": pl.List(pl.String),  # that say the same
    "basis": pl.String,  # change | effect | loved
    "finding": pl.String,  # new | rising | falling | gone | harmful | loved
    "outcome": pl.String,  # of an effect
    "size": pl.Float64,  # times as often | change of the outcome | lead on the rating scale; null: new
    "size_low": pl.Float64,
    "size_high": pl.Float64,
    "rate_before": pl.Float64,  # per 1,000 of the exposure; of an effect the mean outcome
    "rate_after": pl.Float64,
    "people_a_month": pl.Float64,
    "probability": pl.Float64,  # that it is no chance: 1 - q
    "certainty": pl.String,  # very likely | likely
    "since": pl.Date,
    "window_start": pl.Date,
    "window_end": pl.Date,
}


@dataclass(frozen=True)
class Ranked:
    """A night's decisions by rank, and the episodes as they stand after it."""

    decisions: pl.DataFrame
    episodes: pl.DataFrame


def from_changes(
    located: pl.DataFrame,
    drivers: pl.DataFrame,
    parents: Mapping[str, str],
    *,
    as_of: date,
    weeks: int,
    false_rate: float,
) -> pl.DataFrame:
    """What asks for a decision because its rate changed; FOUND_ROWS.

    More of what lowers ratings, or harms what customers do, is to be fixed, where it is complaint (which the
    caller sees); more of anything else is to be watched; less of what raises ratings is to be kept. Less of a
    complaint asks for nothing.

    Args:
        located: As `with_rates` returns it.
        drivers: As the flow's table driver.
        parents: Theme to its group; complaints of a group harm where one of its themes does.
        as_of: The night.
        weeks: How far back one reads what is said less.
        false_rate: Greatest q of an effect that counts.
    """
    sure = drivers.filter(pl.col("q_value") <= false_rate)
    harmful, loved = set(_harmful(sure)["theme_id"]), set(_helpful(sure)["theme_id"])
    harmful |= {parents[theme] for theme in harmful if theme in parents}
    first_day = as_of - timedelta(weeks=weeks) + timedelta(days=1)
    rows = []
    for row in located.iter_rows(named=True):
        themes = {row["theme_id"], *row["others"]}
        if row["kind"] in (NEW, RISING):
            kind = FIX if themes & harmful else WATCH
        elif row["kind"] in (FALLING, GONE) and themes & loved:
            kind = KEEP
        else:
            continue
        n_days = max(7, (as_of - row["since"]).days + 1)
        rows.append(
            {
                "kind": kind,
                "subject": subject_of(row["subject_kind"], row["subject"]),
                "item_id": row["subject"] if row["subject_kind"] == ITEM else None,
                "segment": row["subject"] if row["subject_kind"] == SEGMENT else None,
                "theme_id": row["theme_id"],
                "other_themes": sorted(row["others"]),
                "basis": CHANGE,
                "finding": row["kind"],
                "size": row["ratio"],
                "size_low": row["ratio_low"],
                "size_high": row["ratio_high"],
                "rate_before": row["rate_before"],
                "rate_after": row["rate_after"],
                "people_a_month": abs(row["excess"]) / n_days * MONTH_DAYS,
                "probability": 1 - row["q_value"],
                "since": row["since"],
                "window_start": first_day if kind == KEEP else row["since"],
                "window_end": as_of,
            }
        )
    return _found(rows)


def from_effects(
    drivers: pl.DataFrame, parents: Mapping[str, str], *, as_of: date, weeks: int, false_rate: float
) -> pl.DataFrame:
    """Themes that harm what customers do next, or where a store knows no such thing, their ratings.

    Of several themes of one group that do the same harm, the one that touches most people is told; harms
    below MIN_EFFECT are not.

    Args:
        drivers: As the flow's table driver.
        parents: Theme to its group.
        as_of: The night.
        weeks: How long the documents behind the effects reach back at most.
        false_rate: Greatest q that counts.
    """
    knows_deeds = drivers["outcome_kind"].is_in([HARM, REPURCHASE]).any()
    sure = _harmful(drivers.filter(pl.col("q_value") <= false_rate))
    sure = sure.filter(pl.col("effect").abs() >= MIN_EFFECT * pl.col("scale"))
    if knows_deeds:
        sure = sure.filter(pl.col("outcome_kind") != RATING)
    touched = pl.col("effect").abs() / pl.col("scale") * pl.col("n_documents") * pl.col("share")
    ranked = sure.with_columns(touched=touched).sort("touched", "theme_id", descending=[True, False])
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for row in ranked.iter_rows(named=True):
        group = parents.get(row["theme_id"]) or row["theme_id"]
        told = kept.get((row["outcome"], group))
        if told is not None:
            told["other_themes"].append(row["theme_id"])
            told["people_a_month"] += row["touched"] / (weeks * 7) * MONTH_DAYS
            continue
        kept[row["outcome"], group] = {
            "kind": FIX,
            "subject": ALL,
            "theme_id": row["theme_id"],
            "other_themes": [],
            "basis": EFFECT,
            "finding": "harmful",
            "outcome": row["outcome"],
            "size": row["effect"],
            "size_low": row["effect_low"],
            "size_high": row["effect_high"],
            "rate_before": row["mean_outcome"],
            "people_a_month": row["touched"] / (weeks * 7) * MONTH_DAYS,
            "probability": 1 - row["q_value"],
            "window_start": as_of - timedelta(weeks=weeks) + timedelta(days=1),
            "window_end": as_of,
        }
    return _found(list(kept.values()))


def from_loved(loved: pl.DataFrame, *, as_of: date, weeks: int) -> pl.DataFrame:
    """Items to promote; FOUND_ROWS.

    Args:
        loved: As `find_loved` returns it, with theme_id: what they are loved for.
        as_of: The night.
        weeks: How long the ratings reach back.
    """
    rows = [
        {
            "kind": PROMOTE,
            "subject": f"item {row['item_id']}, {row['segment']}",
            "item_id": row["item_id"],
            "segment": row["segment"],
            "theme_id": row["theme_id"],
            "other_themes": [],
            "basis": LOVED,
            "finding": "loved",
            "size": row["lead"],
            "size_low": row["lead_low"],
            "size_high": row["lead_high"],
            "rate_before": 1000 * row["seen_share"],
            "rate_after": row["rating_share"],
            "people_a_month": row["n_authors"] / (weeks * 7) * MONTH_DAYS,
            "probability": 1 - row["q_value"],
            "window_start": as_of - timedelta(weeks=weeks) + timedelta(days=1),
            "window_end": as_of,
        }
        for row in loved.iter_rows(named=True)
    ]
    return _found(rows)


def rank_decisions(
    found: pl.DataFrame,
    earlier: pl.DataFrame,
    *,
    going_on: set[tuple[str, str, str]],
    survivors: Mapping[str, str],
    weights: Mapping[str, float],
    max_decisions: int,
    run_id: str,
) -> Ranked:
    """Put what was found in order, and give each its identity.

    Args:
        found: FOUND_ROWS of all kinds, with whatever else travels along.
        earlier: As `episodes` of the run before; empty at first.
        going_on: Kind, subject and theme of what tonight neither finds nor rules out; an episode of one of
            them stays open, so that a decision keeps its id over an unsure night.
        survivors: Themes that went into others, each to the one that it is now; a decision keeps the id that
            it was born with.
        weights: Of each kind, what people's saying that one was wrong leaves of its rank.
        max_decisions: At most so many are listed.
        run_id: The run that lists them.
    """
    weight = pl.col("kind").replace_strict(dict(weights), default=1.0, return_dtype=pl.Float64)
    score = (pl.col("people_a_month") * pl.col("probability") * weight).round(6)
    ranked = _told_once(found.with_columns(score=score)).sort(
        ["score", "kind", "subject", "theme_id"], descending=[True, False, False, False]
    )
    listed = ranked.head(max_decisions).with_row_index("rank", offset=1)
    episodes = _episodes(listed, ranked, earlier, going_on, survivors, run_id)
    born = episodes.filter("is_open").with_columns(pl.col("theme_id").replace(dict(survivors)))
    named = listed.join(born.unique(list(WHAT)), on=list(WHAT), maintain_order="left")
    return Ranked(named, episodes)


def subject_of(place_kind: str, place: str) -> str:
    """What a place is called in the identity of a decision."""
    return f"item {place}" if place_kind == ITEM else place if place_kind == SEGMENT else ALL


def still_open(changes: pl.DataFrame, drivers: pl.DataFrame) -> set[tuple[str, str, str]]:
    """Kind, subject and theme of all that tonight does not rule out: the same side of no change, if unsure.

    Args:
        changes: Every cell tested, told or steady.
        drivers: Every effect measured.
    """
    found = set()
    for place_kind, place, theme, ratio in changes.select(
        "subject_kind", "subject", "theme_id", "ratio"
    ).iter_rows():
        kinds = (KEEP,) if ratio is not None and ratio < 1 else (FIX, WATCH)
        found |= {(kind, subject_of(place_kind, place), theme) for kind in kinds}
    is_harm = pl.col("outcome_kind") == HARM
    leans = drivers.filter(pl.when(is_harm).then(pl.col("effect") > 0).otherwise(pl.col("effect") < 0))
    return found | {(FIX, ALL, theme) for theme in leans["theme_id"]}


def _told_once(found: pl.DataFrame) -> pl.DataFrame:
    """Without what another finding says of the same theme and item: a change speaks before an effect."""
    order = pl.col("basis").replace_strict({CHANGE: 0, LOVED: 1, EFFECT: 2}, return_dtype=pl.Int8)
    ordered = found.sort(order, pl.col("score"), descending=[False, True])
    return ordered.unique(["theme_id", "item_id"], keep="first", maintain_order=True)


def _harmful(drivers: pl.DataFrame) -> pl.DataFrame:
    """Effects that are surely bad: more harm, fewer orders, lower ratings."""
    is_harm = pl.col("outcome_kind") == HARM
    is_good = pl.col("outcome_kind").is_in([REPURCHASE, RATING])
    return drivers.filter((is_harm & (pl.col("effect_low") > 0)) | (is_good & (pl.col("effect_high") < 0)))


def _helpful(drivers: pl.DataFrame) -> pl.DataFrame:
    return drivers.filter(pl.col("outcome_kind") == RATING, pl.col("effect_low") > 0)


def _found(rows: list[dict[str, Any]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=FOUND_ROWS, orient="row")
    is_very = pl.col("probability") >= 1 - VERY_LIKELY_Q
    certainty = pl.when(is_very).then(pl.lit("very likely")).otherwise(pl.lit("likely"))
    numbers = pl.col(name for name, dtype in FOUND_ROWS.items() if dtype == pl.Float64)
    return frame.with_columns(certainty=certainty).with_columns(numbers.round(6))


def _episodes(
    listed: pl.DataFrame,
    ranked: pl.DataFrame,
    earlier: pl.DataFrame,
    going_on: set[tuple[str, str, str]],
    survivors: Mapping[str, str],
    run_id: str,
) -> pl.DataFrame:
    """Every episode after this night: going on, begun, begun again or ended."""
    is_asking = set(ranked.select(WHAT).iter_rows())
    rows: list[dict[str, Any]] = []
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in earlier.select(list(EPISODE_ROWS)).sort(*WHAT, "episode").iter_rows(named=True):
        theme = survivors.get(row["theme_id"], row["theme_id"])
        key = (row["kind"], row["subject"], theme)
        goes_on = key in is_asking or key in going_on
        row["is_open"] = row["is_open"] and goes_on
        rows.append(row)
        last[key] = row
    for kind, subject, theme in listed.select(WHAT).iter_rows():
        known = last.get((kind, subject, theme))
        if known is None or not known["is_open"]:
            episode = known["episode"] + 1 if known else 1
            rows.append(
                {
                    "kind": kind,
                    "subject": subject,
                    "theme_id": theme,
                    "episode": episode,
                    "is_open": True,
                    "decision_id": identity.decision_id(kind, subject, theme, episode),
                    "first_run": run_id,
                }
            )
    return pl.DataFrame(rows, schema=EPISODE_ROWS, orient="row").sort(*WHAT, "episode")
