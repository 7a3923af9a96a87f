"""The registry is what its events add up to; people's acts are checked, kept and replayed."""

import numpy as np
import polars as pl
import pytest

from analytics.errors import ActRefused, StoreError
from analytics.store import theme_acts as acts
from analytics.store.registry import (
    Registry,
    born_event,
    pack_vector,
    replay,
    run_event_id,
    theme_event,
    unpack_vector,
    with_event_ids,
)
from analytics.store.state import State

UP, RIGHT = np.array([0.0, 1.0], np.float32), np.array([1.0, 0.0], np.float32)
WHO = "ann"


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state.sqlite")
    yield state
    state.close()


def born(theme_id: str, name: str, centroid: np.ndarray = UP, **more):
    theme = {
        "theme_id": theme_id,
        "name": name,
        "criterion": f"Says something about {name}.",
        "keywords": name.split(", "),
        "typical_opinion_id": None,
        **more,
    }
    return born_event(theme, [(centroid, 0.5)], cause="discovery", embedding_recipe="e1", theme_recipe="t1")


def now(state: State, *runs: str, upto: int = 10_000) -> Registry:
    return replay(state.theme_events(runs or ["run1"], upto))


def status(registry: Registry) -> dict[str, str]:
    return dict(registry.themes.select("theme_id", "status").iter_rows())


def names(registry: Registry) -> dict[str, str]:
    return dict(registry.themes.select("theme_id", "name").iter_rows())


@pytest.fixture
def three(state):
    """Three themes, found by one run."""
    events = [born("aaaaaaaa1", "lid"), born("bbbbbbbb2", "cord", RIGHT), born("cccccccc3", "post")]
    state.record_theme_events("run1", events, who="night")
    return now(state)


def test_a_vector_comes_back_exactly():
    vector = np.random.default_rng(1).normal(size=384).astype(np.float32)
    assert np.array_equal(unpack_vector(pack_vector(vector)), vector)


def test_what_is_born_is_told_whole(three):
    theme = three.theme("bbbbbbbb2")
    assert (theme["level"], theme["status"], theme["born_run"]) == ("theme", "active", "run1")
    assert (theme["is_own"], theme["is_pinned"], theme["radius"]) == (False, False, 0.5)
    assert theme["centroid"] == [1.0, 0.0]
    assert three.anchors["theme_id"].to_list() == ["aaaaaaaa1", "bbbbbbbb2", "cccccccc3"]
    assert three.version == 3


def test_a_merged_theme_leads_to_its_survivor_through_any_chain(state, three):
    acts.merge_themes(state, three, ["lid"], "cord", who=WHO)
    acts.merge_themes(state, now(state), ["cord"], "post", who=WHO)
    registry = now(state)
    assert status(registry) == {"aaaaaaaa1": "merged", "bbbbbbbb2": "merged", "cccccccc3": "active"}
    assert dict(registry.survivors.iter_rows()) == dict.fromkeys(status(registry), "cccccccc3")
    assert registry.anchors["theme_id"].to_list() == ["cccccccc3"] * 3
    assert registry.active["theme_id"].to_list() == ["cccccccc3"]


def test_a_rename_a_pin_and_a_retirement_survive_every_later_run(state, three):
    acts.rename_theme(state, three, "lid", "  Leaking   lids ", who=WHO, criterion="Says the lid leaks.")
    acts.pin_theme(state, now(state), "leaking lids", who=WHO)
    acts.retire_theme(state, now(state), "bbbbbbbb", who=WHO)
    state.record_theme_events("run2", [born("dddddddd4", "paint")], who="night")
    registry = now(state, "run1", "run2")
    lid = registry.theme("aaaaaaaa1")
    assert (lid["name"], lid["criterion"], lid["is_pinned"]) == ("Leaking lids", "Says the lid leaks.", True)
    assert status(registry)["bbbbbbbb2"] == "retired"
    assert "bbbbbbbb2" in registry.anchors["theme_id"].to_list(), "it goes on taking in what is said of it"
    acts.revive_theme(state, registry, "cord", who=WHO)
    acts.pin_theme(state, registry, "Leaking lids", who=WHO, unpin=True)
    assert status(now(state))["bbbbbbbb2"] == "active"
    assert not now(state).theme("aaaaaaaa1")["is_pinned"]


def test_the_registry_of_a_past_night_is_that_of_its_sequence_number(state, three):
    then = state.sequence()
    acts.rename_theme(state, three, "lid", "Lids", who=WHO)
    state.record_theme_events("run2", [born("dddddddd4", "paint")], who="night")
    assert names(now(state, "run1", upto=then)) == names(three)
    assert names(now(state, "run1", "run2")) == {**names(three), "aaaaaaaa1": "Lids", "dddddddd4": "paint"}


def test_an_act_on_a_theme_of_a_voided_run_says_nothing(state, three):
    acts.rename_theme(state, three, "lid", "Lids", who=WHO)
    assert now(state, "another").themes.is_empty()


