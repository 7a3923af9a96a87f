"""What the commands of `nightloom theme` read: the registry as it is now, and the published statements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from analytics.errors import ActRefused
from analytics.settings import Settings
from analytics.store.layout import Store
from analytics.store.read import active_entry, open_published
from analytics.store.registry import Registry, replay
from analytics.store.theme_acts import SHORTEST_PREFIX
from flows.gather import documents_of, opinions_in
from flows.night import Night, past_night, read_manifest_rows
from flows.steps import opinion_vectors
from flows.theme_changes import Statements
from flows.themes import with_authors


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

    def statements(self) -> Statements:
        """Every published statement with its vector."""
        opinions = opinions_in(self.night, self.recipe("clean"), self.recipe("sentence"))
        opinions, vectors = opinion_vectors(self.night, opinions, self.recipe("embedding"))
        known = with_authors(self.night, opinions, documents_of(self.night, self.recipe("clean")))
        return Statements(known, vectors, self.recipe("embedding"))

    def again(self) -> Desk:
        """The same desk after a person's act."""
        return replace(self, registry=_registry_now(self.night))


def open_desk(settings: Settings) -> Desk:
    """Read the registry as it is now.

    Raises:
        NotPublished: no night has been published in this store.
    """
    night = past_night(settings, active_entry(settings.data_dir).generation)
    return Desk(settings, night, _registry_now(night))


def _registry_now(night: Night) -> Registry:
    """The registry of a published night with all that people said since."""
    state = night.store.state
    return replay(state.theme_events([attempt.run_id for attempt in night.counting], state.sequence()))
