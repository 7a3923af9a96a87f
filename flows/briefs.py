"""The step that writes briefs: a few sentences about each theme, each item and the night."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analytics.identity import canonical_json, hash_of, lake_key
from analytics.insight.briefs import (
    BRIEFS_VERSION,
    MAX_NEW_TOKENS,
    N_VOICES,
    NIGHT,
    REPRESENTATIVE,
    THEME,
    Passage,
    Standing,
    brief_recipe,
    choose_passages,
    has_moved,
    write_sentences,
)
from analytics.insight.common_words import in_common_words
from analytics.models.embedding import describe_model
from analytics.models.llm.loading import describe_language_model
from analytics.models.llm.protocol import LanguageModelCard
from analytics.store.lake import Stage
from analytics.tables import TABLES
from flows.brief_subjects import Subject, subjects_of, with_all_cited
from flows.compose import compose_insights
from flows.gather import opinions_in
from flows.language import ask_checked, part_size
from flows.night import Handle, Night, read_manifest_rows
from flows.steps import opinion_vectors

MAX_STATEMENTS = 2_000
"""Of a subject so many statements, drawn by their id, which is a hash, stand for all."""
FIGURES = "figures"
_WORDS = {"brief_id": pl.String, "nth": pl.Int32}


@dataclass
class Sentence:
    """One sentence of a brief."""

    voice: str
    opinion_ids: list[str]
    quotes: list[str]
    origin: str = "quote"
    support: float | None = None
    key: str | None = None
    """Of the model's sentence in the lake."""


def write_briefs(night: Night) -> Handle:
    """Make the briefs whose ground has moved, and keep the others as they are."""
    recipe = _recipe(night)
    subjects = list(subjects_of(night))
    before = _earlier(night)
    kept, made = [], []
    for subject in subjects:
        rows = before.get(subject.brief_id)
        if rows is not None and _holds(subject, rows, hash_of(recipe)):
            kept.append(rows)
        else:
            made.append((subject, rows))
    sentences = _choose(night, made)
    facts = _word(night, [one for some in sentences for one in some])
    written = [
        _rows(subject, some, night, hash_of(recipe), recipe.get("sentences"))
        for (subject, _), some in zip(made, sentences, strict=True)
    ]
    briefs, citations = _both([*kept, *written])
    briefs, citations = _with_night(night, briefs, citations, hash_of(recipe))
    night.store.journal.write("brief", night.made_by, TABLES["brief"].conform(briefs, journaled=True))
    night.store.journal.write("brief_citation", night.made_by, TABLES["brief_citation"].conform(citations))
    facts |= {"n_made": len(written), "n_kept": len(kept)}
    return Handle("brief", hash_of(recipe), canonical_json(recipe), len(subjects), facts)


def _recipe(night: Night) -> dict[str, Any]:
    """What decides a brief, beside what it is about."""
    recipe: dict[str, Any] = {"stage": "brief", "version": BRIEFS_VERSION}
    return recipe | {"sentences": hash_of(_model_recipe(night)[1])} if _has_model(night) else recipe


def _has_model(night: Night) -> bool:
    return night.settings.briefs.prose == "model"


def _model_recipe(night: Night) -> tuple[LanguageModelCard, dict[str, Any]]:
    card = describe_language_model(night.settings.language_model)
    return card, brief_recipe(card, hash_of(describe_model(night.settings.embedding).recipe()))


Rows = tuple[pl.DataFrame, pl.DataFrame]
"""A brief as the journal holds it: its sentences, and their citations."""


def _earlier(night: Night) -> dict[str, Rows]:
    """The briefs of the night before, by id; one that has lost a citation is not among them."""
    journal = night.store.journal
    briefs = journal.read("brief", night.earlier[-1:]).drop("_run_id")
    citations = journal.read("brief_citation", night.earlier[-1:]).drop("_run_id")
    there = compose_insights(night).opinions.select("opinion_id")
    standing = with_all_cited(briefs, citations.join(there, on="opinion_id", how="semi"))
    lacking = briefs.join(standing, on=["brief_id", "nth"], how="anti")
    whole = briefs.join(lacking, on="brief_id", how="anti")
    of_each = citations.partition_by("brief_id", as_dict=True)
    return {
        str(key[0]): (rows, of_each.get(key, citations.head(0)))
        for key, rows in whole.partition_by("brief_id", as_dict=True).items()
    }


