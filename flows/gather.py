"""What the lake, the journal and the placement log hold for one night, joined into frames."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from analytics.identity import lake_keys
from analytics.insight.sentences import opinions_of
from analytics.settings import Settings
from analytics.store.journal import Attempt
from flows.ingest import SOURCE_STAGES
from flows.night import Night

SPANS = {"starts": pl.List(pl.Int32), "ends": pl.List(pl.Int32)}
"""What the stage of statements holds for each text."""


def live_rows(night: Night, kind: str) -> pl.DataFrame:
    """Live rows of one kind of source: id, first_seen_run and the mapped fields; sorted by id."""
    stage = SOURCE_STAGES[kind]
    live = night.store.journal.live(kind, night.counting).drop("source")
    if live.is_empty():
        return live
    rows = night.store.lake.read(stage.name, stage.recipe_id, live)
    return live.join(rows, on="key").sort("id")


@lru_cache(maxsize=1)
def raw_documents(night: Night) -> pl.DataFrame:
    """Live documents as their sources gave them: document_id, first_seen_run, day and lake columns."""
    documents = live_rows(night, "documents").rename({"id": "document_id"})
    local = pl.col("created_at").dt.convert_time_zone(night.settings.store.time_zone)
    return documents.with_columns(day=local.dt.date())


def clean_keys(documents: pl.DataFrame, recipe: str) -> pl.Series:
    """Lake key of each raw document's cleaned text."""
    return pl.Series(lake_keys(recipe, documents.select("title", "text").iter_rows()), dtype=pl.String)


@lru_cache(maxsize=1)
def documents_of(night: Night, clean_recipe: str) -> pl.DataFrame:
    """Live documents with the text that every model and reader sees, and whether tonight's models read it."""
    raw = raw_documents(night)
    raw = raw.with_columns(clean_keys(raw, clean_recipe).alias("clean_key"))
    texts = night.store.lake.read("clean", clean_recipe, raw.select(key="clean_key"))
    documents = raw.drop("title", "text", "key").join(texts, left_on="clean_key", right_on="key")
    reason = (
        pl.when(pl.col("text") == "")
        .then(pl.lit("no text"))
        .when(~reads(night.settings, pl.col("language")))
        .then(pl.format("language {}", "language"))
    )
    return documents.with_columns(not_analysed_reason=reason, is_analysed=reason.is_null()).sort(
        "document_id"
    )


def reads(settings: Settings, language: pl.Expr) -> pl.Expr:
    """Whether the models of these settings read a language."""
    declared = settings.embedding.languages
    return pl.lit(True) if "*" in declared else language.is_in(list(declared))


def sentence_keys(documents: pl.DataFrame, recipe: str) -> pl.Series:
    """Lake key of each document's statements."""
    return pl.Series(lake_keys(recipe, documents["text_hash"]), dtype=pl.String)


@lru_cache(maxsize=1)
def opinions_in(night: Night, clean_recipe: str, sentence_recipe: str) -> pl.DataFrame:
    """Every statement of the analysed documents, with its document's day, author_key and fold."""
    documents = documents_of(night, clean_recipe).filter("is_analysed")
    documents = documents.with_columns(sentence_keys(documents, sentence_recipe).alias("sentence_key"))
    spans = night.store.lake.read(
        "sentence", sentence_recipe, documents.select(key="sentence_key"), schema=SPANS
    )
    found = documents.join(spans, left_on="sentence_key", right_on="key")
    opinions = opinions_of(found.select("document_id", "text", "starts", "ends"))
    about = documents.select("document_id", "day", "author_key", "fold")
    return opinions.join(about, on="document_id").sort("opinion_id")


def vector_keys(texts: pl.Series, recipe: str) -> pl.Series:
    """Lake key of each text's vector."""
    return pl.Series(lake_keys(recipe, texts), dtype=pl.String)


def sentiment_keys(opinions: pl.DataFrame, recipe: str) -> pl.Series:
    """Lake key of each statement's sentiment: by its words and the fold that may judge it."""
    return pl.Series(lake_keys(recipe, opinions.select("quote", "fold").iter_rows()), dtype=pl.String)


def placements(night: Night, attempts: tuple[Attempt, ...]) -> pl.DataFrame:
    """The placement log of the given attempts: of an opinion's entries under a theme the last counts."""
    return night.store.placement.read(attempts).unique(
        ["opinion_id", "theme_id"], keep="last", maintain_order=True
    )


def author_numbers(documents: pl.DataFrame, settings: Settings) -> pl.Series:
    """A number for each document's author within this generation, by the author's smallest document id.

    The numbers say who wrote together and nothing else: they cannot be led back to a person, and do not
    depend on the store's key. Documents without an author have none, unless their source counts them as
    distinct authors.
    """
    distinct = [source.name for source in settings.sources if source.anonymous == "distinct"]
    alone = pl.when(pl.col("source").is_in(distinct)).then(pl.col("document_id"))
    author = pl.coalesce("author_key", alone)
    first = pl.when(author.is_not_null()).then(pl.col("document_id").min().over(author))
    return documents.select(first.rank("dense").cast(pl.Int32).alias("author")).to_series()
