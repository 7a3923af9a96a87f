"""How this was made: what stands behind every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboard import queries, wording
from dashboard.queries import Night


def show(night: Night) -> None:
    """The run, what it measured about itself, what was not let in, and what was spent."""
    run = queries.runs(night).row(-1, named=True)
    if run["degraded"]:
        st.warning("This night was published, but not everything went well:", icon=":material/warning:")
        for reason in run["degraded"]:
            st.text(reason)
    with st.expander("How this was made", icon=":material/info:", key="how"):
        st.markdown(
            f"- Night of **{wording.spell_day(run['as_of'])}**, run {run['nth']}, attempt {run['attempt']}, "
            f"{run['seconds']:,.0f} seconds\n"
            f"- {wording.count(run['n_documents'])} documents: {wording.count(run['n_new'])} new, "
            f"{wording.count(run['n_changed'])} changed, {wording.count(run['n_gone'])} gone; "
            f"{wording.count(run['n_not_analysed'])} not analysed, "
            f"{wording.count(run['n_not_counted'])} repeats and floods, "
            f"{wording.count(run['n_waiting_to_be_read'])} waiting for a later night, "
            f"{wording.count(run['n_undated'])} without "
            f"a usable date, {wording.count(run['n_waiting'])} dated after this night\n"
            f"- {wording.count(run['n_quarantined'])} rows in quarantine\n"
            f"- {wording.count(run['model_calls'])} model calls; a call is one text handed to a model"
        )
        show_table(
            "Quality",
            queries.quality(night).with_columns(pl.col("metric").str.replace_all("_", " ")),
            {
                "about": "About",
                "metric": "Metric",
                "value": st.column_config.NumberColumn("Value", format="%.3f"),
                "n": st.column_config.NumberColumn("Measured on", format="localized"),
            },
        )
        show_table(
            "Calls",
            queries.ledger(night),
            {
                "stage": "Stage",
                "n_calls": st.column_config.NumberColumn("Calls", format="localized"),
                "n_answers": st.column_config.NumberColumn("Answers", format="localized"),
                "n_failed": st.column_config.NumberColumn("Failed", format="localized"),
                "engine": "Engine",
                "seconds": st.column_config.NumberColumn("Seconds", format="%.1f"),
                "load_seconds": st.column_config.NumberColumn("Loading", format="%.1f"),
            },
        )
        show_table(
            "Quarantine",
            queries.quarantine(night),
            {
                "source": "Source",
                "reason": "Reason",
                "n_rows": st.column_config.NumberColumn("Rows", format="localized"),
            },
        )


def show_table(title: str, rows: pl.DataFrame, columns: Mapping[str, Any]) -> None:
    """A small table under its title, or that it is empty."""
    st.markdown(f"**{title}**")
    if rows.is_empty():
        st.caption("Nothing to list.")
    else:
        st.dataframe(rows, hide_index=True, placeholder=wording.NOTHING, column_config=columns)
