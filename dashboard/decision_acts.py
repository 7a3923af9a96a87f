"""What a person can say of a decision on the page, and what was said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from analytics.errors import ActRefused
from analytics.store import decision_acts as acts
from analytics.store.state import DECISION_ACTS, State
from dashboard import queries, wording
from dashboard.queries import Night

_SAID = {
    acts.ACCEPTED: "took it on",
    acts.LATER: "said: not now",
    acts.WRONG: "said: this is wrong",
    acts.ASSIGNED: "assigned it",
    acts.DONE: "said: done",
    acts.UNDONE: "took the last back",
}


def standings(night: Night) -> dict[str, dict[str, Any]]:
    """How each decision stands of which anything was said: status, owner, until, done_on."""
    told = acts.standings(_entries(night), today=_today(night))
    return {row["decision_id"]: row for row in told.iter_rows(named=True)}


def show(night: Night, decision: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """The buttons of a decision, and its history."""
    key = decision["decision_id"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if owner := state.get("owner"):
            st.html(wording.paragraph(f"With {owner}"))
        with st.popover("Decide", icon=":material/edit:"):
            who = st.text_input("Your name", key=f"who-{key}", value=st.session_state.get("who", ""))
            owner = st.text_input("Assign to", key=f"owner-{key}")
            day = st.date_input("Day (done on, or not now until)", key=f"day-{key}", value=_today(night))
            buttons = st.columns(2)
            _buttons(night, key, who, owner, day, buttons)
        _show_history(night, key)


def _buttons(night: Night, reference: str, who: str, owner: str, day: date, places: Sequence[Any]) -> None:
    today, listed = _today(night), queries.decisions_listed(night)
    offered: list[tuple[str, Callable[[State], Any]]] = [
        ("Take on", lambda state: acts.accept_decision(state, listed, reference, who=who)),
        (
            "Not now",
            lambda state: acts.postpone_decision(
                state, listed, reference, who=who, today=today, until=day if day > today else None
            ),
        ),
        ("This is wrong", lambda state: acts.reject_decision(state, listed, reference, who=who)),
        ("Assign", lambda state: acts.assign_decision(state, listed, reference, owner, who=who)),
        ("Done", lambda state: acts.finish_decision(state, listed, reference, who=who, today=today, on=day)),
        ("Undo", lambda state: acts.undo_decision(state, listed, reference, who=who)),
    ]
    for nth, (label, act) in enumerate(offered):
        if places[nth % len(places)].button(label, key=f"{label}-{reference}", width="stretch"):
            _record(night, who, act)


def _record(night: Night, who: str, act: Callable[[State], Any]) -> None:
    """Write an act down, or say why it is refused."""
    if not who.strip():
        st.error("Say who you are first: every act is kept with its name and time.", icon=":material/error:")
        return
    st.session_state["who"] = who.strip()
    state = State(night.data_dir / "state.sqlite")
    try:
        act(state)
    except ActRefused as error:
        st.error(str(error), icon=":material/error:")
        return
    finally:
        state.close()
    st.rerun()


def _show_history(night: Night, decision_id: str) -> None:
    told = acts.history(_entries(night), decision_id)
    if not told:
        return
    with st.popover(f"History: {len(told)}", icon=":material/history:"):
        for entry in told:
            more = " ".join(
                str(entry[name]) for name in ("owner", "done_on", "until", "reason") if entry.get(name)
            )
            at = datetime.fromisoformat(entry["at"])
            line = f"{wording.spell_day(at.date())}: {entry['who']} {_SAID[entry['kind']]} {more}".strip()
            st.html(wording.paragraph(line))


def _entries(night: Night) -> list[dict[str, Any]]:
    path = night.data_dir / "state.sqlite"
    if not path.exists():
        return []
    state = State(path)
    try:
        return state.log(DECISION_ACTS)
    finally:
        state.close()


def _today(night: Night) -> date:
    return datetime.now(ZoneInfo(night.time_zone)).date()
