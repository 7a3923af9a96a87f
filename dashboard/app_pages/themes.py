"""What do customers talk about, and how does it move?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.tables import ALL
from dashboard import briefs, queries, registry, weeks, wording
from dashboard.queries import Night


@dataclass(frozen=True)
class Filter:
    """Which documents the page looks at."""

    segment: tuple[str, str]
    source: str
    n_weeks: int


def show(night: Night) -> None:
    """The weeks of one theme, and all themes with their share, in the documents chosen."""
    st.title("Themes")
    st.caption(f"Night of {wording.spell_day(night.as_of)} · generation {night.generation}")
    places = st.columns(4)
    board = queries.themes(night)
    names = dict(board.select("theme_id", "name").iter_rows())
    theme_id = places[0].selectbox(
        "Theme", list(names), format_func=lambda theme: names.get(theme, theme), key="theme"
    )
    chosen = choose_filter(night, places[1:])
    if board.is_empty():
        st.info(
            f"No themes tonight: none has {night.min_authors} distinct authors or more behind it.",
            icon=":material/bedtime:",
        )
        return
    found = board.filter(pl.col("theme_id") == theme_id)
    theme = (found if found.height else board).row(0, named=True)
    st.html(wording.heading(theme["name"]))
    st.caption(
        f"{wording.count(theme['n_opinions'])} opinions in {wording.count(theme['n_documents'])} documents "
        f"by {wording.count(theme['n_authors'])} authors; {wording.percent(theme['negative_share'])} of them "
        f"negative, {wording.percent(theme['positive_share'])} positive"
        + ("; the language model proposed its name" if theme["name_origin"] == "model" else "")
    )
    show_share(night, theme["theme_id"])
    briefs.show(night, "theme", theme["theme_id"], "In short")
    weeks.show(night, theme["theme_id"], chosen.segment, chosen.source)
    show_board(night, chosen)
    registry.show(night)


def show_share(night: Night, theme_id: str) -> None:
    """The share of the last 13 weeks in a line, and what it is corrected by."""
    share = queries.share(night, theme_id)
    if share is None:
        return
    st.caption(
        f"Share of the last 13 weeks: {wording.percent(share['share'])} "
        f"({wording.interval(share['share_low'], share['share_high'])}), "
        + wording.correction(share["correction"], share["n_labels"], share["share_raw"])
    )


def choose_filter(night: Night, places: Sequence[DeltaGenerator]) -> Filter:
    """A segment, a source and weeks, each chosen in its own place."""
    with places[0]:
        segment = choose_segment(night)
    with places[1]:
        source = choose_source(night)
    with places[2]:
        return Filter(segment, source, choose_weeks(night))


def choose_segment(night: Night) -> tuple[str, str]:
    """One segment, or all documents."""
    options = {"All documents": weeks.EVERYTHING} | {
        f"{name}: {value}": (name, value) for name, value in queries.segments(night).iter_rows()
    }
    return options.get(st.selectbox("Documents", list(options), key="segment"), weeks.EVERYTHING)


def choose_source(night: Night) -> str:
    """One source, or all."""
    options = [ALL, *queries.theme_sources(night)]
    source = st.selectbox(
        "Source", options, format_func=lambda name: "All sources" if name == ALL else name, key="source"
    )
    return source if source in options else ALL


def choose_weeks(night: Night) -> int:
    """How many weeks that end with the night."""
    lengths = queries.window_lengths(night) or [1]
    n_weeks = st.selectbox("Weeks", lengths, format_func=window_in_words, key="weeks")
    return n_weeks if n_weeks in lengths else lengths[0]


def window_in_words(n_weeks: int) -> str:
    """Such as Last 4 weeks."""
    return "Last week" if n_weeks == 1 else f"Last {n_weeks} weeks"


def show_board(night: Night, chosen: Filter) -> None:
    """All themes in the documents chosen, largest first."""
    st.subheader("All themes")
    board = queries.theme_cells(night, chosen.segment, chosen.source, chosen.n_weeks)
    intervals = [wording.interval(*ends) for ends in board.select("share_low", "share_high").iter_rows()]
    is_models = pl.col("name_origin") == "model"
    table = board.select(
        pl.when(is_models).then(pl.col("name") + " *").otherwise("name").alias("name"),
        pl.col("share") * 100,
        pl.Series("interval", intervals, dtype=pl.String),
        "n_documents_in",
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
                window_in_words(chosen.n_weeks),
                format="%.1f %%",
                help="Share of the covered documents chosen above.",
            ),
            "interval": st.column_config.TextColumn("95 % interval", help="In which that share lies."),
            "n_documents_in": st.column_config.NumberColumn(
                "Documents", format="localized", help="Of those chosen above, how many speak of it."
            ),
            "typical_quote": st.column_config.TextColumn("Typical quote", width=320),
            "n_documents": st.column_config.NumberColumn(
                "All documents", format="localized", help="That ever spoke of it."
            ),
            "n_authors": st.column_config.NumberColumn("All authors", format="localized"),
            "negative_share": st.column_config.NumberColumn(
                "Negative", format="%.1f %%", help="Share of all its opinions that are negative."
            ),
            "born_on": st.column_config.DateColumn("Since", format="D MMMM YYYY"),
        },
    )
    if board.select(is_models.any()).item():
        st.caption("* The language model proposed this name.")
    if board["share"].null_count():
        st.caption(f"{wording.NOTHING} no figure and no quote, where {weeks.why_hidden(night)}.")
