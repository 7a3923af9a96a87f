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
    time_zone: str = "UTC"
    """In which a day begins and ends, where people say when they did something."""

    @property
    def data_dir(self) -> Path:
        """Folder of the store."""
        return self.published.folder.parents[1]

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


def pin_night(data_dir: Path, min_authors: int, time_zone: str = "UTC") -> Night:
    """The generation that `CURRENT` names now, open for reading.

    Raises:
        NotPublished: nothing is published.
        StoreError: the pointer cannot be read.
    """
    for last_try in (False, True):
        name = active_entry(data_dir).generation
        try:
            published, stamp = _opened(str(data_dir), name)
            return Night(published, stamp, min_authors, time_zone)
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


def decisions_listed(night: Night) -> pl.DataFrame:
    """The decisions that a person can speak of: decision_id, rank, kind, first_listed."""
    return night.rows(
        """SELECT d.decision_id, d.rank, d.kind, coalesce(r.as_of, d.window_end) AS first_listed
        FROM decision AS d LEFT JOIN run AS r ON r.run_id = d.first_run ORDER BY d.rank"""
    )


def changes(night: Night) -> pl.DataFrame:
    """What changed, the largest first: columns of table change."""
    return night.rows(
        "SELECT * FROM change WHERE n_authors >= $min_authors ORDER BY n_authors DESC, theme_id, subject",
        min_authors=night.min_authors,
    )


def tests_made(night: Night) -> dict[str, Any] | None:
    """How many tests stand behind what is told, and how often they cry wolf: columns of view test_board."""
    found = night.rows("SELECT * FROM test_board")
    return found.row(0, named=True) if found.height else None


def drivers(night: Night) -> pl.DataFrame:
    """What each theme does to each outcome: columns of the view driver_board."""
    return night.rows(
        """SELECT * FROM driver_board WHERE n_authors >= $min_authors
        ORDER BY outcome, abs(recoverable) DESC, theme_id""",
        min_authors=night.min_authors,
    )


def verdicts(night: Night) -> pl.DataFrame:
    """What became of decisions that were done, the newest first: columns of table verdict."""
    return night.rows("SELECT * FROM verdict ORDER BY done_on DESC, decision_id")


def hit_rate(night: Night) -> dict[str, Any] | None:
    """Of the decisions that can be judged, how many worked; None where none can: columns of view hit_rate."""
    found = night.rows("SELECT * FROM hit_rate WHERE kind = 'all' AND n_judged > 0")
    return found.row(0, named=True) if found.height else None


def quotes(night: Night) -> pl.DataFrame:
    """The quotes under all decisions, in order: columns of the view decision_quote."""
    return night.rows('SELECT * FROM decision_quote ORDER BY decision_id, "rank"')


def brief(night: Night, kind: str, subject: str) -> pl.DataFrame:
    """The sentences of a brief, in order: columns of the view brief_board."""
    return night.rows(
        "SELECT * FROM brief_board WHERE subject_kind = $kind AND subject_id = $subject ORDER BY nth",
        kind=kind,
        subject=subject,
    )


def brief_quotes(night: Night, kind: str, subject: str) -> pl.DataFrame:
    """What the sentences of a brief rest on, in order: columns of the view brief_quote."""
    return night.rows(
        """SELECT * FROM brief_quote WHERE subject_kind = $kind AND subject_id = $subject
        ORDER BY nth, rank""",
        kind=kind,
        subject=subject,
    )


def themes(night: Night) -> pl.DataFrame:
    """The themes with enough authors, largest first: columns of the view theme_board."""
    return night.rows(
        """SELECT * FROM theme_board WHERE n_authors >= $min_authors ORDER BY n_documents DESC, theme_id""",
        min_authors=night.min_authors,
    )


def share(night: Night, theme_id: str) -> dict[str, Any] | None:
    """A theme's share of the last 13 weeks: columns of the view theme_share; None where it is hidden."""
    found = night.rows(
        "SELECT * FROM theme_share WHERE theme_id = $theme_id AND n_authors >= $min_authors",
        theme_id=theme_id,
        min_authors=night.min_authors,
    )
    return found.row(0, named=True) if found.height else None


def theme_groups(night: Night) -> pl.DataFrame:
    """Groups of themes with enough authors, largest first: columns of the view theme_group."""
    return night.rows(
        "SELECT * FROM theme_group WHERE n_authors >= $min_authors ORDER BY n_documents DESC, theme_id",
        min_authors=night.min_authors,
    )


def waiting(night: Night) -> dict[str, Any] | None:
    """How much is not yet a theme: n_opinions, n_documents, n_authors, share; None where too few wrote it."""
    found = night.rows("SELECT * FROM not_yet_a_theme")
    return found.row(0, named=True) if found.height else None


def proposals(night: Night) -> pl.DataFrame:
    """Changes of themes that wait for a person: columns of the view theme_proposal_board."""
    return night.rows("SELECT * FROM theme_proposal_board ORDER BY kind, proposal_id")


