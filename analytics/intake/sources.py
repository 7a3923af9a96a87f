"""What comes in: the rows of a source, block by block, and every row that was not let in, with the reason."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from analytics.intake.files import SourceFile, Table, check_tables, find_files
from analytics.intake.mapping import Mapping, check_types, mapped_roles
from analytics.intake.parquet import open_parquet
from analytics.intake.queries import open_query
from analytics.intake.text_files import open_csv, open_json
from analytics.settings import SourceSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of a file of a source."""

    rows: pl.DataFrame
    """Columns of `tables.SOURCE_ROWS`, in file order."""
    rejected: pl.DataFrame
    """Columns of `tables.REJECTED_ROWS`, in file order."""
    file: str | None = None
    """Which file positions count in, where the source has several; reasons of rejected rows begin with it."""


def read_blocks(source: SourceSettings, path: Path, block_rows: int = 50_000) -> Iterator[Block]:
    """Read a source in blocks of bounded size; every row of its files is in one block, let in or rejected.

    Several files are read in name order. All of them are opened and their columns checked before the first
    row is given out.

    Args:
        source: What the files are and how their columns are mapped.
        path: The file, folder, pattern or database.
        block_rows: Rows in a block, at most.

    Raises:
        SourceError: a file is missing, unreadable or not of its format, a mapped column is missing or of a
            wrong type, or, after the last block, no row at all was let in.
    """
    whole = SourceFile(
        source.name,
        path,
        mapped_roles(source.columns),
        format=source.format,
        encoding=source.encoding,
        delimiter=source.delimiter,
    )
    _check_zone(source, whole)
    mapping = Mapping(source)
    seen: Counter[str] = Counter()
    examples: dict[str, str] = {}
    n_rows = 0
    try:
        for table in _tables(source, whole):
            for raw in table.blocks(block_rows):
                rows, rejected = mapping.map_block(raw)
                n_rows += rows.height
                for reason in rejected["reason"]:
                    # Reasons that differ only in a number are one reason.
                    form = re.sub(r"-?\d[\d.e+,-]*", "#", reason)
                    seen[form] += 1
                    examples.setdefault(form, reason)
                yield Block(rows, _labelled(rejected, table.file.label), table.file.label)
    except OSError as error:
        raise whole.error(
            f"cannot be read ({error.strerror or error}); check that it is there and its rights"
        ) from error
    if seen and not n_rows:
        form, count = seen.most_common(1)[0]
        raise whole.error(
            f"all rows were rejected ({seen.total():,}), most often because: {examples[form]} ({count:,}); "
            "correct the mapping in the settings, or the file"
        )


def _tables(source: SourceSettings, whole: SourceFile) -> list[Table]:
    """Every file of the source, opened once and checked."""
    if source.query is not None:
        tables = [open_query(whole, source.query, check_types)]
    else:
        files, ignored = find_files(whole)
        if ignored:
            _log.info("source %r: %s: ignored %s", source.name, whole.path, ", ".join(ignored))
        tables = [open_file(file) for file in files]
    check_tables(whole, tables)
    return tables


def open_file(file: SourceFile) -> Table:
    """A file of any format.

    Raises:
        SourceError: it cannot be read.
    """
    if file.format == "parquet":
        return open_parquet(file, check_types)
    return open_csv(file) if file.format == "csv" else open_json(file)


def _labelled(rejected: pl.DataFrame, label: str | None) -> pl.DataFrame:
    if label is None:
        return rejected
    return rejected.with_columns(reason=pl.format("{}: {}", pl.lit(label), "reason"))


def _check_zone(source: SourceSettings, file: SourceFile) -> None:
    """Refuse a zone that this machine's zone files know and Polars does not, such as `localtime`."""
    try:
        pl.Series([datetime(2000, 1, 1)]).dt.replace_time_zone(source.time_zone)
    except pl.exceptions.ComputeError:
        raise file.error(
            f"time_zone {source.time_zone!r} cannot be used; write an IANA name such as 'Europe/Berlin'"
        ) from None
