"""Briefs as they are published: worded from lake and tables, without what has lost its ground."""

from __future__ import annotations

import polars as pl

from analytics.insight.briefing import figures_sentence
from analytics.insight.briefs import ITEM, NIGHT, THEME
from analytics.tables import TABLES
from flows.brief_subjects import items_told, with_all_cited
from flows.compose import Insights
from flows.night import Night


def published_briefs(
    night: Night, insights: Insights, decisions: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables brief and brief_citation of a night.

    A sentence stands while all that it cites is there and may be quoted, a brief while its subject may be
    shown: an erasure, or a change of what a source grants, takes away more than the night foresaw.
    """
    journal = night.store.journal
    briefs = journal.read("brief", [night.made_by]).drop("_run_id")
    citations = journal.read("brief_citation", [night.made_by]).drop("_run_id")
    quotable = insights.documents.filter("may_quote", "is_covered").select("document_id")
    there = insights.opinions.select("opinion_id", "document_id", "quote").join(quotable, on="document_id")
    citations = citations.join(there.select("opinion_id", "quote"), on="opinion_id")
    briefs = with_all_cited(briefs, citations).join(
        _figures(night, insights, decisions), on=["subject_kind", "subject_id"]
    )
    briefs = _worded(night, briefs, citations).drop_nulls("text")
    citations = citations.join(briefs, on=["brief_id", "nth"], how="semi")
    return TABLES["brief"].conform(briefs), TABLES["brief_citation"].conform(citations)


def _worded(night: Night, briefs: pl.DataFrame, citations: pl.DataFrame) -> pl.DataFrame:
    first = citations.filter(pl.col("rank") == 1).select("brief_id", "nth", "quote")
    briefs = briefs.join(first, on=["brief_id", "nth"], how="left")
    answers = [
        night.store.lake.read(
            "brief_sentence", recipe, briefs.select(key="sentence_key"), schema={"sentence": pl.String}
        ).select(sentence_key="key", sentence="sentence", sentence_recipe=pl.lit(recipe))
        for recipe in briefs["sentence_recipe"].drop_nulls().unique().sort()
    ]
    schema = {"sentence_key": pl.String, "sentence": pl.String, "sentence_recipe": pl.String}
    made = pl.concat([pl.DataFrame(schema=schema), *answers])
    briefs = briefs.join(made, on=["sentence_key", "sentence_recipe"], how="left")
    by_origin = pl.when(pl.col("origin") == "model").then("sentence")
    return briefs.with_columns(
        text=by_origin.when(pl.col("origin") == "quote").then("quote").otherwise("figures")
    )


def _figures(night: Night, insights: Insights, decisions: pl.DataFrame) -> pl.DataFrame:
    """What may be told of, with its figures in words: subject_kind, subject_id, figures."""
    n_covered = int(insights.documents["is_covered"].sum())
    rows = [
        (
            THEME,
            theme["theme_id"],
            figures_sentence(theme, theme["n_documents"] / max(1, n_covered)),
        )
        for theme in insights.themes.filter("is_shown").iter_rows(named=True)
    ]
    told = items_told(insights, night.settings.store.min_authors)
    documents = insights.documents.filter("is_covered").select("document_id", "item_id")
    tones = (
        insights.opinions.join(documents, on="document_id")
        .group_by("item_id")
        .agg(
            negative_share=(pl.col("sentiment_label") == "negative").mean(),
            positive_share=(pl.col("sentiment_label") == "positive").mean(),
        )
    )
    for item in told.join(tones, on="item_id").sort("item_id").iter_rows(named=True):
        rows.append((ITEM, item["item_id"], figures_sentence(item, item["n_documents"] / max(1, n_covered))))
    new = int((insights.documents["first_seen_run"] == night.run_id).sum())
    covered = f"{new:,} new documents; {n_covered:,} of {insights.documents.height:,} are covered"
    rows.append((NIGHT, "", f"{covered}; {decisions.height} decisions are listed."))
    schema = {"subject_kind": pl.String, "subject_id": pl.String, "figures": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")
