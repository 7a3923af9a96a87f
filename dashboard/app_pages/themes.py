"""What do customers talk about, and how does it move?"""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import queries, weeks, wording
from dashboard.queries import Night


def show(night: Night) -> None:
    """The weeks of one theme, and all themes with their share of the last week."""
    st.title("Themes")
    st.caption(f"Night of {wording.spell_day(night.as_of)} · generation {night.generation}")
    board = queries.themes(night)
    names = dict(board.select("theme_id", "name").iter_rows())
    segments = {"All documents": weeks.EVERYTHING} | {
        f"{name}: {value}": (name, value) for name, value in queries.segments(night).iter_rows()
    }
    left, right = st.columns(2)
    theme_id = left.selectbox(
        "Theme", list(names), format_func=lambda theme: names.get(theme, theme), key="theme"
    )
    segment = right.selectbox("Documents", list(segments), key="segment")
    if board.is_empty():
        st.info(
            f"No themes tonight: none has {night.min_authors} distinct authors or more behind it.",
            icon=":material/bedtime:",
        )
        return
    chosen = board.filter(pl.col("theme_id") == theme_id)
    theme = (chosen if chosen.height else board).row(0, named=True)
    st.html(wording.heading(theme["name"]))
    st.caption(
        f"{wording.count(theme['n_opinions'])} opinions in {wording.count(theme['n_documents'])} documents "
        f"by {wording.count(theme['n_authors'])} authors; {wording.percent(theme['negative_share'])} of them "
        f"negative, {wording.percent(theme['positive_share'])} positive"
    )
    weeks.show(night, theme["theme_id"], segments.get(segment, weeks.EVERYTHING))
    show_board(board)


def show_board(board: pl.DataFrame) -> None:
    """All themes, largest first."""
    st.subheader("All themes")
    intervals = [wording.interval(*ends) for ends in board.select("share_low", "share_high").iter_rows()]
    table = board.select(
        "name",
        pl.col("share") * 100,
        pl.Series("interval", intervals, dtype=pl.String),
        "typical_quote",
        "n_documents",
        "n_authors",
        pl.col("negative_share") * 100,
        "born_on",
    )
    st.dataframe(
        table,
        hide_index=True,
        placeholder=wording.NOTHING,
        column_config={
            "name": st.column_config.TextColumn("Theme", pinned=True, width="medium"),
            "share": st.column_config.NumberColumn(
                "Last week",
                format="%.1f %%",
                help="Share of the last week's covered documents; – where too few authors speak of it.",
            ),
            "interval": st.column_config.TextColumn("95 % interval", help="In which that share lies."),
            "typical_quote": st.column_config.TextColumn("Typical quote", width=320),
            "n_documents": st.column_config.NumberColumn("Documents", format="localized"),
            "n_authors": st.column_config.NumberColumn("Authors", format="localized"),
            "negative_share": st.column_config.NumberColumn(
                "Negative", format="%.1f %%", help="Share of its opinions that are negative."
            ),
            "born_on": st.column_config.DateColumn("Since", format="D MMMM YYYY"),
        },
    )
