"""What do customers talk about, and how does it move?"""

from __future__ import annotations

import polars as pl
import streamlit as st

from analytics.tables import ALL
from dashboard import charts, queries, wording
from dashboard.queries import Night

EVERYTHING = (ALL, ALL)


def show(night: Night) -> None:
    """All themes with their share of the last week, and the weeks of one of them."""
    st.title("Themes")
    st.caption(f"Night of {wording.spell_day(night.as_of)} · generation {night.generation}")
    board = queries.themes(night)
    names = {row["theme_id"]: row["name"] for row in board.iter_rows(named=True)}
    splits = [EVERYTHING, *queries.segments(night).iter_rows()]
    left, right = st.columns(2)
    theme = left.selectbox("Theme", list(names), format_func=lambda theme: names.get(theme, "–"), key="theme")
    split = right.selectbox("Documents", splits, format_func=name_of, key="split")
    if board.is_empty():
        st.info(
            f"No themes tonight: none has {night.min_authors} distinct authors or more behind it.",
            icon=":material/bedtime:",
        )
        return
    show_weeks(night, board.filter(pl.col("theme_id") == theme), split)
    show_board(board)


def name_of(split: tuple[str, str]) -> str:
    """A segment as a reader chooses it."""
    return "All documents" if tuple(split) == EVERYTHING else f"{split[0]}: {split[1]}"


def show_weeks(night: Night, chosen: pl.DataFrame, split: tuple[str, str]) -> None:
    """Weekly shares of one theme in one segment, with all documents behind it."""
    theme = chosen.row(0, named=True)
    st.html(wording.heading(theme["name"]))
    st.caption(
        f"{wording.count(theme['n_opinions'])} opinions in {wording.count(theme['n_documents'])} documents by "
        f"{wording.count(theme['n_authors'])} authors; {wording.percent(theme['negative_share'])} negative, "
        f"{wording.percent(theme['positive_share'])} positive"
    )
    weeks = queries.weeks(night, theme["theme_id"], *split)
    if weeks["share"].drop_nulls().is_empty():
        st.info(
            f"No week has {night.min_authors} authors or more in this segment, so there is no share to show.",
            icon=":material/bedtime:",
        )
        return
    is_split = tuple(split) != EVERYTHING
    st.altair_chart(
        charts.chart_weeks(weeks, queries.weeks(night, theme["theme_id"]) if is_split else None)
    )
    st.caption(
        "Share of the documents written in a week that speak of the theme, with its 95 % interval"
        + ("; dashed: all documents." if is_split else ".")
        + f" A week with fewer than {night.min_authors} authors behind it is left out."
    )


def show_board(board: pl.DataFrame) -> None:
    """All themes, largest first."""
    st.subheader("All themes")
    table = board.select(
        "name",
        share=pl.col("share") * 100,
        interval=pl.struct("share_low", "share_high").map_elements(
            lambda row: wording.interval(row["share_low"], row["share_high"]), return_dtype=pl.String
        ),
        quote="typical_quote",
        n_documents="n_documents",
        n_authors="n_authors",
        negative=pl.col("negative_share") * 100,
        born_on="born_on",
    )
    percent = "%.1f %%"
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "name": st.column_config.TextColumn("Theme", pinned=True, width="medium"),
            "share": st.column_config.NumberColumn(
                "Last week", format=percent, help="Share of the last week's covered documents."
            ),
            "interval": st.column_config.TextColumn("95 % interval", help="In which that share lies."),
            "quote": st.column_config.TextColumn("Typical quote", width=320),
            "n_documents": st.column_config.NumberColumn("Documents", format="localized"),
            "n_authors": st.column_config.NumberColumn("Authors", format="localized"),
            "negative": st.column_config.NumberColumn(
                "Negative", format=percent, help="Share of its opinions that are negative."
            ),
            "born_on": st.column_config.DateColumn("Since", format="D MMMM YYYY"),
        },
    )
