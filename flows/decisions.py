"""The step that concludes: what changed, what does harm, what is loved, and what of it to decide tonight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from analytics.identity import canonical_json, hash_of
from analytics.insight.candidates import DOWN, UP, locate_changes, merge_alike, narrow_groups, with_rates
from analytics.insight.decisions import (
    CHANGE,
    FIX,
    WATCH,
    from_changes,
    from_effects,
    from_loved,
    rank_decisions,
    still_open,
)
from analytics.insight.trends import FALLING, GONE
from analytics.insight.windows import SEGMENT
from analytics.rows import EPISODE_ROWS, JOURNAL_ROWS
from analytics.store.decision_acts import kind_weights
from analytics.store.registry import THEME
from analytics.tables import TABLES
from flows.changes import changes_of, counts_orders, said_of
from flows.compose import Insights, compose_insights, registry_of
from flows.decision_desk import decisions_listed, standings_of
from flows.drivers import drivers_of
from flows.evidence import choose_evidence, placed_documents, statements_of
from flows.loved import groups_of, loved_items
from flows.night import Handle, Night, note_recipes

VERSION = 3
ORDERS, WRITERS = "orders", "people who write"


def decide(night: Night, handles: Sequence[Handle]) -> Handle:
    """Test what changed and what does harm, and rank what asks for a decision, each with its evidence."""
    note_recipes(night, handles)
    insights = compose_insights(night)
    changes, drivers = changes_of(night), drivers_of(night, insights)
    located = _located(night, changes)
    settings = night.settings.trends
    common: Any = {"as_of": night.as_of, "weeks": settings.step_weeks}
    parents = parents_of(insights)
    found = pl.concat(
        [
            from_changes(located, drivers, parents, **common, false_rate=settings.false_discovery_rate),
            from_effects(drivers, parents, **common, false_rate=settings.false_discovery_rate),
            from_loved(_with_themes(night, insights), **common),
        ]
    )
    counted, statements = _counted(night, insights, found)
    journal = night.store.journal
    ranked = rank_decisions(
        counted,
        journal.read("episode", night.earlier[-1:]).drop("_run_id"),
        going_on=still_open(changes, drivers),
        survivors=dict(registry_of(night).survivors.iter_rows()),
        weights=_trust(night),
        max_decisions=night.settings.decisions.max_decisions,
        run_id=night.run_id,
    )
    chosen = [statements[key] for key in ranked.decisions.select(*_KEY).iter_rows()]
    evidence = choose_evidence(night, insights, ranked.decisions, chosen)
    standing = ranked.decisions.join(evidence, on="decision_id", how="semi")
    in_segment = pl.col("segment").is_not_null()
    decisions = standing.with_columns(pl.col("rank").rank("ordinal"), exposure=_exposure(night, in_segment))
    for table, rows in (
        ("change", _published(located, night)),
        ("driver", drivers),
        ("decision", decisions),
        ("decision_evidence", evidence),
    ):
        journal.write(table, night.made_by, TABLES[table].conform(rows, journaled=True))
    journal.write("episode", night.made_by, ranked.episodes.select(*EPISODE_ROWS))
    recipe = {"stage": "decision", "version": VERSION}
    facts = {"n_tests": changes.height + drivers.height}
    return Handle("decision", hash_of(recipe), canonical_json(recipe), decisions.height, facts)


_KEY = ("kind", "subject", "theme_id")


def _trust(night: Night) -> dict[str, float]:
    """What people's saying that decisions are wrong leaves of each kind's rank."""
    return kind_weights(decisions_listed(night, night.earlier), standings_of(night))


def _exposure(night: Night, in_segment: pl.Expr) -> pl.Expr:
    """What rates are counted in; orders know no segments."""
    by_order = pl.when(in_segment).then(pl.lit(WRITERS)).otherwise(pl.lit(ORDERS))
    return by_order if counts_orders(night) else pl.lit(WRITERS)


def _located(night: Night, changes: pl.DataFrame) -> pl.DataFrame:
    """What changed, each told once and in its narrowest place."""
    said, _ = said_of(night)
    parents = parents_of(compose_insights(night))
    located = narrow_groups(locate_changes(changes), parents)
    since = located["since"].drop_nulls()
    rose = said if since.is_empty() else said.filter(pl.col("day") >= pl.lit(since.min()))
    fell = said if since.is_empty() else said.filter(pl.col("day") < pl.lit(since.max()))
    speaking = [
        rows.select("theme_id", "author", direction=pl.lit(direction))
        for rows, direction in ((rose, UP), (fell, DOWN))
    ]
    merged = merge_alike(located, pl.concat(speaking), parents)
    return with_rates(merged, min_authors=night.settings.store.min_authors)


def parents_of(insights: Insights) -> dict[str, str]:
    """Theme to the group that it belongs to."""
    grouped = insights.themes.filter(pl.col("level") == THEME).drop_nulls("parent_id")
    return dict(grouped.select("theme_id", "parent_id").iter_rows())


def _published(located: pl.DataFrame, night: Night) -> pl.DataFrame:
    """Table change: where enough authors stand on the side that has more; rates and ratios, no counts."""
    fell = pl.col("kind").is_in([FALLING, GONE])
    told = located.with_columns(
        n_authors=pl.when(fell).then("n_before").otherwise("n_after"),
        exposure=_exposure(night, pl.col("subject_kind") == SEGMENT),
        other_themes="others",
    )
    return told.filter(pl.col("n_authors") >= night.settings.store.min_authors)


def _with_themes(night: Night, insights: Insights) -> pl.DataFrame:
    """Loved items with theme_id: what most of those who love it praise; without such a theme none."""
    loved = loved_items(night, insights)
    if loved.is_empty():
        return loved.with_columns(theme_id=pl.lit(None, pl.String))
    documents = insights.documents.filter("is_covered").join(
        loved.select("item_id"), on="item_id", how="semi"
    )
    shown = insights.themes.filter("is_shown", pl.col("level") == THEME).select("theme_id")
    praised = (
        insights.opinions.filter(pl.col("sentiment_label") == "positive")
        .join(insights.opinion_themes.select("opinion_id", "theme_id"), on="opinion_id")
        .join(shown, on="theme_id")
        .join(documents.select("document_id", "item_id", "author"), on="document_id")
        .join(groups_of(night, documents), on="document_id")
        .group_by("item_id", "segment", "theme_id")
        .agg(n=pl.col("author").n_unique())
        .sort(["n", "theme_id"], descending=[True, False])
        .unique(["item_id", "segment"], keep="first", maintain_order=True)
    )
    return loved.join(praised.drop("n"), on=["item_id", "segment"]).sort("item_id")


def _counted(
    night: Night, insights: Insights, found: pl.DataFrame
) -> tuple[pl.DataFrame, dict[tuple[str, ...], pl.DataFrame]]:
    """What was found with who says it, without what too few authors stand behind; and the statements."""
    statements: dict[tuple[str, ...], pl.DataFrame] = {}
    rows = []
    for row in found.iter_rows(named=True):
        documents = placed_documents(night, insights, row)
        said = statements_of(insights, row, documents)
        labels = said["sentiment_label"]
        if row["basis"] == CHANGE and row["kind"] == FIX and not _is_complaint(labels):
            row["kind"] = WATCH
        statements[tuple(row[name] for name in _KEY)] = said
        rows.append(
            {
                "kind": row["kind"],
                "n_documents": said["document_id"].n_unique(),
                "n_authors": said["author"].n_unique(),
                "n_unread": int((~documents["is_analysed"]).sum()),
                "negative_share": round((labels == "negative").sum() / max(1, said.height), 6),
                "positive_share": round((labels == "positive").sum() / max(1, said.height), 6),
            }
        )
    schema = {name: JOURNAL_ROWS["decision"][name] for name in ("kind", *_COUNTS)}
    counted = found.drop("kind").hstack(pl.DataFrame(rows, schema=schema, orient="row"))
    counted = counted.select(*found.columns, *_COUNTS)
    return counted.filter(pl.col("n_authors") >= night.settings.store.min_authors), statements


def _is_complaint(labels: pl.Series) -> bool:
    """Whether a theme is mostly complaint: what is as often praised, or neither, needs no mending yet."""
    return 2 * int((labels == "negative").sum()) >= len(labels)


_COUNTS = ("n_documents", "n_authors", "n_unread", "negative_share", "positive_share")
