from __future__ import annotations

import polars as pl
import pytest

from analytics.errors import StoreError
from analytics.store.labels import drop_labels, pair_id, read_labels, record_answers, record_draw
from analytics.store.state import State


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state.sqlite")
    yield state
    state.close()


def pairs_of(*documents: str, probability: float = 0.5) -> pl.DataFrame:
    return pl.DataFrame({"document_id": documents}).with_columns(
        theme_id=pl.lit("t"), is_placed=pl.lit(True), probability=pl.lit(probability)
    )


def test_the_last_answer_counts_and_a_night_reads_those_at_its_number(state):
    record_draw(state, pairs_of("d1", "d2"), who="ann")
    record_answers(state, {pair_id("d1", "t"): True}, who="ann")
    began = state.sequence()
    record_answers(state, {pair_id("d1", "t"): False, pair_id("d2", "t"): True}, who="bob")
    assert read_labels(state)["says_it"].to_list() == [False, True]
    assert read_labels(state, began)["says_it"].to_list() == [True, None]
    assert {entry["who"] for entry in state.log(["labelled"])} == {"ann", "bob"}


def test_pairs_of_two_draws_have_the_probability_of_either(state):
    record_draw(state, pairs_of("d1", "d2", probability=0.2), who="ann")
    record_draw(state, pairs_of("d3", probability=0.5), who="ann")
    assert read_labels(state)["probability"].to_list() == pytest.approx([0.6] * 3)


def test_labels_of_a_document_go_from_the_file_too(state, tmp_path):
    record_draw(state, pairs_of("document-of-the-erased", "d2"), who="ann")
    record_answers(state, {pair_id("document-of-the-erased", "t"): True, pair_id("d2", "t"): True}, who="ann")
    assert drop_labels(state, {"document-of-the-erased", "elsewhere"}) == 2
    assert read_labels(state)["document_id"].to_list() == ["d2"]
    assert len(state.log(["labelled"])) == 1
    state.close()
    content = (tmp_path / "state.sqlite").read_bytes()
    assert b"document-of-the-erased" not in content
    assert pair_id("document-of-the-erased", "t").encode() not in content


def test_nothing_else_is_recorded_as_a_label(state):
    with pytest.raises(StoreError, match="no kind of label"):
        state.record_each("tombstone", {"author:a": {}}, who="x")
