"""What changed, what should be done, how sure is it, and did what was done work?"""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboard import briefs, decision_acts, decision_card, queries, weeks, wording
from dashboard.queries import Night

N_NIGHTS = 14
"""How many nights the small lines go back."""

LEAST_SHARE = 0.001
"""A language with a smaller share is not named."""

N_LANGUAGES = 5
"""How many languages that are not read a page names."""

NOTHING_CHANGED = "Nothing changed that we can be sure of."


def show(night: Night) -> None:
    """The decisions of the night in their order, each with its evidence; then what else changed."""
    st.title("Decisions")
    st.caption(f"Night of {wording.spell_day(night.as_of)} · generation {night.generation}")
    kinds = decision_card.KINDS
    kind = st.pills("Kind", list(kinds), format_func=lambda kind: " ".join(kinds[kind][:2]), key="kind")
    board = queries.decisions(night)
    if board.is_empty():
        st.info(f"{NOTHING_CHANGED} No decision tonight: {why_none(night)}.", icon=":material/bedtime:")
        show_holds(night)
    else:
        show_figures(night)
        show_holds(night)
        briefs.show(night, "night", "", "The night in short")
        show_decisions(night, board, kind)
    show_changes(night)
    show_verdicts(night)
    if board.height:
        show_weeks(night, board)


def show_decisions(night: Night, board: pl.DataFrame, kind: str | None) -> None:
    """The cards, of one kind or of all."""
    shown = board if kind is None else board.filter(pl.col("kind") == kind)
    if shown.is_empty():
        st.info(
            f"No decision of this kind tonight; deselect it to see all {board.height}.",
            icon=":material/filter_alt:",
        )
        return
    quotes = queries.quotes(night).partition_by("decision_id", as_dict=True)
    is_first = queries.runs(night).height == 1
    standing = decision_acts.standings(night)
    for decision in shown.iter_rows(named=True):
        evidence = quotes.get((decision["decision_id"],), pl.DataFrame())
        is_new = not is_first and decision["first_run"] == night.published.entry.run_id
        state = standing.get(decision["decision_id"], {})
        with st.container(border=True):
            decision_card.show(decision, evidence, state, is_new=is_new)
            decision_acts.show(night, decision, state)


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
    return "no finding is sure enough to act on"


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


def show_changes(night: Night) -> None:
    """Every change that the night is sure of, also those that ask for nothing, and how many were tested."""
    st.subheader("What changed")
    changes = queries.changes(night)
    for row in changes.iter_rows(named=True):
        up = row["kind"] in ("new", "rising")
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.badge(
                row["kind"].capitalize(),
                icon=":material/trending_up:" if up else ":material/trending_down:",
                color="primary" if up else "gray",
            )
            st.html(wording.paragraph(row["sentence"]))
    if changes.is_empty():
        st.caption(NOTHING_CHANGED)
    tests = queries.tests_made(night)
    if tests is not None:
        said = f"{wording.count(tests['n_tests'])} tests made tonight, corrected for being many."
        if tests["n_shuffled"]:
            n_alarms = round(tests["false_alarm_rate"] * tests["n_shuffled"])
            said += (
                f" Of {tests['n_shuffled']} nights made of this store's own weeks, shuffled, {n_alarms} told "
                f"of a change (measured {tests['measured_on']})."
            )
        st.caption(said)


def show_verdicts(night: Night) -> None:
    """What became of decisions that were done."""
    verdicts = queries.verdicts(night)
    if verdicts.is_empty():
        return
    st.subheader("Did it work?")
    rate = queries.hit_rate(night)
    if rate is not None:
        interval = wording.interval(rate["worked_share_low"], rate["worked_share_high"])
        st.caption(
            f"{rate['n_worked']} of {rate['n_judged']} decisions that were done and can be judged worked "
            f"(95 % interval {interval})."
        )
    for row in verdicts.iter_rows(named=True):
        icon, color = decision_card.VERDICTS[row["verdict"]]
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.badge(row["verdict"].capitalize(), icon=icon, color=color)
            st.html(wording.paragraph(row["sentence"]))


def show_weeks(night: Night, shown: pl.DataFrame) -> None:
    """The weekly share of the theme behind one of the decisions."""
    st.subheader("Week by week")
    names = {row["rank"]: f"{row['rank']}. {row['name']}" for row in shown.iter_rows(named=True)}
    rank = st.selectbox("Decision", list(names), format_func=lambda rank: names.get(rank, rank))
    chosen = shown.filter(pl.col("rank") == rank)
    weeks.show(night, (chosen if chosen.height else shown)["theme_id"][0])
