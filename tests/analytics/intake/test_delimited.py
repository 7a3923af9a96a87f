"""CSV records: read as the standard module reads them; what is broken costs only its own lines."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.intake.delimited import BrokenRecord, Reader, read_header
from analytics.intake.files import Rejection, SourceFile
from analytics.intake.lines import LINE_LIMIT, Lines, is_utf8
from analytics.intake.text_files import open_csv

COLUMNS = {"id": "id", "text": "text"}


def read(path: Path, content: str | bytes) -> tuple[list[tuple[int, str, str]], list[tuple[int, str]]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows: list[tuple[int, str, str]] = []
    rejected: list[Rejection] = []
    for block in open_csv(SourceFile("s", path, COLUMNS, format="csv")).blocks(1_000):
        rows += [(at, *row) for at, row in zip(block.positions, block.values.iter_rows(), strict=True)]
        rejected += block.rejected
    return rows, [(one.position, one.reason) for one in rejected]


def test_quotes_delimiters_and_line_ends(tmp_path: Path) -> None:
    content = (
        'id,text\r\n1,plain\r\n2,"a, b"\r\n3,"say ""hi"""\r\n4,5" screen\r\n5,""\r\n\r\n'
        '6,"two\r\nlines"\r\n7,end'
    )
    rows, rejected = read(tmp_path / "s.csv", content)
    assert rejected == []
    assert rows == [
        (2, "1", "plain"),
        (3, "2", "a, b"),
        (4, "3", 'say "hi"'),
        (5, "4", '5" screen'),
        (6, "5", ""),
        (8, "6", "two\nlines"),
        (10, "7", "end"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_guessed_from_the_header(tmp_path: Path, delimiter: str) -> None:
    content = delimiter.join(["note, or not", "id", '"text"']) + "\n" + delimiter.join(["x", "1", "good"])
    if delimiter == ",":
        content = content.replace("note, or not", '"note, or not"')
    assert read(tmp_path / "s.csv", content) == ([(2, "1", "good")], [])


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert read(tmp_path / "s.csv", b"\xef\xbb\xbfid,text\n1,a\n") == ([(2, "1", "a")], [])


def test_one_open_quote_costs_only_its_own_line(tmp_path: Path) -> None:
    rows, rejected = read(tmp_path / "s.csv", 'id,text\n1,a\n2,"open\n3,c\n4,"d"\n5,e\n')
    assert rejected == [(3, "text after a closing quote")]
    assert [row[0] for row in rows] == [2, 4, 5, 6]
    rows, rejected = read(tmp_path / "s.csv", 'id,text\n1,a\n2,"open\n3,c\n4,d\n')
    assert rejected == [(3, "a quote is not closed")]
    assert [row[0] for row in rows] == [2, 4, 5]


def test_every_kind_of_broken_record_is_rejected_at_its_first_line(tmp_path: Path) -> None:
    content = b'id,text\n1\n2,b,c\n3,"c"x\n4,"d","e"\n5,\xff\n6,"f\n\xff"\n7,g\x00g\n8,\xc3\xa9\n9,\xc3\xa9\n'
    rows, rejected = read(tmp_path / "s.csv", content)
    assert rejected == [
        (2, "1 field instead of 2"),
        (3, "more than 2 fields"),
        (4, "text after a closing quote"),
        (5, "more than 2 fields"),
        (6, "line is not UTF-8"),
        (7, "line is not UTF-8"),
        (8, "line is not UTF-8"),
    ]
    assert rows == [(9, "7", "g\0g"), (10, "8", "é"), (11, "9", "é")]


def test_a_record_is_a_megabyte_at_most(tmp_path: Path) -> None:
    long = "x" * LINE_LIMIT
    several = "\n".join(["y" * 1_000] * 1_100)
    rows, rejected = read(tmp_path / "s.csv", f'id,text\n1,{long}\n2,"{several}"\n')
    assert rejected[:2] == [(2, "line is longer than 1 MB"), (3, "a quote is not closed within 1 MB")]
    assert {position for position, _ in rejected} == set(range(2, 1_103))
    assert rows == []
    rows, rejected = read(tmp_path / "s.csv", f"id,text\n1,{long[2:]}\n2,b\n")
    assert [row[0] for row in rows] == [2, 3]


def test_a_file_full_of_stray_quotes_is_read_in_linear_time(tmp_path: Path) -> None:
    content = "id,text\n" + '1","a\n' * 20_000
    started = time.perf_counter()
    rows, rejected = read(tmp_path / "s.csv", content)
    assert time.perf_counter() - started < 5
    assert len(rows) == 0
    assert len(rejected) == 20_000


CELL = st.text(st.sampled_from('ab,;"\n é\t|'), max_size=6)


@settings(deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=8), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_the_standard_module_writes_is_read(rows: list[tuple[str, str, str]], quoting: int) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerows([("id", "text", "note"), *rows])
    lines = Lines(io.BytesIO(buffer.getvalue().encode()))
    names, delimiter = read_header(lines, {"id", "text"})
    reader = Reader(lines, delimiter, len(names))
    assert names == ["id", "text", "note"]
    assert [tuple(reader.read(raw)[0]) for _, raw in lines] == rows


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from('ab,"\n'), max_size=12), max_size=8).map("\n".join))
def test_every_line_is_in_a_record_or_rejected(content: str) -> None:
    """Records and rejections together cover every line once, in order."""
    lines = Lines(io.BytesIO(content.encode()))
    reader = Reader(lines, ",", 2)
    covered: list[int] = []
    for position, raw in lines:
        try:
            fields, record = reader.read(raw)
            assert len(fields) == 2
            covered += range(position, position + record.count(b"\n") + 1)
        except BrokenRecord:
            covered.append(position)
    n_lines = content.count("\n") + (not content.endswith("\n")) if content else 0
    assert covered == list(range(1, n_lines + 1))


def test_lines_put_back_come_again() -> None:
    lines = Lines(io.BytesIO(b"a\nb\nc"))
    taken = [next(lines), next(lines)]
    lines.put_back(taken)
    assert list(lines) == [(1, b"a"), (2, b"b"), (3, b"c")]


def test_encodings_are_told_apart() -> None:
    accented = "id,text\n1,café\n2,naïve\n3,plain\n"
    assert is_utf8(accented.encode())
    assert is_utf8(b"plain\n")
    assert is_utf8(accented.encode() + b"4,\xff\n")
    assert not is_utf8(accented.encode("latin-1"))
    assert not is_utf8(accented.encode("utf-16"))
