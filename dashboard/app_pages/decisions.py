"""What should be done, how sure is it, and what did customers say?"""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
import streamlit as st

from dashboard import briefs, charts, queries, weeks, wording
from dashboard.queries import Night

KINDS: dict[str, tuple[str, str, Literal["primary", "gray"]]] = {
    "fix": (":material/build:", "Fix", "primary"),
    "watch": (":material/visibility:", "Watch", "gray"),
    "keep": (":material/thumb_up:", "Keep", "gray"),
}
"""Icon, name and badge colour of each kind of decision."""

N_NIGHTS = 14
"""How many nights the small lines go back."""

LEAST_SHARE = 0.001
"""A language with a smaller share is not named."""

N_LANGUAGES = 5
"""How many languages that are not read a page names."""


def show(night: Night) -> None:
    """The decisions of the night in their order, each with its evidence."""
    st.title("Decisions")
    st.caption(f"Night of {wording.spell_day(night.as_of)} · generation {night.generation}")
    kind = st.pills("Kind", list(KINDS), format_func=lambda kind: " ".join(KINDS[kind][:2]), key="kind")
    board = queries.decisions(night)
    if board.is_empty():
        st.info(f"No decisions tonight: {why_none(night)}.", icon=":material/bedtime:")
        show_holds(night)
        return
    shown = board if kind is None else board.filter(pl.col("kind") == kind)
    if shown.is_empty():
        st.info(
            f"No decision of this kind tonight; deselect it to see all {board.height}.",
            icon=":material/filter_alt:",
        )
        return
    show_figures(night)
    show_holds(night)
    briefs.show(night, "night", "", "The night in short")
    quotes = queries.quotes(night).partition_by("decision_id", as_dict=True)
    is_first = queries.runs(night).height == 1
    scale_end = charts.axis_end(board["share_high"])
    for decision in shown.iter_rows(named=True):
        evidence = quotes.get((decision["decision_id"],), pl.DataFrame())
        is_new = not is_first and decision["first_run"] == night.published.entry.run_id
        show_decision(decision, evidence, scale_end, is_new=is_new)
    show_weeks(night, shown)


def why_none(night: Night) -> str:
    """The first reason, in the order of a night's steps, for a generation without a decision to show."""
    found = queries.coverage(night)
    if found["n_documents"] == 0:
        return "no document was written up to this night; check `nightloom show runs` and the sources"
    if found["n_covered"] == 0:
        return f"none of the {wording.count(found['n_documents'])} documents could be analysed"
    if found["n_opinions"] == 0:
        return f"the {wording.count(found['n_covered'])} covered documents hold no statement"
    if queries.themes(night).is_empty():
        return f"no theme has {night.min_authors} distinct authors or more behind it"
    if found["n_decisions"] > 0:
        return f"each of them has fewer than {night.min_authors} distinct authors behind it"
    if queries.activity(night)["n_covered"].sum() == 0:
        return "no covered document is dated in the 13 weeks before this night"
    return "no theme met the conditions for one"


def show_figures(night: Night) -> None:
    """What tonight's decisions stand on, and what the night brought."""
    found, written, runs = queries.coverage(night), queries.activity(night), queries.runs(night)
    run = runs.row(-1, named=True)
    is_first = runs.height == 1
    cards: list[tuple[str, int, str, pl.Series | None, str]] = [
        (
            "Documents covered",
            found["n_covered"],
            f"{wording.count(found['n_not_analysed'])} not analysed",
            written["n_covered"],
            "Documents that a model could read, repeats counted once: what every share is a share of. Those "
            "without text or in a language that no model here reads are not analysed. Line: by week written.",
        ),
        (
            "Opinions",
            found["n_opinions"],
            "first night" if is_first else f"{wording.signed(run['n_new_opinions'])} tonight",
            written["n_opinions"],
            "Statements found in the covered documents, each a quote. Line: by week written.",
        ),
        (
            "Themes",
            queries.themes(night).height,
            "first night" if is_first else f"{wording.signed(run['n_new_themes'])} tonight",
            None if is_first else runs["n_new_themes"].tail(N_NIGHTS),
            f"What opinions are about, shown where {night.min_authors} distinct authors stand behind it. "
            "Line: found by night.",
        ),
        (
            "New tonight",
            run["n_new"],
            "first night" if is_first else f"{wording.count(runs['n_new'][-2])} the night before",
            None if is_first else runs["n_new"].tail(N_NIGHTS),
            "Documents that were not in the store the night before. Line: by night.",
        ),
    ]
    # Four in a row, and two by two on a phone.
    halves = [half.container(horizontal=True, height="stretch", wrap=False) for half in st.columns(2)]
    for place, (label, value, delta, line, help_text) in enumerate(cards):
        halves[place // 2].metric(
            label,
            wording.count(value),
            delta,
            delta_color="primary",
            delta_arrow="off",
            help=help_text,
            border=True,
            height="stretch",
            chart_data=line,
            chart_type="area",
        )


