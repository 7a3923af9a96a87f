"""Recommendations held against files of one's own, of any protocol and form."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analytics.errors import SourceError
from analytics.settings import Settings
from flows.cli import main
from flows.evaluate_recommendations import (
    as_lines,
    evaluate_recommendations,
    read_documents,
    read_interactions,
    read_items,
)
from recommender.candidates import Catalogue, fit_generators, written_of
from recommender.events import read_events

SETTINGS = Settings.model_construct(sources=())
N_ITEMS, N_TASTES = 40, 4


def interactions(n_customers: int = 320, seed: int = 2) -> pl.DataFrame:
    """Customers who take the items of one taste, over a hundred days."""
    draw = np.random.default_rng(seed)
    rows = []
    for nth in range(n_customers):
        mine = draw.permutation(np.arange(nth % N_TASTES, N_ITEMS, N_TASTES))[: draw.integers(3, 7)]
        days = np.sort(draw.random(len(mine)) * 100)
        rows += [
            (f"u{nth}", f"i{item}", datetime(2026, 1, 1) + timedelta(days=float(day)), place, 5.0)
            for place, (item, day) in enumerate(zip(mine, days, strict=True))
        ]
    return pl.DataFrame(rows, schema=["user_id", "item_id", "created_at", "position", "rating"], orient="row")


def items() -> pl.DataFrame:
    return pl.DataFrame(
        [(f"i{n}", f"thing of taste{n % N_TASTES}", f"made by number{n % 5}") for n in range(N_ITEMS)],
        schema=["item_id", "title", "maker"],
        orient="row",
    )


def write(frame: pl.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_ndjson(path)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_any_file_is_read(ending: str, tmp_path: Path) -> None:
    told = read_interactions(write(interactions(20), tmp_path / f"i.{ending}"))
    assert told.height == interactions(20).height
    assert told["created_at"].null_count() == 0
    described = read_items(write(items(), tmp_path / f"items.{ending}"))
    assert described.row(0) == ("i0", "thing of taste0", "thing of taste0. made by number0", None)


def test_ratings_are_shares_of_the_files_own_scale_and_the_first_of_a_pair_counts(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"user_id": ["a", "a", "b"], "item_id": [1, 1, 2], "position": [2, 1, 1], "rating": [10, 0, 5]}
    )
    told = read_interactions(write(rows, tmp_path / "i.csv"))
    assert told.select("user_id", "item_id", "rating_share").rows() == [("a", "1", 0.0), ("b", "2", 0.5)]


@pytest.mark.parametrize("protocol", ["temporal", "leave-one-out"])
def test_a_taste_is_foreseen(protocol: str, tmp_path: Path) -> None:
    path = write(interactions(), tmp_path / "i.parquet")
    described = write(items(), tmp_path / "items.parquet")
    result = evaluate_recommendations(SETTINGS, path, described, protocol=protocol, has_embedding=False)
    assert result["metrics"]["recall_at_10"] > 0.8
    assert result["peers"]["popular"]["ahead_low"] > 0
    assert result["leaks"] == []
    assert result["n_with_text"] == N_ITEMS
    assert {"cold_item", "warm_item", "tail", "cold_user", "title_alike"} <= set(result["slices"])
    assert result["enough_evidence"] is (result["n_customers"] >= 200)
    assert any(line.strip().startswith("popular") for line in as_lines(result))


def test_what_is_written_after_the_cut_is_not_read(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "item_id": ["i1", "i1"],
            "text": ["early", "late"],
            "created_at": [datetime(2026, 1, 1), datetime(2026, 3, 1)],
        }
    )
    path = write(rows, tmp_path / "d.parquet")
    written = read_documents(path, ["i0", "i1"])
    cut = datetime(2026, 2, 1).timestamp() / 86_400
    assert written.before(cut).of_items(2) == ["", "early"]
    assert written.of_items(2) == ["", "late early"]
    with pytest.raises(SourceError, match="no column 'created_at'"):
        read_documents(write(rows.drop("created_at"), tmp_path / "undated.parquet"), ["i1"])


def test_what_reviewers_write_tells_items_alike_as_far_as_it_was_written(tmp_path: Path) -> None:
    """Two items without a text of their own are alike by what is said of them, from the day it is said."""
    made = read_events(read_interactions(write(interactions(20), tmp_path / "i.parquet")), [])
    days = [datetime(2026, 1, 1), datetime(2026, 3, 1)]
    said = [(item, "a squeaky hinge", day) for item, day in zip(made.items[:2], days, strict=True)]
    documents = pl.DataFrame(said, schema=["item_id", "text", "created_at"], orient="row")
    catalogue = Catalogue([""] * made.n_items, written=written_of(documents, made.items))
    for day, alike in ((datetime(2026, 2, 1), 0.0), (datetime(2026, 4, 1), 1.0)):
        now = day.timestamp() / 86_400
        found = fit_generators(made, catalogue, half_life_days=None, now=now, seed=1)
        words = next(one.lends for one in found.by_history if one.name == "words")
        assert words[0, 1] == pytest.approx(alike)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (interactions(5).drop("item_id"), "no column 'item_id'"),
        (interactions(5).drop("created_at", "position"), "without an order"),
        (interactions(5).clear(), "holds no row"),
    ],
)
def test_what_a_file_lacks_is_told_in_one_line(frame: pl.DataFrame, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=message):
        read_interactions(write(frame, tmp_path / "i.parquet"))


def test_texts_of_no_known_cut_are_refused(tmp_path: Path) -> None:
    path = write(interactions(9), tmp_path / "i.parquet")
    with pytest.raises(SourceError, match="leave it out"):
        evaluate_recommendations(SETTINGS, path, documents=path, protocol="leave-one-out")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_interactions(tmp_path / "absent.csv")
    with pytest.raises(SourceError, match="convert it"):
        read_interactions(tmp_path / "book.xlsx")
    (tmp_path / "broken.parquet").write_bytes(b"nothing")
    with pytest.raises(SourceError, match="cannot be read"):
        read_interactions(tmp_path / "broken.parquet")
    undated = write(interactions(9).drop("created_at"), tmp_path / "i.parquet")
    with pytest.raises(SourceError, match="--protocol leave-one-out"):
        evaluate_recommendations(SETTINGS, undated)


def test_the_command_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(interactions(60), tmp_path / "i.csv")
    config = ["--config", str(tmp_path / "absent.toml")]
    assert main(["evaluate", "recommendations", "--interactions", str(path), "--json", *config]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {"metrics", "slices", "peers", "seconds", "peak_mb"} <= set(result)
    assert 0 <= result["metrics"]["ndcg_at_10"] <= 1
