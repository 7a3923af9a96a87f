"""The weeks of a theme: one chart, what it shows, and what it leaves out."""

from __future__ import annotations

import streamlit as st

from analytics.tables import ALL
from dashboard import charts, queries
from dashboard.queries import Night

EVERYTHING = (ALL, ALL)
"""The segment that holds all documents."""


def show(night: Night, theme_id: str, segment: tuple[str, str] = EVERYTHING, source: str = ALL) -> None:
    """Weekly shares of a theme in a segment and a source, with all documents behind it."""
    weeks = queries.weeks(night, theme_id, segment, source)
    if weeks["share"].drop_nulls().is_empty():
        st.info(f"No week can be shown here: {why_hidden(night)}.", icon=":material/bedtime:")
        return
    is_split = segment != EVERYTHING or source != ALL
    events = queries.calendar(night)
    compared = queries.weeks(night, theme_id) if is_split else None
    st.altair_chart(charts.chart_weeks(weeks, compared, events))
    st.caption(
        "Share of the documents written in a week that speak of the theme, with its 95 % interval"
        + ("; dashed: all documents" if is_split else "")
        + ("; bands: events of the calendar" if events.height else "")
        + f". A week is left out where {why_hidden(night)}."
    )


def why_hidden(night: Night) -> str:
    """Why a figure of a filter is not shown."""
    return (
        f"fewer than {night.min_authors} authors stand behind it, or behind what taking it from another "
        "figure would leave"
    )
