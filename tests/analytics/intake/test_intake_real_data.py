"""Real stores, read whole: the counts add up and the time is bounded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from analytics.intake.sources import read_blocks
from analytics.settings import SourceSettings

STORES = Path(__file__).parents[3] / ".." / "shared" / "data"

REVIEWS = {"id": "doc_id", "text": "text", "created_at": "created_at", "item": "item_id", "user": "user_id"}


def count(name: str, columns: dict[str, Any], **settings: Any) -> tuple[int, int, int]:
    """Rows let in, rows rejected and rows without a date, of a store that is read within its time."""
    path = STORES / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{name} is not beside this repository")
    source = SourceSettings.model_validate(
        {
            "name": name,
            "kind": "documents",
            "path": path.name,
            "language": "en",
            "columns": columns,
            **settings,
        }
    )
    started = time.perf_counter()
    n_rows = n_rejected = n_undated = 0
    for block in read_blocks(source, path):
        n_rows += block.rows.height
        n_rejected += block.rejected.height
        n_undated += block.rows["created_at"].null_count()
    assert time.perf_counter() - started < 15
    assert n_rows + n_rejected == pq.read_metadata(path).num_rows
    return n_rows, n_rejected, n_undated


def test_electronics_reviews() -> None:
    columns = {**REVIEWS, "title": "title", "rating": "rating", "segments": ("brand", "do_recommend")}
    assert count("reviews_datafiniti_electronics", columns) == (34_660, 0, 39)


def test_film_reviews() -> None:
    """Sixteen are dated before 1990, four of them to 1800."""
    columns = {**REVIEWS, "rating": "rating_0_1", "segments": ("publisher", "label")}
    assert count("reviews_rt_critics", columns, rating_scale=(0.0, 1.0)) == (54_432, 0, 16)


def test_film_reviews_as_interactions() -> None:
    """Reviews without a critic are rejected, and so are those with an impossible date."""
    columns = {key: REVIEWS[key] for key in ("created_at", "item", "user")}
    n_rows, n_rejected, n_undated = count("reviews_rt_critics", columns, kind="interactions")
    assert (n_rows, n_rejected, n_undated) == (51_697, 2_735, 0)