def _holds(subject: Subject, rows: Rows, recipe: str) -> bool:
    """Whether an earlier brief still says what is so."""
    first = rows[0].row(0, named=True)
    then = Standing(first["n_opinions"], first["share"], first["negative_share"])
    n_new = subject.n_new_since(first["made_run"])
    return (
        first["recipe"] == recipe and not subject.had_event and not has_moved(then, subject.standing, n_new)
    )


def _choose(night: Night, made: Sequence[tuple[Subject, Rows | None]]) -> list[list[Sentence]]:
    """Who speaks in each brief that is made."""
    if not made:
        return []
    recipes = {stage: str(row["recipe"]) for stage, row in read_manifest_rows(night, night.made_by).items()}
    wanted = pl.concat([subject.opinion_ids.head(MAX_STATEMENTS) for subject, _ in made]).unique()
    opinions = opinions_in(night, recipes["clean"], recipes["sentence"])
    opinions = opinions.filter(pl.col("opinion_id").is_in(wanted.implode()))
    opinions, matrix = opinion_vectors(night, opinions, recipes["embedding"])
    insights = compose_insights(night)
    authors = insights.documents.select("document_id", "author")
    said = insights.opinions.select("document_id", "quote").join(authors, on="document_id")
    about = (
        opinions.select("opinion_id", "document_id", "quote")
        .join(
            insights.opinions.select("opinion_id", "sentiment_label"), on="opinion_id", maintain_order="left"
        )
        .with_columns(in_common_words(said, opinions["quote"]).alias("may_speak"))
    )
    place = {one: row for row, one in enumerate(about["opinion_id"])}
    lists = about.to_dict(as_series=False)
    by_document = dict(authors.iter_rows())
    return [list(_passages(subject, rows, lists, matrix, place, by_document)) for subject, rows in made]


def _passages(
    subject: Subject,
    rows: Rows | None,
    about: dict[str, list[Any]],
    matrix: np.ndarray,
    place: dict[str, int],
    authors: dict[str, int | None],
) -> Iterator[Sentence]:
    ids = [one for one in subject.opinion_ids.head(MAX_STATEMENTS).to_list() if one in place]
    known: set[str] = set()
    chosen = []
    for one in ids:  # the same words count once
        quote = str(about["quote"][place[one]])
        if quote.casefold() not in known:
            known.add(quote.casefold())
            chosen.append(one)
    at = [place[one] for one in chosen]
    spoke = set(rows[1].filter(pl.col("rank") == 1)["opinion_id"]) if rows is not None else set()
    documents, quotes, labels = about["document_id"], about["quote"], about["sentiment_label"]
    passages: list[Passage] = choose_passages(
        matrix[at],
        [quotes[row] for row in at],
        [authors.get(documents[row], None) or documents[row] for row in at],
        [labels[row] for row in at],
        [nth for nth, one in enumerate(chosen) if one in spoke],
        [about["may_speak"][row] for row in at],
    )
    for passage in passages:
        cited = [chosen[row] for row in passage.rows]
        yield Sentence(passage.voice, cited, [quotes[place[one]] for one in cited])


def _word(night: Night, sentences: Sequence[Sentence]) -> dict[str, int]:
    """Let the model word the sentences, where it shall; what does not stand keeps the quote."""
    if not _has_model(night) or not sentences:
        return {}
    card, recipe = _model_recipe(night)
    size = part_size(night, "brief_sentence", card.max_input_tokens + MAX_NEW_TOKENS)
    stage = Stage("brief_sentence", recipe, part_size=size, calls_model=True)
    for sentence in sentences:
        sentence.key = lake_key(stage.recipe_id, sentence.quotes)
    handle = ask_checked(night, stage, [one.quotes for one in sentences], write_sentences, "sentences")
    keys = pl.DataFrame({"key": [one.key for one in sentences]}).unique()
    answers = night.store.lake.read(stage.name, stage.recipe_id, keys)
    stands = {row["key"]: row for row in answers.iter_rows(named=True)}
    n_rejected = 0
    for sentence in sentences:
        answer = stands.get(str(sentence.key))
        if answer is not None and answer["is_supported"]:
            sentence.origin, sentence.support = "model", answer["support"]
            continue
        n_rejected += answer is not None
        sentence.key = None
    return {**handle.facts, "n_rejected": n_rejected, "n_sentences": len(sentences)}


