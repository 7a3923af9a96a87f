"""One decision as a card: what was found, what to do, how much, how sure, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl
import streamlit as st

from dashboard import briefs, charts, wording

Color = Literal["primary", "gray", "red", "green", "orange"]
KINDS: dict[str, tuple[str, str, Color]] = {
    "fix": (":material/build:", "Fix", "primary"),
    "watch": (":material/visibility:", "Watch", "gray"),
    "keep": (":material/thumb_up:", "Keep", "gray"),
    "promote": (":material/campaign:", "Promote", "gray"),
}
"""Icon, name and badge colour of each kind of decision."""
VERDICTS: dict[str, tuple[str, Color]] = {
    "worked": (":material/check_circle:", "green"),
    "no visible effect": (":material/remove_circle:", "gray"),
    "worse": (":material/error:", "red"),
    "too early": (":material/hourglass_empty:", "gray"),
}
"""Icon and colour of each verdict on what was done."""
STATUS_COLORS: dict[str, Color] = {"taken on": "green", "done": "green", "wrong": "red"}


def show(
    decision: Mapping[str, Any], quotes: pl.DataFrame, state: Mapping[str, Any], *, is_new: bool
) -> None:
    """What is told of one decision, in whatever holds it.

    Args:
        decision: Row of the view decision_board.
        quotes: Its rows of the view decision_quote.
        state: What people said of it: status, owner, until, done_on; empty where nothing.
        is_new: Whether tonight lists it for the first time.
    """
    icon, name, color = KINDS.get(decision["kind"], (":material/flag:", "Other", "gray"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{decision['rank']}**", width="content")
        st.badge(name, icon=icon, color=color)
        st.badge(decision["certainty"].capitalize(), icon=":material/query_stats:", color="gray")
        if is_new:
            st.badge("New tonight", icon=":material/fiber_new:", color="gray")
        if state.get("status", "open") != "open":
            status = state["status"]
            st.badge(_status(state), icon=":material/person:", color=STATUS_COLORS.get(status, "gray"))
    st.html(wording.heading(decision["sentence"]) + wording.paragraph(decision["action"]))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _show_size(decision)
    with right:
        st.markdown(
            f":material/group: {wording.count(decision['n_authors'])} people say so, in "
            f"{wording.count(decision['n_documents'])} documents  \n"
            f":material/date_range: {_window(decision)}" + _customers(decision)
        )
    _show_doubts(decision)
    _show_evidence(decision, quotes)


def _customers(decision: Mapping[str, Any]) -> str:
    """How many customers a month it touches; nothing where a store knows no orders."""
    if decision["exposure"] != "orders":
        return ""
    return f"  \n:material/groups: about {decision['people_a_month']:,.0f} customers a month who write so"


def _status(state: Mapping[str, Any]) -> str:
    said = str(state["status"]).capitalize()
    if state["status"] == "done" and state.get("done_on"):
        said += f" on {wording.spell_day(state['done_on'])}"
    if state["status"] == "not now" and state.get("until"):
        said += f", until {wording.spell_day(state['until'])}"
    return said


def _window(decision: Mapping[str, Any]) -> str:
    first, last = decision["window_start"], decision["window_end"]
    return f"{wording.spell_day(first)} to {wording.spell_day(last)}"


def _show_size(decision: Mapping[str, Any]) -> None:
    """The size with its interval, against no change."""
    if decision["size"] is None:
        if decision["size_low"] is None:
            st.markdown("On one side stand too few people for a figure to be shown")
            return
        low = decision["size_low"]
        st.markdown(f"New: at least **{low:,.1f} times** as often as before (95 % interval, lower end)")
        return
    unit = {"change": "times as often as before", "loved": "points of 100 above the group's other ratings"}
    is_ratio, points = decision["basis"] == "change", 1.0 if decision["basis"] == "change" else 100.0
    if decision["basis"] == "effect":
        points = 100.0 if abs(decision["rate_before"]) <= 1 else 1.0
    sizes = {name: points * decision[name] for name in ("size", "size_low", "size_high")}
    label = unit.get(decision["basis"], f"points of {decision['outcome']}")
    interval = f"95 % interval {sizes['size_low']:,.2g} to {sizes['size_high']:,.2g}"
    st.html(wording.paragraph(f"{sizes['size']:,.2g} {label}, {interval}"))
    st.altair_chart(
        charts.chart_size(pl.DataFrame([sizes]), none=1.0 if is_ratio else 0.0, is_ratio=is_ratio)
    )


def _show_doubts(decision: Mapping[str, Any]) -> None:
    with st.expander("How sure, who is not heard, what would change our mind", icon=":material/help:"):
        chance = 100 * (1 - decision["probability"])
        told = "fewer than 0.1" if chance < 0.1 else f"at most {chance:.1f}"
        st.html(
            wording.paragraph(
                f"{decision['certainty'].capitalize()}: of findings as sure as this one, {told} of "
                "100 are chance; very likely means at most 1 of 100, likely at most as many as the settings "
                "allow."
            )
            + wording.paragraph(decision["not_heard"])
            + wording.paragraph(f"What would change our mind: {decision['change_of_mind']}")
        )


def _show_evidence(decision: Mapping[str, Any], quotes: pl.DataFrame) -> None:
    label, key = f"Evidence: {quotes.height} quotes", f"evidence-{decision['decision_id']}"
    with st.expander(label, icon=":material/format_quote:", key=key):
        for row in quotes.iter_rows(named=True):
            origin = (["the other side"] if row["voice"] == "dissent" else []) + briefs.origin_of(row)
            if row["may_quote"]:
                html = wording.quote(
                    row["text"], row["start"], row["end"], origin, row["url"], row["question"]
                )
            else:
                html = wording.withheld(origin, row["url"])
            st.html(html)
