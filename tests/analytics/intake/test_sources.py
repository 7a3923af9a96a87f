"""Reading sources: every row is let in or rejected with its place, and a wrong file is one clear line."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import hypothesis
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import SourceError
from analytics.identity import hash_of
from analytics.intake.sources import Block, read_blocks
from analytics.settings import SourceSettings
from analytics.tables import REJECTED_ROWS, SOURCE_ROWS

WHOLE = {
    "id": "key",
    "text": "body",
    "title": "head",
    "created_at": "when",
    "item": "sku",
    "user": "who",
    "rating": "stars",
    "language": "lang",
    "segments": ("channel", "country"),
}


def source(kind: str = "documents", columns: dict[str, Any] | None = None, **settings: Any) -> SourceSettings:
    named = {"name": "reviews", "kind": kind, "path": "-", "language": "en", **settings}
    return SourceSettings.model_validate({**named, "columns": columns or {"id": "id", "text": "text"}})


def read(settings: SourceSettings, path: Path, block_rows: int = 10_000) -> tuple[pl.DataFrame, pl.DataFrame]:
    blocks = list(read_blocks(settings, path, block_rows))
    empty = Block(pl.DataFrame(schema=SOURCE_ROWS), pl.DataFrame(schema=REJECTED_ROWS))
    for block in blocks:
        assert block.rows.schema == pl.Schema(SOURCE_ROWS)
        assert block.rejected.schema == pl.Schema(REJECTED_ROWS)
        assert 0 < block.rows.height + block.rejected.height <= block_rows
    every = [empty, *blocks]
    return pl.concat([block.rows for block in every]), pl.concat([block.rejected for block in every])


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """The same rows as CSV, JSON Lines or Parquet, by the ending."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".csv":
        frame.write_csv(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


FORMATS = pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])


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
            "channel": "web",
            "country": None,
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
        },
    ]
    settings = source(columns=WHOLE, time_zone="America/New_York", language="pt-BR")
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
        "segments": [{"name": "channel", "value": "web"}],
    }
    nothing = dict.fromkeys(("title", "text", "created_at", "item_id", "user_id", "rating"))
    assert second == {
        "position": offset + 1,
        "source_id": "6",
        **nothing,
        "language": "pt",
        "segments": [{"name": "country", "value": "DE"}],
    }


@FORMATS
def test_unmapped_columns_are_not_read(tmp_path: Path, ending: str) -> None:
    rows: list[dict[str, Any]] = [{"id": "a", "text": "t", "stars": 9}]
    mapped, rejected = read(source(), write(tmp_path / f"s.{ending}", rows))
    assert rejected.is_empty()
    assert mapped["rating"].to_list() == [None]
    assert mapped["segments"].to_list() == [[]]
    assert mapped["language"].to_list() == ["en"]


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
    assert users["language"].to_list() == ["und"]


def test_languages(tmp_path: Path) -> None:
    tags = ["EN", "pt-BR", "zh_Hans", "", None, "???", "x"]
    rows: list[dict[str, Any]] = [{"id": str(nth), "text": "t", "lang": tag} for nth, tag in enumerate(tags)]
    columns = {"id": "id", "text": "text", "language": "lang"}
    path = write(tmp_path / "s.jsonl", rows)
    assert read(source(columns=columns, language="de-AT"), path)[0]["language"].to_list() == [
        *("en", "pt", "zh", "de", "de", "und", "und")
    ]
    assert read(source(columns=columns, language=None), path)[0]["language"].to_list()[3:5] == ["und", "und"]


def test_timestamps_of_parquet(tmp_path: Path) -> None:
    noon = datetime(2017, 1, 13, 12, 0)
    columns = {"id": "id", "text": "text", "created_at": "when"}
    settings = source(columns=columns, time_zone="America/New_York")
    for zone, expected in ((None, 17), ("UTC", 12), ("+02:00", 12), ("Asia/Tokyo", 12)):
        for unit in ("s", "ms", "us", "ns"):
            when = pa.array([noon], pa.timestamp(unit, zone))
            pq.write_table(pa.table({"id": ["a"], "text": ["t"], "when": when}), tmp_path / "s.parquet")
            mapped, _ = read(settings, tmp_path / "s.parquet")
            assert mapped["created_at"].to_list() == [datetime(2017, 1, 13, expected, tzinfo=UTC)]


