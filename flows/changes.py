"""What has changed in a store as of a night: mentions and exposure put together, and tested."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import polars as pl

from analytics.identity import stage_seed
from analytics.insight.backtest import false_alarm_rate
from analytics.insight.mix import without_mix
from analytics.insight.trends import STEADY, days_looked_at, find_changes, without_season
from analytics.insight.windows import EVERYTHING, ITEM, SEGMENT
from analytics.store.registry import GROUP, THEME
from flows.compose import compose_insights, theme_events_of
from flows.interactions import interactions_of
from flows.night import Night
from flows.theme_changes import EMBEDDING_CHANGED

_PLACE = ("subject_kind", "subject")
YEAR = timedelta(days=364)
"""A year of whole weeks."""
BACKTEST_DAYS = 28
N_SHUFFLES = 20
FALSE_ALARMS = "false_alarm_rate"
LONGEST_EVENT = timedelta(days=28)
"""An event that lasts longer is how things are, and nothing to be left out."""
MIN_AGREED = 0.8
"""A theme whose anchors were made anew is compared over that day where so many of its statements stayed."""


def changes_of(night: Night) -> pl.DataFrame:
    """Changes of the last days and steps of the last half year, themes in all their places; CHANGE_ROWS.

    What changed in the same way a year ago, where the store reaches back so far, is season and no change;
    so is no change what the mix of items that people write about, or order, accounts for.
    """
    said, exposure = said_of(night)
    settings = night.settings.trends
    common: Any = {"min_authors": night.settings.store.min_authors}
    found = without_mix(
        find_changes(said, exposure, settings, as_of=night.as_of, **common),
        said,
        exposure,
        as_of=night.as_of,
        n_days=days_looked_at(settings),
        min_ratio=settings.min_ratio,
    )
    then = night.as_of - YEAR
    changed = found.filter(pl.col("kind") != STEADY).select("theme_id").unique()
    of_changed = said.join(changed, on="theme_id", how="semi")
    return without_season(found, find_changes(of_changed, exposure, settings, as_of=then, **common))


def backtested(night: Night) -> tuple[float, date]:
    """How often this store's own weeks, shuffled, tell of a change, and when that was measured.

    It is measured anew every BACKTEST_DAYS; between, the nights say what was measured last.
    """
    quality = night.store.journal.read("quality", night.earlier[-1:]).filter(metric=FALSE_ALARMS)
    if quality.height:
        value, about = quality.select("value", "about").row(0)
        measured = date.fromisoformat(about)
        if (night.as_of - measured).days < BACKTEST_DAYS:
            return float(value), measured
    rate = false_alarm_rate(
        *said_of(night),
        night.settings.trends,
        as_of=night.as_of,
        min_authors=night.settings.store.min_authors,
        n_shuffles=N_SHUFFLES,
        seed=stage_seed(night.settings.store.seed, "backtest"),
    )
    return rate, night.as_of


@lru_cache(maxsize=1)
def said_of(night: Night) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who mentions which theme, where and when, and what that is counted in; sources on hold left out.

    Days of the calendar's events are left out, of mentions and of what they are counted in, and so are
    themes that a change of the embedding model made anew. Of a group of themes its complaints count, and in
    the whole store only: what moves several themes a little, each too little to be sure of, may be sure of
    them together.

    Returns:
        Columns theme_id, document_id, author, day, subject_kind, subject; and those of `exposure_of`.
    """
    insights = compose_insights(night)
    documents = insights.documents.filter("is_covered", ~pl.col("source").is_in(insights.held))
    dated = documents.drop_nulls("day").filter(~_is_event(night))
    places = places_of(dated, not_places=night.settings.drivers.outcomes)
    shown = insights.themes.filter("is_shown", ~pl.col("theme_id").is_in(_made_anew(night)))
    shown = shown.select("theme_id", "level", "parent_id")
    said = insights.opinion_themes.select("opinion_id", "theme_id").join(
        insights.opinions.select("opinion_id", "document_id", "sentiment_label"), on="opinion_id"
    )
    of_themes = said.join(shown.filter(pl.col("level") == THEME), on="theme_id", how="semi")
    groups = shown.filter(pl.col("level") == GROUP).select(group_id="theme_id")
    complaints = (
        said.filter(pl.col("sentiment_label") == "negative")
        .join(shown.select("theme_id", group_id="parent_id"), on="theme_id")
        .join(groups, on="group_id", how="semi")
        .select(theme_id="group_id", document_id="document_id")
    )
    everywhere = places.filter(pl.col("subject_kind") == EVERYTHING)
    placed = [
        rows.select("theme_id", "document_id").unique().join(where, on="document_id")
        for rows, where in ((of_themes, places), (complaints, everywhere))
    ]
    return pl.concat(placed), exposure_of(night, places).filter(~_is_event(night))


