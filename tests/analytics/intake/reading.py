"""Small sources for tests: written in any format, read whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analytics.errors import SourceError
from analytics.intake.sources import Block, read_blocks
from analytics.rows import REJECTED_ROWS, SOURCE_ROWS
from analytics.settings import SourceSettings


def source(kind: str = "documents", columns: dict[str, Any] | None = None, **settings: Any) -> SourceSettings:
    named = {"name": "reviews", "kind": kind, "path": "-", "language": "en", **settings}
    return SourceSettings.model_validate({**named, "columns": columns or {"id": "id", "text": "text"}})


def read(settings: SourceSettings, path: Path, block_rows: int = 10_000) -> tuple[pl.DataFrame, pl.DataFrame]:
    blocks = list(read_blocks(settings, path, block_rows))
    empty = Block(pl.DataFrame(schema=SOURCE_ROWS), pl.DataFrame(schema=REJECTED_ROWS))
    for block in blocks:
        assert block.rows.schema == pl.Schema(SOURCE_ROWS)
        assert block.rejected.schema == pl.Schema(REJECTED_ROWS)
        assert 0 < block.rows.height + block.rejected.height <= block_rows
    every = [empty, *blocks]
    return pl.concat([block.rows for block in every]), pl.concat([block.rejected for block in every])


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """The same rows as CSV, JSON Lines or Parquet, by the ending."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".csv":
        frame.write_csv(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


FORMATS = pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])


def refusal(path: Path, settings: SourceSettings | None = None, place: Path | None = None) -> str:
    """What the stated error says behind the place, which is the path unless said."""
    with pytest.raises(SourceError) as caught:
        list(read_blocks(settings or source(), path))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"source 'reviews': {place or path}: ")
    return message.removeprefix(f"source 'reviews': {place or path}: ")
