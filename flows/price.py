"""What the next night would cost: texts for the embedding model, seconds, and how it would be split."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from math import ceil
from typing import Any

import polars as pl

from analytics.errors import ModelUnavailable
from analytics.models.embedding import describe_model, load_embedder
from analytics.settings import Settings, SourceSettings
from flows.dry_run import N_EXAMPLES, Owed, note_owed, owed_items

_WARM_UP = 32
_FEWEST_TIMED = 16


class Price:
    """The price of a night, noted source by source."""

    def __init__(self, settings: Settings, day: date):
        self._settings = settings
        self._day = day
        self._examples: list[str] = []
        self.n_documents = 0
        self._items: set[str] = set()
        self._whole = Owed()
        """Of the sources that were read whole: the same words in two of them are asked once."""
        self._n_statements = self._n_newest = self._n_older = 0.0
        self.is_estimated = False
        self.trouble: str | None = None

    def note(self, frames: Sequence[pl.DataFrame], n_new: int, n_read: int) -> None:
        """Note the new documents of a source.

        Args:
            frames: Some or all of them, cleaned.
            n_new: How many are new.
            n_read: How many were read for this; the rest is taken to be like them.
        """
        is_whole = n_read == n_new
        owed = self._whole if is_whole else Owed()
        try:
            for frame in frames:
                note_owed(self._settings, frame, self._day, owed)
        except ModelUnavailable as error:
            self.trouble = str(error)
            return
        self.n_documents += n_new
        if is_whole:
            return
        like = n_new / n_read
        self._examples += owed.examples
        self._n_statements += owed.n_statements * like
        self._n_newest += len(owed.newest) * like
        self._n_older += len(owed.older) * like
        self.is_estimated = True

    def note_items(self, source: SourceSettings, new: pl.DataFrame) -> None:
        """Note the new items of a source; the same words are asked once."""
        try:
            self._items |= owed_items(self._settings, source, new)
        except ModelUnavailable as error:
            self.trouble = str(error)

    def told(self) -> dict[str, Any]:
        """The price as one object; numbers that are not known are null, and `trouble` says why."""
        n_newest = len(self._whole.newest) + round(self._n_newest)
        n_older = len(self._whole.older) + round(self._n_older)
        calls = n_newest + n_older + len(self._items)
        limit = self._settings.schedule.max_calls
        first = min(calls, limit or calls)
        speed = self._speed() if calls and self.trouble is None else None  # it may find trouble of its own
        known = self.trouble is None
        return {
            "documents": self.n_documents if known else None,
            "statements": self._whole.n_statements + round(self._n_statements) if known else None,
            "model_calls": calls if known else None,
            "of_newest_days": n_newest if known else None,
            "of_older_days": n_older if known else None,
            "of_items": len(self._items),
            "is_estimated": self.is_estimated,
            "newest_days": self._settings.schedule.newest_days,
            "max_calls": limit,
            "first_night_calls": first if known else None,
            "nights": ceil(calls / limit) if known and limit else 1 if known else None,
            "texts_per_second": round(speed[0], 1) if speed else None,
            "load_seconds": round(speed[1], 1) if speed else None,
            "first_night_seconds": round(speed[1] + first / speed[0]) if speed else None,
            "engine": speed[2] if speed else None,
            "trouble": self.trouble,
        }

    def _speed(self) -> tuple[float, float, str] | None:
        """Texts a second, seconds to load and the engine, measured on some texts; None where too few."""
        texts = list(dict.fromkeys([*self._whole.examples, *self._examples]))[:N_EXAMPLES]
        if len(texts) < _FEWEST_TIMED:
            return None
        try:
            embedder = load_embedder(describe_model(self._settings.embedding), self._settings.embedding)
        except ModelUnavailable as error:
            self.trouble = str(error)
            return None
        embedder.embed(texts[:_WARM_UP])
        start = time.perf_counter()
        embedder.embed(texts)
        seconds = time.perf_counter() - start
        return len(texts) / seconds, embedder.load_seconds, f"{embedder.engine} {embedder.device}"
