"""The weeks of a theme: one chart, what it shows, and what it leaves out."""

from __future__ import annotations

import streamlit as st

from analytics.tables import ALL
from dashboard import charts, queries
from dashboard.queries import Night

EVERYTHING = (ALL, ALL)
"""The segment that holds all documents."""


def show(night: Night, theme_id: str, segment: tuple[str, str] = EVERYTHING) -> None:
    """Weekly shares of a theme in a segment, with all documents behind it."""
    weeks = queries.weeks(night, theme_id, *segment)
    if weeks["share"].drop_nulls().is_empty():
        st.info(
            f"No week has {night.min_authors} authors or more here, so there is no share to show.",
            icon=":material/bedtime:",
        )
        return
    is_split = segment != EVERYTHING
    st.altair_chart(charts.chart_weeks(weeks, queries.weeks(night, theme_id) if is_split else None))
    st.caption(
        "Share of the documents written in a week that speak of the theme, with its 95 % interval"
        + ("; dashed: all documents" if is_split else "")
        + f". A week with fewer than {night.min_authors} authors behind it is left out."
    )
