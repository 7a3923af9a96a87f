"""The steps that read: statements, vectors, sentiment; each asks the lake what is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from analytics.identity import canonical_json, hash_of, lake_keys, stage_seed
from analytics.insight.extraction import extract_statements, extraction_recipe, most_tokens
from analytics.insight.sentences import opinion_spans, sentence_recipe
from analytics.models.embedding import describe_model, load_embedder
from analytics.models.llm.loading import describe_language_model
from analytics.models.llm.protocol import LanguageModel
from analytics.models.sentiment import (
    LEXICON_LANGUAGES,
    SentimentHead,
    can_fit,
    fit_sentiment_head,
    head_recipe,
    lexicon_recipe,
    score_lexicon,
)
from analytics.store.lake import Engine, Stage
from flows.gather import (
    documents_of,
    is_extracted,
    item_words,
    live_rows,
    opinions_in,
    sentence_keys,
    sentiment_keys,
    vector_keys,
    with_vectors,
)
from flows.ingest import N_FOLDS
from flows.language import ask_stage, part_size
from flows.night import Handle, Night, fill_stage, read_manifest_rows
from flows.people import without_objecting
from flows.progress import progress
from flows.theme_book import registry_before

MAX_HEAD_DOCUMENTS = 20_000
"""The sentiment head is fitted on at most this many rated documents, drawn by their id, which is a hash."""


def find_opinions(night: Night, cleaned: Handle) -> Handle:
    """Find what every covered text states: each of its sentences, or what the language model extracts."""
    documents = documents_of(night, cleaned.recipe).filter("is_covered")
    asks_model = is_extracted(night.settings)
    stage = Stage("sentence", sentence_recipe())
    found = fill_stage(
        night,
        stage,
        _texts_to_cut(documents.filter(~asks_model), stage),
        lambda: Engine(lambda rows: opinion_spans(rows.drop("day"))),
    )
    if all(source.extraction == "sentences" for source in night.settings.sources):
        return found
    model = describe_language_model(night.settings.language_model)
    size = part_size(night, "extraction", most_tokens(model))
    asked = Stage("extraction", extraction_recipe(model), part_size=size, calls_model=True)

    def ask(model: LanguageModel, rows: pl.DataFrame, advance: Callable[[int], object]) -> pl.DataFrame:
        return rows.select("key").hstack(extract_statements(model, rows["text"].to_list(), advance))

    extracted = ask_stage(night, asked, _texts_to_cut(documents.filter(asks_model), asked), ask, "documents")
    return Handle(
        stage.name,
        f"{found.recipe}+{extracted.recipe}",
        canonical_json({"sentences": stage.recipe, "extraction": asked.recipe}),
        found.n + extracted.n,
        extracted.facts,
    )


def _texts_to_cut(documents: pl.DataFrame, stage: Stage) -> pl.DataFrame:
    return documents.select(
        "text",
        "day",
        sentence_keys(documents, stage.recipe_id).alias("key"),
        is_answer=pl.col("question").is_not_null(),
    )


def embed(night: Night, cleaned: Handle, sentences: Handle) -> Handle:
    """Turn statements and items into vectors; the same words once."""
    model = describe_model(night.settings.embedding)
    stage = Stage("embedding", model.recipe(), calls_model=True)
    opinions = opinions_in(night, cleaned.recipe, sentences.recipe)
    items = item_texts(night).select("text", day=pl.lit(night.as_of), draw=pl.lit(""))
    words = pl.DataFrame({"text": theme_words(night)}, schema={"text": pl.String})
    words = words.select("text", day=pl.lit(night.as_of), draw=pl.lit(""))
    said = opinions.select("day", text="reading", draw="document_id")
    texts = pl.concat([said, items, words], how="diagonal")
    # A document is drawn whole: were it by statement, long ones would be covered last.
    texts = texts.sort("day", "draw", descending=[True, False], nulls_last=True).unique("text", keep="first")
    wanted = texts.with_columns(vector_keys(texts["text"], stage.recipe_id).alias("key"))

    def make_engine() -> Engine:
        embedder = load_embedder(model, night.settings.embedding)

        def answer(rows: pl.DataFrame) -> pl.DataFrame:
            vectors = embedder.embed(rows["text"].to_list(), bar.advance)
            return rows.select(
                "key",
                pl.Series("vector", vectors.astype(np.float16), pl.Array(pl.Float16, embedder.n_dims)),
                engine=pl.lit(embedder.engine),
                device=pl.lit(embedder.device),
                precision=pl.lit(embedder.precision),
            )

        return Engine(
            answer, f"{embedder.engine} {embedder.device} {embedder.precision}", embedder.load_seconds
        )

    with progress("embedding", "texts") as bar:
        max_calls = night.settings.schedule.max_calls
        return fill_stage(night, stage, wanted, make_engine, bar.start, max_calls)


def theme_words(night: Night) -> list[str]:
    """What people wrote of themes of their own: it is embedded like what customers wrote."""
    return sorted(set(registry_before(night).active["words"].explode().drop_nulls()))


def item_texts(night: Night) -> pl.DataFrame:
    """Live items with the text that is embedded for them, redacted: item_id, title, text; none empty."""
    items = live_rows(night, "items", use="recommend")
    if items.is_empty():
        return pl.DataFrame(schema={"item_id": pl.String, "title": pl.String, "text": pl.String})
    items = items.select("title", item_words(items).alias("text"), item_id="id")
    return items.filter(pl.col("text") != "")


def read_vectors(night: Night, recipe: str, keys: Iterable[str]) -> tuple[pl.DataFrame, np.ndarray]:
    """Vectors of the given keys: a frame with `key` and `row`, and float32 unit rows (n_found, n_dims)."""
    wanted = pl.DataFrame({"key": list(keys)}, schema={"key": pl.String})
    found = night.store.lake.read("embedding", recipe, wanted, ["vector"])
    if found.is_empty():
        return pl.DataFrame(schema={"key": pl.String, "row": pl.UInt32}), np.zeros((0, 0), np.float32)
    vectors = found["vector"].to_numpy().astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return found.select("key").with_row_index("row"), vectors


def opinion_vectors(night: Night, opinions: pl.DataFrame, recipe: str) -> tuple[pl.DataFrame, np.ndarray]:
    """Opinions that have a vector, and their vectors in the same order: float32 unit rows."""
    keyed = opinions.with_columns(vector_keys(opinions["reading"], recipe).alias("vector_key"))
    found, vectors = read_vectors(night, recipe, keyed["vector_key"].unique())
    joined = keyed.join(found, left_on="vector_key", right_on="key").sort("opinion_id")
    return joined.drop("row", "vector_key"), vectors[joined["row"].to_numpy()]


def judge(night: Night, cleaned: Handle, sentences: Handle, vectors: Handle) -> Handle:
    """Give every statement with a vector a sentiment: by the head fitted on ratings, or by the lexicon."""
    opinions = with_vectors(night, opinions_in(night, cleaned.recipe, sentences.recipe), vectors.recipe)
    chosen = _choose_sentiment(night, cleaned, sentences, vectors)
    stage = Stage("sentiment", chosen)
    if chosen["kind"] == "lexicon":
        opinions = opinions.filter(pl.col("language").is_in(LEXICON_LANGUAGES))
    wanted = opinions.select("reading", "quote", "fold", "day", key=sentiment_keys(opinions, stage.recipe_id))

    def score_by_lexicon(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select("key", pl.Series("sentiment", score_lexicon(rows["quote"].to_list()), pl.Float64))

    def score_by_head(rows: pl.DataFrame) -> pl.DataFrame:
        keyed = rows.with_columns(vector_keys(rows["reading"], vectors.recipe).alias("vector_key"))
        found, matrix = read_vectors(night, vectors.recipe, keyed["vector_key"].unique())
        joined = keyed.join(found, left_on="vector_key", right_on="key", maintain_order="left")
        scores = head.score(matrix[joined["row"].to_numpy()], joined["fold"].to_numpy())
        return joined.select("key", pl.Series("sentiment", scores, pl.Float64))

    if chosen["kind"] == "lexicon":
        return fill_stage(night, stage, wanted, lambda: Engine(score_by_lexicon, "vader"))
    head = read_head(night, chosen)
    return fill_stage(night, stage, wanted, lambda: Engine(score_by_head, "head"))


def _choose_sentiment(night: Night, cleaned: Handle, sentences: Handle, vectors: Handle) -> dict[str, Any]:
    """Choose a scorer: that of the night before, unless it is old, a stopgap or reads other vectors."""
    last = read_manifest_rows(night, night.earlier[-1]).get("sentiment") if night.earlier else None
    if last and last["kind"] == "head" and last["embedding"] == vectors.recipe:
        age = night.as_of - date.fromisoformat(str(last["fitted_on"]))
        # An erasure that leaves too few ratings takes the head along.
        is_kept = night.store.lake.keys("sentiment_head", str(last["recipe"])).height > 0
        if is_kept and age.days < night.settings.sentiment.refit_every_days:
            return {name: value for name, value in last.items() if name != "recipe"}
    fitted = {
        **head_recipe(),
        "kind": "head",
        "embedding": vectors.recipe,
        "fitted_by": night.run_id,
        "fitted_on": night.as_of.isoformat(),
    }
    stage = Stage("sentiment_head", fitted)
    if night.store.lake.keys(stage.name, stage.recipe_id).height:
        return fitted
    documents, means = rated_documents(night, cleaned, sentences, vectors)
    if not can_fit(documents, night.settings.sentiment.min_rated_documents):
        return {**lexicon_recipe(), "kind": "lexicon"}
    head = fit_sentiment_head(
        documents, means, n_folds=N_FOLDS, seed=stage_seed(night.settings.store.seed, "sentiment")
    )
    rows = head.to_frame()
    keys = lake_keys(stage.recipe_id, rows["fold"])
    night.store.lake.keep(stage, rows.with_columns(pl.Series("key", keys)), night.run_id)
    return fitted


def read_head(night: Night, recipe: dict[str, Any]) -> SentimentHead:
    """The fitted head that a sentiment recipe names."""
    rows = night.store.lake.read(
        "sentiment_head", hash_of(recipe), pl.DataFrame({"key": lake_keys(hash_of(recipe), range(N_FOLDS))})
    )
    return SentimentHead.from_frame(rows.drop("key"))


def rated_documents(
    night: Night, cleaned: Handle, sentences: Handle, vectors: Handle
) -> tuple[pl.DataFrame, np.ndarray]:
    """Rated documents (fold, share of the scale) and the mean of each one's statement vectors."""
    documents = without_objecting(night, with_rating_share(documents_of(night, cleaned.recipe), night))
    rated = (
        documents.filter("is_covered", pl.col("rating_share").is_not_null())
        .sort("document_id")
        .head(MAX_HEAD_DOCUMENTS)
        .select("document_id", "fold", "rating_share")
    )
    opinions = opinions_in(night, cleaned.recipe, sentences.recipe).join(rated, on="document_id", how="semi")
    opinions, matrix = opinion_vectors(night, opinions, vectors.recipe)
    if opinions.is_empty():
        return rated.head(0), np.zeros((0, 1), np.float32)
    order = opinions["document_id"].arg_sort().to_numpy()
    ids = opinions["document_id"].to_numpy()[order]
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    counts = np.diff(np.r_[starts, len(ids)])
    means = np.add.reduceat(matrix[order].astype(np.float64), starts, axis=0) / counts[:, None]
    with_vectors = pl.DataFrame({"document_id": ids[starts]}).join(
        rated, on="document_id", maintain_order="left"
    )
    return with_vectors, means


def with_rating_share(rows: pl.DataFrame, night: Night) -> pl.DataFrame:
    """Rows with `rating_share`: the rating on its source's scale, 0 to 1."""
    share = pl.lit(None, pl.Float64)
    for source in night.settings.sources:
        low, high = source.rating_scale
        share = (
            pl.when(pl.col("source") == source.name)
            .then((pl.col("rating") - low) / (high - low))
            .otherwise(share)
        )
    return rows.with_columns(rating_share=share)
