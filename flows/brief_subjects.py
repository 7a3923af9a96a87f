"""What briefs are about: themes and items, with what stands behind each tonight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from analytics.identity import brief_id
from analytics.insight.briefs import ITEM, THEME, Standing
from analytics.store.registry import THEME as THEME_LEVEL
from flows.compose import Insights, compose_insights, theme_events_of
from flows.night import Night


@dataclass(frozen=True)
class Subject:
    """A theme, an item, or the night."""

    kind: str
    subject_id: str
    standing: Standing
    opinion_ids: pl.Series
    """Statements that may be quoted, by id."""
    since: dict[str, int] = field(default_factory=dict)
    """Run to how many of its statements had come by then."""
    had_event: bool = False

    @property
    def brief_id(self) -> str:
        """Identity of its brief."""
        return brief_id(self.kind, self.subject_id)

    def n_new_since(self, run: str) -> int:
        """Statements that came after a run; all where that run counts no more."""
        return self.standing.n_opinions - self.since.get(run, 0)


def subjects_of(night: Night) -> Iterator[Subject]:
    """Every theme that is shown, and the items that most is written about by enough authors."""
    insights = compose_insights(night)
    covered = insights.documents.filter("is_covered")
    n_covered = max(1, covered.height)
    runs = [attempt.run_id for attempt in night.counting]
    opinions = insights.opinions.join(
        covered.select("document_id", "may_quote", "first_seen_run"), on="document_id"
    )
    placed = insights.opinion_themes.select("opinion_id", "theme_id", "run_id").join(
        opinions, on="opinion_id"
    )
    events = _with_events(night)
    of_theme = _by(placed, "theme_id")
    shown = insights.themes.filter("is_shown", pl.col("level") == THEME_LEVEL).sort("theme_id")
    for theme, n_documents in shown.select("theme_id", "n_documents").iter_rows():
        rows = of_theme[theme]
        standing = _standing(rows, n_documents / n_covered)
        came = _came_by(rows["run_id"], runs)
        yield Subject(THEME, theme, standing, _quotable(rows), came, theme in events)
    for item, rows, n_documents in _items(night, insights, opinions):
        came = _came_by(rows["first_seen_run"], runs)
        yield Subject(ITEM, item, _standing(rows, n_documents / n_covered), _quotable(rows), came)


def _by(rows: pl.DataFrame, column: str) -> dict[str, pl.DataFrame]:
    return {str(key[0]): part for key, part in rows.partition_by(column, as_dict=True).items()}


def _standing(rows: pl.DataFrame, share: float) -> Standing:
    negative = float((rows["sentiment_label"] == "negative").sum()) / max(1, rows.height)
    return Standing(rows.height, round(share, 6), round(negative, 6))


def _quotable(rows: pl.DataFrame) -> pl.Series:
    return rows.filter("may_quote")["opinion_id"].sort()


def _came_by(arrived: pl.Series, runs: list[str]) -> dict[str, int]:
    """Run to how many of the statements came in it or before."""
    counts = dict(arrived.value_counts().iter_rows())
    total, came = 0, {}
    for run in runs:
        total += counts.get(run, 0)
        came[run] = total
    return came


def _with_events(night: Night) -> set[str]:
    """Themes that something happened to tonight."""
    events = theme_events_of(night)
    is_new = (pl.col("run_id") == night.run_id) | (
        pl.col("run_id").is_null() & (pl.col("as_of") == night.as_of)
    )
    return set(events.filter(is_new)["theme_id"].drop_nulls())


def _items(
    night: Night, insights: Insights, opinions: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame, int]]:
    documents = insights.documents.filter("is_covered").drop_nulls("item_id")
    busiest = items_told(insights, night.settings.store.min_authors).head(night.settings.briefs.max_items)
    of_item = _by(
        opinions.join(documents.select("document_id", "item_id"), on="document_id").join(
            busiest, on="item_id", how="semi"
        ),
        "item_id",
    )
    for item, n_documents in busiest.sort("item_id").select("item_id", "n_documents").iter_rows():
        if item in of_item:
            yield item, of_item[item], n_documents


def items_told(insights: Insights, min_authors: int) -> pl.DataFrame:
    """Items with enough authors, those most is written about first: item_id, n_documents, n_authors."""
    documents = insights.documents.filter("is_covered").drop_nulls("item_id")
    return (
        documents.group_by("item_id")
        .agg(n_documents=pl.len(), n_authors=pl.col("author").fill_null(-1).n_unique())
        .filter(pl.col("n_authors") >= min_authors)
        .sort(["n_documents", "item_id"], descending=[True, False])
    )


def with_all_cited(briefs: pl.DataFrame, citations: pl.DataFrame) -> pl.DataFrame:
    """Sentences of briefs, without those that have lost a part of what they rest on.

    Args:
        briefs: Columns brief_id, nth, n_citations.
        citations: Columns brief_id, nth: those whose statement is there.
    """
    counted = citations.group_by("brief_id", "nth").agg(n_there=pl.len())
    with_counts = briefs.join(counted, on=["brief_id", "nth"], how="left", maintain_order="left")
    return with_counts.filter(pl.col("n_there").fill_null(0) == pl.col("n_citations")).drop("n_there")