def theme_history(night: Night) -> pl.DataFrame:
    """What became of themes, newest first: columns of the view theme_history."""
    return night.rows(
        """SELECT * FROM theme_history WHERE name IS NOT NULL AND kind <> 'anchored'
        ORDER BY as_of DESC, name, kind, event_id"""
    )


def segments(night: Night) -> pl.DataFrame:
    """Every segment that shares are split by: segment_name, segment_value."""
    return night.rows(
        """SELECT DISTINCT segment_name, segment_value FROM theme_cell WHERE segment_name <> $everything
        ORDER BY segment_name, segment_value""",
        everything=ALL,
    )


def theme_sources(night: Night) -> list[str]:
    """Every source that shares are split by."""
    found = night.rows(
        "SELECT DISTINCT source FROM theme_cell WHERE source <> $everything ORDER BY source", everything=ALL
    )
    return found["source"].to_list()


def window_lengths(night: Night) -> list[int]:
    """Lengths in weeks of the windows that end with the night, the shortest first."""
    found = night.rows("SELECT DISTINCT n_weeks FROM theme_cell ORDER BY n_weeks")
    return found["n_weeks"].to_list()


def theme_cells(
    night: Night, segment: tuple[str, str] = (ALL, ALL), source: str = ALL, n_weeks: int = 1
) -> pl.DataFrame:
    """Every theme in one filter: what the view theme_board says of it, and its cell there.

    Only the windows of `window_lengths` are offered. A range of other weeks would be a difference of two of
    them, or a sum of weeks: which cells are safe is decided for all filters together, before any is asked.

    Args:
        night: The generation.
        segment: Name and value of a segment; (ALL, ALL): documents of all segments.
        source: Name of a source; ALL: documents of all sources.
        n_weeks: Length of the window that ends with the night.

    Returns:
        Columns of theme_board, largest theme first, with n_documents_in, n_covered, share, share_low,
        share_high and typical_quote of the filter: all null where the cell may not be shown or has no
        mention. Without a segment and a source the typical quote is the theme's own.
    """
    return night.rows(
        """WITH cell AS (
            SELECT c.*
            FROM theme_cell AS c
            JOIN trend AS t USING (theme_id, segment_name, segment_value, source, window_start, window_end)
            WHERE c.is_shown AND t.n_authors >= $min_authors AND c.n_weeks = $n_weeks
                AND c.window_end = (SELECT max(window_end) FROM trend)
                AND c.segment_name = $segment_name AND c.segment_value = $segment_value
                AND c.source = $source
        ),
        typical AS (
            SELECT q.theme_id, q.quote
            FROM theme_quote AS q
            JOIN cell AS c USING (theme_id)
            WHERE q.day BETWEEN c.window_start AND c.window_end
                AND (c.source = $everything OR q.source = c.source)
                AND (c.segment_name = $everything
                    OR list_contains(q.segments, {'name': c.segment_name, 'value': c.segment_value}))
            QUALIFY row_number() OVER (PARTITION BY q.theme_id ORDER BY q.similarity DESC, q.opinion_id) = 1
        )
        SELECT b.* REPLACE (
                c.share AS share, c.share_low AS share_low, c.share_high AS share_high,
                CASE WHEN $segment_name = $everything AND $source = $everything
                    THEN b.typical_quote ELSE q.quote END AS typical_quote
            ),
            c.n_documents AS n_documents_in, c.n_covered
        FROM theme_board AS b
        LEFT JOIN cell AS c USING (theme_id)
        LEFT JOIN typical AS q USING (theme_id)
        WHERE b.n_authors >= $min_authors
        ORDER BY b.n_documents DESC, b.theme_id""",
        min_authors=night.min_authors,
        everything=ALL,
        segment_name=segment[0],
        segment_value=segment[1],
        source=source,
        n_weeks=n_weeks,
    )


def weeks(
    night: Night, theme_id: str, segment: tuple[str, str] = (ALL, ALL), source: str = ALL
) -> pl.DataFrame:
    """Weekly shares of a theme in a filter, oldest first; a week that may not be shown has no figures."""
    return night.rows(
        """WITH cell AS (
            SELECT w.*
            FROM theme_week AS w
            JOIN trend AS t USING (theme_id, segment_name, segment_value, source, window_start, window_end)
            WHERE w.is_shown AND t.n_authors >= $min_authors AND theme_id = $theme_id
                AND segment_name = $segment_name AND segment_value = $segment_value AND source = $source
        )
        SELECT e.window_start, e.window_end, c.n_covered, c.n_documents, c.share, c.share_low, c.share_high
        FROM theme_week AS e
        LEFT JOIN cell AS c USING (window_start)
        WHERE e.theme_id = $theme_id AND e.segment_name = $everything AND e.source = $everything
        ORDER BY e.window_start""",
        min_authors=night.min_authors,
        everything=ALL,
        theme_id=theme_id,
        segment_name=segment[0],
        segment_value=segment[1],
        source=source,
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
