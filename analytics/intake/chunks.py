"""Many plain CSV records at once: the same result as the strict reader gives, or none."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analytics.identity import hash_of
from analytics.intake.delimited import enclosed_rows

_QUOTE, _LINE_FEED = 34, 10
_BOM = b"\xef\xbb\xbf"
_BLANK_LINE = re.compile(rb"^[ \t\x0b\x0c]*$", re.MULTILINE)

Positions = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Records:
    """Consecutive records of a file and where they lie in it."""

    positions: Positions
    """Line of each record (n_records,)."""
    values: pl.DataFrame
    """One text column per role."""
    content: bytes
    starts: Positions
    """Byte of `content` at which each record begins (n_records,)."""
    ends: Positions
    """Byte behind its last (n_records,)."""

    def hash_row(self, nth: int) -> str:
        """Hash of the nth record as it lies in the file."""
        return hash_raw(self.content[self.starts[nth] : self.ends[nth]])


def hash_raw(raw: bytes) -> str:
    """Hash of a line or record as it lies in the file."""
    return hash_of(raw.decode("utf-8", "surrogateescape"))


@dataclass(frozen=True)
class Picked:
    """Which fields of a record are wanted."""

    width: int
    """Fields of a record."""
    delimiter: str
    roles: tuple[str, ...]
    indexes: tuple[int, ...]
    """For each role, which field holds it."""

    @property
    def id_index(self) -> int | None:
        """Which field holds the id, where it is mapped."""
        return self.indexes[self.roles.index("id")] if "id" in self.roles else None


def parse_chunk(chunk: bytes, first: int, picked: Picked) -> tuple[Records, int, bytes] | None:
    """Read whole lines as CSV records; None where anything is not plain, so that the strict reader must look.

    Plain are records of the right width whose quotes open and close where a field does, in UTF-8, without
    blank lines, zero bytes and bare carriage returns, and without rows that seem to lie inside quotes.

    Args:
        chunk: At most `LINE_LIMIT` bytes.
        first: Position of its first line.
        picked: The form of a record.

    Returns:
        The records; and where the last lines begin a record that goes on behind them, the position of the
        first of these, and the lines.
    """
    content = chunk.replace(b"\r\n", b"\n") if b"\r" in chunk else chunk
    content = content if content.endswith(b"\n") else content + b"\n"
    if b"\r" in content or b"\0" in content or content.startswith(_BOM) or not _is_utf8(content):
        return None
    if (picked.width == 1 or picked.delimiter == "\t") and _BLANK_LINE.search(content, 0, len(content) - 1):
        return None
    codes = np.frombuffer(content, np.uint8)
    feeds = all_feeds = np.flatnonzero(codes == _LINE_FEED)
    delimiters = np.flatnonzero(codes == ord(picked.delimiter))
    if b'"' in content:
        quotes = np.flatnonzero(codes == _QUOTE)
        if not _are_plain(quotes, codes, ord(picked.delimiter)):
            return None
        # Behind an odd number of quotes a byte is inside them.
        feeds = feeds[np.searchsorted(quotes, feeds) % 2 == 0]
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
        if not feeds.size:
            return None
        delimiters = delimiters[: np.searchsorted(delimiters, feeds[-1])]
    starts = np.concatenate(([0], feeds[:-1] + 1))
    if not _have_width(delimiters, starts, feeds, picked.width):
        return None
    lines = np.arange(feeds.size) if feeds.size == all_feeds.size else np.searchsorted(all_feeds, starts)
    n_lines = np.diff(lines, append=np.searchsorted(all_feeds, feeds[-1]) + 1)
    for nth in np.flatnonzero(n_lines > 1):
        record = content[starts[nth] : feeds[nth]]
        if enclosed_rows(record, picked.delimiter, picked.width, picked.id_index):
            return None
    n_taken = int(feeds[-1]) + 1
    values = _fields(content[:n_taken], picked, bool((n_lines > 1).any()))
    if values is None or values.height != feeds.size:
        return None
    records = Records(first + lines, values, content, starts, feeds)
    return records, first + int(n_lines.sum()), content[n_taken:]


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _are_plain(quotes: Positions, codes: np.ndarray[Any, Any], delimiter: int) -> bool:
    """Whether every quote opens or closes a field or is one of two that stand for one; one may stay open."""
    opening, closing = quotes[::2], quotes[1::2]
    n_pairs = closing.size
    doubled = opening[1:] == closing[: opening.size - 1] + 1
    before = codes[np.maximum(opening - 1, 0)]
    begins = (opening == 0) | (before == delimiter) | (before == _LINE_FEED)
    begins[1:] |= doubled
    after = codes[closing + 1]
    ends = (after == delimiter) | (after == _LINE_FEED)
    ends[: doubled.size] |= doubled[:n_pairs]
    return bool(begins.all() and ends.all())


def _have_width(delimiters: Positions, starts: Positions, ends: Positions, width: int) -> bool:
    if delimiters.size != ends.size * (width - 1):
        return False
    if width == 1:
        return True
    by_record = delimiters.reshape(ends.size, width - 1)
    return bool((by_record[:, 0] >= starts).all() and (by_record[:, -1] < ends).all())


def _fields(content: bytes, picked: Picked, goes_on: bool) -> pl.DataFrame | None:
    """The wanted fields of records whose form is known to be plain."""
    import pyarrow as pa
    from pyarrow import csv

    wanted = [str(index) for index in dict.fromkeys(picked.indexes)]
    try:
        table = csv.read_csv(
            io.BytesIO(content),
            csv.ReadOptions(
                use_threads=False,
                block_size=len(content) + 1,
                column_names=[str(nth) for nth in range(picked.width)],
            ),
            csv.ParseOptions(
                delimiter=picked.delimiter, newlines_in_values=goes_on, ignore_empty_lines=False
            ),
            csv.ConvertOptions(
                check_utf8=False, column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted
            ),
        )
    except pa.ArrowInvalid:
        return None
    frame = pl.DataFrame(table)
    return frame.select(
        pl.col(str(index)).alias(role) for role, index in zip(picked.roles, picked.indexes, strict=True)
    )
