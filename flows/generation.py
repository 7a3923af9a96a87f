"""A generation's tables and vectors, for a night and for a rebuild."""

from __future__ import annotations

import polars as pl

from analytics.insight.decision_words import (
    action_sentence,
    change_of_mind_sentence,
    change_sentence,
    finding_sentence,
    not_heard_sentence,
)
from analytics.insight.shares import document_days, theme_days, trends
from analytics.store.generation import Content
from analytics.store.registry import GROUP
from analytics.tables import TABLES
from flows.briefing import briefing_files
from flows.compose import Insights, calendar_of, compose_insights, registry_of, theme_events_of
from flows.compose_briefs import published_briefs
from flows.corrections import correct_trend
from flows.gather import live_rows, vector_keys
from flows.interactions import interactions_of
from flows.night import Night, read_manifest_rows
from flows.steps import item_texts
from flows.verdicts import verdicts_of


def compose_generation(night: Night) -> Content:
    """Every table and vector of the night's generation."""
    store = night.store
    insights = compose_insights(night)
    documents, opinions, placed = insights.documents, insights.opinions, insights.opinion_themes
    min_authors = night.settings.store.min_authors
    journaled = {
        name: store.journal.read(name, [night.made_by]).drop("_run_id")
        for name, table in TABLES.items()
        if table.journaled and name != "run"
    }
    decisions, evidence = _standing(journaled["decision"], journaled["decision_evidence"], insights.themes)
    items = _items(night, documents)
    decisions = _decisions_in_words(decisions, journaled["driver"], items, insights)
    briefs, citations = published_briefs(night, insights, decisions)
    counted = trends(opinions, placed, documents, night.as_of, min_authors=min_authors)
    share, trend = correct_trend(night, insights, counted)
    tables = {
        **journaled,
        "recommendation_evidence": _of_shown(journaled["recommendation_evidence"], insights.themes),
        "change": _changes_in_words(journaled["change"], items, insights),
        "driver": journaled["driver"].join(insights.themes.filter("is_shown"), on="theme_id", how="semi"),
        "decision": decisions,
        "decision_evidence": evidence,
        "verdict": verdicts_of(night, insights),
        "brief": briefs,
        "brief_citation": citations,
        "run": store.journal.read("run", night.counting).drop("_run_id"),
        "document": documents,
        "document_edit": insights.edits,
        "document_day": document_days(documents),
        "item": items,
        "opinion": opinions,
        "opinion_theme": placed,
        "theme": insights.themes,
        "theme_event": theme_events_of(night),
        "theme_day": theme_days(opinions, placed, documents, trend, min_authors=min_authors),
        "trend": trend,
        "share": share,
        "source": insights.sources,
        "source_day": insights.source_days,
        "calendar_event": calendar_of(night),
        "ledger": store.lake.ledger(night.run_id),
        "user": _users(night),
        "interaction": interactions_of(night, "recommend").rename({"id": "interaction_id"}),
    }
    vectors = {"item": item_vectors(night), "theme": _theme_vectors(night)}
    return Content(tables, vectors, briefing_files(night, insights, tables))


