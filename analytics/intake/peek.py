"""The first rows of a file that nobody has described: its columns as they lie in it, and what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from analytics.intake.encodings import find_form
from analytics.intake.files import SourceFile, Table, find_files
from analytics.intake.parquet import open_parquet
from analytics.intake.text_files import objects, open_csv


@dataclass(frozen=True)
class Peeked:
    """The first rows of a file and what was found out about it."""

    frame: pl.DataFrame
    """Columns that a mapping can name (no empty or doubled names); text, but typed in Parquet."""
    format: str
    """`parquet`, `csv` or `jsonl`."""
    encoding: str | None
    """Of a text file."""
    delimiter: str | None
    """Of a CSV file."""
    left_out: tuple[str, ...] = ()
    """Names, in file order, that a mapping cannot use: empty ones and those of several columns."""


def peek(path: Path, n_rows: int = 2_000) -> Peeked:
    """Read the first rows of a file without a mapping; of a folder, a pattern or an archive, the first file.

    Rows that cannot be read are left out; nested values of JSON come as JSON.

    Raises:
        SourceError: there is no such file, or it is of no format that is read.
    """
    whole = SourceFile("", path.absolute(), {})
    try:
        return _peek(find_files(whole)[0][0], n_rows)
    except OSError as error:
        raise whole.error(f"cannot be read ({error.strerror or error}); check its rights") from error


def _peek(file: SourceFile, n_rows: int) -> Peeked:
    if file.format == "jsonl":
        return _first_objects(file, n_rows)
    table = open_csv(file) if file.format == "csv" else open_parquet(file, lambda schema, file: None)
    names = _usable(table.names or [])
    mapped = replace(file, roles={name: name for name in names})
    table = open_csv(mapped) if file.format == "csv" else open_parquet(mapped, lambda schema, file: None)
    left_out = tuple(name for name in table.names or [] if name not in names)
    return Peeked(_first_rows(table, n_rows), str(file.format), table.encoding, table.delimiter, left_out)


def _usable(names: Sequence[str]) -> list[str]:
    counted = Counter(names)
    return [name for name in names if name and counted[name] == 1]


def _first_rows(table: Table, n_rows: int) -> pl.DataFrame:
    frames: list[pl.DataFrame] = []
    for block in table.blocks(n_rows):
        frames.append(block.values)
        if sum(frame.height for frame in frames) >= n_rows:
            break
    if not frames:
        return pl.DataFrame(schema=dict.fromkeys(table.file.roles, pl.String))
    return pl.concat(frames).head(n_rows)


def _first_objects(file: SourceFile, n_rows: int) -> Peeked:
    form = find_form(file)
    rows: list[dict[str, str | None]] = []
    for _, _, found in objects(file, form):
        if isinstance(found, dict):
            rows.append({name: _as_json(value) for name, value in found.items()})
        if len(rows) == n_rows:
            break
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name]
    frame = pl.DataFrame(
        {name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names}
    )
    return Peeked(frame, "jsonl", form.encoding, None)


def _as_json(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
