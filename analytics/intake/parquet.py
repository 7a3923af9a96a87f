"""Reader of Parquet: the mapped columns as they lie in the file, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from analytics.identity import hash_of
from analytics.intake.files import RawBlock, Rejection, SourceFile


def read_parquet(file: SourceFile, block_rows: int, check: Callable[[pl.Schema], None]) -> Iterator[RawBlock]:
    """Read the mapped columns of a Parquet file.

    Args:
        file: The file and its mapping.
        block_rows: Rows in a block, at most.
        check: Raises where a column's type cannot hold its role.

    Raises:
        SourceError: not a Parquet file, damaged, or a mapped column is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    n_read = 0
    try:
        with pq.ParquetFile(file.path, pre_buffer=False, coerce_int96_timestamp_unit="us") as parquet:
            file.check_columns(parquet.schema_arrow.names)
            columns = list(dict.fromkeys(file.roles.values()))
            check(_by_role(parquet.schema_arrow.empty_table().select(columns), file).schema)
            for batch in parquet.iter_batches(batch_size=block_rows, columns=columns):
                yield _raw_block(batch, file, n_read)
                n_read += batch.num_rows
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        place = f" after row {n_read:,}" if n_read else ""
        raise file.error(
            f"cannot be read as Parquet{place}; write it anew, or set the source's format to what it is"
        ) from error


def _raw_block(batch: Any, file: SourceFile, n_before: int) -> RawBlock:
    import pyarrow as pa

    broken = _broken_text(batch)
    kept = [nth for nth in range(batch.num_rows) if nth not in broken]
    values = _by_role(pa.Table.from_batches([batch.take(pa.array(kept)) if broken else batch]), file)
    rejected = [
        Rejection(n_before + 1 + nth, f"{file.role_of(column)} is not UTF-8", row_hash)
        for nth, (column, row_hash) in sorted(broken.items())
    ]

    def hash_row(nth: int) -> str:
        return hash_of([None if value is None else str(value) for value in values.row(nth)])

    return RawBlock([n_before + 1 + nth for nth in kept], values, hash_row, rejected)


def _broken_text(batch: Any) -> dict[int, tuple[str, str]]:
    """Rows whose text is not UTF-8, each with its column and the hash of the row.

    Arrow carries such text unseen, and Polars ends the program over it.
    """
    import pyarrow as pa

    try:
        batch.validate(full=True)
        return {}
    except pa.ArrowInvalid as error:
        invalid = error
    text_types = (pa.string(), pa.large_string(), pa.string_view())
    broken: dict[int, str] = {}
    rows: list[list[str | None]] = [[] for _ in range(batch.num_rows)]
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if column.type in text_types:
            column = column.cast(pa.large_binary())
        for nth, raw in enumerate(column.to_pylist()):
            text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
            rows[nth].append(None if text is None else str(text))
            if isinstance(raw, bytes) and text.encode("utf-8", "replace") != raw:
                broken.setdefault(nth, name)
    if not broken:
        raise invalid
    return {nth: (name, hash_of(rows[nth])) for nth, name in broken.items()}


def _by_role(table: Any, file: SourceFile) -> pl.DataFrame:
    """An Arrow table of the mapped columns as one column per role."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        # Polars knows no fixed offsets such as +02:00; the instant is the same in any zone.
        if pa.types.is_timestamp(field.type) and field.type.tz is not None:
            zoned = table.column(index).cast(pa.timestamp(field.type.unit, "UTC"))
            table = table.set_column(index, field.name, zoned)
        # Nor does it know decimals of more than 38 digits.
        elif pa.types.is_decimal256(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.string()))
    frame = pl.DataFrame(table)
    return frame.select(pl.col(column).alias(role) for role, column in file.roles.items())
