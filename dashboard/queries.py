"""What a page reads: one pinned generation per rerun, and frames from its views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import streamlit as st

from analytics.errors import NotPublished, StoreError
from analytics.store.read import Published, active_entry, open_published
from analytics.tables import ALL


@dataclass(frozen=True)
class Night:
    """The generation that one rerun reads, whatever is published meanwhile."""

    published: Published
    stamp: int
    """When the generation was written; tells it from one of the same name in a store that was made anew."""
    min_authors: int

    @property
    def as_of(self) -> date:
        """The night it covers."""
        return self.published.as_of

    @property
    def generation(self) -> str:
        """Name of the generation."""
        return self.published.generation

    def rows(self, sql: str, **values: Any) -> pl.DataFrame:
        """Rows of one query, remembered while the generation is open.

        Raises:
            StoreError: the generation cannot be read.
        """
        return _rows(str(self.published.folder), self.stamp, sql, values, self.published)


def pin_night(data_dir: Path, min_authors: int) -> Night:
    """The generation that `CURRENT` names now, open for reading.

    Raises:
        NotPublished: nothing is published.
        StoreError: the pointer cannot be read.
    """
    for last_try in (False, True):
        name = active_entry(data_dir).generation
        try:
            published, stamp = _opened(str(data_dir), name)
            return Night(published, stamp, min_authors)
        except NotPublished:
            # An erasure gives generations new names and removes the old ones: CURRENT now names another.
            if last_try:
                raise
    raise AssertionError("unreachable")


def _stamp(folder: Path) -> int:
    try:
        return (folder / "manifest.json").stat().st_mtime_ns
    except OSError:
        return 0


def _is_unchanged(opened: tuple[Published, int]) -> bool:
    return _stamp(opened[0].folder) == opened[1]


def _forget_rows(_: tuple[Published, int]) -> None:
    _rows.clear()


# One generation at a time, so that nothing of an older one, which may have been erased, stays in memory. A
# rerun that still reads the older one holds it; it closes with its last reader, and is never closed under it.
@st.cache_resource(max_entries=1, show_spinner=False, validate=_is_unchanged, on_release=_forget_rows)
def _opened(data_dir: str, generation: str) -> tuple[Published, int]:
    published = open_published(Path(data_dir), generation=generation)
    return published, _stamp(published.folder)


@st.cache_data(max_entries=64, show_spinner=False)
def _rows(folder: str, stamp: int, sql: str, values: dict[str, Any], _published: Published) -> pl.DataFrame:
    try:
        return _published.query(sql, **values)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise StoreError(
            f"generation {_published.generation} cannot be read ({reason}); "
            "publish the night again with `nightloom run`, or go back with `nightloom publish --rollback`"
        ) from error


def decisions(night: Night) -> pl.DataFrame:
    """The decisions with enough authors, by rank: columns of the view decision_board."""
    return night.rows(
        "SELECT * FROM decision_board WHERE n_authors >= $min_authors ORDER BY rank",
        min_authors=night.min_authors,
    )


def quotes(night: Night) -> pl.DataFrame:
    """The quotes under all decisions, in order: columns of the view decision_quote."""
    return night.rows('SELECT * FROM decision_quote ORDER BY decision_id, "rank"')


def themes(night: Night) -> pl.DataFrame:
    """The themes with enough authors, largest first: columns of the view theme_board."""
    return night.rows(
        """SELECT * FROM theme_board WHERE n_authors >= $min_authors ORDER BY n_documents DESC, theme_id""",
        min_authors=night.min_authors,
    )


def segments(night: Night) -> pl.DataFrame:
    """Every segment that weekly shares are split by: segment_name, segment_value."""
    return night.rows(
        """SELECT DISTINCT segment_name, segment_value FROM theme_week WHERE segment_name <> $everything
        ORDER BY segment_name, segment_value""",
        everything=ALL,
    )


def weeks(night: Night, theme_id: str, segment_name: str = ALL, segment_value: str = ALL) -> pl.DataFrame:
    """Weekly shares of a theme in a segment, oldest first; a week with too few authors has no figures."""
    return night.rows(
        """SELECT w.window_start, w.window_end, w.n_covered,
            CASE WHEN t.n_authors >= $min_authors THEN w.n_documents END AS n_documents,
            CASE WHEN t.n_authors >= $min_authors THEN w.share END AS share,
            CASE WHEN t.n_authors >= $min_authors THEN w.share_low END AS share_low,
            CASE WHEN t.n_authors >= $min_authors THEN w.share_high END AS share_high
        FROM theme_week AS w
        JOIN trend AS t USING (theme_id, segment_name, segment_value, window_start)
        WHERE theme_id = $theme_id AND segment_name = $segment_name AND segment_value = $segment_value
        ORDER BY w.window_start""",
        min_authors=night.min_authors,
        theme_id=theme_id,
        segment_name=segment_name,
        segment_value=segment_value,
    )


def coverage(night: Night) -> dict[str, int]:
    """What the figures stand on: the one row of the view coverage."""
    return night.rows("SELECT * FROM coverage").row(0, named=True)


def activity(night: Night) -> pl.DataFrame:
    """The last 13 weeks, oldest first: columns of the view activity_week."""
    return night.rows("SELECT * FROM activity_week ORDER BY week_start")


def runs(night: Night) -> pl.DataFrame:
    """The runs up to this generation's, oldest first: columns of the view run_board."""
    return night.rows("SELECT * FROM run_board ORDER BY as_of, nth")


def quality(night: Night) -> pl.DataFrame:
    """What this run measured about itself: about, metric, value, n."""
    return night.rows(
        "SELECT about, metric, value, n FROM quality WHERE run_id = $run_id ORDER BY about, metric",
        run_id=night.published.entry.run_id,
    )


def ledger(night: Night) -> pl.DataFrame:
    """What this run spent: stage, n_calls, n_answers, n_failed, engine, seconds, load_seconds."""
    return night.rows(
        """SELECT stage, n_calls, n_answers, n_failed, engine, seconds, load_seconds
        FROM ledger WHERE run_id = $run_id ORDER BY stage, recipe""",
        run_id=night.published.entry.run_id,
    )


def quarantine(night: Night) -> pl.DataFrame:
    """Rows that were not let in: source, reason, n_rows."""
    return night.rows(
        """SELECT source, reason, count(*) AS n_rows FROM quarantine GROUP BY source, reason
        ORDER BY n_rows DESC, source, reason"""
    )


def sources(night: Night) -> pl.DataFrame:
    """Every source of documents, those on hold first: columns of table source."""
    return night.rows("SELECT * FROM source ORDER BY is_held DESC, source")


def source_days(night: Night, source: str) -> pl.DataFrame:
    """The days of one source, oldest first: columns of table source_day."""
    return night.rows("SELECT * FROM source_day WHERE source = $source ORDER BY day", source=source)


def not_read(night: Night) -> pl.DataFrame:
    """Documents that no figure counts: reason, n_documents, share."""
    return night.rows("SELECT * FROM not_read ORDER BY n_documents DESC, reason")


def taken_out(night: Night) -> pl.DataFrame:
    """What cleaning took out: source, edit, kind, n_documents, n."""
    return night.rows("SELECT * FROM taken_out ORDER BY source, edit, n_documents DESC, kind")


def calendar(night: Night) -> pl.DataFrame:
    """Events that the settings name, and no holidays: name, kind, start, end, sources."""
    return night.rows("""SELECT * FROM calendar_event WHERE kind <> 'holiday' ORDER BY "start", name""")
