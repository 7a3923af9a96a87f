"""What followed a document, and what its columns say."""

from datetime import UTC, date, datetime, timedelta

import polars as pl

from flows.outcomes import _columns, _followed, _of_buyers

AS_OF = date(2026, 6, 30)
WRITTEN_AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
TIME = pl.Datetime("us", "UTC")


def written(*authors: str, item: str = "lamp", at: datetime = WRITTEN_AT) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "document_id": [f"d-{author}" for author in authors],
            "item_id": item,
            "day": at.date(),
            "author_key": authors,
            "created_at": at,
        },
        schema_overrides={"created_at": TIME, "item_id": pl.String, "day": pl.Date},
    )


def done(*rows: tuple[str, str, float]) -> pl.DataFrame:
    """Author, item and days after WRITTEN_AT."""
    times = [(author, item, WRITTEN_AT + timedelta(days=days)) for author, item, days in rows]
    schema = {"author_key": pl.String, "item_id": pl.String, "created_at": TIME}
    return pl.DataFrame(times, schema=schema, orient="row")


def followed(documents: pl.DataFrame, rows: pl.DataFrame, as_of: date = AS_OF) -> dict[str, float]:
    found = _followed(documents, rows, ["author_key", "item_id"], 30, as_of)
    return dict(found.sort("document_id").iter_rows())


def test_what_comes_after_within_the_days_has_followed() -> None:
    rows = done(("ann", "lamp", 3), ("bob", "lamp", 31), ("cid", "lamp", -2), ("dan", "desk", 3))
    assert followed(written("ann", "bob", "cid", "dan", "eve"), rows) == {
        "d-ann": 1.0, "d-bob": 0.0, "d-cid": 0.0, "d-dan": 0.0, "d-eve": 0.0
    }  # fmt: skip


def test_a_document_that_is_too_new_tells_nothing_yet() -> None:
    assert followed(written("ann"), done(("ann", "lamp", 3)), as_of=date(2026, 5, 20)) == {}


def test_only_who_had_ordered_by_then_can_send_back() -> None:
    orders = done(("ann", "lamp", -5), ("bob", "lamp", 5), ("cid", "desk", -5))
    assert _of_buyers(written("ann", "bob", "cid"), orders)["document_id"].to_list() == ["d-ann"]


def test_columns_are_numbers_or_yes_and_no() -> None:
    segments = [{"name": "resolved", "value": value} for value in ("Yes", "no", "TRUE", "maybe")]
    documents = pl.DataFrame(
        {"document_id": ["a", "b", "c", "d"], "segments": [[segment] for segment in segments]}
    )
    (resolved,) = _columns(documents, ["resolved"])
    assert resolved.is_share
    assert dict(resolved.values.sort("document_id").iter_rows()) == {"a": 1.0, "b": 0.0, "c": 1.0}
    numbers = documents.with_columns(
        segments=pl.Series([[{"name": "minutes", "value": value}] for value in ("3", "4.5", "x", "7")])
    )
    (minutes,) = _columns(numbers, ["minutes"])
    assert not minutes.is_share
    assert minutes.scale == 4.0
    assert list(_columns(numbers, ["no such column"])) == []
    assert minutes.values["value"].sort().to_list() == [3.0, 4.5, 7.0]
