"""What people say of decisions: each act is checked against the decisions that were listed and written down.

An act counts at once for readers, and for a night that begins after it. Decisions are named by their id, the
beginning of it, or their rank in the night which is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from analytics.errors import ActRefused
from analytics.store.state import DECISION_ACTS, State

ACCEPTED, LATER, WRONG, ASSIGNED, DONE, UNDONE = DECISION_ACTS
OPEN = "open"
STATUSES = {ACCEPTED: "taken on", LATER: "not now", WRONG: "wrong", DONE: "done"}
"""What a decision is after an act; to assign it changes only who it is with."""

SHORTEST_PREFIX = 6
LONGEST_OWNER = 80
TRUSTED = 5.0
"""Decisions not called wrong that every kind is lent, so that one bad decision does not condemn its kind."""

STANDING_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "decision_id": pl.String,
    "status": pl.String,  # open | taken on | not now | wrong | done
    "owner": pl.String,
    "until": pl.Date,  # of `not now`; null: until someone takes it back
    "done_on": pl.Date,
    "who": pl.String,  # who said last what it is, and when
    "at": pl.String,
}
_NEXT = "`nightloom show decisions` lists those of the night"


def find_decision(listed: pl.DataFrame, reference: str) -> dict[str, Any]:
    """The decision that a person means: by its id, the beginning of it, or its rank in the published night.

    Args:
        listed: Columns decision_id, rank (null: not in the published night), first_listed (the night that
            listed it first), and what else is to be told of it.
        reference: What the person wrote.

    Raises:
        ActRefused: there is none, or more than one.
    """
    wanted = reference.strip().lower()
    if wanted.isdecimal() and len(wanted) < SHORTEST_PREFIX:
        found = listed.filter(pl.col("rank") == int(wanted))
        if found.is_empty():
            raise ActRefused(f"the published night has no decision {reference}; {_NEXT}")
        return found.row(0, named=True)
    if len(wanted) < SHORTEST_PREFIX:
        raise ActRefused(
            f"{reference!r} is too short; write its rank, or {SHORTEST_PREFIX} characters of its id"
        )
    found = listed.filter(pl.col("decision_id").str.starts_with(wanted))
    if found.is_empty():
        raise ActRefused(f"no decision that was ever listed begins with {reference!r}; {_NEXT}")
    if found.height > 1:
        raise ActRefused(f"more than one decision begins with {reference!r}; write more of the id")
    return found.row(0, named=True)


def accept_decision(
    state: State, listed: pl.DataFrame, reference: str, *, who: str, reason: str | None = None
) -> dict[str, Any]:
    """Take a decision on."""
    decision = _undecided(state, listed, reference, but=ACCEPTED)
    return _record(state, ACCEPTED, decision, who, reason=reason)


def postpone_decision(
    state: State,
    listed: pl.DataFrame,
    reference: str,
    *,
    who: str,
    today: date,
    until: date | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Say of a decision: not now; from `until` on it is open again."""
    if until is not None and until <= today:
        raise ActRefused(f"{until} is not after today; give a later day, or none at all")
    decision = _undecided(state, listed, reference)
    return _record(state, LATER, decision, who, until=until.isoformat() if until else None, reason=reason)


def reject_decision(
    state: State, listed: pl.DataFrame, reference: str, *, who: str, reason: str | None = None
) -> dict[str, Any]:
    """Say that a decision is wrong; later nights trust its kind less."""
    decision = _undecided(state, listed, reference, but=WRONG)
    return _record(state, WRONG, decision, who, reason=reason)


def assign_decision(
    state: State, listed: pl.DataFrame, reference: str, owner: str, *, who: str, reason: str | None = None
) -> dict[str, Any]:
    """Say who a decision is with."""
    owner = " ".join(owner.split())
    if not 0 < len(owner) <= LONGEST_OWNER:
        raise ActRefused(f"an owner has 1 to {LONGEST_OWNER} characters, and {owner!r} has {len(owner)}")
    decision = find_decision(listed, reference)
    return _record(state, ASSIGNED, decision, who, owner=owner, reason=reason)


