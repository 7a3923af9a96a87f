"""People's acts on decisions: what is recorded, what is refused, and how a decision stands after them."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from analytics.errors import ActRefused, StoreError
from analytics.store import decision_acts as acts
from analytics.store.state import DECISION_ACTS, State

FIRST = date(2026, 6, 1)
TODAY = FIRST + timedelta(days=20)
LISTED = pl.DataFrame(
    {
        "decision_id": ["aaaaaa11" + "0" * 24, "aaaaaa22" + "0" * 24, "123456ff" + "0" * 24],
        "rank": [1, 2, None],
        "kind": ["fix", "fix", "keep"],
        "first_listed": [FIRST, FIRST, FIRST],
    }
)
ONE, TWO, GONE = LISTED["decision_id"]


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state.sqlite")
    yield state
    state.close()


def stand(state: State, decision: str = ONE, today: date = TODAY, upto: int | None = None) -> dict | None:
    found = acts.standings(state.log(DECISION_ACTS, upto), today=today)
    assert found.schema == pl.Schema(acts.STANDING_ROWS)
    return next((row for row in found.iter_rows(named=True) if row["decision_id"] == decision), None)


def test_a_decision_is_named_by_its_rank_its_id_or_the_beginning_of_it():
    assert acts.find_decision(LISTED, "2")["decision_id"] == TWO
    assert acts.find_decision(LISTED, "AAAAAA1")["decision_id"] == ONE
    assert acts.find_decision(LISTED, "123456")["decision_id"] == GONE, "six digits are an id's beginning"
    for reference, says in (
        ("3", "has no decision 3"),
        ("aaaaa", "too short"),
        ("aaaaaa", "more than one"),
        ("bbbbbb", "no decision that was ever listed"),
    ):
        with pytest.raises(ActRefused, match=says):
            acts.find_decision(LISTED, reference)


def test_each_act_says_who_and_changes_how_the_decision_stands(state):
    assert stand(state) is None
    acts.accept_decision(state, LISTED, "1", who="ada", reason="we see it too")
    row = stand(state)
    assert (row["status"], row["owner"], row["who"]) == ("taken on", None, "ada")
    acts.assign_decision(state, LISTED, "1", "  team   kettles ", who="ada")
    assert stand(state)["owner"] == "team kettles"
    assert stand(state)["status"] == "taken on"
    acts.finish_decision(state, LISTED, "1", who="bo", today=TODAY, on=FIRST)
    row = stand(state)
    assert (row["status"], row["owner"], row["done_on"], row["who"]) == ("done", "team kettles", FIRST, "bo")
    assert stand(state, TWO) is None
    said = acts.history(state.log(DECISION_ACTS), ONE)
    assert [(entry["kind"], entry.get("reason")) for entry in said] == [
        ("decision_accepted", "we see it too"),
        ("decision_assigned", None),
        ("decision_done", None),
    ]


def test_done_is_today_where_no_day_is_given_and_never_before_it_was_listed_or_after_today(state):
    for on, says in ((TODAY + timedelta(days=1), "after today"), (FIRST - timedelta(days=1), "first listed")):
        with pytest.raises(ActRefused, match=says):
            acts.finish_decision(state, LISTED, "1", who="ada", today=TODAY, on=on)
    assert state.log(DECISION_ACTS) == []
    acts.finish_decision(state, LISTED, "1", who="ada", today=TODAY)
    assert stand(state)["done_on"] == TODAY


def test_what_is_done_is_only_assigned_or_taken_back(state):
    acts.finish_decision(state, LISTED, "1", who="ada", today=TODAY)
    for act in (acts.accept_decision, acts.reject_decision):
        with pytest.raises(ActRefused, match="is done; take that back first"):
            act(state, LISTED, "1", who="ada")
    with pytest.raises(ActRefused, match="is done"):
        acts.postpone_decision(state, LISTED, "1", who="ada", today=TODAY)
    acts.assign_decision(state, LISTED, "1", "bo", who="ada")
    assert stand(state)["status"] == "done"


def test_not_now_ends_on_its_day(state):
    with pytest.raises(ActRefused, match="not after today"):
        acts.postpone_decision(state, LISTED, "1", who="ada", today=TODAY, until=TODAY)
    until = TODAY + timedelta(days=7)
    acts.postpone_decision(state, LISTED, "1", who="ada", today=TODAY, until=until)
    assert (stand(state)["status"], stand(state)["until"]) == ("not now", until)
    assert stand(state, today=until - timedelta(days=1))["status"] == "not now"
    assert stand(state, today=until)["status"] == "open"
    acts.postpone_decision(state, LISTED, "2", who="ada", today=TODAY)
    assert stand(state, TWO, today=TODAY + timedelta(days=999))["status"] == "not now"


def test_undo_takes_back_the_last_act_and_then_the_one_before(state):
    acts.accept_decision(state, LISTED, "1", who="ada")
    acts.assign_decision(state, LISTED, "1", "bo", who="ada")
    acts.reject_decision(state, LISTED, "1", who="cy")
    _, act = acts.undo_decision(state, LISTED, "1", who="cy")
    assert act["kind"] == "decision_wrong"
    assert (stand(state)["status"], stand(state)["owner"]) == ("taken on", "bo")
    acts.undo_decision(state, LISTED, "1", who="cy")
    assert (stand(state)["status"], stand(state)["owner"]) == ("taken on", None)
    acts.undo_decision(state, LISTED, "1", who="cy")
    assert stand(state) is None
    with pytest.raises(ActRefused, match="left to take back"):
        acts.undo_decision(state, LISTED, "1", who="cy")
    assert len(acts.history(state.log(DECISION_ACTS), ONE)) == 6


def test_what_is_said_twice_and_an_empty_owner_are_refused(state):
    acts.accept_decision(state, LISTED, "1", who="ada")
    with pytest.raises(ActRefused, match="taken on already"):
        acts.accept_decision(state, LISTED, "1", who="bo")
    for owner in (" ", "x" * 81):
        with pytest.raises(ActRefused, match="1 to 80 characters"):
            acts.assign_decision(state, LISTED, "1", owner, who="ada")


def test_a_night_reads_what_was_said_before_it_began(state):
    acts.accept_decision(state, LISTED, "1", who="ada")
    sequence = state.sequence()
    acts.finish_decision(state, LISTED, "1", who="ada", today=TODAY)
    assert stand(state, upto=sequence)["status"] == "taken on"
    assert stand(state, upto=0) is None


def test_only_wrong_lowers_the_weight_of_a_kind(state):
    def weights() -> dict[str, float]:
        return acts.kind_weights(LISTED, acts.standings(state.log(DECISION_ACTS), today=TODAY))

    assert weights() == {"fix": 1.0, "keep": 1.0}
    acts.postpone_decision(state, LISTED, "1", who="ada", today=TODAY)
    acts.finish_decision(state, LISTED, "2", who="ada", today=TODAY)
    assert weights() == {"fix": 1.0, "keep": 1.0}
    acts.reject_decision(state, LISTED, "1", who="ada")
    assert weights() == {"fix": pytest.approx((1 + acts.TRUSTED) / (2 + acts.TRUSTED)), "keep": 1.0}
    acts.undo_decision(state, LISTED, "1", who="ada")
    assert weights() == {"fix": 1.0, "keep": 1.0}


def test_an_act_of_an_unknown_kind_is_refused(state):
    with pytest.raises(StoreError, match="not said of decisions"):
        state.record_decision_act("decision_eaten", ONE, {}, who="ada")
