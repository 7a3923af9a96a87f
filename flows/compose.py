"""From lake, journal, placement and state to what is told of documents, opinions, themes and sources."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from analytics.insight.kinds import statement_kind
from analytics.intake.health import assess_sources
from analytics.models.sentiment import sentiment_label
from analytics.store.registry import ACTIVE, THEME, Registry, replay, with_event_ids
from analytics.tables import TABLES
from flows.aspects import proposed_aspects
from flows.gather import (
    author_numbers,
    documents_of,
    extraction_part,
    is_extracted,
    not_granting,
    opinions_in,
    sentence_keys,
    sentiment_keys,
    with_survivors,
    with_vectors,
)
from flows.night import Night, read_manifest_rows
from flows.steps import with_rating_share


@dataclass(frozen=True, eq=False)
class Insights:
    """Tables that follow from lake, placement and state; equal to itself alone, so that a cache holds it."""

    documents: pl.DataFrame
    edits: pl.DataFrame
    opinions: pl.DataFrame
    opinion_themes: pl.DataFrame
    themes: pl.DataFrame
    sources: pl.DataFrame
    source_days: pl.DataFrame

    @property
    def held(self) -> list[str]:
        """Sources on which no claim may rest tonight."""
        return self.sources.filter("is_held")["source"].to_list()


@lru_cache(maxsize=1)
def compose_insights(night: Night) -> Insights:
    """Documents, opinions, placements and themes of a night, in the form in which they are published."""
    recipes = {stage: str(row["recipe"]) for stage, row in read_manifest_rows(night, night.made_by).items()}
    read = documents_of(night, recipes["clean"])
    opinions, unread = _opinions(night, recipes)
    documents = _documents(night, read, recipes["clean"], unread)
    opinion_themes = (
        with_survivors(night.store.placement.read(night.counting), registry_of(night))
        .join(opinions, on="opinion_id", how="semi")
        .select(*TABLES["opinion_theme"].columns)
        .sort("opinion_id", "theme_id")
    )
    themes = _themes(night, documents, opinions, opinion_themes)
    sources, source_days = assess_health(night, documents)
    edits = _edits(read)
    return Insights(documents, edits, opinions, opinion_themes, themes, sources, source_days)


def _documents(night: Night, read: pl.DataFrame, clean_recipe: str, unread: pl.Series) -> pl.DataFrame:
    """Table document; one whose statements still wait for a later night is not covered."""
    documents = with_rating_share(read, night)
    may_not = not_granting(night.settings, documents["source"], "quote")
    return TABLES["document"].conform(
        documents.with_columns(
            author_numbers(documents, night.settings).alias("author"),
            pl.lit(clean_recipe).alias("clean_recipe"),
            # Ids that are e-mail addresses name people; numbers cannot be told from phone numbers, and stay.
            source_id=pl.when(~pl.col("source_id").str.contains("@", literal=True)).then("source_id"),
            may_quote=~pl.col("source").is_in(may_not),
            is_covered=pl.col("is_covered") & ~pl.col("document_id").is_in(unread.implode()),
        )
    )


def _edits(read: pl.DataFrame) -> pl.DataFrame:
    """Table document_edit: what cleaning took out of each document."""
    frames = [
        read.select("document_id", pl.lit(edit).alias("edit"), pl.col(column).alias("found"))
        .explode("found", empty_as_null=False)
        .unnest("found")
        for edit, column in (("cut", "cuts"), ("redacted", "redactions"))
    ]
    return TABLES["document_edit"].conform(pl.concat(frames))


def _opinions(night: Night, recipes: dict[str, str]) -> tuple[pl.DataFrame, pl.Series]:
    """Statements of the documents that are read whole, and the ids of those that wait for a later night.

    A statement is read once it has a vector; a sentiment it may lack, where what judges does not read its
    language.
    """
    opinions = opinions_in(night, recipes["clean"], recipes["sentence"])
    opinions = opinions.with_columns(sentiment_keys(opinions, recipes["sentiment"]).alias("sentiment_key"))
    present = with_vectors(night, opinions, recipes["embedding"])
    waits = opinions.join(present, on="opinion_id", how="anti")["document_id"]
    unread = pl.concat([waits, _not_extracted(night, recipes)]).unique()
    keys = present.select(key="sentiment_key")
    scores = night.store.lake.read("sentiment", recipes["sentiment"], keys, schema={"sentiment": pl.Float64})
    scored = present.filter(~pl.col("document_id").is_in(unread.implode())).join(
        scores, left_on="sentiment_key", right_on="key", how="left", maintain_order="left"
    )
    scored = scored.with_columns(sentiment=pl.coalesce("stated", "sentiment")).with_columns(
        sentiment_label(pl.col("sentiment")).alias("sentiment_label")
    )
    named = proposed_aspects(night, scored, recipes.get("aspect", ""))
    whole = named.with_columns(
        aspect=pl.coalesce("aspect", "proposed"),
        kind=pl.coalesce("kind", statement_kind("quote", "sentiment_label")),
        embedding_recipe=pl.lit(recipes["embedding"]),
        sentiment_recipe=pl.lit(recipes["sentiment"]),
    )
    return TABLES["opinion"].conform(whole), unread


def _not_extracted(night: Night, recipes: dict[str, str]) -> pl.Series:
    """Documents that the language model is still to be asked about: document_id."""
    recipe = extraction_part(recipes["sentence"])
    documents = documents_of(night, recipes["clean"]).filter("is_covered")
    if not recipe:
        return documents["document_id"].head(0)
    asked = documents.filter(is_extracted(night.settings))
    asked = asked.with_columns(sentence_keys(asked, recipe).alias("sentence_key"))
    answered = night.store.lake.keys("extraction", recipe)
    return asked.join(answered, left_on="sentence_key", right_on="key", how="anti")["document_id"]


def assess_health(night: Night, documents: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables source and source_day: whether each source of documents delivers what it used to.

    A limited night draws its documents, so they say nothing of what arrives, and nothing is judged.
    """
    nights = dict(zip([attempt.run_id for attempt in night.counting], _days(night), strict=True))
    calendar = night.settings.calendar
    arrived = documents if night.limit is None else documents.head(0)
    health = assess_sources(
        arrived.select(
            "source",
            "day",
            "rating",
            "rating_share",
            "language",
            "item_id",
            arrived_on=pl.col("first_seen_run").replace_strict(nights, return_dtype=pl.Date),
        ),
        as_of=night.as_of,
        holidays=calendar.holidays,
        events=calendar.events,
    )
    granted = {source.name: sorted(source.granted) for source in night.settings.sources}
    counted = documents.group_by("source").agg(n_documents=pl.len(), n_covered=pl.col("is_covered").sum())
    sources = counted.join(health.source_state, on="source", how="left").with_columns(
        kind=pl.lit("documents"),
        uses=pl.col("source").replace_strict(granted, default=["insight"], return_dtype=pl.List(pl.String)),
        is_held=pl.col("held").fill_null(False),
    )
    return TABLES["source"].conform(sources), TABLES["source_day"].conform(health.source_day)