def test_broken_lines_of_json(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    lines = [
        '{"id": "a", "text": "t"}',
        '{"id": "b", "text": ',
        "",
        '["c", "t"]',
        '{"id": "d", "text": {"html": "t"}}',
        '{"id": "e"}',
        '{"id": "f", "text": "' + "x" * 1_048_576 + '"}',
        "  ",
        '{"id": "g\\u0000", "text": "t"}',
        '{"id": 1, "text": "t"',
    ]
    path.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    mapped, rejected = read(source(), path)
    assert mapped.select("position", "source_id", "text").rows() == [
        (1, "a", "t"),
        (6, "e", None),
        (9, "g\0", "t"),
    ]
    assert rejected.select("position", "reason").rows() == [
        (2, "line is not JSON"),
        (4, "line is not a JSON object"),
        (5, "text is not text"),
        (7, "line is longer than 1 MB"),
        (10, "line is not JSON"),
    ]
    assert rejected["row_hash"][0] == hash_of(lines[1])


def test_nested_json_values_are_neither_times_nor_numbers(tmp_path: Path) -> None:
    columns = {"id": "id", "text": "text", "created_at": "when", "rating": "stars"}
    deep = "[" * 500 + "]" * 500
    lines = [
        '{"id": "a", "text": "t", "stars": 4, "when": {"year": 2017}}',
        f'{{"id": "b", "text": "t", "stars": {deep}, "when": 1484308800.5}}',
    ]
    (tmp_path / "s.jsonl").write_text("\n".join(lines), encoding="utf-8")
    mapped, rejected = read(source(columns=columns), tmp_path / "s.jsonl")
    assert mapped.select("source_id", "created_at", "rating").rows() == [("a", None, 4.0)]
    assert rejected["reason"].to_list() == ["rating is not a number"]


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
    monkeypatch.setattr("analytics.intake.files.BLOCK_BYTES", 1_000)
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
    covered = set(rejected["position"])
    assert len(covered) == rejected.height
    for position, name, text in mapped.select("position", "source_id", "text").iter_rows():
        n_lines = 1 + name.count("\n") + text.count("\n")
        assert covered.isdisjoint(range(position, position + n_lines))
        covered.update(range(position, position + n_lines))
    blank = {nth for nth, line in enumerate(lines, 1) if not line}
    # A blank line is no row, unless it lies inside quotes.
    assert covered | blank == set(range(2, len(lines) + 1)) | blank


@FORMATS
def test_a_file_without_rows_gives_none(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"s.{ending}"
    if ending == "parquet":
        pl.DataFrame(schema={"id": pl.String, "text": pl.String}).write_parquet(path)
    else:
        path.write_text("id,text\n" if ending == "csv" else "\n", encoding="utf-8")
    assert list(read_blocks(source(), path)) == []


def refusal(path: Path, settings: SourceSettings | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        list(read_blocks(settings or source(), path))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"source 'reviews': {path}: ")
    return message.removeprefix(f"source 'reviews': {path}: ")


def test_a_missing_file_is_a_stated_error(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv").startswith("no such file; correct path")
    assert refusal(tmp_path).startswith("not a file")


@FORMATS
def test_a_file_of_another_format_is_a_stated_error(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"s.{ending}"
    path.write_bytes(b"PAR1\x00\xff\xfe\n\xff\xfe\xff\n" * 20)
    expected = "cannot be read as Parquet; write it anew" if ending == "parquet" else "not UTF-8 text"
    assert refusal(path).startswith(expected)


def test_other_encodings_are_a_stated_error(tmp_path: Path) -> None:
    for encoding in ("latin-1", "utf-16"):
        path = tmp_path / "s.csv"
        path.write_bytes("id,text\n1,café\n2,naïve\n".encode(encoding))
        assert refusal(path).startswith("not UTF-8 text; save it as UTF-8")


def test_a_damaged_parquet_file_is_a_stated_error(tmp_path: Path) -> None:
    path = write(tmp_path / "s.parquet", [{"id": str(nth), "text": "t" * nth} for nth in range(2_000)])
    content = bytearray(path.read_bytes())
    content[200:2_000] = b"\xff" * 1_800
    path.write_bytes(content)
    assert refusal(path).startswith("cannot be read as Parquet")
    path.write_bytes(content[:1_000])
    assert refusal(path).startswith("cannot be read as Parquet; write it anew")


def test_parquet_text_that_is_not_utf8_costs_only_its_row(tmp_path: Path) -> None:
    raw = pa.array([b"caf\xc3\xa9", b"caf\xe9", b"tea", None], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 4, raw.buffers())
    pq.write_table(pa.table({"id": ["a", "b", "c", "d"], "text": broken}), tmp_path / "s.parquet")
    mapped, rejected = read(source(), tmp_path / "s.parquet")
    assert mapped.select("position", "text").rows() == [(1, "café"), (3, "tea"), (4, None)]
    assert rejected.rows() == [(2, "text is not UTF-8", hash_of(["b", "caf\udce9"]))]


def test_an_unknown_ending_needs_a_format(tmp_path: Path) -> None:
    path = tmp_path / "s.dat"
    path.write_text("id,text\na,t\n", encoding="utf-8")
    assert "cannot tell its format from the ending '.dat'; set format" in refusal(path)
    assert read(source(format="csv"), path)[0].height == 1


@FORMATS
def test_a_mapped_column_that_the_file_lacks_is_a_stated_error(tmp_path: Path, ending: str) -> None:
    row = {"id": "a", "body": "t"} | {f"column{nth}": nth for nth in range(20)}
    message = refusal(write(tmp_path / f"s.{ending}", [row]))
    assert message.startswith("no column 'text' (set as columns.text); it has: id, body, column0, ")
    assert "column9 and 10 more; correct the mapping" in message
    segments = source(columns={"id": "id", "text": "body", "segments": ("shop",)})
    assert refusal(tmp_path / f"s.{ending}", segments).startswith(
        "no column 'shop' (set as columns.segments)"
    )


def test_a_key_must_occur_in_the_first_thousand_objects(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"id": str(nth)} for nth in range(1_000)]
    path = write(tmp_path / "s.jsonl", [*rows[:999], {"id": "x", "text": "t"}])
    assert read(source(), path)[0].height == 1_000
    assert refusal(write(path, [*rows, {"id": "x", "text": "t"}])).startswith("no column 'text'")


def test_a_json_array_is_a_stated_error(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text('[{"id": "a", "text": "t"},\n {"id": "b", "text": "t"}]', encoding="utf-8")
    assert refusal(path) == "a JSON array, not JSON Lines; write one object per line"


def test_an_empty_csv_or_a_doubled_column_is_a_stated_error(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("", encoding="utf-8")
    assert refusal(path).startswith("its header cannot be read: the file is empty")
    path.write_text("id,text,text\na,b,c\n", encoding="utf-8")
    assert refusal(path).startswith("column 'text' (set as columns.text) occurs twice")


@pytest.mark.parametrize(
    ("values", "role"),
    [
        (pa.array([["t"]]), "text"),
        (pa.array([{"html": "t"}]), "text"),
        (pa.array([b"t"]), "text"),
        (pa.array([[1]]), "rating"),
        (pa.array([True]), "rating"),
        (pa.array([date(2017, 1, 13)]), "rating"),
        (pa.array([True]), "created_at"),
        (pa.array([{"day": 1}]), "created_at"),
    ],
)
def test_a_type_that_cannot_hold_its_role_is_a_stated_error(
    tmp_path: Path, values: pa.Array, role: str
) -> None:
    table = pa.table({"id": ["a"], "text": ["t"], "odd": values})
    pq.write_table(table, tmp_path / "s.parquet")
    settings = source(columns={"id": "id", "text": "text"} | {role: "odd"})
    assert refusal(tmp_path / "s.parquet", settings).startswith(
        f"column 'odd' (set as columns.{role}) holds "
    )


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
