"""What came in, what of it is read, and can claims rest on it?"""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
import streamlit as st

from dashboard import charts, queries, wording
from dashboard.provenance import show_table
from dashboard.queries import Night

BadgeColor = Literal["primary", "green", "orange", "red", "gray"]

STATUS: dict[str, tuple[str, BadgeColor]] = {
    "ok": (":material/check_circle:", "green"),
    "too new to tell": (":material/hourglass_empty:", "gray"),
    "late": (":material/schedule:", "gray"),
    "volume changed": (":material/show_chart:", "orange"),
}
"""Icon and colour of a source's status; any other puts claims on hold."""

ON_HOLD: tuple[str, BadgeColor] = (":material/pause_circle:", "red")


def show(night: Night) -> None:
    """Every source with its state, the days of one of them, and what was left out or taken out."""
    st.title("Sources")
    st.caption(f"Night of {wording.spell_day(night.as_of)} · generation {night.generation}")
    board = queries.sources(night)
    if board.is_empty():
        st.info("No source has delivered a document yet.", icon=":material/bedtime:")
        return
    show_figures(night, board)
    for source in board.iter_rows(named=True):
        show_source(source)
    show_days(night, board)
    show_calendar(night)
    show_left_out(night)
    show_taken_out(night)
    show_quarantine(night)


def show_figures(night: Night, board: pl.DataFrame) -> None:
    """How much of what came in is read."""
    found = queries.coverage(night)
    covered = found["n_covered"] / max(1, found["n_documents"])
    cards = [
        (
            "Documents",
            wording.count(found["n_documents"]),
            "What customers wrote, agents' messages left out.",
        ),
        ("Covered", wording.percent(covered), "Read, and counted once: what every share is a share of."),
        (
            "Not analysed",
            wording.percent(found["n_not_analysed"] / max(1, found["n_documents"])),
            "Without text, or in a language that the embedding model does not read.",
        ),
        ("Sources on hold", str(board["is_held"].sum()), "No claim rests on them tonight."),
    ]
    # Four in a row, and two by two on a phone.
    halves = [half.container(horizontal=True, height="stretch", wrap=False) for half in st.columns(2)]
    for place, (label, value, help_text) in enumerate(cards):
        halves[place // 2].metric(label, value, help=help_text, border=True, height="stretch")


def show_source(source: dict[str, Any]) -> None:
    """One source: its state in a sentence, and how much of it is read."""
    icon, color = STATUS.get(source["status"], ON_HOLD)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(wording.heading(source["source"]), width="content")
            st.badge(source["status"], icon=icon, color=color)
            if source["is_held"]:
                st.badge("on hold", icon=ON_HOLD[0], color=ON_HOLD[1])
        st.html(wording.paragraph(source["sentence"]))
        st.caption(
            f"{wording.count(source['n_documents'])} documents, "
            f"{wording.count(source['n_covered'])} covered · "
            f"last on {wording.spell_day(source['last_day'])} · "
            f"used for {', '.join(source['uses']) or 'nothing'}"
        )


def show_days(night: Night, board: pl.DataFrame) -> None:
    """What arrived on each day of one source beside what was expected."""
    st.subheader("Day by day")
    names = board["source"].to_list()
    chosen = st.selectbox("Source", names, key="source")
    days = queries.source_days(night, chosen if chosen in names else names[0])
    if days.is_empty():
        st.info("No document of this source has a date.", icon=":material/bedtime:")
        return
    st.altair_chart(charts.chart_days(days))
    st.caption(
        "Documents by the day on which they were written; the band is what earlier weeks lead to expect of "
        "such a day. Days that are not as expected are marked."
    )


def show_calendar(night: Night) -> None:
    """Holidays, promotions, launches and outages that the settings name."""
    events = queries.calendar(night)
    if events.height:
        st.dataframe(
            events,
            hide_index=True,
            column_config={
                "name": "Event",
                "kind": "Kind",
                "start": st.column_config.DateColumn("From", format="D MMMM YYYY"),
                "end": st.column_config.DateColumn("To", format="D MMMM YYYY"),
                "sources": "Sources (none: all)",
            },
        )


def show_left_out(night: Night) -> None:
    """Documents that no figure counts, by why."""
    st.subheader("Left out")
    rows = queries.not_read(night)
    if rows.is_empty():
        st.caption("Every document is covered.")
        return
    st.dataframe(
        rows.with_columns(pl.col("share") * 100),
        hide_index=True,
        column_config={
            "reason": "Why",
            "n_documents": st.column_config.NumberColumn("Documents", format="localized"),
            "share": st.column_config.NumberColumn("Of all", format="%.1f %%"),
        },
    )
    if rows["reason"].str.starts_with("language ").any():
        st.caption(
            "To read further languages, set `model` under `[embedding]` to a model that declares them, such "
            "as `sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2`."
        )


def show_taken_out(night: Night) -> None:
    """What was taken out of texts before anything read them."""
    st.subheader("Taken out before reading")
    kinds = {"cut": "Not the customer's words", "redacted": "Personal data"}
    rows = queries.taken_out(night)
    show_table(
        "Characters cut and pieces redacted, by source and kind",
        rows.with_columns(pl.col("edit").replace(kinds), pl.col("kind").str.replace_all("_", " ")),
        {
            "source": "Source",
            "edit": "What",
            "kind": "Kind",
            "n_documents": st.column_config.NumberColumn("Documents", format="localized"),
            "n": st.column_config.NumberColumn("Characters or pieces", format="localized"),
        },
    )


def show_quarantine(night: Night) -> None:
    """Rows that were not let in, by reason."""
    st.subheader("Not let in")
    show_table(
        "Rows in quarantine tonight",
        queries.quarantine(night),
        {
            "source": "Source",
            "reason": "Reason",
            "n_rows": st.column_config.NumberColumn("Rows", format="localized"),
        },
    )