def calendar_of(night: Night) -> pl.DataFrame:
    """Table calendar_event: what the settings say of days."""
    calendar = night.settings.calendar
    events = [event.model_dump() for event in calendar.events]
    holidays = [
        {"name": "holiday", "kind": "holiday", "start": day, "end": day, "sources": []}
        for day in sorted(set(calendar.holidays))
    ]
    return pl.DataFrame([*events, *holidays], schema=TABLES["calendar_event"].columns)


def _events(night: Night) -> pl.DataFrame:
    runs = [attempt.run_id for attempt in night.counting]
    return night.store.state.theme_events(runs, night.state_sequence)


@lru_cache(maxsize=1)
def registry_of(night: Night) -> Registry:
    """The registry as the night leaves it."""
    return replay(_events(night))


def _themes(
    night: Night, documents: pl.DataFrame, opinions: pl.DataFrame, opinion_themes: pl.DataFrame
) -> pl.DataFrame:
    """The registry with what stands under each theme, and under each group of themes, tonight."""
    registry = registry_of(night).themes
    said = (
        opinion_themes.select("opinion_id", "theme_id")
        .join(opinions.select("opinion_id", "document_id", "sentiment_label"), on="opinion_id")
        .join(documents.select("document_id", "author"), on="document_id")
    )
    parents = registry.filter(pl.col("status") == ACTIVE).select("theme_id", "parent_id").drop_nulls()
    of_groups = said.join(parents, on="theme_id").with_columns(theme_id="parent_id").drop("parent_id")
    label = pl.col("sentiment_label")
    counted = (
        pl.concat([said, of_groups])
        .unique(["opinion_id", "theme_id"])
        .group_by("theme_id")
        .agg(
            n_opinions=pl.col("opinion_id").n_unique(),
            n_documents=pl.col("document_id").n_unique(),
            n_authors=pl.col("author").fill_null(-1).n_unique(),
            negative_share=(label == "negative").mean(),
            positive_share=(label == "positive").mean(),
        )
    )
    themes = registry.join(counted, on="theme_id", how="left").with_columns(
        pl.col("n_opinions", "n_documents", "n_authors").fill_null(0)
    )
    first_counted = (
        theme_events_of(night).filter(pl.col("kind") == "born").select("theme_id", born_on="as_of")
    )
    themes = themes.join(first_counted.unique("theme_id"), on="theme_id", how="left").with_columns(
        is_shown=(pl.col("n_authors") >= night.settings.store.min_authors) & (pl.col("status") == ACTIVE)
    )
    telling = _telling_groups(said, themes, night.settings.store.min_authors)
    is_safe = (pl.col("level") == THEME) | ~pl.col("theme_id").is_in(telling.implode())
    return TABLES["theme"].conform(themes.with_columns(is_shown=pl.col("is_shown") & is_safe))


