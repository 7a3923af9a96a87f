"""The step that concludes: how good the night was, and the generation that readers see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import NotPublished
from analytics.insight.briefing import coverage_sentence
from analytics.models.sentiment import NEGATIVE_RATING, POSITIVE_RATING
from analytics.settings import Settings
from analytics.store.generation import check_generation, new_name, write_generation
from analytics.store.pointer import Entry, move_pointer, read_pointer
from analytics.tables import TABLES
from flows.briefing import not_covered
from flows.changes import FALSE_ALARMS, N_SHUFFLES, backtested
from flows.compose import Insights, compose_insights, theme_events_of
from flows.gather import is_mostly_unread
from flows.generation import compose_generation
from flows.night import Handle, Night, elapsed, past_night, read_manifest_rows
from flows.recommendation_words import list_quality, lists_sentence, why_withheld
from flows.steps import read_head
from flows.theme_changes import EMBEDDING_CHANGED

_TOLD_OF_STAGES = frozenset(
    "n_failed n_parked n_left n_erased n_expired n_rejected n_sentences n_named n_names_rejected "
    "n_tests".split()
)


def measure_quality(night: Night, handles: Sequence[Handle]) -> pl.DataFrame:
    """How good the night's own results are, as far as it can tell itself."""
    insights = compose_insights(night)
    n_documents, n_opinions = insights.documents.height, insights.opinions.height
    rows: list[tuple[str, float | None, int, str]] = []
    sentiment = read_manifest_rows(night, night.made_by)["sentiment"]
    if sentiment["kind"] == "head":
        head = read_head(night, {name: value for name, value in sentiment.items() if name != "recipe"})
        n_rated = int(head.quality["n"])
        for metric in ("balanced_accuracy", "macro_f1", "majority_share"):
            rows.append(
                (f"sentiment_{metric}", float(head.quality[metric]), n_rated, "head fitted on ratings")
            )
    switched = sentiment.get("fitted_by") == night.run_id
    rows.append(("sentiment_switched", float(switched), 1, str(sentiment["kind"])))
    covered = int(insights.documents["is_covered"].sum())
    rows.append(("covered_share", covered / n_documents if n_documents else None, n_documents, "all"))
    placed = insights.opinion_themes["opinion_id"].n_unique()
    rows.append(("unplaced_share", 1 - placed / n_opinions if n_opinions else None, n_opinions, "all"))
    rows += language_quality(insights)
    for handle in handles:
        for name, value in handle.facts.items():
            if name in _TOLD_OF_STAGES and value:
                rows.append((name, float(value), handle.n, handle.stage))
    rows += _reanchored(night)
    rows += list_quality(night, _n_listed(handles))
    rate, measured = backtested(night)
    rows.append((FALSE_ALARMS, rate, N_SHUFFLES, measured.isoformat()))
    quality = pl.DataFrame(rows, schema=["metric", "value", "n", "about"], orient="row")
    return quality.with_columns(run_id=pl.lit(night.run_id))


def _n_listed(handles: Sequence[Handle]) -> int:
    """How many customers have a list."""
    return next(handle.n for handle in handles if handle.stage == "recommendation")


def _reanchored(night: Night) -> list[tuple[str, float | None, int, str]]:
    """How much of what stands under the themes another embedding model would put there again."""
    events = theme_events_of(night).filter(
        pl.col("run_id") == night.run_id, pl.col("cause") == EMBEDDING_CHANGED
    )
    if events.is_empty():
        return []
    told = events.join(compose_insights(night).themes.select("theme_id", "n_opinions"), on="theme_id")
    n = int(told["n_opinions"].sum())
    agreed = float((told["agreed_share"] * told["n_opinions"]).sum())
    return [("reanchor_agreement", round(agreed / n, 6) if n else None, n, "themes")]


def language_quality(insights: Insights) -> list[tuple[str, float | None, int, str]]:
    """How well each language is read: (metric, value, n, about).

    `rating_agreement` is the balanced accuracy with which the tone of a document's statements tells its low
    rating from its high one; its folds are those of the head, so that no document judges itself.
    """
    tone = pl.col("sentiment").mean()
    spoken = insights.opinions.group_by("document_id").agg(tone=tone, n_opinions=pl.len())
    placed = insights.opinion_themes.select("opinion_id").unique()
    unplaced = (
        insights.opinions.join(placed, on="opinion_id", how="anti")
        .group_by("document_id")
        .agg(n_unplaced=pl.len())
    )
    documents = insights.documents.join(spoken, on="document_id", how="left").join(
        unplaced, on="document_id", how="left"
    )
    is_bad, is_good = pl.col("rating_share") <= NEGATIVE_RATING, pl.col("rating_share") >= POSITIVE_RATING
    found = (
        documents.group_by("language")
        .agg(
            n=pl.len(),
            covered=pl.col("is_covered").mean(),
            n_opinions=pl.col("n_opinions").sum(),
            unplaced=pl.col("n_unplaced").sum() / pl.col("n_opinions").sum(),
            n_rated=(pl.col("tone").is_not_null() & (is_bad | is_good)).sum(),
            bad_found=(pl.col("tone") < 0).filter(is_bad).mean(),
            good_found=(pl.col("tone") >= 0).filter(is_good).mean(),
        )
        .sort("language")
    )
    rows: list[tuple[str, float | None, int, str]] = []
    for row in found.iter_rows(named=True):
        about = f"language {row['language']}"
        rows.append(("covered_share", row["covered"], row["n"], about))
        if row["n_opinions"]:
            rows.append(("unplaced_share", row["unplaced"], row["n_opinions"], about))
        if row["bad_found"] is not None and row["good_found"] is not None:
            agreement = (row["bad_found"] + row["good_found"]) / 2
            rows.append(("rating_agreement", agreement, row["n_rated"], about))
    return rows


