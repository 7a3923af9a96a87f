"""Readers of CSV and JSON: the mapped columns as they lie in the file, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl

from analytics.intake.chunks import Picked, Records, hash_raw, parse_chunk
from analytics.intake.delimited import BrokenRecord, Reader, enclosed_rows, read_header
from analytics.intake.encodings import TextForm, find_form, open_lines, open_text
from analytics.intake.files import (
    BLOCK_BYTES,
    EXACT_LIMIT,
    EXACT_ROLES,
    FREE_ROLES,
    RawBlock,
    Rejection,
    SourceFile,
    Table,
)
from analytics.intake.json_arrays import elements, is_array
from analytics.intake.lines import LINE_LIMIT, Lines

_TOO_LONG = "line is longer than 1 MB"
_OBJECTS_TO_SEE = 1_000
_BEGINNING_BYTES = 4_096


class TextBlock:
    """Rows of a text file, gathered until a block is full."""

    def __init__(self, roles: Sequence[str], block_rows: int) -> None:
        self._schema = dict.fromkeys(roles, pl.String)
        self._block_rows = block_rows
        self._begin()
        self._begin_loose()

    def _begin(self) -> None:
        self._pieces: list[tuple[pl.Series, pl.DataFrame, Callable[[int], str]]] = []
        self._rejected: list[Rejection] = []
        self._n_rows = 0
        self._n_bytes = 0

    def _begin_loose(self) -> None:
        self._positions: list[int] = []
        self._rows: list[Sequence[str | None]] = []
        self._raws: list[bytes] = []

    def keep(self, position: int, values: Sequence[str | None], raw: bytes) -> None:
        """Add one row."""
        self._positions.append(position)
        self._rows.append(values)
        self._raws.append(raw)
        self._n_rows += 1
        self._n_bytes += len(raw)

    def keep_records(self, records: Records) -> Iterator[RawBlock]:
        """Add many rows; the blocks that become full on the way are given out."""
        self._close_loose()
        start, height = 0, records.values.height
        while start < height:
            n_taken = min(height - start, self._block_rows - self._n_rows - len(self._rejected))
            part = slice(start, start + n_taken)
            positions = pl.Series(records.positions[part], dtype=pl.Int64)
            hash_row = _shifted(records.hash_row, start)
            self._pieces.append((positions, records.values[part], hash_row))
            self._n_rows += n_taken
            self._n_bytes += int(records.ends[start + n_taken - 1] - records.starts[start])
            start += n_taken
            if self.is_full():
                yield from self.take()

    def reject(self, position: int, reason: str, raw: bytes) -> None:
        """Add a row that is not let in."""
        self._rejected.append(Rejection(position, reason, hash_raw(raw)))

    def is_full(self) -> bool:
        """Whether no further row may be added."""
        return self._n_rows + len(self._rejected) >= self._block_rows or self._n_bytes >= BLOCK_BYTES

    def _close_loose(self) -> None:
        if self._rows:
            raws = self._raws
            values = pl.DataFrame(self._rows, schema=self._schema, orient="row")
            positions = pl.Series(self._positions, dtype=pl.Int64)
            self._pieces.append((positions, values, lambda nth: hash_raw(raws[nth])))
            self._begin_loose()

    def take(self) -> Iterator[RawBlock]:
        """The block gathered so far, if there is any; a new one begins."""
        self._close_loose()
        if self._pieces:
            positions, values, hashes = zip(*self._pieces, strict=True)
            yield RawBlock(
                pl.concat(positions),
                pl.concat(values, rechunk=True),
                _joined(positions, hashes),
                self._rejected,
            )
        elif self._rejected:
            nothing = pl.DataFrame(schema=self._schema)
            yield RawBlock(pl.Series([], dtype=pl.Int64), nothing, _joined([], []), self._rejected)
        self._begin()


def _shifted(hash_row: Callable[[int], str], start: int) -> Callable[[int], str]:
    return lambda nth: hash_row(start + nth)


def _joined(positions: Sequence[pl.Series], hashes: Sequence[Callable[[int], str]]) -> Callable[[int], str]:
    """The hash of the nth row of several pieces."""
    starts = np.cumsum([0, *(len(one) for one in positions)])

    def hash_row(nth: int) -> str:
        piece = int(np.searchsorted(starts, nth, side="right")) - 1
        return hashes[piece](nth - int(starts[piece]))

    return hash_row


def open_csv(file: SourceFile) -> Table:
    """A CSV file with a header.

    Raises:
        SourceError: no text, or no readable header.
    """
    form = find_form(file)
    if file.delimiter is not None and file.delimiter in '"\r\n\0':
        raise file.error(
            f"delimiter {file.delimiter!r} cannot separate fields; leave it out, then it is found"
        )
    with open_lines(file, form) as lines:
        names, delimiter = _header(file, lines)
    return Table(
        file, names, lambda block_rows: _csv_blocks(file, form, block_rows), form.encoding, delimiter
    )


def _header(file: SourceFile, lines: Lines) -> tuple[list[str], str]:
    try:
        return read_header(lines, set(file.roles.values()), file.delimiter)
    except BrokenRecord as broken:
        raise file.error(
            f"its header cannot be read: {broken}; the first line must name the columns"
        ) from None


def _csv_blocks(file: SourceFile, form: TextForm, block_rows: int) -> Iterator[RawBlock]:
    with open_lines(file, form) as lines:
        names, delimiter = _header(file, lines)
        indexes = tuple(names.index(column) for column in file.roles.values())
        picked = Picked(len(names), delimiter, tuple(file.roles), indexes)
        block = TextBlock(list(file.roles), block_rows)
        reader = Reader(lines, delimiter, len(names))
        while True:
            if not lines.is_waiting():
                first, chunk = lines.take_chunk()
                if chunk:
                    parsed = parse_chunk(chunk, first, picked) if delimiter.isascii() else None
                    if parsed is not None:
                        records, next_position, rest = parsed
                        lines.begin_with(next_position, rest)
                        yield from block.keep_records(records)
                        continue
                    lines.put_back_chunk(first, chunk)
                elif not lines.is_waiting():
                    break
            yield from _strict_rows(lines, reader, picked, block)
        yield from block.take()


def _strict_rows(lines: Lines, reader: Reader, picked: Picked, block: TextBlock) -> Iterator[RawBlock]:
    """Read the lines that wait, record by record."""
    while lines.is_waiting():
        position, raw = next(lines)
        if len(raw) > LINE_LIMIT:
            block.reject(position, _TOO_LONG, raw)
        elif raw and not raw.isspace():
            try:
                fields, record = reader.read(raw)
            except BrokenRecord as broken:
                block.reject(position, str(broken), raw)
            else:
                block.keep(position, [fields[index] for index in picked.indexes], record)
                if b"\n" in record:
                    if block.is_full():
                        yield from block.take()
                    yield from _note_enclosed(position, record, picked, block)
        if block.is_full():
            yield from block.take()


def _note_enclosed(position: int, record: bytes, picked: Picked, block: TextBlock) -> Iterator[RawBlock]:
    """Count lines that may be rows which two stray quotes made part of another row."""
    enclosed = enclosed_rows(record, picked.delimiter, picked.width, picked.id_index)
    physical = record.split(b"\n") if enclosed else []
    for nth in enclosed:
        reason = f"looks like a row but lies inside the quotes of the row at {position}"
        block.reject(position + nth, reason, physical[nth])
        if block.is_full():
            yield from block.take()


def open_json(file: SourceFile) -> Table:
    """A file of JSON objects, one per line or in one array; a missing key is null.

    Raises:
        SourceError: no text.
    """
    form = find_form(file)
    names: dict[str, None] = {}
    n_objects = 0
    for _, _, found in objects(file, form):
        if isinstance(found, dict):
            names.update(dict.fromkeys(found))
            n_objects += 1
        if n_objects == _OBJECTS_TO_SEE:
            break
    known = list(names) if n_objects else None
    return Table(file, known, lambda block_rows: _json_blocks(file, form, block_rows), form.encoding)


def _json_blocks(file: SourceFile, form: TextForm, block_rows: int) -> Iterator[RawBlock]:
    mapped = [(role, column, role in EXACT_ROLES) for role, column in file.roles.items()]
    block = TextBlock(list(file.roles), block_rows)
    for position, raw, found in objects(file, form):
        if isinstance(found, str):
            block.reject(position, found, raw)
        else:
            try:
                values = [as_text(found.get(column), role, exact) for role, column, exact in mapped]
                block.keep(position, values, raw)
            except Unfit as unfit:
                block.reject(position, str(unfit), raw)
        if block.is_full():
            yield from block.take()
    yield from block.take()


def objects(file: SourceFile, form: TextForm) -> Iterator[tuple[int, bytes, dict[str, Any] | str]]:
    """The objects of a file with their positions and raw bytes, or the reason why there is none."""
    with open_text(file, form) as stream:
        if is_array(stream.peek(_BEGINNING_BYTES)):
            for number, raw in elements(stream):
                yield number, raw, _object(raw, "element")
        else:
            for position, raw in Lines(stream):
                if raw and not raw.isspace():
                    yield position, raw, _object(raw, "line")


def _object(raw: bytes, what: str) -> dict[str, Any] | str:
    """The object of a line, or the reason why there is none."""
    if len(raw) > LINE_LIMIT:
        return f"{what} is longer than 1 MB"
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return f"{what} is not JSON"
    return found if isinstance(found, dict) else f"{what} is not a JSON object"


class Unfit(ValueError):
    """A value that its role cannot hold."""


def as_text(value: Any, role: str, exact: bool) -> str | None:
    """A value of JSON or SQLite as the text that CSV would hold; numbers canonically: 5 and 5.0 are "5".

    Raises:
        Unfit: neither text nor a number, where the role must be text.
    """
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if exact and abs(value) >= EXACT_LIMIT:
            raise Unfit(f"{role} is a number too large to be exact")
        return str(int(value)) if value.is_integer() and abs(value) < EXACT_LIMIT else repr(value)
    if role in FREE_ROLES:
        return "{}"  # given, but neither a time nor a number
    raise Unfit(f"{role} is not text")
