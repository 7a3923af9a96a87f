"""Many CSV records at once: exactly what the strict reader gives."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.intake.chunks import Picked, parse_chunk
from analytics.intake.files import SourceFile
from analytics.intake.text_files import open_csv

PICKED = Picked(3, ",", ("text", "id"), (1, 0))


@contextlib.contextmanager
def chunks_of(n_bytes: int) -> Iterator[None]:
    with mock.patch("analytics.intake.lines.CHUNK_BYTES", n_bytes):
        yield


def rows_of(path: Path, block_rows: int) -> tuple[list[object], list[object]]:
    rows: list[object] = []
    rejected: list[object] = []
    for block in open_csv(
        SourceFile("s", path, {"id": "id", "text": "text"}, format="csv", encoding="utf-8")
    ).blocks(block_rows):
        assert 0 < len(block.positions) + len(block.rejected) <= block_rows
        hashes = [block.hash_row(nth) for nth in range(len(block.positions))]
        rows += zip(block.positions, block.values.rows(), hashes, strict=True)
        rejected += block.rejected
    return rows, rejected


def both_ways(content: bytes, block_rows: int = 1_000, chunk_bytes: int = 524_288) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.csv"
        path.write_bytes(content)
        with mock.patch("analytics.intake.text_files.parse_chunk", return_value=None):
            expected = rows_of(path, 1_000)
        with chunks_of(chunk_bytes):
            assert rows_of(path, block_rows) == expected


CELL = st.text(st.sampled_from('ab,;" \té\u3000\ufeff'), max_size=5)
LINE = st.one_of(
    st.tuples(CELL, CELL, CELL).map(",".join),
    st.tuples(CELL, CELL, CELL).map(lambda cells: ",".join('"' + c.replace('"', '""') + '"' for c in cells)),
    st.sampled_from(
        ["1,a,b", '2,"a, b",c', '3,"x\ny",c', '4,"x\n1,a,b\ny",c', "", "  ", "\t", "a,b", '5,"c', '6,"c"d,e']
    ),
)
END = st.sampled_from(["\n", "\r\n", "\n", "\r\r\n"])


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(LINE, END), max_size=10), st.integers(1, 40), st.integers(1, 4), st.booleans())
@example([("1,a,b", "\n"), ("\ufeff2,a,b", "\n")], 1, 1, True)
@example([*[(",,", "\n")] * 9, (',,"é', "\n")], 4, 2, False)
@example([('1,"a', "\n"), ('b",c', "\n"), ("2,a,b", "\n")], 6, 1, False)
def test_a_chunk_gives_what_the_strict_reader_gives(
    lines: list[tuple[str, str]], chunk_bytes: int, block_rows: int, is_ended: bool
) -> None:
    content = "id,text,note\n" + "".join(line + end for line, end in lines)
    both_ways((content if is_ended else content.rstrip("\r\n")).encode(), block_rows, chunk_bytes)


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=60), st.integers(1, 20), st.sampled_from([b",", b"\t", b";"]))
def test_any_bytes_give_what_the_strict_reader_gives(
    content: bytes, chunk_bytes: int, delimiter: bytes
) -> None:
    body = content.translate(bytes(b'ab,;"\n\r\t\0 \xc3\xa9\xff1"\n'[code % 16] for code in range(256)))
    both_ways(delimiter.join([b"id", b"text"]) + b"\n" + body, 3, chunk_bytes)


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=40), st.integers(1, 20))
def test_a_file_of_one_column(content: bytes, chunk_bytes: int) -> None:
    body = content.translate(bytes(b'ab "\n\n\t\v'[code % 8] for code in range(256)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.csv"
        path.write_bytes(b"id\n" + body)

        def rows() -> list[object]:
            table = open_csv(SourceFile("s", path, {"id": "id"}, format="csv", encoding="utf-8"))
            return [(list(b.positions), b.values.rows(), b.rejected) for b in table.blocks(1_000)]

        with mock.patch("analytics.intake.text_files.parse_chunk", return_value=None):
            expected = rows()
        with chunks_of(chunk_bytes):
            assert rows() == expected


def test_plain_records_are_read_at_once() -> None:
    content = '1,"a, ""b""\nc",x\r\n2,é,\r\n3,"",""\r\n4,"open'.encode()
    parsed = parse_chunk(content, 7, PICKED)
    assert parsed is not None
    records, following, rest = parsed
    assert records.positions.tolist() == [7, 9, 10]
    assert records.values.rows() == [('a, "b"\nc', "1"), ("é", "2"), ("", "3")]
    assert (following, rest) == (11, b'4,"open\n')


@pytest.mark.parametrize(
    "content",
    [
        b"1,2\n",
        b"1,2,3,4\n",
        b'1,5" x,3\n',
        b'1,"a"b,3\n',
        b'1,"a,3\n',
        b"1,a\rb,3\n",
        b"1,a\0b,3\n",
        b"1,\xff,3\n",
        b"1,a,3\n\n",
        b'1,"a\n2,b,3\n",3\n',
        b"\xef\xbb\xbf1,a,3\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_strict_reader(content: bytes) -> None:
    assert parse_chunk(b"0,a,b\n", 1, PICKED) is not None
    assert parse_chunk(content, 1, PICKED) is None
