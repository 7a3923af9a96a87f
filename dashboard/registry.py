"""The registry of themes: what is not yet one, what is proposed, and what became of each."""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import queries, wording
from dashboard.queries import Night

SHOWN_EVENTS = 200


def show(night: Night) -> None:
    """What waits, the groups of themes, what is proposed, and the events."""
    show_waiting(night)
    show_groups(night)
    show_proposals(night)
    show_history(night)


def show_waiting(night: Night) -> None:
    """How much is under no theme."""
    st.subheader("Not yet a theme")
    waiting = queries.waiting(night)
    if waiting is None:
        st.caption(f"Fewer than {night.min_authors} authors wrote what waits; how much it is stays hidden.")
        return
    left, middle, right = st.columns(3)
    left.metric("Opinions", wording.count(waiting["n_opinions"]), border=True)
    middle.metric("Share of all opinions", wording.percent(waiting["share"]), border=True)
    right.metric("Documents", wording.count(waiting["n_documents"]), border=True)
    st.caption(
        "They are near no theme. Once enough distinct authors say the same, a night makes a theme of it."
    )


def show_groups(night: Night) -> None:
    """Groups of themes, where there are any."""
    groups = queries.theme_groups(night)
    if groups.is_empty():
        return
    st.subheader("Groups of themes")
    st.dataframe(
        groups.select("name", "n_themes", "n_documents", "n_authors", pl.col("negative_share") * 100),
        hide_index=True,
        column_config={
            "name": st.column_config.TextColumn("Group", pinned=True, width="medium"),
            "n_themes": st.column_config.NumberColumn("Themes"),
            "n_documents": st.column_config.NumberColumn("Documents", format="localized"),
            "n_authors": st.column_config.NumberColumn("Authors", format="localized"),
            "negative_share": st.column_config.NumberColumn("Negative", format="%.1f %%"),
        },
    )


def show_proposals(night: Night) -> None:
    """What a person may accept or dismiss on the command line."""
    proposals = queries.proposals(night)
    if proposals.is_empty():
        return
    st.subheader("Proposed")
    st.dataframe(
        proposals.select("kind", "sentence", pl.col("proposal_id").str.slice(0, 12)),
        hide_index=True,
        column_config={
            "kind": st.column_config.TextColumn("Change", width="small"),
            "sentence": st.column_config.TextColumn("Why", width="large"),
            "proposal_id": st.column_config.TextColumn(
                "Id", help="nightloom theme accept ID, or: nightloom theme dismiss ID"
            ),
        },
    )


def show_history(night: Night) -> None:
    """The newest events of the registry."""
    history = queries.theme_history(night)
    if history.is_empty():
        return
    with st.expander("What became of themes", icon=":material/history:"):
        st.dataframe(
            history.head(SHOWN_EVENTS).select("as_of", "kind", "name", "about", "cause", "who"),
            hide_index=True,
            placeholder=wording.NOTHING,
            column_config={
                "as_of": st.column_config.DateColumn("Night", format="D MMMM YYYY"),
                "kind": "Event",
                "name": st.column_config.TextColumn("Theme", width="medium"),
                "about": st.column_config.TextColumn("Into, from or to", width="medium"),
                "cause": "Cause",
                "who": "Who",
            },
        )
