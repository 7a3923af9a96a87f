"""A small store with published generations, made by code: 6 themes, 3 decisions, 12 weeks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from analytics import identity
from analytics.store.generation import Content, check_generation, write_generation
from analytics.store.pointer import Entry, Pointer, move_pointer, read_pointer
from analytics.tables import TABLES

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
HOSTILE = (
    "The <script>alert('x')</script> zip [x](http://evil.example) cost $x$ and :material/home: **b** broke."
)
STATEMENTS = [
    ("battery · charge · hours", "fix", "The battery is empty after two hours."),
    ("zip **b** $x$ <i>", "watch", HOSTILE),
    ("screen · bright · sharp", "keep", "The screen is bright and sharp."),
    ("delivery · late · week", None, "The parcel came a week late."),
    ("sound · clear · loud", None, "The sound is clear and loud enough."),
    ("price · value · money", None, "It is good value for the money."),
]
N_WEEKS = 12
SETTINGS = """
[store]
data_dir = "data"
min_authors = {min_authors}

[[sources]]
name = "reviews"
kind = "documents"
path = "reviews.csv"
language = "en"
columns = {{ id = "id", text = "text" }}
"""


def wilson(k: int, n: int) -> tuple[float, float]:
    centre, reach = k + 1.9208, 1.96 * (k * (n - k) / n + 0.9604) ** 0.5
    return max(0.0, (centre - reach) / (n + 3.8416)), min(1.0, (centre + reach) / (n + 3.8416))


def shares(k: int, n: int) -> dict[str, Any]:
    low, high = wilson(k, n)
    return {"n_documents": k, "n_covered": n, "share": k / n, "share_low": min(low, k / n), "share_high": max(high, k / n)}


class Store:
    """A data_dir and its settings file; `publish` moves CURRENT to a generation made by `build`."""

    def __init__(self, root: Path):
        self.data_dir = root / "data"
        self.published = self.data_dir / "published"
        self.config = root / "nightloom.toml"
        self.set_min_authors(3)

    def set_min_authors(self, min_authors: int) -> None:
        self.config.write_text(SETTINGS.format(min_authors=min_authors))

    def build(self, as_of: date, *, n_documents: int = 60, kinds: bool = True) -> Entry:
        """Write and check a generation; nothing is published yet."""
        run = identity.run_id(as_of, 1)
        entry = Entry(f"{as_of.isoformat()}-{run[:8]}-1", run, 1, as_of)
        folder = self.published / entry.generation
        tables = make_tables(as_of, run, n_documents, kinds)
        manifest = write_generation(folder, Content(tables, {}), {"run_id": run})
        check_generation(folder, manifest)
        return entry

    def publish(self, as_of: date, **what: Any) -> Entry:
        entry = self.build(as_of, **what)
        move_pointer(self.published, read_pointer(self.published).advanced_to(entry))
        return entry

    def point_at(self, entry: Entry) -> None:
        move_pointer(self.published, Pointer(entry))


def make_tables(as_of: date, run: str, n_documents: int, kinds: bool) -> dict[str, pl.DataFrame]:
    """Frames of every table: document n speaks of themes n and n + 1 (mod 6) and was written in week n mod 12."""
    theme_ids = [identity.theme_id(run, name) for name, _, _ in STATEMENTS]
    documents, opinions, placed = [], [], []
    for n in range(n_documents):
        title, chosen = f"Review {n}", [n % 6, (n + 1) % 6]
        text = f"{title}\n\nBought in May. " + " ".join(STATEMENTS[theme][2] for theme in chosen)
        document = identity.document_id("reviews", f"r-{n}")
        documents.append(
            {"document_id": document, "source": "reviews", "source_id": f"r-{n}", "item_id": f"i{n % 2}",
             "author": n, "created_at": datetime.combine(as_of, datetime.min.time(), UTC),
             "day": as_of - timedelta(days=7 * (n % N_WEEKS)), "rating": 1.0 + n % 5,
             "rating_share": (n % 5) / 4, "language": "en", "title": title, "text": text,
             "segments": [{"name": "channel", "value": "web" if n % 3 else "shop"}],
             "text_hash": identity.hash_of(text), "is_analysed": n % 20 != 19,
             "not_analysed_reason": None if n % 20 != 19 else "language und", "first_seen_run": run,
             "clean_recipe": "c"}
        )  # fmt: skip
        for theme in chosen if n % 20 != 19 else ():
            quote = STATEMENTS[theme][2]
            opinion = identity.opinion_id(document, quote, 0)
            opinions.append(
                {"opinion_id": opinion, "document_id": document, "start": text.index(quote),
                 "end": text.index(quote) + len(quote), "nth": 0, "quote": quote, "aspect": None,
                 "sentiment": -0.5 if theme in (0, 3) else 0.5,
                 "sentiment_label": "negative" if theme in (0, 3) else "positive", "opinion_recipe": "o",
                 "embedding_recipe": "e", "sentiment_recipe": "s", "theme": theme, "n": n}
            )  # fmt: skip
            placed.append(
                {"opinion_id": opinion, "theme_id": theme_ids[theme], "similarity": 0.9, "cause": "discovery",
                 "run_id": run, "registry_version": 6}
            )  # fmt: skip
    trend = [
        {"theme_id": theme_ids[theme], "segment_name": name, "segment_value": value,
         "window_start": as_of - timedelta(days=7 * week + 6), "window_end": as_of - timedelta(days=7 * week),
         "n_authors": k, "is_shown": k >= 3, **shares(k, covered)}
        for theme in range(6)
        for name, value, scale in (("all", "all", 1), ("channel", "web", 2), ("channel", "shop", 3))
        for week in range(N_WEEKS)
        for covered in [n_documents // scale]
        for k in [covered * (4 + theme + (N_WEEKS - week) * (theme + 1) % 5) // 40]
    ]  # fmt: skip
    decided = [theme for theme in range(6) if kinds and STATEMENTS[theme][1]]
    decisions, evidence = [], []
    for rank, theme in enumerate(decided, start=1):
        name, kind, _ = STATEMENTS[theme]
        identifier = identity.decision_id(str(kind), "all", theme_ids[theme], 1)
        share = shares(n_documents // (3 + rank), n_documents - n_documents // 20)
        is_known = rank != 2
        decisions.append(
            {"decision_id": identifier, "rank": rank, "kind": kind, "subject": "all", "theme_id": theme_ids[theme],
             "episode": 1, "score": 1 / rank, "window_start": as_of - timedelta(days=27), "window_end": as_of,
             "n_authors": 20 - rank, "negative_share": 0.8, "positive_share": 0.2, **share,
             "change": 0.018 if is_known else None, "change_low": 0.004 if is_known else None,
             "change_high": 0.031 if is_known else None,
             "evidence": "enough" if is_known else "not enough evidence", "first_run": run,
             "sentence": sentence(name, str(kind), as_of)}
        )  # fmt: skip
        quotes = [row for row in opinions if row["theme"] == theme][:3]
        evidence += [
            {"decision_id": identifier, "rank": place, "opinion_id": row["opinion_id"], "document_id": row["document_id"]}
            for place, row in enumerate(quotes, start=1)
        ]  # fmt: skip
    typical = {row["theme"]: row["opinion_id"] for row in reversed(opinions)}
    rows: dict[str, list[dict[str, Any]]] = {
        "run": [
            {"run_id": run, "as_of": as_of, "nth": 1, "n_documents": n_documents, "n_new": n_documents,
             "n_changed": 0, "n_gone": 0, "n_waiting": 0, "n_quarantined": 2, "n_undated": 0,
             "n_not_analysed": n_documents // 20, "model_calls": 7, "degraded": [], "attempt": 1,
             "started_at": datetime(2018, 5, 25, tzinfo=UTC), "seconds": 12.5}
        ],
        "document": documents,
        "item": [
            {"item_id": f"i{n}", "title": f"Kettle {n}", "text": "", "n_documents": 30, "rating_share": 0.5}
            for n in range(2)
        ],
        "opinion": opinions,
        "opinion_theme": placed,
        "theme": [
            {"theme_id": theme_ids[theme], "name": STATEMENTS[theme][0], "keywords": ["a", "b"],
             "status": "active", "parent_id": None, "radius": 0.5, "born_run": run, "born_on": as_of,
             "typical_opinion_id": typical[theme], "n_opinions": 20, "n_documents": 20 + theme,
             "n_authors": 20 - theme, "negative_share": 0.8, "positive_share": 0.2, "is_shown": True,
             "theme_recipe": "t"}
            for theme in range(6)
        ],
        "trend": trend,
        "decision": decisions,
        "decision_evidence": evidence,
        "quality": [
            {"run_id": run, "metric": metric, "value": value, "n": 60, "about": "head fitted on ratings"}
            for metric, value in (("sentiment_balanced_accuracy", 0.81), ("sentiment_macro_f1", 0.79),
                                  ("sentiment_majority_share", 0.62))
        ],
        "ledger": [
            {"run_id": run, "stage": "embedding", "recipe": "e", "n_calls": 7, "n_answers": 7, "n_failed": 0,
             "n_parts": 1, "engine": "openvino", "seconds": 0.4, "load_seconds": 2.0}
        ],
        "quarantine": [
            {"source": "reviews", "position": n, "reason": "no text", "row_hash": "h"} for n in (3, 9)
        ],
    }  # fmt: skip
    return {
        name: pl.DataFrame(
            [{column: row[column] for column in table.columns} for row in rows[name]], schema=table.columns
        )
        if rows.get(name)
        else table.empty()
        for name, table in TABLES.items()
    }


def sentence(name: str, kind: str, as_of: date) -> str:
    return f"{kind.capitalize()} “{name}” as of {as_of.isoformat()}: in 26.3 % of covered documents."


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield Store(tmp_path)
    st.cache_resource.clear()


@pytest.fixture
def open_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[], AppTest]:
    """Starts the dashboard on the store, as `streamlit run dashboard/app.py -- --config …` does."""
    monkeypatch.setattr(sys, "argv", [str(APP), "--config", str(store.config)])
    return lambda: AppTest.from_file(APP, default_timeout=30)
