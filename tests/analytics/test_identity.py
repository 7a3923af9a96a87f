from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import identity

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_a_hash_is_the_first_half_of_sha256_over_canonical_json():
    expected = hashlib.sha256('["reviews","ä-1"]'.encode()).hexdigest()[:32]
    assert identity.hash_of(["reviews", "ä-1"]) == expected
    assert identity.document_id("reviews", "ä-1") == expected
    assert len(expected) == identity.HASH_HEX


def test_canonical_json_sorts_keys_and_spells_dates():
    at = datetime(2026, 6, 30, 12, 0, 1, tzinfo=UTC)
    assert identity.canonical_json({"b": at, "a": date(2026, 6, 30)}) == (
        '{"a":"2026-06-30","b":"2026-06-30T12:00:01+00:00"}'
    )


def test_text_that_is_no_utf8_has_an_identity_too():
    assert identity.hash_of("broken \ud800") != identity.hash_of("broken \ud801")


@given(VALUES, VALUES)
def test_equal_values_have_equal_hashes_and_others_do_not(one, two):
    assert (identity.hash_of(one) == identity.hash_of(two)) == (
        identity.canonical_json(one) == identity.canonical_json(two)
    )
    if isinstance(one, dict):
        assert identity.hash_of(dict(reversed(one.items()))) == identity.hash_of(one)


def test_ids_depend_on_what_design_says_and_on_nothing_else():
    assert identity.opinion_id("d", "q", 0) == identity.hash_of(["d", "q", 0, ""])
    assert identity.opinion_id("d", "q", 0) != identity.opinion_id("d", "q", 1)
    assert identity.run_id(date(2026, 6, 30), 1) == identity.hash_of(["2026-06-30", 1])
    assert identity.theme_id("r", "o") == identity.hash_of(["r", "o"])
    assert identity.decision_id("fix", "all", "t", 1) == identity.hash_of(["fix", "all", "t", 1])
    assert identity.lake_keys("r", ["x", "y"]) == [identity.hash_of(["r", "x"]), identity.hash_of(["r", "y"])]


def test_an_author_key_needs_the_secret():
    assert identity.author_key(b"one", "anna") != identity.author_key(b"two", "anna")
    assert identity.author_key(b"one", "anna") == identity.author_key(b"one", "anna")
    assert "anna" not in identity.author_key(b"one", "anna")


@given(st.text(), st.integers(1, 12))
def test_a_fold_is_fixed_and_in_range(identifier, n_folds):
    assert 0 <= identity.fold_of(identifier, n_folds) < n_folds
    assert identity.fold_of(identifier, n_folds) == identity.fold_of(identifier, n_folds)


def test_stages_draw_from_different_seeds():
    assert identity.stage_seed(7, "themes") != identity.stage_seed(7, "sentiment")
    assert identity.stage_seed(7, "themes") != identity.stage_seed(8, "themes")


@given(
    st.lists(st.tuples(st.text(), st.floats(-1e6, 1e6)), max_size=20, unique_by=lambda row: row[0]),
    st.randoms(),
)
def test_a_digest_does_not_depend_on_row_order_or_the_last_digits(rows, random):
    frame = pl.DataFrame(rows, schema={"id": pl.String, "x": pl.Float64}, orient="row")
    shuffled = list(rows)
    random.shuffle(shuffled)
    other = pl.DataFrame(shuffled, schema=frame.schema, orient="row").with_columns(pl.col("x") * (1 + 1e-13))
    digest = identity.frame_digest(frame, key=["id"])
    exact = frame["x"].round_sig_figs(9).to_list()
    if exact == other.sort("id")["x"].round_sig_figs(9).to_list() or frame.is_empty():
        assert identity.frame_digest(other, key=["id"]) == digest
    again = pl.DataFrame(shuffled, schema=frame.schema, orient="row")
    assert identity.frame_digest(again, key=["id"]) == digest


@pytest.mark.parametrize("change", [{"x": 1.5}, {"name": "b"}])
def test_a_digest_changes_with_any_column_but_a_run_fact(change):
    frame = pl.DataFrame({"id": ["1"], "x": [1.0], "name": ["a"], "seconds": [3.0]})
    digest = identity.frame_digest(frame, key=["id"], leave_out=["seconds"])
    assert identity.frame_digest(frame.with_columns(seconds=4.0), key=["id"], leave_out=["seconds"]) == digest
    changed = frame.with_columns(**{name: pl.lit(value) for name, value in change.items()})
    assert identity.frame_digest(changed, key=["id"], leave_out=["seconds"]) != digest
