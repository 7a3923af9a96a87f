"""A small store with a planted customer, nights without Prefect, and a search of every file, decoded."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from conftest import Shop

from analytics.identity import document_id
from analytics.store.read import open_published
from analytics.tables import TABLES
from flows import decisions as deciding
from flows import ingest, publish, recommendations, steps, themes, words
from flows.night import begin_night
from flows.people_erasing import expire

FIRST = date(2026, 6, 1)
THIRD = FIRST + timedelta(days=2)
ANNA = "anna-4711@shop.example"
SHARED = "The shared kettle lid leaks over the table. It dripped for days on end."
SETTINGS = """
[store]
data_dir = "data"
min_authors = 3
[sentiment]
min_rated_documents = 40
[themes]
min_discovery_opinions = 40
min_opinions = 4

[decisions]
max_quotes = 40

[[sources]]
name = "reviews"
kind = "documents"
path = "reviews.jsonl"
language = "en"
columns = { id = "id", text = "body", created_at = "at", item = "item", user = "user", rating = "stars" }
[[sources]]
name = "users"
kind = "users"
path = "users.jsonl"
columns = { id = "user" }
[[sources]]
name = "items"
kind = "items"
path = "items.jsonl"
columns = { id = "item", title = "title" }
[[sources]]
name = "orders"
kind = "interactions"
path = "orders.jsonl"
columns = { user = "user", item = "item", created_at = "at" }
"""
TOPICS = {
    "kettle": ("The kettle lid leaks hot water badly", 1),
    "tent": ("This tent keeps heavy rain outside perfectly", 5),
    "lamp": ("The lamp flickers and dies after dark", 1),
    "knife": ("A sharp knife that cuts bread beautifully", 5),
}


class StubEmbedder:
    """Vectors by the words of a text, so that those about one thing lie together."""

    engine, device, precision, load_seconds, n_dims = "torch", "cpu", "fp32", 0.0, 48

    def embed(self, texts, advance=None):
        rows = np.zeros((len(texts), self.n_dims), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row += np.random.default_rng(int.from_bytes(word.encode()[:8], "big")).normal(
                    size=self.n_dims
                )
            row /= np.linalg.norm(row)
        if advance:
            advance(len(texts))
        return rows


@dataclass
class Planted:
    """What is Anna's: her rows of the sources, and what must never be found again."""

    reviews: list[dict] = field(default_factory=list)
    orders: list[dict] = field(default_factory=list)
    earlier: list[dict] = field(default_factory=list)
    """Versions of her reviews that she has changed since."""

    @property
    def document_ids(self) -> list[str]:
        return [document_id("reviews", review["id"]) for review in self.reviews]

    @property
    def needles(self) -> list[str]:
        bodies = " ".join(review["body"] for review in (*self.reviews, *self.earlier))
        markers = re.findall(r"xqz\w+", bodies)
        return [ANNA, *self.document_ids, *(review["id"] for review in self.reviews), *markers]


