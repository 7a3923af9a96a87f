from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from analytics.store.layout import Store

os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample"
DAY = date(2026, 6, 30)

SETTINGS = """
[store]
data_dir = "data"
time_zone = "Europe/Berlin"
min_authors = 3

[sentiment]
min_rated_documents = 50

[themes]
min_opinions = 4
neighbours = 8

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


def open_shop(folder: Path, n_reviews: int = 160) -> Shop:
    """A shop with the newest reviews of the sample, whole lines only, each id once."""
    folder.mkdir(parents=True)
    shop = Shop(folder)
    shop.config.write_text(SETTINGS)
    for name in ("items.csv", "interactions.parquet"):
        shutil.copy(SAMPLE / name, folder / name)
    reviews = {}
    for line in (SAMPLE / "reviews.jsonl").read_text().splitlines():
        try:
            review = json.loads(line)
        except ValueError:
            continue
        if review.get("written_at") and review.get("body") and 1 <= review["stars"] <= 5:
            reviews[review["review_id"]] = review
    newest = sorted(reviews.values(), key=lambda review: (review["written_at"], review["review_id"]))
    shop.reviews = newest[-n_reviews:]
    return shop


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """One temporary Prefect server for every flow of the session."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="session")
def run_night(prefect_server):
    """Runs the nightly flow in this process."""
    from flows.nightly import nightly

    def run(shop: Shop, as_of: date | None = DAY, limit: int | None = None) -> dict:
        return nightly(shop.config, as_of, limit)

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
