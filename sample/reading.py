"""Reads a store back, without the rows that are no records, for measuring against its truth."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

UNREADABLE = {"wrong_field_count", "text_after_quote", "open_quote", "broken_json"}
"""Kinds of malformed rows that are no records."""

_AUTHORS = {"reviews": "user_id", "tickets": "sender", "survey": "user"}
_TIMES = {"reviews": "written_at", "tickets": "sent_at", "survey": "submitted_at"}


@dataclass
class Store:
    """A store as it was read back; of an id that comes twice the later row."""

    folder: Path
    truth: dict[str, Any]
    reviews: dict[str, dict[str, Any]]
    tickets: dict[str, dict[str, Any]]
    survey: dict[str, dict[str, Any]]
    interactions: pl.DataFrame
    users: dict[str, dict[str, Any]]

    @property
    def planted(self) -> dict[str, Any]:
        """The parts of the story."""
        return self.truth["planted"]

    def author(self, source: str, document: str) -> str:
        """User id, or the document's own where nobody is named."""
        return getattr(self, source)[document][_AUTHORS[source]] or document

    def weekly(self, part: str) -> list[int]:
        """Documents of a planted theme week by week."""
        first = date.fromisoformat(self.truth["first_day"])
        weeks: Counter[int] = Counter()
        for source, documents in self.planted[part]["documents"].items():
            for document in documents:
                day = date.fromisoformat(getattr(self, source)[document][_TIMES[source]][:10])
                weeks[(day - first).days // 7] += 1
        return [weeks[week] for week in range(self.truth["weeks"])]


def read_store(folder: Path) -> Store:
    """Read every file of a store."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))

    def rows_of(name: str, key: str) -> dict[str, dict[str, Any]]:
        text = _sound_text(folder, name, truth)
        return {row[key]: row for row in csv.DictReader(io.StringIO(text, newline=""))}

    messages = [json.loads(line) for line in _sound_text(folder, "tickets.jsonl", truth).splitlines()]
    return Store(
        folder,
        truth,
        rows_of("reviews.csv", "review_id"),
        {message["message_id"]: message for message in messages},
        rows_of("survey.csv", "answer_id"),
        pl.read_parquet(folder / "interactions.parquet"),
        rows_of("users.csv", "user_id"),
    )


def _sound_text(folder: Path, name: str, truth: dict[str, Any]) -> str:
    """A file without the lines that the truth calls unreadable."""
    bad = {row["line"] for row in truth["malformed"] if row["file"] == name and row["what"] in UNREADABLE}
    lines = (folder / name).read_text(encoding="utf-8").split("\n")
    return "\n".join(line for number, line in enumerate(lines, start=1) if number not in bad)