def test_a_theme_of_ones_own_has_an_id_of_its_number_and_keeps_its_words(state, three):
    theme = acts.add_own_theme(
        state,
        three,
        name="Late parcels",
        criterion="Says that a parcel came late.",
        words=["Late parcels", "It came a week late"],
        anchors=[(RIGHT, 0.7), (UP, 0.9)],
        embedding_recipe="e1",
        who=WHO,
    )
    again = acts.add_own_theme(
        state, now(state), name="Rude staff", criterion="", words=[], anchors=[(UP, 0.4)],
        embedding_recipe="e1", who=WHO,
    )  # fmt: skip
    assert theme != again
    row = now(state).theme(theme)
    assert (row["is_own"], row["born_run"]) == (True, None)
    assert row["words"] == ["Late parcels", "It came a week late"]
    assert now(state).anchors.filter(pl.col("theme_id") == theme)["radius"].to_list() == [0.7, 0.9]


def test_anchors_are_replaced_or_added_and_the_change_is_dated_by_its_number(state, three):
    theme = acts.add_own_theme(
        state, three, name="Own", criterion="", words=[], anchors=[(UP, 0.4)], embedding_recipe="e1", who=WHO
    )
    first = now(state).changed_at[theme]
    acts.anchor_theme(state, theme, [(RIGHT, 0.8)], embedding_recipe="e1", cause="removal", who=WHO)
    changed = now(state)
    assert changed.anchors.filter(pl.col("theme_id") == theme)["radius"].to_list() == [0.8]
    assert changed.changed_at[theme] > first
    acts.anchor_theme(
        state, theme, [(UP, 0.6)], embedding_recipe="e1", cause="widened", who=WHO, is_added=True
    )
    assert now(state).anchors.filter(pl.col("theme_id") == theme)["radius"].to_list() == [0.8, 0.6]


def test_anchors_of_other_vectors_are_not_mixed(state, three):
    acts.merge_themes(state, three, ["lid"], "cord", who=WHO)
    new = [[pack_vector(np.array([0, 0, 1], np.float32)), 0.3]]
    anew = theme_event("anchored", "bbbbbbbb2", cause="embedding changed", anchors=new, embedding_recipe="e2")
    state.record_theme_events("run2", [anew], who="night")
    anchors = now(state, "run1", "run2").anchors.filter(pl.col("theme_id") == "bbbbbbbb2")
    assert anchors["centroid"].to_list() == [[0.0, 0.0, 1.0]]


def test_links_hold_until_they_are_taken_back_and_an_erased_end_says_nothing(state, three):
    acts.link(state, "op1", "aaaaaaaa1", who=WHO)
    acts.link(state, "op2", "op1", who=WHO, apart=True)
    assert now(state).links.select("left", "right", "is_apart").rows() == [
        ("aaaaaaaa1", "op1", False),
        ("op1", "op2", True),
    ]
    acts.link(state, "aaaaaaaa1", "op1", who=WHO, undo=True)
    assert now(state).links["left"].to_list() == ["op1"]
    state.drop_opinions(["op2"])
    assert now(state).links.is_empty()


def test_a_dismissed_proposal_is_remembered(state, three):
    acts.dismiss_proposal(state, "p1", who=WHO)
    assert now(state).dismissed == {"p1"}


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda s, r: acts.rename_theme(s, r, "lid", "CORD", who=WHO), "already"),
        (lambda s, r: acts.rename_theme(s, r, "lid", " ", who=WHO), "1 to 80"),
        (lambda s, r: acts.rename_theme(s, r, "nothing", "x", who=WHO), "no theme is called 'nothing'"),
        (lambda s, r: acts.merge_themes(s, r, ["lid"], "lid", who=WHO), "into itself"),
        (lambda s, r: acts.revive_theme(s, r, "lid", who=WHO), "only a retired"),
        (lambda s, r: acts.link(s, "op1", "op1", who=WHO), "itself"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(state, three, act, says):
    before = state.sequence()
    with pytest.raises(ActRefused, match=says):
        act(state, three)
    assert state.sequence() == before


def test_a_theme_that_is_gone_cannot_be_changed(state, three):
    acts.merge_themes(state, three, ["lid"], "cord", who=WHO)
    with pytest.raises(ActRefused, match="merged, not active"):
        acts.pin_theme(state, now(state), "aaaaaaaa1", who=WHO)


def test_the_beginning_of_an_id_must_mean_one_theme(state):
    state.record_theme_events("run1", [born("abcdef11", "lid"), born("abcdef22", "cord")], who="night")
    registry = now(state)
    with pytest.raises(ActRefused, match="could be any of"):
        acts.find_theme(registry, "abcdef")
    assert acts.find_theme(registry, "abcdef2")["name"] == "cord"


def test_events_have_ids_that_a_resumed_run_gives_again(state, three):
    first = with_event_ids(state.theme_events(["run1"], 10_000))["event_id"].to_list()
    events = [born("aaaaaaaa1", "lid"), born("bbbbbbbb2", "cord", RIGHT), born("cccccccc3", "post")]
    state.record_theme_events("run1", events, who="night")
    again = with_event_ids(state.theme_events(["run1"], 10_000))["event_id"].to_list()
    assert again == first
    assert again[0] == run_event_id("run1", "aaaaaaaa1", "born")
    acts.pin_theme(state, three, "lid", who=WHO)
    assert with_event_ids(state.theme_events(["run1"], 10_000))["event_id"].n_unique() == 4


def test_an_act_of_an_unknown_kind_is_refused(state):
    with pytest.raises(StoreError, match="not said of themes"):
        state.record_theme_act("exploded", "t", {}, who=WHO)
