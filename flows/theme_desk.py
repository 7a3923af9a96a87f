"""What the commands of `nightloom theme` read: the registry as it is now, and the published statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analytics.errors import ActRefused
from analytics.settings import Settings
from analytics.store.layout import Store
from analytics.store.pointer import read_pointer
from analytics.store.read import active_entry, open_published
from analytics.store.registry import Registry, replay
from flows.night import Night, past_night, read_manifest_rows

SHORTEST_PREFIX = 6


@dataclass(frozen=True)
class Desk:
    """The published night, and the registry with what people said since."""

    settings: Settings
    night: Night
    registry: Registry

    @property
    def store(self) -> Store:
        """The store that people's acts are written into."""
        return self.night.store

    def recipe(self, stage: str) -> str:
        """The recipe that the published night used for a stage."""
        return str(read_manifest_rows(self.night, self.night.made_by)[stage]["recipe"])

    def query(self, sql: str, **values: Any) -> pl.DataFrame:
        """Rows of a query of the published insights."""
        published = open_published(self.settings.data_dir)
        try:
            return published.query(sql, **values)
        finally:
            published.close()

    def opinion(self, reference: str) -> str | None:
        """The one published opinion whose id begins so, or None."""
        if len(reference) < SHORTEST_PREFIX:
            return None
        found = self.query(
            "SELECT opinion_id FROM opinion WHERE starts_with(opinion_id, $start) LIMIT 2", start=reference
        )
        if found.height > 1:
            raise ActRefused(f"more than one opinion begins with {reference!r}; write more of the id")
        return str(found["opinion_id"][0]) if found.height else None

    def statements(self) -> tuple[pl.DataFrame, np.ndarray]:
        """Published statements with their vectors: the columns of `opinions_in`, author, may_quote."""
        from flows.gather import documents_of, opinions_in
        from flows.steps import opinion_vectors
        from flows.themes import with_authors

        opinions = opinions_in(self.night, self.recipe("clean"), self.recipe("sentence"))
        opinions, vectors = opinion_vectors(self.night, opinions, self.recipe("embedding"))
        return with_authors(self.night, opinions, documents_of(self.night, self.recipe("clean"))), vectors


def open_desk(settings: Settings) -> Desk:
    """Read the registry as it is now.

    Raises:
        NotPublished: no night has been published in this store.
    """
    night = past_night(settings, active_entry(settings.data_dir).generation)
    state = night.store.state
    runs = [entry.run_id for entry in read_pointer(settings.data_dir / "published").counting]
    return Desk(settings, night, replay(state.theme_events(runs, state.sequence())))
