"""What a source holds, seen in one pass and bounded memory: fill, dates, repeats, joins, rejected rows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from analytics.intake.mapping import mapped_roles
from analytics.intake.redaction import redact
from analytics.intake.sources import Block
from analytics.rows import SOURCE_ROWS
from analytics.settings import SourceSettings

N_FIRST = 10
N_DRAWN = 10
LINES_SHOWN = 3
REASONS_SHOWN = 10
_SHOWN_CHARACTERS = 200

_FIELDS = {
    "id": "source_id", "title": "title", "text": "text", "created_at": "created_at", "item": "item_id",
    "user": "user_id", "name": "name", "rating": "rating", "language": "language", "thread": "thread_id",
    "speaker": "speaker", "channel": "channel", "question": "question", "url": "url", "kind": "kind",
}  # fmt: skip
"""Role to the column of a source's rows that holds it."""

_HIDDEN = ("name",)
"""Roles that hold nothing but personal data, of which only the presence is shown."""


_SHOWN_ROWS = {"nth": pl.UInt32, "file": pl.String, **SOURCE_ROWS}


def drawn_order(nth: pl.Expr) -> pl.Expr:
    """A number that orders rows by chance, the same in every pass: two rounds of multiplicative hashing."""
    first = (nth.cast(pl.UInt64) * 2_654_435_761 + 974_711) % 4_294_967_296
    return ((first ^ (first // 65_536)) * 2_246_822_519) % 4_294_967_296


@dataclass
class _Rejected:
    example: str
    n: int = 0
    lines: list[int] = field(default_factory=list)


@dataclass
class SourceSurvey:
    """What was seen of one source so far."""

    source: SourceSettings
    n_rows: int = 0
    n_rejected: int = 0
    first: datetime | None = None
    last: datetime | None = None
    n_undated: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, _Rejected] = field(default_factory=dict)
    shown: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SHOWN_ROWS))
    drawn: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SHOWN_ROWS))
    hashes: dict[str, list[pl.Series]] = field(default_factory=dict)
    """For id, item, user and words (text and writer), a 64-bit hash of each row that holds it."""

    @property
    def roles(self) -> dict[str, str]:
        """Mapped role to the column of a source's rows that holds it; segments apart."""
        mapped = mapped_roles(self.source.columns)
        return {role: column for role, column in _FIELDS.items() if role in mapped}

    def add(self, block: Block) -> None:
        """See one more block."""
        rows = block.rows
        self._reject(block.rejected)
        numbered = rows.with_row_index("nth", self.n_rows).with_columns(file=pl.lit(block.file, pl.String))
        numbered = numbered.select(*_SHOWN_ROWS)
        self.n_rows += rows.height
        if rows.is_empty():
            return
        for role, column in self.roles.items():
            self.filled[role] += rows.height - rows[column].null_count() - _n_blank(rows[column])
        for name in self.source.columns.segments:
            has = pl.col("segments").list.eval(pl.element().struct.field("name") == name).list.any()
            self.filled[f"segment {name}"] += int(rows.select(has.sum()).item())
        times = rows["created_at"].drop_nulls()
        self.n_undated += rows.height - times.len()
        if times.len():
            low, high = times.min(), times.max()
            self.first = min(self.first or low, low)  # type: ignore[type-var,assignment]
            self.last = max(self.last or high, high)  # type: ignore[type-var,assignment]
        self._keep_hashes(rows)
        if self.shown.height < N_FIRST:
            self.shown = pl.concat([self.shown, numbered.head(N_FIRST - self.shown.height)])
        drawn = pl.concat([self.drawn, numbered]).sort(drawn_order(pl.col("nth")), "nth")
        self.drawn = drawn.head(N_FIRST + N_DRAWN)

    def _reject(self, rejected: pl.DataFrame) -> None:
        self.n_rejected += rejected.height
        for position, reason in rejected.select("position", "reason").iter_rows():
            # Reasons that differ only in a number are one reason.
            one = self.rejected.setdefault(re.sub(r"-?\d[\d.e+,-]*", "#", reason), _Rejected(reason))
            one.n += 1
            if len(one.lines) < LINES_SHOWN:
                one.lines.append(position)

    def _keep_hashes(self, rows: pl.DataFrame) -> None:
        words = pl.concat_str(pl.col("text").str.strip_chars(), pl.col("user_id"), separator="\0")
        wanted = {
            "id": pl.col("source_id"),
            "item": pl.col("item_id"),
            "user": pl.col("user_id"),
            "words": words,
        }
        for name, value in wanted.items():
            found = rows.select(value.alias("value")).to_series().drop_nulls()
            if found.len() and (name != "words" or self.source.kind == "documents"):
                self.hashes.setdefault(name, []).append(found.hash())

    def hashed(self, name: str) -> pl.Series:
        """All hashes of one kind, in file order."""
        found = self.hashes.get(name, [])
        return pl.concat(found) if found else pl.Series([], dtype=pl.UInt64)

    def n_repeated(self, name: str) -> int:
        """Rows whose value came before."""
        hashes = self.hashed(name)
        return hashes.len() - hashes.n_unique()

    def fill(self) -> dict[str, float]:
        """Share of rows that hold each mapped column."""
        named = [*self.roles, *(f"segment {name}" for name in self.source.columns.segments)]
        return {name: self.filled[name] / self.n_rows if self.n_rows else 0.0 for name in named}

    def reasons(self) -> list[dict[str, Any]]:
        """Why rows were rejected, most frequent first: an example of the reason, n, first_lines."""
        ordered = sorted(self.rejected.items(), key=lambda pair: -pair[1].n)[:REASONS_SHOWN]
        return [{"reason": one.example, "n": one.n, "first_lines": one.lines} for _, one in ordered]

    def rows_shown(self) -> list[dict[str, Any]]:
        """The first rows and some drawn by chance, in file order; personal data by its kind only."""
        others = self.drawn.join(self.shown, on="nth", how="anti").head(N_DRAWN)
        rows = pl.concat([self.shown, others]).sort("nth")
        return [
            ({} if row["file"] is None else {"file": row["file"]})
            | {
                "position": row["position"],
                **{role: _shown(role, row[column]) for role, column in self.roles.items()},
            }
            | {f"segment {one['name']}": _shown("segment", one["value"]) for one in row["segments"]}
            for row in rows.iter_rows(named=True)
        ]


def _n_blank(column: pl.Series) -> int:
    return int((column.str.strip_chars() == "").sum()) if column.dtype == pl.String else 0


def _shown(role: str, value: Any) -> Any:
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if role in _HIDDEN:
        return f"[{role}]"
    # Cut after redacting: a half number is not found.
    return " ".join(redact(str(value))[0].split())[:_SHOWN_CHARACTERS]


def joined_share(survey: SourceSurvey, role: str, known: list[SourceSurvey]) -> dict[str, float] | None:
    """Shares of the rows with an item or user, and of their different values, that other sources describe.

    Returns:
        `rows` and `values`, each 0 to 1; None where the source holds no such value or none is described.
    """
    hashes = survey.hashed(role)
    if hashes.is_empty() or not known:
        return None
    ids = pl.concat([other.hashed("id") for other in known]).unique()
    values = hashes.unique()
    return {
        "rows": float(hashes.is_in(ids.implode()).sum()) / hashes.len(),
        "values": float(values.is_in(ids.implode()).sum()) / values.len(),
    }
