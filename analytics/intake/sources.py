"""What comes in: the rows of a source, block by block, and every row that was not let in, with the reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from analytics.intake.files import RawBlock, SourceFile, read_csv, read_jsonl
from analytics.intake.mapping import check_types, map_block, mapped_roles
from analytics.intake.parquet import read_parquet
from analytics.settings import SourceSettings

_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of a source."""

    rows: pl.DataFrame
    """Columns of `tables.SOURCE_ROWS`, in file order."""
    rejected: pl.DataFrame
    """Columns of `tables.REJECTED_ROWS`, in file order."""


def read_blocks(source: SourceSettings, path: Path, block_rows: int = 10_000) -> Iterator[Block]:
    """Read a source in blocks of bounded size; every row of the file is in one block, let in or rejected.

    Args:
        source: What the file is and how its columns are mapped.
        path: The file.
        block_rows: Rows in a block, at most.

    Raises:
        SourceError: the file is missing, unreadable or not of its format, a mapped column is missing or of a
            wrong type, or, after the last block, no row at all was let in.
    """
    file = SourceFile(source.name, path, mapped_roles(source.columns))
    _check_zone(source, file)
    seen: Counter[str] = Counter()
    examples: dict[str, str] = {}
    n_rows = 0
    try:
        for raw in _raw_blocks(source, file, block_rows):
            rows, rejected = map_block(raw, source)
            n_rows += rows.height
            for reason in rejected["reason"]:
                # Reasons that differ only in a number are one reason.
                form = re.sub(r"-?\d[\d.e+,-]*", "#", reason)
                seen[form] += 1
                examples.setdefault(form, reason)
            yield Block(rows, rejected)
    except OSError as error:
        raise file.error(
            f"cannot be read ({error.strerror or error}); check that it is there and its rights"
        ) from error
    if seen and not n_rows:
        form, count = seen.most_common(1)[0]
        raise file.error(
            f"all rows were rejected ({seen.total():,}), most often because: {examples[form]} ({count:,}); "
            "correct the mapping in the settings, or the file"
        )


def _raw_blocks(source: SourceSettings, file: SourceFile, block_rows: int) -> Iterator[RawBlock]:
    if not file.path.exists():
        raise file.error("no such file; correct path in the settings, which is relative to the settings file")
    if not file.path.is_file():
        raise file.error("not a file; set path to one file")
    form = source.format or _FORMATS.get(file.path.suffix.lower())
    if form == "parquet":
        return read_parquet(file, block_rows, partial(check_types, file=file))
    if form == "csv":
        return read_csv(file, block_rows)
    if form == "jsonl":
        return read_jsonl(file, block_rows)
    raise file.error(
        f"cannot tell its format from the ending {file.path.suffix!r}; "
        'set format = "parquet", "csv" or "jsonl"'
    )


def _check_zone(source: SourceSettings, file: SourceFile) -> None:
    """Refuse a zone that this machine's zone files know and Polars does not, such as `localtime`."""
    try:
        pl.Series([datetime(2000, 1, 1)]).dt.replace_time_zone(source.time_zone)
    except pl.exceptions.ComputeError:
        raise file.error(
            f"time_zone {source.time_zone!r} cannot be used; write an IANA name such as 'Europe/Berlin'"
        ) from None
