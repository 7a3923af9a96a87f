"""Reading sources: every row is let in or rejected with its place."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import hypothesis
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import FORMATS, read, refusal, source, write

from analytics.identity import hash_of
from analytics.intake.sources import read_blocks
from analytics.rows import SOURCE_ROWS

WHOLE = {
    "id": "key",
    "text": "body",
    "title": "head",
    "created_at": "when",
    "item": "sku",
    "user": "who",
    "rating": "stars",
    "language": "lang",
    "name": "full",
    "thread": "ticket",
    "speaker": "by",
    "channel": "channel",
    "question": "ask",
    "url": "link",
    "kind": "did",
    "segments": ("channel", "country"),
}


@FORMATS
def test_every_column_is_mapped(tmp_path: Path, ending: str) -> None:
    rows: list[dict[str, Any]] = [
        {
            "key": 5,
            "body": "Good, really",
            "head": "Yes",
            "when": "2017-01-13T12:00:00",
            "sku": "A1",
            "who": "u1",
            "stars": "4.5",
            "lang": "en-US",
            "channel": "Web",
            "country": None,
            "full": " Ann Lee ",
            "ticket": "t9",
            "by": "Agent",
            "ask": "How was it?",
            "link": "https://a.example/5",
            "did": "Order",
        },
        {
            "key": 6,
            "body": None,
            "head": None,
            "when": None,
            "sku": None,
            "who": None,
            "stars": None,
            "lang": None,
            "channel": None,
            "country": "DE",
            **dict.fromkeys(("full", "ticket", "by", "ask", "link", "did")),
        },
    ]
    settings = source(
        columns=WHOLE,
        time_zone="America/New_York",
        channel="Mail",
        question="Anything else?",
        url="https://b.example/{id}?v=1",
    )
    mapped, rejected = read(settings, write(tmp_path / f"s.{ending}", rows))
    offset = 2 if ending == "csv" else 1
    assert rejected.is_empty()
    first, second = mapped.with_columns(pl.col("text", "title").replace("", None)).to_dicts()
    assert first == {
        "position": offset,
        "source_id": "5",
        "title": "Yes",
        "text": "Good, really",
        "created_at": datetime(2017, 1, 13, 17, 0, tzinfo=UTC),
        "item_id": "A1",
        "user_id": "u1",
        "rating": 4.5,
        "language": "en",
        "name": "Ann Lee",
        "thread_id": "t9",
        "speaker": "Agent",
        "channel": "web",
        "question": "How was it?",
        "url": "https://a.example/5",
        "kind": "order",
        "segments": [{"name": "channel", "value": "Web"}],
    }
    assert second == {
        **dict.fromkeys(SOURCE_ROWS),
        "position": offset + 1,
        "source_id": "6",
        "channel": "mail",
        "question": "Anything else?",
        "url": "https://b.example/6?v=1",
        "segments": [{"name": "country", "value": "DE"}],
    }


@FORMATS
def test_unmapped_columns_are_not_read(tmp_path: Path, ending: str) -> None:
    rows: list[dict[str, Any]] = [{"id": "a", "text": "t", "stars": 9}]
    mapped, rejected = read(source(), write(tmp_path / f"s.{ending}", rows))
    assert rejected.is_empty()
    assert mapped["rating"].to_list() == [None]
    assert mapped["segments"].to_list() == [[]]
    assert mapped["language"].to_list() == [None]


@FORMATS
def test_ratings(tmp_path: Path, ending: str) -> None:
    ratings = ["1", "5", " 4.5 ", None, "7", "-0.5", "good", "nan", "1e1"]
    rows: list[dict[str, Any]] = [
        {"id": str(nth), "text": "t", "stars": rating} for nth, rating in enumerate(ratings)
    ]
    settings = source(columns={"id": "id", "text": "text", "rating": "stars"})
    mapped, rejected = read(settings, write(tmp_path / f"s.{ending}", rows))
    assert mapped["rating"].to_list() == [1.0, 5.0, 4.5, None]
    assert rejected["reason"].to_list() == [
        "rating 7 is outside 1 to 5",
        "rating -0.5 is outside 1 to 5",
        "rating is not a number",
        "rating is not a number",
        "rating 10 is outside 1 to 5",
    ]
    offset = 2 if ending == "csv" else 1
    assert rejected["position"].to_list() == [nth + offset for nth in (4, 5, 6, 7, 8)]


def test_numeric_ratings_of_parquet(tmp_path: Path) -> None:
    stars = pl.Series([5.0, float("nan"), None, 7.5], dtype=pl.Float32)
    frame = pl.DataFrame({"id": ["a", "b", "c", "d"], "text": "t", "stars": stars})
    frame.write_parquet(tmp_path / "s.parquet")
    settings = source(columns={"id": "id", "text": "text", "rating": "stars"})
    mapped, rejected = read(settings, tmp_path / "s.parquet")
    assert mapped["rating"].to_list() == [5.0, None, None]
    assert rejected["reason"].to_list() == ["rating 7.5 is outside 1 to 5"]


@FORMATS
def test_a_row_without_an_id_is_rejected(tmp_path: Path, ending: str) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "a", "text": "t"},
        {"id": None, "text": "t"},
        {"id": "  ", "text": "t"},
    ]
    mapped, rejected = read(source(), write(tmp_path / f"s.{ending}", rows))
    assert mapped["source_id"].to_list() == ["a"]
    assert rejected["reason"].to_list() == ["no id", "no id"]


def test_numbers_in_text_columns_become_the_same_text_in_every_format(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"id": value, "text": value} for value in (5.0, 2.5, -1.0)]
    texts = [
        read(source(), write(tmp_path / f"s.{ending}", rows))[0].select("source_id", "text").rows()
        for ending in ("jsonl", "parquet")
    ]
    assert texts[0] == texts[1] == [("5", "5"), ("2.5", "2.5"), ("-1", "-1")]
    flags = [{"id": "a", "text": True}, {"id": "b", "text": False}]
    for ending in ("jsonl", "parquet"):
        assert read(source(), write(tmp_path / f"s.{ending}", flags))[0]["text"].to_list() == [
            "true",
            "false",
        ]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_float_ids_that_have_lost_digits_are_rejected(tmp_path: Path, ending: str) -> None:
    """Neighbours of such a number have the same value, so two rows would pass for one."""
    rows: list[dict[str, Any]] = [
        {"id": 1.0, "text": "t"},
        {"id": 2.0**53, "text": "t"},
        {"id": 1e22, "text": "t"},
    ]
    mapped, rejected = read(source(), write(tmp_path / f"s.{ending}", rows))
    assert mapped["source_id"].to_list() == ["1"]
    assert rejected["reason"].to_list() == ["id is a number too large to be exact"] * 2


@FORMATS
def test_dates_of_documents(tmp_path: Path, ending: str) -> None:
    """An unreadable or impossible date costs the date, not the document."""
    whens = ["2017-01-13", "soon", "1800-01-01", None, "1989-12-31T23:30:00Z"]
    rows: list[dict[str, Any]] = [
        {"id": str(nth), "text": "t", "when": when} for nth, when in enumerate(whens)
    ]
    columns = {"id": "id", "text": "text", "created_at": "when"}
    path = write(tmp_path / f"s.{ending}", rows)
    mapped, rejected = read(source(columns=columns), path)
    assert rejected.is_empty()
    assert mapped["created_at"].to_list() == [datetime(2017, 1, 13, tzinfo=UTC), *[None] * 4]
    mapped, _ = read(source(columns=columns, time_zone="Europe/Berlin"), path)
    assert mapped["created_at"][4] == datetime(1989, 12, 31, 23, 30, tzinfo=UTC)
    mapped, _ = read(source(columns=columns, earliest=date(1700, 1, 1)), path)
    assert mapped["created_at"].null_count() == 2


@FORMATS
def test_interactions(tmp_path: Path, ending: str) -> None:
    rows: list[dict[str, Any]] = [
        {"who": "u", "sku": "i", "when": "2017-01-13"},
        {"who": None, "sku": "i", "when": "2017-01-13"},
        {"who": "u", "sku": "", "when": "2017-01-13"},
        {"who": "u", "sku": "i", "when": "soon"},
        {"who": "u", "sku": "i", "when": None},
        {"who": "u", "sku": "i", "when": "1800-01-01"},
    ]
    settings = source("interactions", {"user": "who", "item": "sku", "created_at": "when"})
    mapped, rejected = read(settings, write(tmp_path / f"s.{ending}", rows))
    assert mapped.select("source_id", "user_id", "item_id").rows() == [(None, "u", "i")]
    assert rejected["reason"].to_list() == [
        "no user",
        "no item",
        "created_at is not a date",
        "no created_at",
        "created_at is before 1990-01-01",
    ]


@FORMATS
def test_items_and_users(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"s.{ending}", [{"id": "i1", "name": "Tablet", "plan": "gold"}])
    items, _ = read(source("items", {"id": "id", "title": "name"}), path)
    assert items.select("source_id", "title", "text").rows() == [("i1", "Tablet", None)]
    users, _ = read(source("users", {"id": "id", "segments": ("plan",)}, language=None), path)
    assert users["segments"].to_list() == [[{"name": "plan", "value": "gold"}]]
    assert users["language"].to_list() == [None]


def test_languages(tmp_path: Path) -> None:
    tags = ["EN", "pt-BR", "zh_Hans", "", None, "???", "x"]
    rows: list[dict[str, Any]] = [{"id": str(nth), "text": "t", "lang": tag} for nth, tag in enumerate(tags)]
    columns = {"id": "id", "text": "text", "language": "lang"}
    path = write(tmp_path / "s.jsonl", rows)
    expected = ["en", "pt", "zh", None, None, None, None]
    assert read(source(columns=columns, language="de-AT"), path)[0]["language"].to_list() == expected


def test_row_hashes_tell_rows_apart_and_hold_no_content(tmp_path: Path) -> None:
    csv = tmp_path / "s.csv"
    csv.write_text('id,text\na,t\n,"secret, one"\n,secret two\n', encoding="utf-8")
    assert read(source(), csv)[1]["row_hash"].to_list() == [hash_of(',"secret, one"'), hash_of(",secret two")]
    rows: list[dict[str, Any]] = [
        {"id": "a", "text": "t"},
        {"id": None, "text": "x"},
        {"id": None, "text": "y"},
    ]
    hashes = read(source(), write(tmp_path / "s.parquet", rows))[1]["row_hash"].to_list()
    assert hashes == [hash_of([None, "x"]), hash_of([None, "y"])]


@FORMATS
def test_blocks_are_bounded_and_positions_go_on(tmp_path: Path, ending: str) -> None:
    rows: list[dict[str, Any]] = [{"id": str(nth) if nth % 3 else None, "text": "t"} for nth in range(25)]
    path = write(tmp_path / f"s.{ending}", rows)
    mapped, rejected = read(source(), path, block_rows=4)
    offset = 2 if ending == "csv" else 1
    assert mapped["position"].to_list() == [nth + offset for nth in range(25) if nth % 3]
    assert rejected["position"].to_list() == [nth + offset for nth in range(25) if not nth % 3]
    whole = read(source(), path)
    assert mapped.equals(whole[0])
    assert rejected.equals(whole[1])


def test_a_block_of_long_lines_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.intake.text_files.BLOCK_BYTES", 1_000)
    path = write(tmp_path / "s.jsonl", [{"id": str(nth), "text": "x" * 400} for nth in range(9)])
    assert [block.rows.height for block in read_blocks(source(), path)] == [3, 3, 3]


JSON_LINE = st.sampled_from(['{"id": "a", "text": "t"}', '{"id": 7}', '{"text": "t"}', "{", "[1]", "é", ""])
CSV_LINE = st.sampled_from(["a,t", '"a","t"', ",t", "a", "a,b,c", '"a,t', '"a"x,t', 'a,"', "é,ü", ""])


@hypothesis.settings(deadline=None, max_examples=30)
@given(st.lists(JSON_LINE, max_size=12), st.integers(1, 5))
def test_every_line_of_json_is_let_in_or_rejected(lines: list[str], block_rows: int) -> None:
    """Position by position, blank lines aside."""
    lines = ['{"id": "first", "text": "t"}', *lines]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        mapped, rejected = read(source(), path, block_rows)
    good = [nth for nth, line in enumerate(lines, 1) if '"id"' in line]
    assert mapped["position"].to_list() == good
    assert rejected["position"].to_list() == [
        nth for nth, line in enumerate(lines, 1) if line and nth not in good
    ]


@hypothesis.settings(deadline=None, max_examples=30)
@given(st.lists(CSV_LINE, max_size=12), st.integers(1, 5))
def test_every_line_of_csv_is_let_in_or_rejected(lines: list[str], block_rows: int) -> None:
    """A record of several lines is one row; what no record holds is rejected line by line."""
    lines = ["id,text", "first,t", *lines]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        mapped, rejected = read(source(), path, block_rows)
    # A line inside a record that looks like a row is let in with the record and counted besides.
    is_inside = pl.col("reason").str.contains("lies inside the quotes")
    covered = set(rejected.filter(~is_inside)["position"])
    assert len(covered) == rejected.filter(~is_inside).height
    for position, name, text in mapped.select("position", "source_id", "text").iter_rows():
        n_lines = 1 + name.count("\n") + text.count("\n")
        assert covered.isdisjoint(range(position, position + n_lines))
        covered.update(range(position, position + n_lines))
    blank = {nth for nth, line in enumerate(lines, 1) if not line}
    assert covered >= set(rejected["position"])
    # A blank line is no row, unless it lies inside quotes.
    assert covered | blank == set(range(2, len(lines) + 1)) | blank


@FORMATS
def test_rejecting_every_row_is_a_stated_error(tmp_path: Path, ending: str) -> None:
    """It is the mapping that is wrong then; reasons that differ in a number are one."""
    stars = [None, "12", "13", "14", "good"]
    rows: list[dict[str, Any]] = [{"id": "a" if star else None, "text": "t", "stars": star} for star in stars]
    settings = source(columns={"id": "id", "text": "text", "rating": "stars"})
    path = write(tmp_path / f"s.{ending}", rows)
    assert refusal(path, settings) == (
        "all rows were rejected (5), most often because: rating 12 is outside 1 to 5 (3); "
        "correct the mapping in the settings, or the file"
    )


def test_a_zone_that_only_this_machine_knows_is_a_stated_error(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", [{"id": "a", "text": "t"}])
    settings = source().model_copy(update={"time_zone": "localtime"})
    assert refusal(path, settings).startswith("time_zone 'localtime' cannot be used")


def test_the_order_of_day_and_month_is_remembered_from_block_to_block(tmp_path: Path) -> None:
    """A date that the rows so far leave open is lost, as an unreadable one is; the row stays."""
    whens = ["05/06/2025", "06/06/2025", "13/06/2025", "05/06/2025"]
    rows: list[dict[str, Any]] = [
        {"id": str(nth), "text": "t", "when": when} for nth, when in enumerate(whens)
    ]
    settings = source(columns={"id": "id", "text": "text", "created_at": "when"})
    mapped, rejected = read(settings, write(tmp_path / "s.csv", rows), block_rows=2)
    assert rejected.is_empty()
    assert mapped["created_at"].dt.strftime("%d %b").to_list() == [None, "06 Jun", "13 Jun", "05 Jun"]


def test_of_several_files_the_last_comes_last(tmp_path: Path) -> None:
    """So that of an id in two files the row of the last file counts, as within one file."""
    for name, text in (("b", "new"), ("a", "old")):
        write(tmp_path / f"{name}.csv", [{"id": "1", "text": text}])
    assert read(source(), tmp_path)[0]["text"].to_list() == ["old", "new"]