def _is_event(night: Night) -> pl.Expr:
    """Whether a day lies in a promotion, a launch or an outage: such days are held against no others."""
    events = [event for event in night.settings.calendar.events if event.end - event.start < LONGEST_EVENT]
    return pl.any_horizontal(
        pl.lit(False), *(pl.col("day").is_between(event.start, event.end) for event in events)
    )


def _made_anew(night: Night) -> list[str]:
    """Themes that another embedding model reads so differently that weeks before and since do not compare."""
    first = night.as_of - timedelta(weeks=night.settings.trends.step_weeks)
    events = theme_events_of(night).filter(
        pl.col("cause") == EMBEDDING_CHANGED, pl.col("as_of") > first, pl.col("agreed_share") < MIN_AGREED
    )
    return events["theme_id"].unique().to_list()


def places_of(documents: pl.DataFrame, *, not_places: Sequence[str] = ()) -> pl.DataFrame:
    """Every document in all places that it belongs to: document_id, author, day, subject_kind, subject.

    Args:
        documents: Columns document_id, author, day, item_id, segments.
        not_places: Names of segments that are no places, such as outcomes.
    """
    known = documents.with_columns(author=pl.coalesce(pl.col("author").cast(pl.String), pl.lit("")))
    base = known.select("document_id", "author", "day", "item_id", "segments")
    everywhere = base.with_columns(subject_kind=pl.lit(EVERYTHING), subject=pl.lit(EVERYTHING))
    of_items = base.drop_nulls("item_id").with_columns(subject_kind=pl.lit(ITEM), subject="item_id")
    of_segments = (
        base.explode("segments")
        .drop_nulls("segments")
        .filter(~pl.col("segments").struct.field("name").is_in(list(not_places)))
        .with_columns(
            subject_kind=pl.lit(SEGMENT),
            subject=pl.format(
                "{}: {}", pl.col("segments").struct.field("name"), pl.col("segments").struct.field("value")
            ),
        )
        .drop_nulls("subject")
    )
    columns = ["document_id", "author", "day", *_PLACE]
    return pl.concat([part.select(columns) for part in (everywhere, of_items, of_segments)])


def counts_orders(night: Night) -> bool:
    """Whether mentions are counted in orders: the settings name them, and the store has some."""
    kinds = night.settings.trends.order_kinds
    return bool(kinds) and bool(interactions_of(night, "insight")["kind"].is_in(kinds).any())


def exposure_of(night: Night, places: pl.DataFrame) -> pl.DataFrame:
    """What mentions are counted in, by place and day: orders where the settings name them, else authors.

    Orders know no segments: those are counted in authors always.

    Returns:
        Columns subject_kind, subject, day, n.
    """
    written = places.unique(["author", "day", *_PLACE]).group_by(*_PLACE, "day").agg(n=pl.len())
    if not counts_orders(night):
        return written.with_columns(pl.col("n").cast(pl.Float64))
    kinds = night.settings.trends.order_kinds
    orders = interactions_of(night, "insight").filter(pl.col("kind").is_in(kinds))
    everywhere = orders.select("day", subject_kind=pl.lit(EVERYTHING), subject=pl.lit(EVERYTHING))
    of_items = orders.drop_nulls("item_id").select("day", subject_kind=pl.lit(ITEM), subject="item_id")
    sold = pl.concat([everywhere, of_items]).group_by(*_PLACE, "day").agg(n=pl.len())
    of_segments = written.filter(pl.col("subject_kind") == SEGMENT)
    return pl.concat([sold, of_segments.select(sold.columns)]).with_columns(pl.col("n").cast(pl.Float64))