def _rows(
    subject: Subject, sentences: Sequence[Sentence], night: Night, recipe: str, worded: str | None = None
) -> Rows:
    """A brief for the journal: the figures first, which are worded when a generation is built."""
    about = {
        "brief_id": subject.brief_id,
        "subject_kind": subject.kind,
        "subject_id": subject.subject_id,
        "made_run": night.run_id,
        "made_on": night.as_of,
        "recipe": recipe,
        "n_opinions": subject.standing.n_opinions,
        "share": subject.standing.share,
        "negative_share": subject.standing.negative_share,
    }
    figures = Sentence(FIGURES, [], [], FIGURES)
    briefs = [
        {
            **about,
            "nth": nth,
            "voice": one.voice,
            "origin": one.origin,
            "support": one.support,
            "n_citations": len(one.opinion_ids),
            "sentence_key": one.key,
            "sentence_recipe": worded if one.key else None,
        }
        for nth, one in enumerate([figures, *sentences])
    ]
    cited = [
        {"brief_id": subject.brief_id, "nth": nth, "rank": rank, "opinion_id": opinion}
        for nth, one in enumerate([figures, *sentences])
        for rank, opinion in enumerate(one.opinion_ids, start=1)
    ]
    documents = compose_insights(night).opinions.select("opinion_id", "document_id")
    schema = {**_WORDS, "rank": pl.Int32, "opinion_id": pl.String}
    citations = pl.DataFrame(cited, schema=schema).join(documents, on="opinion_id")
    return pl.DataFrame(briefs, schema=TABLES["brief"].journal_columns), citations


def _both(rows: Sequence[Rows]) -> Rows:
    empty = TABLES["brief"].empty().select(*TABLES["brief"].journal_columns)
    citations = TABLES["brief_citation"].empty()
    return (
        pl.concat([empty, *(one for one, _ in rows)]),
        pl.concat([citations, *(one.select(citations.columns) for _, one in rows)]),
    )


def _with_night(night: Night, briefs: pl.DataFrame, citations: pl.DataFrame, recipe: str) -> Rows:
    """The briefs and that of the night: of each of the first decisions, what most say of its theme."""
    decisions = night.store.journal.read("decision", [night.made_by]).sort("rank")
    themes = decisions["theme_id"].unique(maintain_order=True)
    subject = Subject(NIGHT, "", Standing(0, 0.0, 0.0), pl.Series([], dtype=pl.String))
    spoken = briefs.filter(pl.col("voice") == REPRESENTATIVE, pl.col("subject_kind") == THEME)
    first = (
        pl.DataFrame({"subject_id": themes})
        .join(spoken.sort("nth"), on="subject_id", maintain_order="left_right")
        .unique("subject_id", keep="first", maintain_order=True)
        .head(N_VOICES)
    )
    nth = pl.Series("nth_there", range(1, first.height + 1), pl.Int32)
    moved = first.with_columns(nth)
    cited = moved.select("brief_id", "nth", "nth_there").join(
        citations, on=["brief_id", "nth"], maintain_order="left_right"
    )
    of_night, none = _rows(subject, [], night, recipe)
    same = dict(
        of_night.select("brief_id", "subject_kind", "subject_id", "made_run", "made_on").row(0, named=True)
    )
    as_night = [pl.lit(value).alias(name) for name, value in same.items()]
    told = moved.with_columns(*as_night, nth="nth_there").select(briefs.columns)
    quoted = cited.with_columns(brief_id=pl.lit(subject.brief_id), nth="nth_there").select(citations.columns)
    return pl.concat([briefs, of_night, told]), pl.concat([citations, none.select(citations.columns), quoted])