def _standing(
    decisions: pl.DataFrame, evidence: pl.DataFrame, themes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The decisions of a night without those whose theme an erasure has left with too few authors."""
    standing = decisions.join(themes.filter("is_shown"), on="theme_id", how="semi").join(
        evidence, on="decision_id", how="semi"
    )
    standing = standing.with_columns(pl.col("rank").rank("ordinal"))
    return standing, evidence.join(standing, on="decision_id", how="semi")


def _of_shown(reasons: pl.DataFrame, themes: pl.DataFrame) -> pl.DataFrame:
    """Reasons of recommendations, without the praise of themes that are shown no more."""
    shown = themes.filter("is_shown")["theme_id"]
    is_shown = pl.col("theme_id").is_in(shown.implode())
    return reasons.with_columns(
        pl.when(is_shown).then(name).alias(name) for name in ("theme_id", "opinion_id")
    )


def _decisions_in_words(
    decisions: pl.DataFrame, drivers: pl.DataFrame, items: pl.DataFrame, insights: Insights
) -> pl.DataFrame:
    outcomes = drivers.select("theme_id", "outcome", "outcome_kind", "is_share")
    named = _named(decisions, items, insights, pl.col("item_id")).join(
        outcomes, on=["theme_id", "outcome"], how="left", maintain_order="left"
    )
    rows = list(named.iter_rows(named=True))
    return decisions.with_columns(
        sentence=pl.Series([finding_sentence(row) for row in rows], dtype=pl.String),
        action=pl.Series([action_sentence(row) for row in rows], dtype=pl.String),
        not_heard=pl.Series([not_heard_sentence(row, insights.held) for row in rows], dtype=pl.String),
        change_of_mind=pl.Series([change_of_mind_sentence(row) for row in rows], dtype=pl.String),
    )


def _changes_in_words(changes: pl.DataFrame, items: pl.DataFrame, insights: Insights) -> pl.DataFrame:
    shown = changes.join(insights.themes.filter("is_shown"), on="theme_id", how="semi")
    of_item = pl.when(pl.col("subject_kind") == "item").then("subject")
    of_segment = pl.when(pl.col("subject_kind") == "segment").then("subject")
    named = _named(shown.with_columns(segment=of_segment), items, insights, of_item)
    sentences = [change_sentence(row) for row in named.iter_rows(named=True)]
    return shown.with_columns(sentence=pl.Series(sentences, dtype=pl.String))


def _named(rows: pl.DataFrame, items: pl.DataFrame, insights: Insights, item_id: pl.Expr) -> pl.DataFrame:
    """Rows with item_id, item (its title, or its id), name and is_group of the theme, in the same order."""
    names = insights.themes.select("theme_id", "name", is_group=pl.col("level") == GROUP)
    titles = items.select("item_id", item=pl.coalesce("title", "item_id"))
    return (
        rows.with_columns(item_id=item_id)
        .join(titles, on="item_id", how="left", maintain_order="left")
        .with_columns(item=pl.coalesce("item", "item_id"))
        .join(names, on="theme_id", how="left", maintain_order="left")
    )


def _items(night: Night, documents: pl.DataFrame) -> pl.DataFrame:
    """Items that a source describes or a document names."""
    described = live_rows(night, "items")
    described = (
        described.select("title", "text", item_id="id")
        if described.height
        else pl.DataFrame(schema={"title": pl.String, "text": pl.String, "item_id": pl.String})
    )
    spoken = (
        documents.drop_nulls("item_id")
        .group_by("item_id")
        .agg(n_documents=pl.len(), rating_share=pl.col("rating_share").sort_by("document_id").mean())
    )
    return described.join(spoken, on="item_id", how="full", coalesce=True).with_columns(
        pl.col("n_documents").fill_null(0)
    )


def _users(night: Night) -> pl.DataFrame:
    users = live_rows(night, "users", use="recommend")
    return TABLES["user"].empty() if users.is_empty() else users.select(*TABLES["user"].columns)


def item_vectors(night: Night) -> pl.DataFrame:
    """Vectors of the items that have words: item_id, vector (float16 array)."""
    recipe = str(read_manifest_rows(night, night.made_by)["embedding"]["recipe"])
    items = item_texts(night)
    items = items.with_columns(vector_keys(items["text"], recipe).alias("key"))
    found = night.store.lake.read("embedding", recipe, items.select("key"), ["vector"])
    if "vector" not in found.columns:
        return pl.DataFrame(schema={"item_id": pl.String, "vector": pl.Array(pl.Float16, 1)})
    return items.join(found, on="key").select("item_id", "vector").sort("item_id")


def _theme_vectors(night: Night) -> pl.DataFrame:
    return registry_of(night).themes.drop_nulls("centroid").select("theme_id", "centroid")
