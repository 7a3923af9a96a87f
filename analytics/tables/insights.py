"""What customers wrote, and the themes in it."""

from __future__ import annotations

import polars as pl

from analytics.tables.table import SEGMENT, SEGMENTS, UTC_TIME, Table

INSIGHTS = (
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
            "not_counted_reason": pl.String,  # a repeat, a copy, of a flood, speaks to a model
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
            **SEGMENT,
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
            "aspect": pl.String,  # what it is about, in its own words
            "said": pl.String,  # what it says of that, in its own words; null where sentences are statements
            "kind": pl.String,  # problem | praise | request | question; null: neither
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
            "name_origin": pl.String,  # keywords | model | person
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
            **SEGMENT,
            "n_documents": pl.Int64,
            "n_opinions": pl.Int64,
            "n_authors": pl.Int64,
            "n_negative": pl.Int64,
            "n_positive": pl.Int64,
            "is_shown": pl.Boolean,  # each day of its week has nobody or enough authors
        },
        key=("theme_id", "day", "segment_name", "segment_value"),
    ),
)