def _telling_groups(said: pl.DataFrame, themes: pl.DataFrame, min_authors: int) -> pl.Series:
    """Groups of themes whose figures, less those of their shown themes, would tell of a few people."""
    hidden = themes.filter(pl.col("level") == THEME, ~pl.col("is_shown")).select("theme_id", "parent_id")
    behind = said.join(hidden.drop_nulls(), on="theme_id").group_by("parent_id")
    n_authors = behind.agg(n=pl.col("author").fill_null(-1).n_unique())
    return n_authors.filter(pl.col("n") < min_authors)["parent_id"]


def _days(night: Night) -> list[object]:
    started = night.store.journal.read("attempt", night.counting)
    days = dict(started.select("_run_id", "as_of").iter_rows())
    return [days[attempt.run_id] for attempt in night.counting]


@lru_cache(maxsize=1)
def theme_events_of(night: Night) -> pl.DataFrame:
    """Table theme_event; a person's act counts from the first night that read the state after it."""
    days = dict(zip([attempt.run_id for attempt in night.counting], _days(night), strict=True))
    events = with_event_ids(_events(night))
    attempts = night.store.journal.read("attempt", night.counting)
    nights = attempts.select("as_of", sequence="state_sequence").sort("sequence", "as_of")
    of_people = (
        events.filter(pl.col("run_id").is_null())
        .sort("sequence")
        .join_asof(nights, on="sequence", strategy="forward")
    )
    of_runs = events.filter(pl.col("run_id").is_not_null()).with_columns(
        as_of=pl.col("run_id").replace_strict(days, default=None, return_dtype=pl.Date)
    )
    said = pl.col("content").str.json_path_match
    return TABLES["theme_event"].conform(
        pl.concat([of_runs, of_people.select(of_runs.columns)]).with_columns(
            cause=said("$.cause"),
            theme_id=pl.when(pl.col("theme_id") != "").then("theme_id"),
            about=pl.coalesce(said("$.into"), said("$.split_from"), said("$.name")),
            agreed_share=said("$.agreed").cast(pl.Float64),
        )
    )
