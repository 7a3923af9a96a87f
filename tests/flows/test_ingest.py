"""From rows to documents: identity, admission, versions."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from analytics import identity
from analytics.rows import SOURCE_ROWS
from analytics.settings import ColumnSettings, SourceSettings
from flows.ingest import SOURCE_STAGES, admit_rows, identify_rows

SECRET = b"secret of the store"


def source(kind="documents", **changes):
    columns = ColumnSettings(id="id", text="text", user="user", item="item", created_at="at")
    return SourceSettings(name="reviews", kind=kind, path="x.csv", language="en", columns=columns, **changes)


def rows(*changes):
    base = {
        "position": 1,
        "source_id": "r-1",
        "title": "Kettle",
        "text": "It leaks.",
        "created_at": datetime(2026, 6, 30, 10, tzinfo=UTC),
        "item_id": "LF-1",
        "user_id": "anna@example.com",
        "rating": 2.0,
        "language": "en",
        "segments": [{"name": "country", "value": "IE"}],
    }
    return pl.DataFrame([{**base, **change} for change in changes or ({},)], schema=SOURCE_ROWS)


def identified(*changes, kind="documents"):
    return identify_rows(rows(*changes), source(kind), SOURCE_STAGES[kind], SECRET)


def test_the_keys_of_source_rows_are_golden():
    """If one of these changes, every store reads all its history again: raise the stage's version."""
    keys = {kind: identified(kind=kind)["key"].item() for kind in SOURCE_STAGES}
    versions = {kind: stage.recipe["version"] for kind, stage in SOURCE_STAGES.items()}
    assert versions == {"documents": 2, "items": 1, "users": 2, "interactions": 2}
    assert keys == GOLDEN


GOLDEN = {
    "documents": "b07a89f5ef727e253817a175b33f1cfa",
    "items": "4c741d43bebb4593656244a58ca46e34",
    "users": "ce600fbeae359d75dc8e73eeacd2d6c6",
    "interactions": "4511ad5e9ecb8f9cb2aca18053c806e1",
}


def test_a_document_is_known_by_source_and_id_and_its_version_by_every_mapped_field():
    first = identified().row(0, named=True)
    assert first["id"] == identity.document_id("reviews", "r-1")
    for change in ({"rating": 3.0}, {"text": "It does not."}, {"language": "de"}, {"segments": []}):
        other = identified(change).row(0, named=True)
        assert other["id"] == first["id"]
        assert other["key"] != first["key"], change
    assert identified({"position": 9}).row(0, named=True)["key"] == first["key"]


def test_no_user_id_reaches_the_author_key_and_no_author_has_none():
    row = identified().row(0, named=True)
    assert row["author_key"] == identity.author_key(SECRET, "anna@example.com")
    assert identified({"user_id": None}).row(0, named=True)["author_key"] is None


def test_a_fold_goes_with_the_author_and_not_with_the_secret():
    ours = identified({"source_id": "a"}, {"source_id": "b"})["fold"]
    assert ours.n_unique() == 1
    theirs = identify_rows(rows(), source(), SOURCE_STAGES["documents"], b"another")["fold"]
    assert theirs.item() == ours[0]


def test_the_day_is_the_store_s_and_undated_rows_are_let_in():
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    some = identified({"source_id": "late", "created_at": late}, {"source_id": "undated", "created_at": None})
    admitted, n_waiting, n_erased, _ = admit_rows(some, date(2026, 6, 30), "UTC", (set(), set()))
    assert (admitted.height, n_waiting, n_erased) == (2, 0, 0)
    admitted, n_waiting, _, _ = admit_rows(some, date(2026, 6, 30), "Europe/Berlin", (set(), set()))
    assert (admitted["source_id"].to_list(), n_waiting) == (["undated"], 1)


def test_rows_of_the_erased_are_left_out_by_author_and_by_document():
    some = identified(
        {"source_id": "a"}, {"source_id": "b", "user_id": None}, {"source_id": "c", "user_id": "ben"}
    )
    authors = {identity.author_key(SECRET, "anna@example.com")}
    documents = {identity.document_id("reviews", "b")}
    admitted, _, n_erased, _ = admit_rows(some, date(2026, 7, 1), "UTC", (authors, documents))
    assert (admitted["source_id"].to_list(), n_erased) == (["c"], 2)
