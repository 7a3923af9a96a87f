"""Formats and files of sources: what is read from them, and a wrong file is one clear line."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading import FORMATS, read, refusal, source, write

from analytics.identity import hash_of
from analytics.intake.sources import read_blocks


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


def test_parquet_text_that_is_not_utf8_costs_only_its_row(tmp_path: Path) -> None:
    raw = pa.array([b"caf\xc3\xa9", b"caf\xe9", b"tea", None], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 4, raw.buffers())
    pq.write_table(pa.table({"id": ["a", "b", "c", "d"], "text": broken}), tmp_path / "s.parquet")
    mapped, rejected = read(source(), tmp_path / "s.parquet")
    assert mapped.select("position", "text").rows() == [(1, "café"), (3, "tea"), (4, None)]
    assert rejected.rows() == [(2, "text is not UTF-8", hash_of(["b", "caf\udce9"]))]


def test_a_damaged_parquet_file_is_a_stated_error(tmp_path: Path) -> None:
    path = write(tmp_path / "s.parquet", [{"id": str(nth), "text": "t" * nth} for nth in range(2_000)])
    content = bytearray(path.read_bytes())
    content[200:2_000] = b"\xff" * 1_800
    path.write_bytes(content)
    assert refusal(path).startswith("cannot be read as Parquet")
    path.write_bytes(content[:1_000])
    assert refusal(path).startswith("cannot be read as Parquet; write it anew")


@FORMATS
def test_a_file_of_another_format_is_a_stated_error(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"s.{ending}"
    path.write_bytes(b"PAR1\x00\xff\xfe\n\xff\xfe\xff\n" * 20)
    expected = (
        "cannot be read as Parquet; write it anew" if ending == "parquet" else "not text in an encoding"
    )
    assert refusal(path).startswith(expected)


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


def test_a_missing_file_is_a_stated_error(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv").startswith("no such file; correct path")
    assert refusal(tmp_path).startswith("holds no file of a known ending; set path")


@FORMATS
def test_a_file_without_rows_gives_none(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"s.{ending}"
    if ending == "parquet":
        pl.DataFrame(schema={"id": pl.String, "text": pl.String}).write_parquet(path)
    else:
        path.write_text("id,text\n" if ending == "csv" else "\n", encoding="utf-8")
    assert list(read_blocks(source(), path)) == []


ARRAY: list[dict[str, Any]] = [
    {"id": "a", "text": "x [1], {2}"},
    {"id": 2, "text": 'say "}, {"'},
    {"id": "c", "more": [{"id": "d"}]},
]


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_a_json_array_is_read_element_by_element(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(ARRAY, indent=indent), encoding="utf-8")
    mapped, rejected = read(source(), path, block_rows=2)
    assert rejected.is_empty()
    assert mapped.select("position", "source_id", "text").rows() == [
        (1, "a", "x [1], {2}"),
        (2, "2", 'say "}, {"'),
        (3, "c", None),
    ]
    assert list(read_blocks(source(), write_text(path, " [\n ] "))) == []


def write_text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("indent", [None, 1])
def test_a_broken_element_costs_only_itself(tmp_path: Path, indent: int | None) -> None:
    rows = [{"id": str(nth), "text": f"text {nth}"} for nth in range(6)]
    text = json.dumps(rows, indent=indent).replace('"text 1"', '"text 1').replace('"text 3"', "NaN")
    text = text.replace('"text 4"', '"' + "x" * 1_048_576 + '"').removesuffix("]")
    mapped, rejected = read(source(), write_text(tmp_path / "s.json", text))
    assert mapped.select("position", "source_id").rows() == [(1, "0"), (3, "2"), (6, "5")]
    assert rejected.select("position", "reason").rows() == [
        (2, "element is not JSON"),
        (4, "element is not JSON"),
        (5, "element is longer than 1 MB"),
    ]
    cut = write_text(tmp_path / "t.json", json.dumps(rows, indent=indent)[:-20])
    assert read(source(), cut)[0].height == 5


def test_a_json_array_larger_than_its_window(tmp_path: Path) -> None:
    rows = [{"id": str(nth), "text": "é" * 900} for nth in range(3_000)]
    mapped, _ = read(source(), write_text(tmp_path / "s.json", json.dumps(rows, ensure_ascii=False)))
    assert mapped["source_id"].to_list() == [row["id"] for row in rows]
    assert mapped["text"].n_unique() == 1


def test_ten_thousand_columns(tmp_path: Path) -> None:
    names = ["id", *(f"c{nth}" for nth in range(10_000)), "text"]
    record = ["1", *["x"] * 10_000, "t"]
    path = write_text(tmp_path / "s.csv", f"{','.join(names)}\n{','.join(record)}\n{','.join(record[1:])}\n")
    mapped, rejected = read(source(), path)
    assert mapped.select("source_id", "text").rows() == [("1", "t")]
    assert rejected["reason"].to_list() == ["10001 fields instead of 10002"]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json"])
def test_a_line_of_many_megabytes_is_rejected(tmp_path: Path, ending: str) -> None:
    n_bytes = 100_000_000 if ending == "csv" else 10_000_000
    begin, row, end = {
        "csv": ("id,text\n", "{},{}\n", ""),
        "jsonl": ("", '{{"id":"{}","text":"{}"}}\n', ""),
        "json": ("[", '{{"id":"{}","text":"{}"}},\n', "]"),
    }[ending]
    rows = [row.format(1, "a"), row.format(2, "x" * n_bytes), row.format(3, "c")]
    path = write_text(tmp_path / f"s.{ending}", begin + "".join(rows) + end)
    mapped, rejected = read(source(), path)
    assert mapped["source_id"].to_list() == ["1", "3"]
    assert rejected["reason"].str.contains("longer than 1 MB").to_list() == [True]


def test_a_delimiter_told_by_the_file_and_blank_lines_before_the_header(tmp_path: Path) -> None:
    path = write_text(tmp_path / "s.csv", "sep=;\nid;text\n1;a,b\n")
    assert read(source(), path)[0].select("position", "text").rows() == [(3, "a,b")]
    path = write_text(tmp_path / "s.csv", "\n \nid,text\n1,a\n")
    assert read(source(), path)[0].select("position", "text").rows() == [(4, "a")]


def test_rows_between_two_stray_quotes_are_counted(tmp_path: Path) -> None:
    lines = [
        "id,text,n",
        '1,"open,5',
        "2,good,5",
        '3,close",5',
        '4,"two',
        'lines",5',
        '5,"open,5',
        '6,7,", x"',
    ]
    mapped, rejected = read(source(), write_text(tmp_path / "s.csv", "\n".join(lines)))
    assert mapped["position"].to_list() == [2, 5, 7]
    assert rejected.select("position", "reason").rows() == [
        (3, "looks like a row but lies inside the quotes of the row at 2"),
        (8, "looks like a row but lies inside the quotes of the row at 7"),
    ]


def test_formulas_templates_and_invisible_characters_pass_as_text(tmp_path: Path) -> None:
    texts = [
        "=1+1",
        "@SUM(A1)",
        "{{name}}",
        "${x}",
        "<%= y %>",
        "a\u200bb",
        "\u202egnirts\u202c",
        "\ufefftext",
    ]
    frame = pl.DataFrame({"id": [str(nth) for nth in range(len(texts))], "text": texts})
    for ending in ("csv", "jsonl", "parquet"):
        path = write(tmp_path / f"s.{ending}", frame.to_dicts())
        assert read(source(), path)[0]["text"].to_list() == texts


def test_blocks_of_long_rows_are_short(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    texts = [
        f"{nth} " + "".join(chr(97 + (nth * 7 + at * at) % 26) for at in range(500)) * 200
        for nth in range(600)
    ]
    pl.DataFrame({"id": [str(nth) for nth in range(600)], "text": texts}).write_parquet(path)
    blocks = list(read_blocks(source(), path))
    assert sum(block.rows.height for block in blocks) == 600
    assert max(block.rows["text"].str.len_bytes().sum() for block in blocks) < 40_000_000


def test_types_of_parquet_that_polars_does_not_take(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    for values, expected in (
        (pa.array([2**62], pa.timestamp("us")), None),
        (pa.array([2**30], pa.date32()), None),
        (pa.array([bytes(range(16))], pa.uuid()), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(["{}"])), "{}"),
        (pa.array([1.5], pa.float16()), "1.5"),
    ):
        pq.write_table(pa.table({"id": ["a"], "text": values}), path)
        assert read(source(), path)[0]["text"].to_list() == [expected]


def test_names_and_notes_of_parquet_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    table = pa.table({"id": ["a"], "text": ["t"], "other": ["o"]})
    pq.write_table(table.replace_schema_metadata({"note": b"\xff\xfe"}), path)
    assert read(source(), path)[0]["text"].to_list() == ["t"]
    pq.write_table(table, path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"other", b"oth\xa3r"))
    assert refusal(path).startswith("cannot be read as Parquet; write it anew")