def write_lines(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _review(nth: str, user: str, day: int, body: str, item: str, stars: int) -> dict:
    at = datetime.combine(FIRST + timedelta(days=day), datetime.min.time()).replace(hour=9).isoformat() + "Z"
    return {"id": nth, "user": user, "at": at, "body": body, "item": item, "stars": stars}


def plant_store(folder: Path) -> tuple[Shop, Planted]:
    """Twenty-four customers over three days, one who did nothing, and Anna.

    Anna wrote 12 documents, one of them word for word as Ben, and has 40 orders, alone those of spoons.
    """
    folder.mkdir(parents=True)
    shop, anna = Shop(folder), Planted()
    shop.config.write_text(SETTINGS)
    reviews, orders = [], []
    for nth in range(144):
        item, (words_, stars) = list(TOPICS.items())[nth % 4]
        user = f"user-{(nth * 5 + nth // 24) % 24:02}"
        body = f"{words_} number{nth % 9}. Bought it in week{nth % 7} for my garden."
        reviews.append(_review(f"r{nth:03}", user, nth // 4 % 3, body, item, stars))
        orders.append({"user": user, "item": item, "at": reviews[-1]["at"]})
    reviews.append(_review("shared-by-ben", "user-05", 0, SHARED, "kettle", 1))
    for nth in range(12):
        item, (words_, stars) = list(TOPICS.items())[nth % 4]
        body = SHARED if nth == 11 else f"{words_} xqz{nth:02}one. And then came xqz{nth:02}two of my cousin."
        anna.reviews.append(_review(f"anna-review-{nth:02}", ANNA, nth % 3, body, item, stars))
    anna.orders = [
        {"user": ANNA, "item": [*TOPICS, "spoon"][nth % 5], "at": f"2026-06-0{nth % 3 + 1}T10:{nth:02}:00Z"}
        for nth in range(40)
    ]
    first = anna.reviews[0]
    anna.earlier = [{**first, "body": f"{first['body']} What xqzearlier said was taken back."}]
    write_lines(folder / "reviews.jsonl", [*reviews, *anna.earlier, *anna.reviews[1:]])
    write_lines(folder / "orders.jsonl", orders + anna.orders)
    write_lines(folder / "users.jsonl", [{"user": f"user-{n:02}"} for n in range(25)] + [{"user": ANNA}])
    write_lines(
        folder / "items.jsonl", [{"item": i, "title": f"A good {i}"} for i in (*TOPICS, "spoon", "fork")]
    )
    return shop, anna


def change_review(shop: Shop, anna: Planted) -> None:
    """Anna changes her first review."""
    changed = anna.reviews[0]
    reviews = [
        changed if review["id"] == changed["id"] else review
        for review in read_lines(shop.folder / "reviews.jsonl")
    ]
    write_lines(shop.folder / "reviews.jsonl", reviews)


def run_plain(shop: Shop, as_of: date) -> dict:
    """One night, its steps called as the flow calls them, without Prefect."""
    with begin_night(shop.config, as_of) as night:
        expire(night)
        documents = ingest.read_sources(night)
        texts = words.clean(night)
        sentences = steps.find_opinions(night, texts)
        vectors = steps.embed(night, texts, sentences)
        sentiment = steps.judge(night, texts, sentences, vectors)
        registry = themes.place_themes(night, texts, sentences, vectors)
        decisions = deciding.decide(night, [documents, texts, sentences, vectors, sentiment, registry])
        lists = recommendations.recommend_items(night, vectors)
        handles = [documents, texts, sentences, vectors, sentiment, registry, decisions, lists]
        return publish.publish(night, handles)


def after_three_nights(folder: Path) -> tuple[Shop, Planted]:
    """A shop after three nights, before the second of which Anna changed a review, and what is hers."""
    shop, anna = plant_store(folder)
    run_plain(shop, FIRST)
    change_review(shop, anna)
    run_plain(shop, FIRST + timedelta(days=1))
    run_plain(shop, THIRD)
    return shop, anna


def published(shop: Shop, table: str, generation: str | None = None) -> pl.DataFrame:
    database = TABLES[table].database
    opened = open_published(shop.data_dir, database, generation)
    try:
        return TABLES[table].conform(opened.query(f'SELECT * FROM "{table}"'))
    finally:
        opened.close()


def decoded(path: Path) -> str:
    """A file as text: as its raw bytes are, and as its format says."""
    raw = path.read_bytes()
    said = [raw.decode("latin-1")]
    if raw[:2] == b"\x1f\x8b":
        said.append(gzip.decompress(raw).decode("latin-1"))
    if path.suffix == ".parquet":
        said.append(pl.read_parquet(path).write_json())
        said.append(str(pl.read_parquet_metadata(path)))
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                said.append(connection.sql(f'SELECT * FROM "{table}"').pl().write_json())
    if path.suffix in (".sqlite", ".db"):
        with sqlite3.connect(path) as connection:
            said += connection.iterdump()
    return "\n".join(said)


def found_in(folder: Path, needles: list[str]) -> dict[str, set[str]]:
    """Needles that any file or name below a folder holds, and where."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*")):
        text = str(path.relative_to(folder)) + (decoded(path) if path.is_file() else "")
        for needle in needles:
            if needle in text or json.dumps(needle)[1:-1] in text:
                found.setdefault(needle, set()).add(str(path.relative_to(folder)))
    return found


def lake_rows(shop: Shop) -> dict[str, dict[str, str]]:
    """Every row of the lake by stage and key, as JSON."""
    rows: dict[str, dict[str, str]] = {}
    for path in sorted((shop.data_dir / "lake").rglob("part-*.parquet")):
        stage = rows.setdefault(path.parent.parent.name, {})
        frame = pl.read_parquet(path)
        stage.update(zip(frame["key"], frame.write_ndjson().splitlines(), strict=True))
    return rows
