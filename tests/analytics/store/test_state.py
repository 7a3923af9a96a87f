from __future__ import annotations

import os
import sqlite3

import numpy as np
import pytest

from analytics.errors import SchemaTooNew, StoreError
from analytics.store.registry import born_event, replay
from analytics.store.state import ERASURES, OBJECTIONS, State


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state.sqlite")
    yield state
    state.close()


def born(theme_id, name="battery, charge", typical="op1"):
    theme = {
        "theme_id": theme_id,
        "name": name,
        "criterion": "Says something about it.",
        "keywords": name.split(", "),
        "typical_opinion_id": typical,
    }
    anchors = [(np.array([0.6, 0.8], np.float32), 0.5)]
    return born_event(theme, anchors, cause="discovery", embedding_recipe="e1", theme_recipe="t1")


def test_events_count_only_for_listed_runs(state):
    state.record_theme_events("run1", [born("t1")], who="night")
    state.record_theme_events("run2", [born("t2")], who="night")
    assert state.theme_events(["run1"], upto=99)["theme_id"].to_list() == ["t1"]
    assert state.theme_events([], upto=99).is_empty()


def test_a_later_attempt_replaces_what_the_earlier_one_wrote(state):
    state.record_theme_events("run1", [born("t1"), born("t2")], who="night")
    state.record_theme_events("run1", [born("t1")], who="night")
    assert state.theme_events(["run1"], upto=99)["theme_id"].to_list() == ["t1"]


def test_an_event_of_an_unknown_kind_is_refused(state):
    with pytest.raises(StoreError, match="not a theme event"):
        state.record_theme_events("run1", [{"kind": "exploded", "theme_id": "t", "content": {}}], who="night")


def test_a_tombstone_holds_an_author_key_or_a_document_id_and_nothing_else(state, tmp_path):
    state.bury(who="privacy@example.com", author_key="a1")
    state.bury(who="privacy@example.com", document_id="d1")
    assert state.buried() == ({"a1"}, {"d1"})
    with pytest.raises(StoreError, match="not both"):
        state.bury(who="x", author_key="a", document_id="d")
    rows = sqlite3.connect(tmp_path / "state.sqlite").execute("SELECT subject, content FROM entry").fetchall()
    assert rows == [("author:a1", "{}"), ("document:d1", "{}")]


def test_an_objection_holds_until_it_is_withdrawn_and_nights_read_it_at_their_number(state, tmp_path):
    assert state.record_objection(who="privacy", author_key="a1")
    assert state.record_objection(who="privacy", author_key="a2")
    began = state.sequence()
    assert state.record_objection(who="privacy", author_key="a1", withdraw=True)
    assert state.objecting(began) == {"a1", "a2"}
    assert state.objecting() == {"a2"}
    assert not state.record_objection(who="privacy", author_key="a2")
    assert not state.record_objection(who="privacy", author_key="a1", withdraw=True)
    assert [(e["who"], e["kind"], e["subject"]) for e in state.log(OBJECTIONS)] == [
        ("privacy", "objection", "author:a1"),
        ("privacy", "objection", "author:a2"),
        ("privacy", "objection_withdrawn", "author:a1"),
    ]


def test_the_log_says_what_an_erasure_took(state):
    state.bury(who="privacy", author_key="a1")
    state.record_erased(who="privacy", author_key="a1", gone={"lake/document": 12}, manifests={"g1": "f00"})
    state.record_objection(who="privacy", author_key="a2")
    tombstone, erased = state.log(ERASURES)
    assert (tombstone["kind"], erased["kind"]) == ("tombstone", "erased")
    assert erased["subject"] == "author:a1"
    assert (erased["gone"], erased["manifests"]) == ({"lake/document": 12}, {"g1": "f00"})
    assert tombstone["at"] <= erased["at"]


def test_opinion_ids_are_taken_out_and_vacuumed_away(state, tmp_path):
    state.record_theme_events(
        "run1", [born("t1", typical="opinion-of-the-erased"), born("t2", typical="op2")], who="n"
    )
    assert state.drop_opinions(["opinion-of-the-erased"]) == 1
    registry = replay(state.theme_events(["run1"], upto=99)).themes
    assert registry["typical_opinion_id"].to_list() == [None, "op2"]
    state.close()
    assert b"opinion-of-the-erased" not in (tmp_path / "state.sqlite").read_bytes()


def test_the_sequence_grows_and_is_never_given_twice(state):
    assert state.sequence() == 0
    state.record_theme_events("run1", [born("t1")], who="night")
    first = state.sequence()
    state.record_theme_events("run1", [born("t1")], who="night")
    assert state.sequence() > first


def test_a_newer_schema_is_one_clear_line_and_nothing_changes(tmp_path):
    path = tmp_path / "state.sqlite"
    State(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match=r"schema 99.*newer version; update"):
        State(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path):
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"not a database, but a long enough text to be read as one" * 40)
    with pytest.raises(StoreError, match="cannot be used"):
        State(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only folders")
def test_a_read_only_folder_is_one_clear_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="read-only"):
        State(tmp_path / "state.sqlite")
