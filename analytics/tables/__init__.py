"""Every published table: columns, types, key, grain, run facts. Column names are decided here alone.

Run facts are columns in which two runs of the same night may honestly differ (clock times, attempt numbers);
a digest leaves them out. Units stand in names: `_share` is 0 to 1, `_at` a UTC timestamp, `day` a local date,
`n_` a count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")
SEGMENTS = pl.List(pl.Struct({"name": pl.String, "value": pl.String}))
ALL = "all"
"""Name and value of the segment that holds everything."""


@dataclass(frozen=True)
class Table:
    """One published table."""

    name: str
    grain: str
    columns: dict[str, pl.DataType | type[pl.DataType]]
    key: tuple[str, ...]
    run_facts: tuple[str, ...] = ()
    database: Literal["insights", "customers"] = "insights"
    journaled: bool = False
    """Its rows are a night's own facts, kept in the journal, not derived from lake and placement."""

    derived: tuple[str, ...] = ()
    """Columns of a journaled table that are added when a generation is built: the journal holds no text."""

    def empty(self) -> pl.DataFrame:
        """A frame with the table's columns and no rows."""
        return pl.DataFrame(schema=self.columns)

    @property
    def journal_columns(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        """The columns without the derived ones."""
        return {name: dtype for name, dtype in self.columns.items() if name not in self.derived}

    def conform(self, frame: pl.DataFrame, *, journaled: bool = False) -> pl.DataFrame:
        """`frame` with exactly the table's columns, in order and type, sorted by key.

        Args:
            frame: The rows.
            journaled: Leave out derived columns, as the journal does.

        Raises:
            pl.exceptions.ColumnNotFoundError, pl.exceptions.InvalidOperationError: the frame does not fit.
        """
        columns = self.journal_columns if journaled else self.columns
        return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items()).sort(self.key)


_SEGMENT = {"segment_name": pl.String, "segment_value": pl.String}

