"""What is concluded from what customers wrote: shares, changes, effects, decisions and briefs."""

from __future__ import annotations

import polars as pl

from analytics.tables.table import SEGMENT, Table

CONCLUSIONS = (
    Table(
        "trend",
        "theme × segment × source × window",
        {
            "theme_id": pl.String,
            **SEGMENT,
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
            "corrected_share": pl.Float64,  # by the rates of its theme; null: not corrected
            "corrected_low": pl.Float64,
            "corrected_high": pl.Float64,
            "correction": pl.String,  # none | inherited
        },
        key=("theme_id", "segment_name", "segment_value", "source", "window_start", "window_end"),
    ),
    Table(
        "change",
        "theme × place",
        {
            "theme_id": pl.String,
            "subject_kind": pl.String,  # all | item | segment
            "subject": pl.String,  # all, item_id, or name: value
            "kind": pl.String,  # new | rising | falling | gone
            "since": pl.Date,  # first day of the new rate
            "ratio": pl.Float64,  # of the rates; null where there was none before
            "ratio_low": pl.Float64,
            "ratio_high": pl.Float64,
            "rate_before": pl.Float64,  # distinct authors per 1,000 of the exposure
            "rate_after": pl.Float64,
            "exposure": pl.String,  # orders | people who write
            "n_authors": pl.Int64,  # on the side that has more
            "q_value": pl.Float64,
            "other_themes": pl.List(pl.String),  # that say the same
            "sentence": pl.String,
        },
        key=("theme_id", "subject_kind", "subject", "kind"),
        journaled=True,
        derived=("sentence",),
    ),
    Table(
        "driver",
        "theme × outcome",
        {
            "theme_id": pl.String,
            "outcome": pl.String,
            "outcome_kind": pl.String,  # rating | column | harm | repurchase
            "is_share": pl.Boolean,  # effects are points of a share, 0 to 1
            "scale": pl.Float64,  # from the outcome's lowest value to its highest; 1 of a share
            "n_documents": pl.Int64,
            "n_authors": pl.Int64,  # who mention the theme
            "share": pl.Float64,  # of the documents that mention it
            "mean_outcome": pl.Float64,
            "effect": pl.Float64,  # all else that is known the same
            "effect_low": pl.Float64,
            "effect_high": pl.Float64,
            "p_value": pl.Float64,
            "q_value": pl.Float64,  # adjusted for all themes held against the outcome
            "recoverable": pl.Float64,  # change of the mean were the theme never mentioned
            "recoverable_plain": pl.Float64,  # the same without adjustment
        },
        key=("theme_id", "outcome"),
        journaled=True,
    ),
    Table(
        "share",
        "theme",
        {
            "theme_id": pl.String,
            "window_start": pl.Date,
            "window_end": pl.Date,
            "n_labels": pl.Int64,  # that people gave of the theme
            "n_covered": pl.Int64,
            "n_authors": pl.Int64,  # of the documents placed under it
            "share_raw": pl.Float64,  # of the covered documents, those with a statement under the theme
            "share": pl.Float64,  # corrected by labels; the raw one where correction is none
            "share_low": pl.Float64,
            "share_high": pl.Float64,
            "correction": pl.String,  # none | labels | pooled, with the error rates of all themes
            "right_share": pl.Float64,  # of the documents placed under it, those that say it, by labels
            "found_share": pl.Float64,  # of the documents that say it, those placed under it, by labels
        },
        key=("theme_id",),
    ),
    Table(
        "decision",
        "decision",
        {
            "decision_id": pl.String,
            "rank": pl.Int32,
            "kind": pl.String,  # fix | watch | keep | promote
            "subject": pl.String,  # what the identity is made of: all, an item, a segment, or both
            "item_id": pl.String,
            "segment": pl.String,  # name: value
            "theme_id": pl.String,
            "other_themes": pl.List(pl.String),  # that say the same
            "episode": pl.Int32,
            "basis": pl.String,  # change | effect | loved
            "finding": pl.String,  # new | rising | falling | gone | harmful | loved
            "outcome": pl.String,  # of an effect
            "size": pl.Float64,  # times as often | change of the outcome | lead on ratings; null: new
            "size_low": pl.Float64,
            "size_high": pl.Float64,
            "rate_before": pl.Float64,  # per 1,000 of the exposure; of an effect the mean outcome
            "rate_after": pl.Float64,
            "exposure": pl.String,  # orders | people who write
            "people_a_month": pl.Float64,  # whom it touches
            "probability": pl.Float64,  # that it is no chance
            "certainty": pl.String,  # very likely | likely
            "score": pl.Float64,
            "since": pl.Date,
            "window_start": pl.Date,
            "window_end": pl.Date,
            "n_documents": pl.Int64,  # that say it in the window
            "n_authors": pl.Int64,
            "n_unread": pl.Int64,  # documents of the same place and window that no model read
            "negative_share": pl.Float64,
            "positive_share": pl.Float64,
            "first_run": pl.String,
            "sentence": pl.String,  # the finding in plain words
            "action": pl.String,
            "not_heard": pl.String,
            "change_of_mind": pl.String,
        },
        key=("decision_id",),
        journaled=True,
        derived=("sentence", "action", "not_heard", "change_of_mind"),
    ),
    Table(
        "decision_evidence",
        "decision × quote",
        {
            "decision_id": pl.String,
            "rank": pl.Int32,
            "voice": pl.String,  # representative | dissent
            "opinion_id": pl.String,
            "document_id": pl.String,
        },
        key=("decision_id", "rank"),
        journaled=True,
    ),
    Table(
        "verdict",
        "decision that was done",
        {
            "decision_id": pl.String,
            "kind": pl.String,  # of the decision, as its subject and theme are
            "subject_kind": pl.String,
            "subject": pl.String,
            "theme_id": pl.String,
            "done_on": pl.Date,
            "verdict": pl.String,  # worked | worse | no visible effect | too early
            "ratio": pl.Float64,  # its change by that of what was not touched; null: nothing to tell it by
            "ratio_low": pl.Float64,
            "ratio_high": pl.Float64,
            "compared_with": pl.String,  # other items | other segments | other themes
            "enough_on": pl.Date,  # where it is too early; null: never
            "n_before": pl.Int64,  # authors of each week, summed; null: too few
            "n_after": pl.Int64,
            "sentence": pl.String,
        },
        key=("decision_id",),
    ),
    Table(
        "brief",
        "brief × sentence",
        {
            "brief_id": pl.String,
            "subject_kind": pl.String,  # theme | item | night
            "subject_id": pl.String,
            "nth": pl.Int32,  # 0: the figures
            "voice": pl.String,  # figures | representative | dissent
            "text": pl.String,
            "origin": pl.String,  # figures | quote | model
            "support": pl.Float64,  # 0 to 1, of a model's sentence by what it cites
            "n_citations": pl.Int32,
            "sentence_key": pl.String,  # of a model's sentence in the lake
            "sentence_recipe": pl.String,
            "made_run": pl.String,
            "made_on": pl.Date,
            "recipe": pl.String,
            "n_opinions": pl.Int64,  # these three: when it was made
            "share": pl.Float64,
            "negative_share": pl.Float64,
        },
        key=("brief_id", "nth"),
        journaled=True,
        derived=("text",),
    ),
    Table(
        "brief_citation",
        "brief × sentence × citation",
        {
            "brief_id": pl.String,
            "nth": pl.Int32,
            "rank": pl.Int32,  # 1: the statement that speaks
            "opinion_id": pl.String,
            "document_id": pl.String,
        },
        key=("brief_id", "nth", "rank"),
        journaled=True,
    ),
    Table(
        "recommendation_check",
        "run",
        {
            "run_id": pl.String,
            "verdict": pl.String,  # ahead | no worse | worse | not enough evidence
            "n_customers": pl.Int64,  # who took something on the days held out
            "days": pl.Float64,  # held out
            "ndcg": pl.Float64,  # NDCG@10 of lists, and of what was popular
            "popular_ndcg": pl.Float64,
            "ahead": pl.Float64,  # their difference, with its paired 95 % interval
            "low": pl.Float64,
            "high": pl.Float64,
            "rules_price": pl.Float64,  # by how much NDCG@10 is higher without rules
            "churn": pl.Float64,  # share of what is listed that was not listed the night before
            "made_on": pl.Date,  # night that made the lists; null: none is published
            "ranker_fitted_on": pl.Date,  # null: too few customers came back to learn from
        },
        key=("run_id",),
        journaled=True,
    ),
)