def finish_decision(
    state: State,
    listed: pl.DataFrame,
    reference: str,
    *,
    who: str,
    today: date,
    on: date | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Say on which day what a decision asks for was done; today where no day is given."""
    decision = _undecided(state, listed, reference)
    on = on or today
    if on > today:
        raise ActRefused(f"{on} is after today, {today}; say that it is done once it is")
    if on < decision["first_listed"]:
        raise ActRefused(
            f"{on} is before {decision['first_listed']}, the night that first listed the decision; what was "
            "done before cannot have followed from it"
        )
    return _record(state, DONE, decision, who, done_on=on.isoformat(), reason=reason)


def undo_decision(
    state: State, listed: pl.DataFrame, reference: str, *, who: str, reason: str | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take back the last act of a decision; the decision, and the act that counts no more."""
    decision = find_decision(listed, reference)
    standing_acts = _counting(state.log(DECISION_ACTS)).get(decision["decision_id"])
    if not standing_acts:
        raise ActRefused(f"nothing that was said of decision {_short(decision)} is left to take back")
    return _record(state, UNDONE, decision, who, reason=reason), standing_acts[-1]


def standings(entries: Sequence[Mapping[str, Any]], *, today: date) -> pl.DataFrame:
    """How every decision stands of which anything was said and not taken back; see STANDING_ROWS.

    Args:
        entries: `State.log(DECISION_ACTS)`, up to the sequence number that counts.
        today: A `not now` until this day or an earlier one is open again.
    """
    rows = [_standing(decision, acts, today) for decision, acts in sorted(_counting(entries).items()) if acts]
    return pl.DataFrame(rows, schema=STANDING_ROWS, orient="row")


def history(entries: Sequence[Mapping[str, Any]], decision_id: str) -> list[dict[str, Any]]:
    """All that was said of a decision, oldest first, also what was taken back."""
    return [dict(entry) for entry in entries if entry["subject"] == decision_id]


def kind_weights(listed: pl.DataFrame, standing: pl.DataFrame) -> dict[str, float]:
    """How much a kind of decision is trusted: the share of its decisions that nobody calls wrong, smoothed.

    Only what is called wrong lowers it: what is put off or left alone says nothing against it.

    Args:
        listed: Columns decision_id, kind: every decision that was listed.
        standing: As `standings` returns it.

    Returns:
        Above 0, and 1.0 for a kind without any that is called wrong.
    """
    wrong = standing.filter(pl.col("status") == STATUSES[WRONG]).select("decision_id", is_wrong=True)
    counted = (
        listed.unique("decision_id")
        .join(wrong, on="decision_id", how="left")
        .group_by("kind")
        .agg(n=pl.len(), n_wrong=pl.col("is_wrong").fill_null(False).sum())
        .sort("kind")
    )
    return {kind: 1 - n_wrong / (n + TRUSTED) for kind, n, n_wrong in counted.iter_rows()}


def _counting(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Acts of each decision that were not taken back, oldest first."""
    counting: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        acts = counting.setdefault(entry["subject"], [])
        if entry["kind"] != UNDONE:
            acts.append(dict(entry))
        elif acts:
            acts.pop()
    return counting


def _standing(decision: str, acts: Sequence[Mapping[str, Any]], today: date) -> dict[str, Any]:
    owners = [act["owner"] for act in acts if act["kind"] == ASSIGNED]
    last = next((act for act in reversed(acts) if act["kind"] in STATUSES), None)
    said = last or acts[-1]
    until = _day(said.get("until"))
    is_over = last is None or (until is not None and until <= today)
    return {
        "decision_id": decision,
        "status": OPEN if is_over else STATUSES[said["kind"]],
        "owner": owners[-1] if owners else None,
        "until": until,
        "done_on": _day(said.get("done_on")),
        "who": said["who"],
        "at": said["at"],
    }


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None


def _undecided(
    state: State, listed: pl.DataFrame, reference: str, *, but: str | None = None
) -> dict[str, Any]:
    """The decision, where it is not done and not already what an act of kind `but` would make it."""
    decision = find_decision(listed, reference)
    acts = _counting(state.log(DECISION_ACTS)).get(decision["decision_id"], [])
    last = next((act["kind"] for act in reversed(acts) if act["kind"] in STATUSES), None)
    if last == DONE:
        raise ActRefused(
            f"decision {_short(decision)} is done; take that back first: nightloom decision undo "
            f"{_short(decision)}"
        )
    if last is not None and last == but:
        raise ActRefused(f"decision {_short(decision)} is {STATUSES[last]} already")
    return decision


def _record(
    state: State, kind: str, decision: dict[str, Any], who: str, **said: str | None
) -> dict[str, Any]:
    """Write an act down; returns the decision with what was said."""
    content = {name: value for name, value in said.items() if value}
    state.record_decision_act(kind, decision["decision_id"], content, who=who)
    return {**decision, **content}


def _short(decision: Mapping[str, Any]) -> str:
    return str(decision["decision_id"])[:8]