TABLES = {
    table.name: table
    for table in (
        Table(
            "run",
            "run",
            {
                "run_id": pl.String,
                "as_of": pl.Date,
                "nth": pl.Int32,
                "n_documents": pl.Int64,
                "n_new": pl.Int64,
                "n_changed": pl.Int64,
                "n_gone": pl.Int64,
                "n_waiting": pl.Int64,
                "n_quarantined": pl.Int64,
                "n_not_analysed": pl.Int64,
                "n_not_counted": pl.Int64,  # repeats and floods
                "n_waiting_to_be_read": pl.Int64,  # above the night's cap on model calls
                "n_undated": pl.Int64,
                "model_calls": pl.Int64,
                "min_authors": pl.Int32,  # fewest distinct authors behind what is shown
                "degraded": pl.List(pl.String),
                "attempt": pl.Int32,
                "started_at": UTC_TIME,
                "seconds": pl.Float64,
            },
            key=("run_id",),
            run_facts=("attempt", "started_at", "seconds"),
            journaled=True,
        ),
        Table(
            "document",
            "document",
            {
                "document_id": pl.String,
                "source": pl.String,
                "source_id": pl.String,
                "item_id": pl.String,
                "author": pl.Int32,  # number of the author within this generation; null: unknown
                "created_at": UTC_TIME,
                "day": pl.Date,  # null: no date, or an impossible one
                "rating": pl.Float64,
                "rating_share": pl.Float64,  # rating on its scale, 0 to 1
                "language": pl.String,
                "thread_id": pl.String,
                "channel": pl.String,
                "question": pl.String,  # that the text answers
                "url": pl.String,  # of the source record
                "segments": SEGMENTS,
                "title": pl.String,
                "text": pl.String,
                "text_hash": pl.String,
                "is_analysed": pl.Boolean,
                "not_analysed_reason": pl.String,  # no text | language <tag> | not for insight
                "is_counted": pl.Boolean,
                "not_counted_reason": pl.String,  # repeat of its author | near copy | flood of …
                "repeat_of": pl.String,  # document_id of the one that counts
                "is_covered": pl.Boolean,  # analysed, counted, and every statement read
                "may_quote": pl.Boolean,
                "first_seen_run": pl.String,
                "clean_recipe": pl.String,
            },
            key=("document_id",),
        ),
        Table(
            "document_edit",
            "document × kind",
            {
                "document_id": pl.String,
                "edit": pl.String,  # cut | redacted
                "kind": pl.String,  # quoted_reply, signature, macro …; email, phone, name …
                "n": pl.Int64,  # characters cut, or pieces redacted
            },
            key=("document_id", "edit", "kind"),
        ),
        Table(
            "document_day",
            "day × segment",
            {
                "day": pl.Date,
                **_SEGMENT,
                "n_documents": pl.Int64,
                "n_covered": pl.Int64,
                "n_authors": pl.Int64,
            },
            key=("day", "segment_name", "segment_value"),
        ),
        Table(
            "item",
            "item",
            {
                "item_id": pl.String,
                "title": pl.String,
                "text": pl.String,
                "n_documents": pl.Int64,
                "rating_share": pl.Float64,
            },
            key=("item_id",),
        ),
        Table(
            "opinion",
            "statement",
            {
                "opinion_id": pl.String,
                "document_id": pl.String,
                "start": pl.Int32,
                "end": pl.Int32,
                "nth": pl.Int32,
                "quote": pl.String,
                "aspect": pl.String,
                "sentiment": pl.Float64,  # -1 negative to 1 positive
                "sentiment_label": pl.String,  # negative | neutral | positive
                "opinion_recipe": pl.String,
                "embedding_recipe": pl.String,
                "sentiment_recipe": pl.String,
            },
            key=("opinion_id",),
        ),
        Table(
            "opinion_theme",
            "opinion × theme",
            {
                "opinion_id": pl.String,
                "theme_id": pl.String,  # of a merged theme: its survivor's
                "similarity": pl.Float64,
                "cause": pl.String,  # discovery | placed | born | split | own theme | linked
                "run_id": pl.String,
                "registry_version": pl.Int64,
                "event_id": pl.String,  # that moved it there; null where none did
            },
            key=("opinion_id", "theme_id"),
        ),
        Table(
            "theme",
            "theme",
            {
                "theme_id": pl.String,
                "level": pl.String,  # theme | group
                "name": pl.String,
                "criterion": pl.String,  # what a statement must say to belong
                "keywords": pl.List(pl.String),
                "status": pl.String,  # active | merged | split | retired
                "parent_id": pl.String,  # its group
                "merged_into": pl.String,
                "split_from": pl.String,
                "is_own": pl.Boolean,  # a person's own
                "is_pinned": pl.Boolean,
                "radius": pl.Float64,
                "born_run": pl.String,
                "born_on": pl.Date,
                "typical_opinion_id": pl.String,
                "n_opinions": pl.Int64,
                "n_documents": pl.Int64,
                "n_authors": pl.Int64,
                "negative_share": pl.Float64,
                "positive_share": pl.Float64,
                "is_shown": pl.Boolean,  # enough distinct authors
                "theme_recipe": pl.String,
            },
            key=("theme_id",),
        ),
        Table(
            "theme_event",
            "event",
            {
                "event_id": pl.String,
                "run_id": pl.String,  # null: a person's act
                "theme_id": pl.String,  # null where it is about a link
                # born | renamed | merged | split | retired | revived | anchored | pinned | linked …
                "kind": pl.String,
                "as_of": pl.Date,  # of the first night that counts it
                "cause": pl.String,
                "who": pl.String,
                "about": pl.String,  # the new name, the theme it went into
                "agreed_share": pl.Float64,  # of a theme's statements, when its anchors were made anew
            },
            key=("event_id",),
        ),
        Table(
            "theme_proposal",
            "proposal",
            {
                "proposal_id": pl.String,
                "kind": pl.String,  # merge | split | widen
                "theme_id": pl.String,
                "other_id": pl.String,  # the theme to merge it with
                "evidence": pl.Float64,  # what was measured, as `sentence` says
                "n_opinions": pl.Int64,  # statements it would move
                "anchor": pl.String,  # to widen by: centroid and radius, packed
                "sentence": pl.String,
            },
            key=("proposal_id",),
            journaled=True,
        ),
        Table(
            "theme_day",
            "theme × day × segment",
            {
                "theme_id": pl.String,
                "day": pl.Date,
                **_SEGMENT,
                "n_documents": pl.Int64,
                "n_opinions": pl.Int64,
                "n_authors": pl.Int64,
                "n_negative": pl.Int64,
                "n_positive": pl.Int64,
                "is_shown": pl.Boolean,  # each day of its week has nobody or enough authors
            },
            key=("theme_id", "day", "segment_name", "segment_value"),
        ),
        Table(
            "trend",
            "theme × segment × source × window",
            {
                "theme_id": pl.String,
                **_SEGMENT,
                "source": pl.String,
                "window_start": pl.Date,
                "window_end": pl.Date,
                "n_documents": pl.Int64,
                "n_covered": pl.Int64,
                "n_authors": pl.Int64,
                "share": pl.Float64,
                "share_low": pl.Float64,
                "share_high": pl.Float64,
                "is_shown": pl.Boolean,  # enough distinct authors, in it and in what its differences leave
            },
            key=("theme_id", "segment_name", "segment_value", "source", "window_start", "window_end"),
        ),
        Table(
            "decision",
            "decision",
            {
                "decision_id": pl.String,
                "rank": pl.Int32,
                "kind": pl.String,  # fix | watch | keep
                "subject": pl.String,
                "theme_id": pl.String,
                "episode": pl.Int32,
                "score": pl.Float64,
                "window_start": pl.Date,
                "window_end": pl.Date,
                "n_documents": pl.Int64,
                "n_covered": pl.Int64,
                "n_authors": pl.Int64,
                "share": pl.Float64,
                "share_low": pl.Float64,
                "share_high": pl.Float64,
                "negative_share": pl.Float64,
                "positive_share": pl.Float64,
                "change": pl.Float64,  # share now minus share before; null: not enough evidence
                "change_low": pl.Float64,
                "change_high": pl.Float64,
                "evidence": pl.String,  # enough | not enough evidence
                "first_run": pl.String,
                "sentence": pl.String,  # the decision in plain words
            },
            key=("decision_id",),
            journaled=True,
            derived=("sentence",),
        ),
        Table(
            "decision_evidence",
            "decision × quote",
            {
                "decision_id": pl.String,
                "rank": pl.Int32,
                "opinion_id": pl.String,
                "document_id": pl.String,
            },
            key=("decision_id", "rank"),
            journaled=True,
        ),
        Table(
            "source_day",
            "source × day",
            {
                "source": pl.String,
                "day": pl.Date,
                "n_arrived": pl.Int64,
                "expected": pl.Float64,  # null: too short a history, or a holiday
                "expected_low": pl.Float64,
                "expected_high": pl.Float64,
                "status": pl.String,
            },
            key=("source", "day"),
        ),
        Table(
            "source",
            "source",
            {
                "source": pl.String,
                "kind": pl.String,
                "uses": pl.List(pl.String),
                "n_documents": pl.Int64,
                "n_covered": pl.Int64,
                "last_day": pl.Date,
                # ok | too new to tell | stopped | late | volume, scale, mix or collection changed
                "status": pl.String,
                "since": pl.Date,
                "is_held": pl.Boolean,  # claims that rest on it are on hold
                "sentence": pl.String,  # what that means, in plain words
            },
            key=("source",),
        ),
        Table(
            "calendar_event",
            "event",
            {
                "name": pl.String,
                "kind": pl.String,  # holiday | promotion | launch | outage | other
                "start": pl.Date,
                "end": pl.Date,
                "sources": pl.List(pl.String),  # empty: all
            },
            key=("start", "name"),
        ),
        Table(
            "quality",
            "metric × run",
            {
                "run_id": pl.String,
                "metric": pl.String,
                "value": pl.Float64,
                "n": pl.Int64,
                "about": pl.String,
            },
            key=("run_id", "metric", "about"),
            journaled=True,
        ),
        Table(
            "ledger",
            "stage × run",
            {
                "run_id": pl.String,
                "stage": pl.String,
                "recipe": pl.String,
                "n_calls": pl.Int64,
                "n_answers": pl.Int64,
                "n_failed": pl.Int64,
                "n_parts": pl.Int64,
                "engine": pl.String,
                "seconds": pl.Float64,
                "load_seconds": pl.Float64,
            },
            key=("run_id", "stage", "recipe"),
            run_facts=("engine", "seconds", "load_seconds"),
        ),
        Table(
            "quarantine",
            "rejected row",
            {
                "source": pl.String,
                "position": pl.Int64,  # from 1: line of a text file, element of a JSON array, row of a table
                "reason": pl.String,
                "row_hash": pl.String,
            },
            key=("source", "position", "reason"),
            journaled=True,
        ),
        Table(
            "user",
            "user",
            {"user_id": pl.String, "author_key": pl.String, "segments": SEGMENTS},
            key=("user_id",),
            run_facts=("author_key",),
            database="customers",
        ),
        Table(
            "interaction",
            "interaction",
            {
                "interaction_id": pl.String,
                "user_id": pl.String,
                "item_id": pl.String,
                "kind": pl.String,
                "created_at": UTC_TIME,
                "day": pl.Date,
                "rating_share": pl.Float64,
            },
            key=("interaction_id",),
            database="customers",
        ),
        Table(
            "recommendation",
            "user × rank",
            {
                "user_id": pl.String,
                "rank": pl.Int32,
                "item_id": pl.String,
                "score": pl.Float64,
                "method": pl.String,  # text_profile | popular
                "recipe": pl.String,
            },
            key=("user_id", "rank"),
            database="customers",
            journaled=True,
        ),
        Table(
            "recommendation_evidence",
            "user × rank × reason",
            {
                "user_id": pl.String,
                "rank": pl.Int32,
                "nth": pl.Int32,
                "because_item_id": pl.String,
                "similarity": pl.Float64,
            },
            key=("user_id", "rank", "nth"),
            database="customers",
            journaled=True,
        ),
    )
}
