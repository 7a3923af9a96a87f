"""Files that are either whole or not there: written beside their place, flushed, then renamed into it."""

from __future__ import annotations

import io
import json
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import writing

UNFINISHED = ".unfinished"
"""Ending of a file that is still being written."""

FACTS = "nightloom"
"""Key under which a Parquet file carries facts about itself."""


def flush_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside `path` with `write`, then rename it into place.

    Raises:
        StoreFull, StoreError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
        try:
            write(beside)
            with beside.open("rb+") as file:
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        flush_folder(path.parent)


def sweep_unfinished(folder: Path) -> int:
    """Remove what writers that were killed half-way left beside their places; returns how many files went.

    Only for who holds the store: a file that is being written looks the same.
    """
    unfinished = [path for path in folder.rglob(f".*{UNFINISHED}") if path.is_file()]
    for path in unfinished:
        path.unlink()
    return len(unfinished)


def put_text(path: Path, text: str) -> None:
    """Write a small text file whole or not at all."""
    put(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def put_json(path: Path, value: Any) -> None:
    """Write a small JSON file whole or not at all."""
    put_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def put_parquet(path: Path, frame: pl.DataFrame, facts: dict[str, Any] | None = None) -> None:
    """Write a Parquet file whole or not at all, with facts about it inside."""
    metadata = {FACTS: json.dumps(facts or {}, sort_keys=True)}
    # Through memory: where Polars itself writes, a disk that fills up at the footer is a "transport error".
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd", metadata=metadata)
    put(path, lambda beside: beside.write_bytes(content.getbuffer()))


def drop_rows(paths: Iterable[Path], column: str, values: Iterable[str]) -> int:
    """Rewrite Parquet files without the rows whose column holds one of the values; how many went.

    Files that an older version of this program wrote may lack the column.
    """
    gone = list(values)
    n_dropped = 0
    for path in paths:
        rows = pl.read_parquet(path)
        if column not in rows.columns:
            continue
        left = rows.filter(~pl.col(column).is_in(gone).fill_null(False))
        if left.height < rows.height:
            put_parquet(path, left, facts_of(path))
            n_dropped += rows.height - left.height
    return n_dropped


def facts_of(path: Path) -> dict[str, Any]:
    """The facts that a Parquet file carries about itself; reads its footer only."""
    return json.loads(pl.read_parquet_metadata(path).get(FACTS, "{}"))
