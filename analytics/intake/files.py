"""Readers of CSV and JSON Lines: the mapped columns as they lie in the file, block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from analytics.errors import SourceError
from analytics.identity import hash_of
from analytics.intake.delimited import BrokenRecord, Reader, read_header
from analytics.intake.lines import LINE_LIMIT, Lines, is_utf8

BLOCK_BYTES = 33_554_432
"""A block of a text file ends here even when it has fewer rows than asked for."""

EXACT_LIMIT = 2.0**53
"""Integers from here on are not told apart by a 64-bit float, so they identify nothing."""

EXACT_ROLES = ("id", "item", "user")
FREE_ROLES = ("created_at", "rating")
"""Roles whose values are parsed later; a value of any other role must be text or turn into text."""

_TOO_LONG = "line is longer than 1 MB"
_OBJECTS_TO_SEE = 1_000
_NAMES_SHOWN = 12


@dataclass(frozen=True)
class Rejection:
    """A row that was not let in."""

    position: int
    reason: str
    row_hash: str


@dataclass(frozen=True)
class RawBlock:
    """Some consecutive rows of a file, as they lie in it."""

    positions: list[int]
    values: pl.DataFrame
    """One column per role that is mapped; text in text files, any type in Parquet."""
    hash_row: Callable[[int], str]
    """Hash of the nth raw row of the block, for the rare row that is rejected."""
    rejected: list[Rejection]


@dataclass(frozen=True)
class SourceFile:
    """A file, whose it is, and which of its columns hold what."""

    source: str
    path: Path
    roles: dict[str, str]
    """Role (`id`, `text`, …, `segment <column>`) to column of the file."""

    def error(self, message: str) -> SourceError:
        """The stated error of this file: one line that begins with source and path."""
        return SourceError(f"source {self.source!r}: {self.path}: {message}")

    def check_columns(self, names: Sequence[str]) -> None:
        """Refuse a mapping that names a column which the file does not have, or has twice.

        Raises:
            SourceError: which column, and which columns the file has.
        """
        counted = Counter(names)
        shown = ", ".join(" ".join(name.split())[:40] for name in names[:_NAMES_SHOWN]) or "none"
        more = len(names) - _NAMES_SHOWN
        shown += f" and {more} more" if more > 0 else ""
        for role, column in self.roles.items():
            key = setting_of(role)
            if counted[column] == 0:
                raise self.error(
                    f"no column {column!r} (set as columns.{key}); it has: {shown}; "
                    "correct the mapping in the settings"
                )
            if counted[column] > 1:
                raise self.error(
                    f"column {column!r} (set as columns.{key}) occurs twice; rename one in the file"
                )

    def role_of(self, column: str) -> str:
        """The first role that a column has."""
        return next(role for role, mapped in self.roles.items() if mapped == column)

    def check_text(self) -> None:
        """Refuse a file that is not UTF-8 text.

        Raises:
            SourceError: most lines of the first megabyte that are not plain ASCII are not UTF-8.
        """
        with self.path.open("rb") as stream:
            if not is_utf8(stream.read(LINE_LIMIT)):
                raise self.error("not UTF-8 text; save it as UTF-8, or set the source's format to what it is")


def setting_of(role: str) -> str:
    """The key under `columns` that maps a role."""
    return "segments" if role.startswith("segment ") else role


class _TextBlock:
    """Rows of a text file, gathered until a block is full."""

    def __init__(self, roles: Sequence[str], block_rows: int) -> None:
        self._schema = dict.fromkeys(roles, pl.String)
        self._block_rows = block_rows
        self._begin()

    def _begin(self) -> None:
        self._positions: list[int] = []
        self._rows: list[Sequence[str | None]] = []
        self._raws: list[bytes] = []
        self._rejected: list[Rejection] = []
        self._n_bytes = 0

    def keep(self, position: int, values: Sequence[str | None], raw: bytes) -> None:
        self._positions.append(position)
        self._rows.append(values)
        self._raws.append(raw)
        self._n_bytes += len(raw)

    def reject(self, position: int, reason: str, raw: bytes) -> None:
        self._rejected.append(Rejection(position, reason, _line_hash(raw)))

    def is_full(self) -> bool:
        n_rows = len(self._rows) + len(self._rejected)
        return n_rows >= self._block_rows or self._n_bytes >= BLOCK_BYTES

    def take(self) -> Iterator[RawBlock]:
        """The block gathered so far, if there is any; a new one begins."""
        if self._rows or self._rejected:
            raws = self._raws
            values = pl.DataFrame(self._rows, schema=self._schema, orient="row")
            yield RawBlock(self._positions, values, lambda nth: _line_hash(raws[nth]), self._rejected)
        self._begin()


def _line_hash(raw: bytes) -> str:
    return hash_of(raw.decode("utf-8", "surrogateescape"))


def read_csv(file: SourceFile, block_rows: int) -> Iterator[RawBlock]:
    """Read a CSV file with a header, separated by comma, semicolon, tab or bar.

    Raises:
        SourceError: no UTF-8 text, no readable header, or a mapped column is missing from it.
    """
    file.check_text()
    with file.path.open("rb") as stream:
        lines = Lines(stream)
        try:
            names, delimiter = read_header(lines, set(file.roles.values()))
        except BrokenRecord as broken:
            raise file.error(
                f"its header cannot be read: {broken}; the first line must name the columns"
            ) from None
        file.check_columns(names)
        picked = [names.index(column) for column in file.roles.values()]
        block = _TextBlock(list(file.roles), block_rows)
        reader = Reader(lines, delimiter, len(names))
        for position, raw in lines:
            if len(raw) > LINE_LIMIT:
                block.reject(position, _TOO_LONG, raw)
            elif raw and not raw.isspace():
                try:
                    fields, record = reader.read(raw)
                    block.keep(position, [fields[index] for index in picked], record)
                except BrokenRecord as broken:
                    block.reject(position, str(broken), raw)
            if block.is_full():
                yield from block.take()
        yield from block.take()


def read_jsonl(file: SourceFile, block_rows: int) -> Iterator[RawBlock]:
    """Read a JSON Lines file: one object per line, blank lines skipped, a missing key null.

    Raises:
        SourceError: no UTF-8 text, or a mapped column in none of the first 1,000 objects.
    """
    file.check_text()
    _check_keys(file)
    mapped = [(role, column, role in EXACT_ROLES) for role, column in file.roles.items()]
    block = _TextBlock(list(file.roles), block_rows)
    with file.path.open("rb") as stream:
        for position, raw in Lines(stream):
            if raw and not raw.isspace():
                found = _object(raw)
                if isinstance(found, str):
                    block.reject(position, found, raw)
                else:
                    try:
                        values = [_as_text(found.get(column), role, exact) for role, column, exact in mapped]
                        block.keep(position, values, raw)
                    except _Unfit as unfit:
                        block.reject(position, str(unfit), raw)
            if block.is_full():
                yield from block.take()
    yield from block.take()


def _object(raw: bytes) -> dict[str, Any] | str:
    """The object of a line, or the reason why there is none."""
    if len(raw) > LINE_LIMIT:
        return _TOO_LONG
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return "line is not JSON"
    return found if isinstance(found, dict) else "line is not a JSON object"


def _check_keys(file: SourceFile) -> None:
    """Refuse a mapping to keys that the first objects of a JSON Lines file do not have."""
    names: dict[str, None] = {}
    n_objects = 0
    with file.path.open("rb") as stream:
        is_array = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
        stream.seek(0)
        for _, raw in Lines(stream):
            found = _object(raw)
            if isinstance(found, dict):
                names.update(dict.fromkeys(found))
                n_objects += 1
            if n_objects == _OBJECTS_TO_SEE:
                break
    if n_objects:
        file.check_columns(list(names))
    elif is_array:
        raise file.error("a JSON array, not JSON Lines; write one object per line")


class _Unfit(ValueError):
    """A value that its role cannot hold."""


def _as_text(value: Any, role: str, exact: bool) -> str | None:
    """A JSON value as the text that CSV would hold; numbers canonically, so that 5 and 5.0 are "5"."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if exact and abs(value) >= EXACT_LIMIT:
            raise _Unfit(f"{role} is a number too large to be exact")
        return str(int(value)) if value.is_integer() and abs(value) < EXACT_LIMIT else repr(value)
    if role in FREE_ROLES:
        return "{}"  # given, but neither a time nor a number
    raise _Unfit(f"{role} is not text")
