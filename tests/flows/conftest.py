from __future__ import annotations

import atexit
import csv
import json
import os
import re
import shutil
import tempfile
from datetime import date
from functools import lru_cache
from pathlib import Path

import polars as pl
import pytest

from analytics.store.layout import Store
from sample.store import make_store

os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 6, 30)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole nights first: where files run beside each other, the long ones must not begin last."""
    items.sort(key=lambda item: "flows" not in item.path.parts)


SETTINGS = """
[store]
data_dir = "data"
time_zone = "Europe/Berlin"
min_authors = 3

[sentiment]
min_rated_documents = 50

[themes]
min_opinions = 4


[[sources]]
name = "reviews"
kind = "documents"
path = "reviews.jsonl"
language = "en"
time_zone = "Europe/Berlin"
absent = "delete"
[sources.columns]
id = "review_id"
title = "headline"
text = "body"
created_at = "written_at"
item = "item_id"
user = "user_id"
rating = "stars"
segments = ["country"]

[[sources]]
name = "items"
kind = "items"
path = "items.csv"
[sources.columns]
id = "item_id"
title = "title"
text = "description"

[[sources]]
name = "orders"
kind = "interactions"
path = "interactions.parquet"
[sources.columns]
user = "user_id"
item = "item_id"
created_at = "created_at"
"""


class Shop:
    """A small store in its own folder: a part of the sample that a test can change."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.config = folder / "nightloom.toml"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def store(self) -> Store:
        return Store(self.data_dir)

    @property
    def reviews(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "reviews.jsonl").read_text().splitlines()]

    @reviews.setter
    def reviews(self, reviews: list[dict]) -> None:
        lines = [json.dumps(review) for review in reviews]
        (self.folder / "reviews.jsonl").write_text("\n".join(lines) + "\n")

    def copy(self, folder: Path) -> Shop:
        shutil.copytree(self.folder, folder)
        return Shop(folder)


@lru_cache(maxsize=1)
def whole_sample() -> Path:
    """Eight weeks of the sample store, made once."""
    folder = Path(tempfile.mkdtemp(prefix="nightloom-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_store(folder, weeks=8, end=DAY)
    return folder


def open_shop(folder: Path, n_reviews: int = 160) -> Shop:
    """A shop with the newest reviews of the sample: English ones of customers whose rows are whole."""
    folder.mkdir(parents=True)
    shop = Shop(folder)
    shop.config.write_text(SETTINGS)
    shutil.copy(whole_sample() / "items.csv", folder / "items.csv")
    orders = pl.read_parquet(whole_sample() / "interactions.parquet").filter(pl.col("kind") == "order")
    orders.tail(1_500).write_parquet(folder / "interactions.parquet")
    truth = json.loads((whole_sample() / "truth.json").read_text())
    odd = {row["id"] for row in truth["malformed"]} | {row["document"] for row in truth["personal"]}
    left_out = odd | set(truth["german"]["reviews"]) | {row["document"] for row in truth["oddities"]}
    for part in ("flood", "copies", "own_repeats"):
        left_out |= set(re.findall(r"R\d{6}", json.dumps(truth["planted"].get(part))))
    with (whole_sample() / "reviews.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["review_id"] not in left_out]
    whole = [row for row in rows if row["review_id"] in truth["documents"]["reviews"] and row["body"]]
    names = ("review_id", "item_id", "user_id", "headline", "body", "written_at", "country")
    shop.reviews = [
        {**{name: row[name] or None for name in names}, "stars": int(row["stars"])}
        for row in sorted(whole, key=lambda row: (row["written_at"], row["review_id"]))[-n_reviews:]
    ]
    return shop


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """One temporary Prefect server for every flow of the session."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


def plain_night(config: Path, as_of: date | None = DAY, limit: int | None = None, **options: bool) -> dict:
    """The nightly flow and its steps, called as they are: what Prefect adds costs more than a small night."""
    from prefect import Task

    from flows import nightly as module

    with pytest.MonkeyPatch.context() as patch:
        for name, step in vars(module).copy().items():
            if isinstance(step, Task):
                patch.setattr(module, name, step.fn)
        patch.setattr(module, "show_artifacts", lambda *_: None)
        return module.nightly.fn(config, as_of, limit, **options)


@pytest.fixture(scope="session")
def run_night():
    """Runs a night in this process, without Prefect."""

    def run(shop: Shop, as_of: date | None = DAY, limit: int | None = None) -> dict:
        return plain_night(shop.config, as_of, limit)

    return run


@pytest.fixture(scope="session")
def first_night(tmp_path_factory, run_night):
    """A shop after its first night, and what that night said; to be copied, never changed."""
    shop = open_shop(tmp_path_factory.mktemp("shops") / "first")
    return shop, run_night(shop)


@pytest.fixture
def shop(first_night, tmp_path):
    """A copy of the shop after its first night."""
    return first_night[0].copy(tmp_path / "shop")


@pytest.fixture(scope="module")
def stub_embedder():
    """Nights of a whole module embed by the words of a text, with no model."""
    from people_store import StubEmbedder

    with pytest.MonkeyPatch.context() as patch:
        for module in ("flows.steps", "flows.theme_own"):
            patch.setattr(f"{module}.load_embedder", lambda *_: StubEmbedder())
        yield
