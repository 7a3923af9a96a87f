"""Every decision that a store has listed, and what people said of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from analytics.settings import Settings
from analytics.store.decision_acts import standings
from analytics.store.layout import Store
from analytics.store.read import active_entry, open_published
from analytics.store.state import DECISION_ACTS
from analytics.tables import ALL
from flows.night import Night, past_night

_NOT_YET_WRITTEN = {"subject_kind": pl.lit(ALL), "since": pl.lit(None, pl.Date)}
"""What nights did not journal that told of everything alone, and not since when."""


def decisions_listed(night: Night) -> pl.DataFrame:
    """Every decision that counting nights have listed, each as it was listed last.

    Returns:
        Columns decision_id, kind, subject_kind, subject, theme_id, since, first_listed (the first of those
        nights); by decision_id.
    """
    journal = night.store.journal
    nights = journal.read("attempt", night.counting).select("_run_id", listed="as_of")
    rows = journal.read("decision", night.counting).join(nights, on="_run_id", maintain_order="left")
    missing = [value.alias(name) for name, value in _NOT_YET_WRITTEN.items() if name not in rows.columns]
    return (
        rows.with_columns(missing)
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
