"""Damaged files: a stated error or rows, nothing else, and a line that is whole is never lost unseen."""

from __future__ import annotations

import gzip
import io
import os
import random
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import source

from analytics.errors import SourceError
from analytics.intake.sources import Block, read_blocks
from analytics.settings import SourceSettings

COLUMNS = {"id": "id", "text": "text", "created_at": "when", "rating": "stars"}
TEXTS = (
    "fine",
    "a, b; c",
    'say "hi"',
    "café",
    "不错",
    ", x",
    "",
    "=1+1",
    "{{name}}",
    "\u202egnirts\u200b",
    "tab\there",
)
WHENS = ("2025-01-02", "2025-01-02T03:04:05Z", "31.12.2025 14:05", "12/31/2025", "1735862400", "soon", "")
STARS = ("1", "4,5", "4/5", "★★★", "9", "", "nan")
TOKENS = (
    b'"',
    b'""',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"'",
    b"\t",
)


def rows_of(chance: random.Random, n_rows: int) -> list[dict[str, str]]:
    return [
        {
            "id": f"r{nth}",
            "text": chance.choice(TEXTS),
            "when": chance.choice(WHENS),
            "stars": chance.choice(STARS[:4]),
        }
        for nth in range(n_rows)
    ]


def csv_lines(chance: random.Random, rows: list[dict[str, str]]) -> list[bytes]:
    delimiter = chance.choice(",;\t|")
    quotes_all = chance.random() < 0.3

    def field(value: str) -> str:
        is_plain = not set(value) & {'"', delimiter}
        return value if is_plain and not quotes_all else '"' + value.replace('"', '""') + '"'

    end = chance.choice(["\n", "\r\n"])
    records = [list(rows[0]), *(list(row.values()) for row in rows)]
    return [(delimiter.join(map(field, record)) + end).encode() for record in records]


def json_lines(chance: random.Random, rows: list[dict[str, str]]) -> list[bytes]:
    return [orjson.dumps(row) + b"\n" for row in rows]


def damaged(chance: random.Random, raw: bytes) -> bytes:
    """Some bytes put in, taken out, changed, doubled or moved."""
    content = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(content))
        until = min(len(content), at + chance.choice((1, 1, 2, 8, 64)))
        kind = chance.randrange(5)
        if kind == 0:
            content[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 3))
        elif kind == 1:
            content[at:until] = b""
        elif kind == 2:
            content[at:until] = chance.randbytes(until - at)
        elif kind == 3:
            content[at:at] = content[at:until] * 2
        elif at < len(content):
            content[at] ^= 1 << chance.randrange(8)
    return bytes(content)


def read(path: Path, settings: SourceSettings, block_rows: int) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    blocks: list[Block] = []
    message = f"source 'reviews': {path}"
    try:
        blocks = list(read_blocks(settings, path, block_rows))
    except SourceError as error:
        message = str(error)
    assert "\n" not in message
    assert message.startswith(f"source 'reviews': {path}")
    for block in blocks:
        assert 0 < block.rows.height + block.rejected.height <= block_rows
    if not blocks:
        return None
    rejected = pl.concat([block.rejected for block in blocks])
    assert rejected.select("position", "reason").is_duplicated().sum() == 0
    return pl.concat([block.rows for block in blocks]), rejected


def fuzz_lines(chance: random.Random, folder: Path) -> None:
    """Damage a few lines: every other one is let in, or counted as lying inside another row's quotes."""
    ending = chance.choice([".csv", ".jsonl"])
    rows = rows_of(chance, chance.randint(1, 30))
    lines = (csv_lines if ending == ".csv" else json_lines)(chance, rows)
    n_header = len(lines) - len(rows)
    touched = {chance.randrange(n_header, len(lines)) for _ in range(chance.randint(0, 3))}
    written = [damaged(chance, line) if nth in touched else line for nth, line in enumerate(lines)]
    # A damaged line may have lost its end, so that it swallows the next one, or gone on with half of it.
    for nth in sorted(touched):
        if not written[nth].endswith(b"\n"):
            written[nth] += b"\n"
    path = folder / f"s{ending}"
    path.write_bytes(b"".join(written))
    # The encoding is set: damage in a small file can make it look like another one.
    found = read(path, source(columns=COLUMNS, encoding="utf-8"), chance.choice((1, 3, 7, 10_000)))
    whole = {nth: rows[nth - n_header]["id"] for nth in range(n_header, len(lines)) if nth not in touched}
    if found is None:
        assert not whole, (lines, written)
        return
    positions = {nth: 1 + b"".join(written[:nth]).count(b"\n") for nth in whole}
    let_in = set(found[0]["source_id"])
    is_inside = pl.col("reason").str.contains("lies inside the quotes")
    counted = set(found[1].filter(is_inside)["position"])
    for nth, name in whole.items():
        assert name in let_in or positions[nth] in counted, (name, written)


def as_bytes(frame: pl.DataFrame, write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def zipped(content: bytes, method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a.csv", content)
        archive.writestr("b.csv", content)
    return buffer.getvalue()


def sqlite_file(folder: Path, rows: list[dict[str, str]]) -> bytes:
    path = folder / "whole.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute('CREATE TABLE t (id TEXT, text TEXT, "when" TEXT, stars NUMERIC)')
        connection.executemany("INSERT INTO t VALUES (:id, :text, :when, :stars)", rows)
    connection.close()
    return path.read_bytes()


def fuzz_files(chance: random.Random, folder: Path) -> None:
    """Damage a file of any kind anywhere."""
    rows = rows_of(chance, chance.randint(1, 200))
    frame = pl.DataFrame(rows)
    text = b"".join(csv_lines(chance, rows))
    kind = chance.choice(["csv", "wide", "array", "gz", "zip", "stored", "parquet", "db"])
    wide = text.decode().encode(chance.choice(["utf-16", "utf-16-le", "gb18030", "utf-32"]))
    name, content = {
        "csv": lambda: ("s.csv", text),
        "wide": lambda: ("s.csv", wide),
        "array": lambda: ("s.json", orjson.dumps(rows, option=chance.choice([0, orjson.OPT_INDENT_2]))),
        "gz": lambda: ("s.csv.gz", gzip.compress(text)),
        "zip": lambda: ("s.zip", zipped(text, zipfile.ZIP_DEFLATED)),
        "stored": lambda: ("s.zip", zipped(text, zipfile.ZIP_STORED)),
        "parquet": lambda: ("s.parquet", as_bytes(frame, frame.write_parquet)),
        "db": lambda: ("s.db", sqlite_file(folder, rows)),
    }[kind]()
    path = folder / name
    path.write_bytes(damaged(chance, content))
    query = 'SELECT id, text, "when", stars FROM t' if kind == "db" else None
    read(path, source(columns=COLUMNS, query=query), chance.choice((3, 10_000)))
    path.unlink()


def fuzz(seed: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        (fuzz_lines if chance.random() < 0.5 else fuzz_files)(chance, Path(folder))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32))
def test_damaged_files(seed: int) -> None:
    fuzz(seed)


@pytest.mark.slow
def test_damaged_files_for_long() -> None:
    """As many as fit into NIGHTLOOM_FUZZ_SECONDS (60); NIGHTLOOM_FUZZ_SEED (0) is where the seeds begin."""
    until = time.monotonic() + float(os.environ.get("NIGHTLOOM_FUZZ_SECONDS", "60"))
    seed = int(os.environ.get("NIGHTLOOM_FUZZ_SEED", "0"))
    while time.monotonic() < until:
        try:
            fuzz(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        seed += 1
    print(f"seeds up to {seed:,}")