def show_holds(night: Night) -> None:
    """What a reader must know before believing a figure: sources on hold, and who is not heard."""
    for sentence in queries.sources(night).filter("is_held")["sentence"]:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.badge("On hold", icon=":material/pause_circle:", color="red")
            st.html(wording.paragraph(sentence))
    reasons = queries.not_read(night)
    is_language = pl.col("reason").str.starts_with("language ")
    languages = reasons.filter(is_language, pl.col("share") >= LEAST_SHARE)
    if languages.height:
        told = ", ".join(
            f"{reason.removeprefix('language ')} {wording.percent(share)}"
            for reason, share in languages.head(N_LANGUAGES).select("reason", "share").iter_rows()
        )
        st.caption(
            "No figure here includes documents in languages that the embedding model does not read "
            f"({told} of all documents; und: unknown). To include them, set `model` under `[embedding]`."
        )


def show_decision(decision: dict[str, Any], quotes: pl.DataFrame, scale_end: float, *, is_new: bool) -> None:
    """One decision: what, how much, how sure, and who says so."""
    icon, name, color = KINDS.get(decision["kind"], (":material/flag:", "Other", "gray"))
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{decision['rank']}**", width="content")
            st.badge(name, icon=icon, color=color)
            if is_new:
                st.badge("New tonight", icon=":material/fiber_new:", color="gray")
        st.html(wording.heading(decision["name"]) + wording.paragraph(decision["sentence"]))
        left, right = st.columns([3, 2], gap="medium")
        with left:
            st.markdown(
                f"**{wording.percent(decision['share'])}** of {wording.count(decision['n_covered'])} covered "
                f"documents, 95 % interval {wording.interval(decision['share_low'], decision['share_high'])}"
            )
            if decision["share"] is not None:
                estimate = pl.DataFrame(
                    {key: [decision[key]] for key in ("share", "share_low", "share_high")}
                )
                st.altair_chart(charts.chart_interval(estimate, scale_end))
        with right:
            st.markdown(
                f"{change_of(decision)}  \n"
                f":material/group: {wording.count(decision['n_authors'])} authors in "
                f"{wording.count(decision['n_documents'])} documents  \n"
                f":material/date_range: {window_of(decision)}"
            )
        label, key = f"Evidence: {quotes.height} quotes", f"evidence-{decision['decision_id']}"
        with st.expander(label, icon=":material/format_quote:", key=key):
            for row in quotes.iter_rows(named=True):
                if row["may_quote"]:
                    html = wording.quote(
                        row["text"],
                        row["start"],
                        row["end"],
                        briefs.origin_of(row),
                        row["url"],
                        row["question"],
                    )
                else:
                    html = wording.withheld(briefs.origin_of(row), row["url"])
                st.html(html)


def change_of(decision: dict[str, Any]) -> str:
    """The change of a decision's share against the window before, or that nothing can be said of it."""
    if decision["change"] is None or decision["evidence"] != "enough":
        return ":material/question_mark: Change: not enough evidence"
    change, low, high = (wording.points(decision[key]) for key in ("change", "change_low", "change_high"))
    if decision["change_low"] > 0:
        said = f":material/trending_up: Up: **{change} points**"
    elif decision["change_high"] < 0:
        said = f":material/trending_down: Down: **{change} points**"
    else:
        said = f":material/trending_flat: No clear change: {change} points"
    return f"{said}, 95 % interval {low} to {high}"


def window_of(decision: dict[str, Any]) -> str:
    """The days that a decision looks at."""
    if decision["window_start"] is None:
        return "All documents, with a date or without"
    return f"{wording.spell_day(decision['window_start'])} to {wording.spell_day(decision['window_end'])}"


def show_weeks(night: Night, shown: pl.DataFrame) -> None:
    """The weekly share of the theme behind one of the decisions."""
    st.subheader("Week by week")
    names = {row["rank"]: f"{row['rank']}. {row['name']}" for row in shown.iter_rows(named=True)}
    rank = st.selectbox("Decision", list(names), format_func=lambda rank: names.get(rank, rank))
    chosen = shown.filter(pl.col("rank") == rank)
    weeks.show(night, (chosen if chosen.height else shown)["theme_id"][0])
