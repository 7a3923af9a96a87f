"""What moves ratings and what customers do next?"""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import queries, wording
from dashboard.queries import Night


def show(night: Night) -> None:
    """Every theme's effect on one outcome, with its interval, and what it would change were it gone."""
    st.title("Drivers")
    st.caption(f"Night of {wording.spell_day(night.as_of)} · generation {night.generation}")
    drivers = queries.drivers(night)
    if drivers.is_empty():
        st.info(
            "No effect could be measured: there are too few ratings, and no column or kind of interaction is "
            "named under `[drivers]` and `[trends]` that themes could be held against.",
            icon=":material/bedtime:",
        )
        return
    outcomes = drivers.sort("q_value", "outcome")["outcome"].unique(maintain_order=True).to_list()
    outcome = st.selectbox("Outcome", outcomes, key="outcome")
    shown = drivers.filter(pl.col("outcome") == (outcome if outcome in outcomes else outcomes[0]))
    first = shown.row(0, named=True)
    scale, unit = (100.0, "points of 100") if first["is_share"] else (1.0, "points of the rating")
    st.caption(
        f"{wording.count(first['n_documents'])} documents; the mean is {scale * first['mean_outcome']:,.2f}"
        + (" of 100" if first["is_share"] else "")
        + f". In {unit}: what a theme's mention goes along with where the other themes, the item, "
        "the source, the month and the segments are the same. An interval that holds 0 says that it may be "
        "nothing; q is corrected for all themes held against this outcome."
    )
    show_table(shown, scale)


def show_table(shown: pl.DataFrame, scale: float) -> None:
    """The effects, those that are surest first."""
    columns = ["effect", "effect_low", "effect_high", "recoverable", "recoverable_plain"]
    rows = shown.sort("q_value", "theme_id").select(
        "name", *(pl.col(name) * scale for name in columns), "q_value", "n_authors"
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        hide_index=True,
        height=640,
        column_config={
            "name": st.column_config.TextColumn("Theme", pinned=True, width="medium"),
            "effect": number("Effect", format="%.2f"),
            "effect_low": number("from", format="%.2f"),
            "effect_high": number("to", format="%.2f"),
            "recoverable": number(
                "Recoverable",
                format="%.3f",
                help="By how much the mean would change were it never mentioned.",
            ),
            "recoverable_plain": number(
                "Plain",
                format="%.3f",
                help="The same by leaving out the documents that mention it, nothing else held the same.",
            ),
            "q_value": number("q", format="%.3f"),
            "n_authors": number("People", format="localized"),
        },
    )
