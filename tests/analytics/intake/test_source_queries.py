"""Queries on DuckDB and SQLite files: rows as from a table, and nothing but reading."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from reading import read, refusal, source

from analytics.identity import hash_of

COLUMNS = {"id": "id", "text": "text", "created_at": "came", "rating": "stars"}
ROWS = "SELECT * FROM t ORDER BY id"


@pytest.fixture
def duck(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "s.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE t (id BIGINT, text VARCHAR, came TIMESTAMP, stars DECIMAL(3,1), tags VARCHAR[])"
        )
        connection.execute(
            "INSERT INTO t VALUES (1, 'good', '2025-01-02 03:04:05', 4.5, ['a']), (2, NULL, NULL, 9, []), "
            "(3, 'bad', '2025-01-03', 1, NULL)"
        )
    return tmp_path / "s.duckdb"


@pytest.fixture
def lite(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("CREATE TABLE t (id, text, came, stars, tags)")
        rows = [
            (1, "good", "2025-01-02 03:04:05", 4.5, b"a"),
            (2, None, None, 9, None),
            (3, "bad", 1735862400, 1.0, None),
        ]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()
    return tmp_path / "s.db"


@pytest.mark.parametrize("kind", ["duck", "lite"])
def test_rows_of_a_query(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    rows, rejected = read(source(columns=COLUMNS, query=ROWS, path="s.db"), path, block_rows=2)
    assert rows.select("position", "source_id", "text", "created_at", "rating").rows() == [
        (1, "1", "good", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), 4.5),
        (3, "3", "bad", datetime(2025, 1, 3, tzinfo=UTC), 1.0),
    ]
    assert rejected.select("position", "reason").rows() == [(2, "rating 9 is outside 1 to 5")]


@pytest.mark.parametrize("kind", ["duck", "lite"])
def test_a_query_only_reads(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    before = path.read_bytes()
    (tmp_path / "secret.csv").write_text("id,text\n1,secret\n", encoding="utf-8")
    for query in (
        "DELETE FROM t",
        "DROP TABLE t",
        "SELECT 1 AS id; DROP TABLE t",
        f"ATTACH '{tmp_path / 'other.db'}' AS other",
        f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')",
        "SELECT load_extension('x') AS id, 't' AS text",
        "INSTALL httpfs",
        "SELECT nothing FROM nowhere",
        "SELECT",
        "",
        "PRAGMA user_version = 7",
    ):
        assert refusal(path, source(query=query)).startswith("query ")
    assert path.read_bytes() == before
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("kind", ["duck", "lite"])
def test_columns_of_a_query_are_checked(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    message = refusal(path, source(query="SELECT id, text AS body FROM t"))
    assert message.startswith("no column 'text' (set as columns.text); it has: id, body; correct the mapping")
    nested = source(columns={"id": "id", "text": "tags"}, query="SELECT id, tags FROM t WHERE id = 1")
    expected = (
        "column 'tags' (set as columns.text) holds List" if kind == "duck" else "all rows were rejected (1)"
    )
    assert refusal(path, nested).startswith(expected)


def test_sqlite_text_that_is_not_utf8_costs_only_its_row(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("CREATE TABLE t (id, text)")
        connection.execute("INSERT INTO t VALUES (1, CAST(x'63e9' AS TEXT)), (2, 'tea'), (3, x'00')")
    connection.close()
    rows, rejected = read(source(query="SELECT id, text FROM t"), tmp_path / "s.db")
    assert rows["text"].to_list() == ["tea"]
    assert rejected.rows() == [
        (1, "text is not UTF-8", hash_of("1\x1fc\udce9")),
        (3, "text is not text", hash_of("3\x1f\0")),
    ]


def test_a_database_that_is_none_is_a_stated_error(tmp_path: Path, duck: Path) -> None:
    query = source(query="SELECT 1 AS id, 't' AS text")
    assert refusal(tmp_path / "none.db", query).startswith(
        "no such file; path must be the DuckDB or SQLite file"
    )
    (tmp_path / "s.csv").write_text("id,text\n1,t\n", encoding="utf-8")
    assert refusal(tmp_path / "s.csv", query).startswith(
        "neither a DuckDB nor a SQLite file; query reads only these"
    )
    assert refusal(tmp_path, query).startswith("no such file")
    content = duck.read_bytes()
    duck.write_bytes(content[:5_000])
    assert refusal(duck, query).startswith("query cannot be run: ")


def test_values_of_duckdb_of_every_type(duck: Path) -> None:
    query = """SELECT 90000000000000000000000000000000000001::HUGEINT AS id,
        uuid() || '' AS text, TIMESTAMPTZ '2025-01-02 00:00:00+01' AS came, 4::UTINYINT AS stars
        UNION ALL SELECT 2, (DATE '2025-01-01')::VARCHAR, NULL, NULL"""
    rows, rejected = read(source(columns=COLUMNS, query=query), duck)
    assert rejected.is_empty()
    assert rows["source_id"].to_list() == ["90000000000000000000000000000000000001", "2"]
    assert rows["created_at"][0] == datetime(2025, 1, 1, 23, tzinfo=UTC)
    beyond = query.replace(
        "90000000000000000000000000000000000001", "170141183460469231731687303715884105727"
    )
    assert refusal(duck, source(columns=COLUMNS, query=beyond)).startswith(
        "query gives a value that cannot be read"
    )


def test_a_damaged_schema_of_sqlite_is_a_stated_error(lite: Path) -> None:
    content = lite.read_bytes()
    assert content.count(b"CREATE TABLE") == 1
    lite.write_bytes(content.replace(b"CREATE TABLE", b"CREA\xb1E TABLE"))
    assert refusal(lite, source(query="SELECT * FROM t")).startswith("query cannot be run: ")
