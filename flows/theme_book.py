"""The registry and the placement log of one night, while it makes its entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import polars as pl

from analytics.identity import canonical_json
from analytics.rows import PLACED_ROWS, PLACEMENT_ROWS
from analytics.store.registry import Registry, replay, run_event_id
from flows.gather import with_survivors
from flows.night import Night

MOVABLE_NIGHTS = 30
"""For so many nights after it was placed a statement may be taken along by a birth."""
PLACED_CAUSE = "placed"


@lru_cache(maxsize=1)
def events_before(night: Night) -> pl.DataFrame:
    """Registry events that count before this night does anything."""
    return night.store.state.theme_events([a.run_id for a in night.earlier], night.state_sequence)


@lru_cache(maxsize=1)
def registry_before(night: Night) -> Registry:
    """The registry as the night finds it."""
    return replay(events_before(night))


class Book:
    """What counts before the night, and what the night adds.

    Nothing is written before `close`: an attempt that is killed leaves no entry, and the next begins anew.
    """

    def __init__(self, night: Night) -> None:
        self.night = night
        self.before = events_before(night)
        self.registry = registry_before(night)
        log = night.store.placement.read(night.earlier)
        self.placed = with_survivors(log, self.registry).select(list(PLACED_ROWS))
        """opinion_id, theme_id (of the survivor), similarity: what is under a theme now."""
        recent = night.store.placement.read(night.earlier[-MOVABLE_NIGHTS:])
        self.movable = recent.filter(pl.col("cause") == PLACED_CAUSE)["opinion_id"].unique()
        """Statements that were placed of late and founded nothing: a birth may take them along."""
        self.events: list[dict[str, Any]] = []
        self._rows: list[pl.DataFrame] = []

    @property
    def last_sequence(self) -> int:
        """Sequence number at which the night before read the state; 0 where this is the first."""
        started = self.night.store.journal.read("attempt", self.night.earlier[-1:])
        return int(started["state_sequence"][0]) if started.height else 0

    def enter(self, events: Sequence[dict[str, Any]]) -> dict[str, str]:
        """Add events, and see them in the registry; returns the id of each theme's event."""
        ids = {}
        for event in events:
            what = (event["theme_id"], event["kind"])
            nth = sum((known["theme_id"], known["kind"]) == what for known in self.events)
            self.events.append(event)
            ids[event["theme_id"]] = run_event_id(self.night.run_id, *what, nth)
        self.see()
        return ids

    def see(self) -> None:
        """Bring the registry up to the events as they are."""
        self.registry = replay(_with_events(self.before, self.events, self.night.run_id))
        self.placed = _under_survivors(self.placed, self.registry)

    def put(self, rows: pl.DataFrame, cause: str, event_ids: Mapping[str, str] | None = None) -> None:
        """Put statements under themes.

        Args:
            rows: Columns opinion_id, theme_id, similarity.
            cause: Why.
            event_ids: Theme to the event that moves its statements; None where they are under no theme yet.
        """
        self._note(rows, cause, event_ids or {}, is_member=True)
        if cause == PLACED_CAUSE:
            self.movable = pl.concat([self.movable, rows["opinion_id"]]).unique()
        kept = self.placed.join(rows, on=["opinion_id", "theme_id"], how="anti")
        self.placed = pl.concat([kept, rows.select(list(PLACED_ROWS))])

    def take_out(self, rows: pl.DataFrame, cause: str, event_id: str) -> None:
        """Take statements out of themes: columns opinion_id, theme_id, similarity."""
        self._note(rows, cause, dict.fromkeys(rows["theme_id"], event_id), is_member=False)
        self.placed = self.placed.join(rows, on=["opinion_id", "theme_id"], how="anti")

    def _note(self, rows: pl.DataFrame, cause: str, events: Mapping[str, str], *, is_member: bool) -> None:
        self._rows.append(
            rows.select(
                *PLACED_ROWS,
                is_member=pl.lit(is_member),
                registry_version=pl.lit(self.registry.version, pl.Int64),
                run_id=pl.lit(self.night.run_id),
                cause=pl.lit(cause),
                event_id=pl.col("theme_id").replace_strict(events, default=None, return_dtype=pl.String),
            )
        )

    def close(self) -> pl.DataFrame:
        """Write the night's events and placements; returns the placements."""
        night = self.night
        night.store.state.record_theme_events(night.run_id, self.events, who="night")
        rows = pl.concat([pl.DataFrame(schema=PLACEMENT_ROWS), *self._rows], how="vertical_relaxed")
        rows = rows.unique(["opinion_id", "theme_id"], keep="last", maintain_order=True)
        night.store.placement.append(night.made_by, rows)
        return rows


def _with_events(before: pl.DataFrame, events: list[dict[str, Any]], run_id: str) -> pl.DataFrame:
    last = int(before["sequence"].max() or 0) if before.height else 0  # type: ignore[arg-type]
    rows = [
        {
            "sequence": last + nth,
            "at": "",
            "who": "night",
            "kind": event["kind"],
            "theme_id": event["theme_id"],
            "run_id": run_id,
            "content": canonical_json(event["content"]),
        }
        for nth, event in enumerate(events, start=1)
    ]
    return pl.concat([before, pl.DataFrame(rows, schema=before.schema)])


def _under_survivors(placed: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    as_log = placed.with_columns(is_member=pl.lit(True))
    return with_survivors(as_log, registry).select(list(PLACED_ROWS))
