"""Reader of Parquet and of Arrow batches: the mapped columns as they lie there, block by block."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import polars as pl

from analytics.identity import hash_of
from analytics.intake.files import BLOCK_BYTES, RawBlock, Rejection, SourceFile, Table, setting_of


def open_parquet(file: SourceFile, check: Callable[[pl.Schema, SourceFile], None]) -> Table:
    """A Parquet file; one that is packed is unpacked into a temporary file first.

    Args:
        file: The file and its mapping.
        check: Raises where a column's type cannot hold its role.

    Raises:
        SourceError: not a Parquet file, damaged, or a mapped column is of a wrong type.
    """
    with _stated(file, ""), _opened(file) as parquet:
        names = parquet.schema_arrow.names
        if not file.faults(names):
            check(types_by_role(parquet.schema_arrow, file), file)
    return Table(file, names, lambda block_rows: _blocks(file, block_rows))


def _blocks(file: SourceFile, block_rows: int) -> Iterator[RawBlock]:
    n_read = 0
    columns = list(dict.fromkeys(file.roles.values()))
    with _stated(file, ""), _opened(file) as parquet:
        batches = parquet.iter_batches(_batch_rows(parquet.metadata, block_rows), columns=columns)
        while True:
            with _stated(file, f" after row {n_read:,}" if n_read else ""):
                batch = next(batches, None)
            if batch is None:
                return
            yield raw_block(batch, file, n_read)
            n_read += batch.num_rows


def _batch_rows(metadata: Any, block_rows: int) -> int:
    """Rows of a batch: fewer than asked for where rows are long."""
    groups = [metadata.row_group(nth) for nth in range(metadata.num_row_groups)]
    n_bytes = sum(group.total_byte_size for group in groups)
    return max(1, min(block_rows, BLOCK_BYTES * metadata.num_rows // max(1, n_bytes)))


@contextmanager
def _stated(file: SourceFile, place: str) -> Iterator[None]:
    """Turn what pyarrow says about a damaged file into its stated error."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise file.error(
            f"cannot be read as Parquet{place}; write it anew, or set the source's format to what it is"
        ) from error


@contextmanager
def _opened(file: SourceFile) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        content: Any = file.path
        if file.is_packed:
            # Parquet is read from its end, which a packed stream cannot do.
            content = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(stack.enter_context(file.opened()), content)
            content.seek(0)
        yield stack.enter_context(pq.ParquetFile(content, pre_buffer=False, coerce_int96_timestamp_unit="us"))


def raw_block(batch: Any, file: SourceFile, n_before: int) -> RawBlock:
    """A batch of an Arrow table as a block; `n_before` rows came before it."""
    import pyarrow as pa

    broken = _broken_text(batch)
    kept = [nth for nth in range(batch.num_rows) if nth not in broken]
    values = by_role(pa.Table.from_batches([batch.take(pa.array(kept)) if broken else batch]), file)
    rejected = [
        Rejection(n_before + 1 + nth, f"{file.role_of(column)} is not UTF-8", row_hash)
        for nth, (column, row_hash) in sorted(broken.items())
    ]

    def hash_row(nth: int) -> str:
        return hash_of([None if value is None else str(value) for value in values.row(nth)])

    positions = pl.Series(kept, dtype=pl.Int64) + (n_before + 1)
    return RawBlock(positions, values, hash_row, rejected)


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


def types_by_role(schema: Any, file: SourceFile) -> pl.Schema:
    """What each role's column holds, of an Arrow schema that has all mapped columns.

    Raises:
        SourceError: a column is of a type that no value can be read from.
    """
    import pyarrow as pa

    fields = [schema.field(column) for column in dict.fromkeys(file.roles.values())]
    for field in fields:
        if not _is_readable(field.type) or _is_foreign(field):
            role = file.role_of(field.name)
            raise file.error(
                f"column {field.name!r} (set as columns.{setting_of(role)}) holds {field.type}, which is not "
                "read; map another column"
            )
    return by_role(pa.schema(fields).empty_table(), file).schema


def by_role(table: Any, file: SourceFile) -> pl.DataFrame:
    """An Arrow table of the mapped columns as one column per role."""
    import pyarrow as pa

    # What Polars reads of a schema must be text, which damaged metadata is not.
    table = table.replace_schema_metadata(None)
    for index, field in enumerate(table.schema):
        if field.metadata:
            # Polars would take it for an extension type that it does not know.
            table = table.set_column(index, field.name, table.column(index))
        # Polars knows no fixed offsets such as +02:00; the instant is the same in any zone.
        if pa.types.is_timestamp(field.type) and field.type.tz is not None:
            zoned = table.column(index).cast(pa.timestamp(field.type.unit, "UTC"))
            table = table.set_column(index, field.name, zoned)
        # Nor does it know decimals of more than 38 digits.
        elif pa.types.is_decimal256(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.string()))
        elif field.type == pa.uuid():
            texts = [None if value is None else str(value) for value in table.column(index).to_pylist()]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
        elif isinstance(field.type, pa.BaseExtensionType):
            stored = [chunk.storage for chunk in table.column(index).chunks]
            column = pa.chunked_array(stored, field.type.storage_type)
            table = table.set_column(index, field.name, column)
    frame = pl.DataFrame(table)
    # Taken by name, not by expression: a column may be called "*" or "^.*$", which would mean many.
    columns = [_possible(frame.get_column(column)).alias(role) for role, column in file.roles.items()]
    return pl.DataFrame(columns)


def _is_foreign(field: Any) -> bool:
    """Whether a field is of an extension type that pyarrow does not know and that is no text."""
    import pyarrow as pa

    is_text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    return b"ARROW:extension:name" in (field.metadata or {}) and not is_text


def _is_readable(dtype: Any) -> bool:
    """Whether Polars takes the Arrow type; it ends the program over some of the others."""
    import pyarrow as pa

    types = pa.types
    if isinstance(dtype, pa.BaseExtensionType):
        return dtype == pa.uuid() or pa.types.is_string(dtype.storage_type)
    if types.is_nested(dtype):
        return not types.is_union(dtype) and all(
            _is_readable(dtype.field(nth).type) for nth in range(dtype.num_fields)
        )
    return not (types.is_interval(dtype) or types.is_run_end_encoded(dtype))


_LAST_DAY = 2_932_896
"""Days from 1970 to 9999-12-31; years beyond, which mean "for ever" in databases, cannot be written out."""
_PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def _possible(values: pl.Series) -> pl.Series:
    """Dates or times with null for those that lie more than 8,000 years off; other values as they are."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        limit = _LAST_DAY * _PER_DAY[dtype.time_unit]
    elif dtype == pl.Date:
        limit = _LAST_DAY
    else:
        return values
    value = pl.col("value")
    is_possible = value.to_physical().is_between(-limit, limit)
    return values.to_frame("value").select(pl.when(is_possible).then(value)).to_series()