def publish(night: Night, handles: Sequence[Handle]) -> dict[str, Any]:
    """Build the night's generation, check it, and move the pointer; a limited night moves nothing.

    Returns:
        The run's facts: what the last line of `nightloom run` says.
    """
    store = night.store
    store.journal.write("quality", night.made_by, measure_quality(night, handles))
    run = _run_row(night, handles)
    store.journal.write("run", night.made_by, pl.DataFrame([run], schema=TABLES["run"].columns))
    name = new_name(store.published, night.as_of, night.run_id, night.made_by.attempt)
    folder = store.published / name
    content = compose_generation(night)
    manifest = write_generation(folder, content, _facts(night, name))
    check_generation(folder, manifest)
    if night.limit is None:
        entry = Entry(name, night.run_id, night.made_by.attempt, night.as_of)
        move_pointer(store.published, read_pointer(store.published).advanced_to(entry))
    return {
        "run_id": night.run_id,
        "generation": name,
        "is_published": night.limit is None,
        **{
            k: run[k]
            for k in (
                "as_of",
                "n_documents",
                "n_new",
                "n_quarantined",
                "n_not_analysed",
                "n_not_counted",
                "n_waiting_to_be_read",
                "model_calls",
            )
        },
        "held_sources": compose_insights(night).held,
        "coverage": coverage_sentence(run["n_documents"], not_covered(compose_insights(night).documents)),
        "lists": lists_sentence(night, _n_listed(handles)),
        "seconds": elapsed(night),
        "degraded": run["degraded"],
        "briefing": content.files["briefing.md"],
    }


def _facts(night: Night, name: str) -> dict[str, Any]:
    return {
        "generation": name,
        "run_id": night.run_id,
        "attempt": night.made_by.attempt,
        "as_of": night.as_of.isoformat(),
        "state_sequence": night.state_sequence,
        "recipes": {s: row["recipe"] for s, row in read_manifest_rows(night, night.made_by).items()},
    }


def _run_row(night: Night, handles: Sequence[Handle]) -> dict[str, Any]:
    journal = night.store.journal
    insights = compose_insights(night)
    documents = insights.documents
    arrivals = journal.read("arrival", [night.made_by]).filter(pl.col("kind") == "documents")
    is_customers = pl.col("id").is_in(documents["document_id"].implode()) | (pl.col("change") == "gone")
    changes = dict(arrivals.filter(is_customers).group_by("change").len().iter_rows())
    facts = {
        name: sum(h.facts.get(name, 0) for h in handles) for name in ("n_waiting", "n_failed", "n_parked")
    }
    calls = night.store.lake.ledger(night.run_id)["n_calls"].sum()
    degraded = []
    if facts["n_failed"]:
        degraded.append(f"{facts['n_failed']} texts got no answer and are owed again")
    if facts["n_parked"]:
        degraded.append(f"{facts['n_parked']} texts are parked after failing on several nights")
    degraded += why_withheld(night)
    if is_mostly_unread(documents) and not insights.themes["is_shown"].any():
        degraded.append(_why_no_themes(documents))
    return {
        "run_id": night.run_id,
        "as_of": night.as_of,
        "nth": night.nth,
        "n_documents": documents.height,
        "n_new": changes.get("new", 0),
        "n_changed": changes.get("changed", 0),
        "n_gone": changes.get("gone", 0),
        "n_waiting": facts["n_waiting"],
        "n_quarantined": journal.read("quarantine", [night.made_by]).height,
        "n_not_analysed": documents.filter(~pl.col("is_analysed")).height,
        "n_not_counted": documents.filter("is_analysed", ~pl.col("is_counted")).height,
        "n_waiting_to_be_read": documents.filter("is_analysed", "is_counted", ~pl.col("is_covered")).height,
        "n_undated": documents["day"].null_count(),
        "model_calls": int(calls),
        "min_authors": night.settings.store.min_authors,
        "degraded": degraded,
        "attempt": night.made_by.attempt,
        "started_at": night.started_at,
        "seconds": elapsed(night),
    }


def _why_no_themes(documents: pl.DataFrame) -> str:
    """Why nothing is said of a store whose texts no model of these settings reads."""
    reason, n = documents["not_analysed_reason"].value_counts(sort=True).row(0)
    share = f"{100 * n // documents.height} %"
    if not reason.startswith("language "):
        return f"no theme is made: {share} of the documents have {reason}"
    return (
        f"no theme is made: {share} of the documents are in {reason}, which the embedding model does not "
        "read; set model under [embedding] to one that does"
    )


def rebuild(settings: Settings, name: str, folder: Path) -> dict[str, Any]:
    """Build a listed generation again from lake, journal, placement and state; returns its manifest.

    Args:
        settings: Today's settings, for where the store is; those of that night come from the journal.
        name: The generation as `CURRENT` lists it.
        folder: Where to write; must not exist.
    """
    night = past_night(settings, name)
    manifest = write_generation(folder, compose_generation(night), _facts(night, name))
    check_generation(folder, manifest)
    return manifest


def restore(settings: Settings, name: str) -> str:
    """Build a pruned generation again and list it in place of the old one; returns its new name."""
    published = settings.data_dir / "published"
    entry = next((entry for entry in read_pointer(published).counting if entry.generation == name), None)
    if entry is None:
        raise NotPublished(f"no generation {name!r} counts; `nightloom publish --list` shows them")
    new = new_name(published, entry.as_of, entry.run_id, entry.attempt)
    rebuild(settings, name, published / new)
    move_pointer(published, read_pointer(published).renamed({name: new}))
    return new
