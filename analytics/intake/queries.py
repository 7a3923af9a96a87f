"""Rows of a query on a DuckDB or SQLite file, read only and block by block."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import polars as pl

from analytics.intake.files import EXACT_ROLES, RawBlock, SourceFile, Table
from analytics.intake.parquet import raw_block, types_by_role
from analytics.intake.text_files import TextBlock, Unfit, as_text

_SQLITE_MARK = b"SQLite format 3\0"
_DUCKDB_MARK = b"DUCK"
_FETCHED_ROWS = 256
_BATCH_ROWS = 10_000
_READING = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_DUCKDB_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "memory_limit": "1GB",
    "threads": "1",
}
"""One thread, so that rows without an order come in the same order each time."""


def open_query(file: SourceFile, query: str, check: Callable[[pl.Schema, SourceFile], None]) -> Table:
    """The result of a query on a database file.

    Args:
        file: The database and the mapping of the query's columns.
        query: One statement that only reads.
        check: Raises where a column's type cannot hold its role.

    Raises:
        SourceError: no such database, or the query cannot be run.
    """
    if not file.path.is_file():
        raise file.error("no such file; path must be the DuckDB or SQLite file that query reads")
    with file.path.open("rb") as stream:
        beginning = stream.read(16)
    if beginning == _SQLITE_MARK:
        with _sqlite(file, query) as cursor:
            names = [column[0] for column in cursor.description]
        return Table(file, names, partial(_sqlite_blocks, file, query))
    if beginning[8:12] == _DUCKDB_MARK:
        with _duckdb(file, query, _FETCHED_ROWS) as batches:
            schema = batches.schema
        if not file.faults(schema.names):
            check(types_by_role(schema, file), file)
        return Table(file, list(schema.names), partial(_duckdb_blocks, file, query))
    raise file.error("neither a DuckDB nor a SQLite file; query reads only these, remove it to read a file")


@contextmanager
def _sqlite(file: SourceFile, query: str) -> Iterator[sqlite3.Cursor]:
    def allowed(action: int, *_: str | None) -> int:
        return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY

    try:
        with closing(sqlite3.connect(f"{file.path.as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = _text_of
            connection.set_authorizer(allowed)
            cursor = connection.execute(query)
            if cursor.description is None:
                raise file.error("query gives no rows; write one SELECT")
            yield cursor
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as error:
        # A damaged schema makes names, and messages about them, that are no text.
        raise file.error(f"query cannot be run: {error}; it may only read") from error


def _text_of(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _BrokenText(raw)


class _BrokenText(bytes):
    """Text of SQLite that is not UTF-8."""


def _sqlite_blocks(file: SourceFile, query: str, block_rows: int) -> Iterator[RawBlock]:
    block = TextBlock(list(file.roles), block_rows)
    position = 0
    with _sqlite(file, query) as cursor:
        names = [column[0] for column in cursor.description]
        mapped = [(role, names.index(column), role in EXACT_ROLES) for role, column in file.roles.items()]
        while rows := cursor.fetchmany(_FETCHED_ROWS):
            for row in rows:
                position += 1
                raw = b"\x1f".join(_raw_of(row[index]) for _, index, _ in mapped)
                try:
                    block.keep(
                        position, [_value(row[index], role, exact) for role, index, exact in mapped], raw
                    )
                except Unfit as unfit:
                    block.reject(position, str(unfit), raw)
                if block.is_full():
                    yield from block.take()
    yield from block.take()


def _raw_of(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _value(value: Any, role: str, exact: bool) -> str | None:
    if isinstance(value, _BrokenText):
        raise Unfit(f"{role} is not UTF-8")
    return as_text(value, role, exact)


@contextmanager
def _duckdb(file: SourceFile, query: str, block_rows: int) -> Iterator[Any]:
    import duckdb
    import pyarrow as pa

    try:
        statements = duckdb.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise file.error("query must be one SELECT")
        with duckdb.connect(str(file.path), read_only=True, config=_DUCKDB_CONFIG) as connection:
            connection.execute("SET lock_configuration = true")
            relation = connection.sql(query)
            yield relation.to_arrow_reader(block_rows)
    except duckdb.Error as error:
        raise file.error(f"query cannot be run: {error}") from error
    except pa.ArrowException as error:
        raise file.error(f"query gives a value that cannot be read: {error}; cast it to VARCHAR") from error


def _duckdb_blocks(file: SourceFile, query: str, block_rows: int) -> Iterator[RawBlock]:
    n_read = 0
    columns = list(dict.fromkeys(file.roles.values()))
    with _duckdb(file, query, min(block_rows, _BATCH_ROWS)) as batches:
        for batch in batches:
            yield raw_block(batch.select(columns), file, n_read)
            n_read += batch.num_rows
