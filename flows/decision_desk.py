"""Every decision that a store has listed, and what people said of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from analytics.insight.windows import ITEM, SEGMENT
from analytics.settings import Settings
from analytics.store.decision_acts import standings
from analytics.store.journal import Attempt
from analytics.store.layout import Store
from analytics.store.read import active_entry, open_published
from analytics.store.state import DECISION_ACTS
from analytics.tables import ALL
from flows.night import Night, past_night


def decisions_listed(night: Night, attempts: Sequence[Attempt] | None = None) -> pl.DataFrame:
    """Every decision that counting nights have listed, each as it was listed last.

    Args:
        night: The night.
        attempts: Those of the nights; all that count for `night`, itself included, when left out.

    Returns:
        Columns decision_id, kind, subject_kind, subject, theme_id, since, first_listed (the first of those
        nights); by decision_id.
    """
    journal, attempts = night.store.journal, night.counting if attempts is None else attempts
    nights = journal.read("attempt", attempts).select("_run_id", listed="as_of")
    rows = journal.read("decision", attempts).join(nights, on="_run_id", maintain_order="left")
    place = pl.coalesce("item_id", "segment", pl.lit(ALL))
    kind_of_place = (
        pl.when(pl.col("item_id").is_not_null())
        .then(pl.lit(ITEM))
        .when(pl.col("segment").is_not_null())
        .then(pl.lit(SEGMENT))
        .otherwise(pl.lit(ALL))
    )
    return (
        rows.with_columns(subject_kind=kind_of_place, subject=place)
        .group_by("decision_id", maintain_order=True)
        .agg(
            pl.col("kind", "subject_kind", "subject", "theme_id", "since").last(),
            first_listed=pl.col("listed").min(),
        )
        .sort("decision_id")
    )


def standings_of(night: Night) -> pl.DataFrame:
    """How decisions stand by what people had said when the night began; STANDING_ROWS."""
    return standings(night.store.state.log(DECISION_ACTS, night.state_sequence), today=night.as_of)


@dataclass(frozen=True)
class DecisionDesk:
    """The decisions that a person can name, and where what is said of them is written."""

    store: Store
    listed: pl.DataFrame
    """Those of `decisions_listed`, with rank and sentence of those that the published night shows."""
    today: date
    """Of the store's time zone."""


def open_decision_desk(settings: Settings) -> DecisionDesk:
    """Read what was listed up to the night that is published.

    Raises:
        NotPublished: no night has been published in this store.
    """
    night = past_night(settings, active_entry(settings.data_dir).generation)
    published = open_published(settings.data_dir)
    try:
        shown = published.query('SELECT decision_id, "rank", sentence FROM decision')
    finally:
        published.close()
    listed = decisions_listed(night).join(shown, on="decision_id", how="left", maintain_order="left")
    return DecisionDesk(night.store, listed, local_today(settings))


def local_today(settings: Settings) -> date:
    """Today in the store's time zone."""
    return datetime.now(ZoneInfo(settings.store.time_zone)).date()
