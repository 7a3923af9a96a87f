"""The step that says what each statement is about, where no language model has: aspect terms of its words."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from analytics.identity import hash_of, lake_keys
from analytics.insight.aspects import (
    MAX_STATEMENTS,
    aspects_recipe,
    find_terms,
    learn_vocabulary,
    propose_aspects,
)
from analytics.models.sentiment import LEXICON_LANGUAGES
from analytics.store.lake import Engine, Stage
from flows.gather import author_numbers, documents_of, opinions_in, with_vectors
from flows.night import Handle, Night, fill_stage, read_manifest_rows
from flows.steps import opinion_vectors, read_vectors

RELEARN_DAYS = 30
"""Nights between two vocabularies: between them the same words have the same aspect."""
ASPECT_ROWS = {"aspect_start": pl.Int32, "aspect_end": pl.Int32}
"""What the stage holds for a statement: offsets in its quote; null where it names nothing likely."""


def name_aspects(night: Night, cleaned: Handle, sentences: Handle, vectors: Handle) -> Handle:
    """Propose an aspect term for every English sentence: the likeliest of its runs of nouns."""
    opinions = opinions_in(night, cleaned.recipe, sentences.recipe)
    opinions = with_vectors(night, opinions.filter(is_proposed()), vectors.recipe)
    chosen = _choose_vocabulary(night, cleaned, sentences, vectors)
    stage = Stage("aspect", chosen)
    wanted = opinions.select("quote", "vector_key", "day", key=aspect_keys(opinions, stage.recipe_id))

    def make_engine() -> Engine:
        vocabulary = night.store.lake.read_all("vocabulary", vocabulary_id(chosen)).sort("term")

        def answer(rows: pl.DataFrame) -> pl.DataFrame:
            found, matrix = read_vectors(night, vectors.recipe, rows["vector_key"].unique())
            joined = rows.join(found, left_on="vector_key", right_on="key", maintain_order="left")
            terms = find_terms(joined["quote"].to_list())
            said = matrix[joined["row"].to_numpy()]
            first = propose_aspects(terms, said, vocabulary).unique("row", keep="first", maintain_order=True)
            spans = first.select("row", aspect_start="start", aspect_end="end")
            numbered = joined.select("key").with_row_index("row")
            return numbered.join(spans, on="row", how="left", maintain_order="left").drop("row")

        return Engine(answer, "tagger")

    return fill_stage(night, stage, wanted, make_engine)


def is_proposed() -> pl.Expr:
    """Whether a statement's aspect is proposed here: English, and no language model was asked."""
    return pl.col("language").is_in(LEXICON_LANGUAGES) & pl.col("stated").is_null()


def aspect_keys(opinions: pl.DataFrame, recipe: str) -> pl.Series:
    """Lake key of each statement's aspect: by its words and what is read of them."""
    return pl.Series(lake_keys(recipe, opinions.select("quote", "reading").iter_rows()), dtype=pl.String)


def vocabulary_id(recipe: dict[str, Any]) -> str:
    """Recipe of the vocabulary that aspects are proposed by."""
    return hash_of({"stage": "vocabulary", **{name: recipe[name] for name in _LEARNED}})


_LEARNED = ("embedding", "learned_by", "learned_on")


def _choose_vocabulary(night: Night, cleaned: Handle, sentences: Handle, vectors: Handle) -> dict[str, Any]:
    """That of the night before, unless it is old, gone, of another version or of other vectors."""
    last = read_manifest_rows(night, night.earlier[-1]).get("aspect") if night.earlier else None
    version = aspects_recipe()
    if last and last["embedding"] == vectors.recipe and all(last.get(k) == v for k, v in version.items()):
        age = night.as_of - date.fromisoformat(str(last["learned_on"]))
        kept = {name: value for name, value in last.items() if name != "recipe"}
        # An erasure takes the vocabulary along.
        if age.days < RELEARN_DAYS and night.store.lake.parts("vocabulary", vocabulary_id(kept)):
            return kept
    learned = {
        **version,
        "embedding": vectors.recipe,
        "learned_by": night.run_id,
        "learned_on": night.as_of.isoformat(),
    }
    if not night.store.lake.parts("vocabulary", vocabulary_id(learned)):
        _learn(night, cleaned, sentences, vectors, learned)
    return learned


def _learn(night: Night, cleaned: Handle, sentences: Handle, vectors: Handle, recipe: dict[str, Any]) -> None:
    opinions = opinions_in(night, cleaned.recipe, sentences.recipe).filter(is_proposed())
    drawn = with_vectors(night, opinions, vectors.recipe).sort("opinion_id").head(MAX_STATEMENTS)
    drawn, matrix = opinion_vectors(night, drawn.drop("vector_key"), vectors.recipe)
    documents = documents_of(night, cleaned.recipe)
    authors = documents.select("document_id", author_numbers(documents, night.settings))
    who = drawn.select("document_id").join(authors, on="document_id", maintain_order="left")
    terms = find_terms(drawn["quote"].to_list())
    vectors_of = matrix if drawn.height else np.zeros((0, 1), np.float32)
    learned = learn_vocabulary(terms, vectors_of, who["author"], night.settings.store.min_authors)
    stage = Stage("vocabulary", {"stage": "vocabulary", **{name: recipe[name] for name in _LEARNED}})
    keys = lake_keys(stage.recipe_id, learned["term"])
    night.store.lake.keep(stage, learned.with_columns(pl.Series("key", keys, pl.String)), night.run_id)


def proposed_aspects(night: Night, opinions: pl.DataFrame, recipe: str) -> pl.DataFrame:
    """Statements with `proposed`, the aspect term that their quote holds; null where there is none."""
    keyed = opinions.with_columns(aspect_keys(opinions, recipe).alias("aspect_key"))
    spans = night.store.lake.read("aspect", recipe, keyed.select(key="aspect_key"), schema=ASPECT_ROWS)
    joined = keyed.join(spans, left_on="aspect_key", right_on="key", how="left", maintain_order="left")
    length = pl.col("aspect_end") - pl.col("aspect_start")
    proposed = pl.when(is_proposed()).then(pl.col("quote").str.slice(pl.col("aspect_start"), length))
    return joined.with_columns(proposed=proposed).drop("aspect_key", "aspect_start", "aspect_end")
