"""The step of themes: what people asked, what is new, what is born, what is proposed."""

from __future__ import annotations

from collections import Counter

import polars as pl

from analytics.identity import canonical_json, hash_of, stage_seed
from analytics.insight.themes import discover_themes, theme_recipe
from flows.gather import author_numbers, documents_of, is_mostly_unread, not_granting, opinions_in
from flows.night import Handle, Night, read_manifest_rows
from flows.steps import opinion_vectors
from flows.theme_book import Book
from flows.theme_changes import (
    Statements,
    enter_found,
    fill_own_themes,
    honour_links,
    place_new,
    reanchor_themes,
    split_themes,
)
from flows.theme_growth import bear_themes, keep_proposals, propose_changes
from flows.theme_names import name_born

MEMBERS_SEEN = 200
"""Of a theme at most this many members, drawn by their id, which is a hash, stand for it in a night."""
MOVABLE_SEEN = 20_000
"""Of what a birth may move at most so many statements are looked at in a night."""


def place_themes(night: Night, cleaned: Handle, sentences: Handle, vectors: Handle) -> Handle:
    """Find themes the first time; afterwards keep the registry and place what is new."""
    book = Book(night)
    statements = read_statements(night, book, cleaned, sentences, vectors)
    recipe = theme_recipe(night.settings.themes)
    reanchor_themes(book, statements)
    fill_own_themes(book, statements)
    split_themes(book, statements)
    is_first = not _has_found(book)
    if is_first:
        _discover(book, statements, documents_of(night, cleaned.recipe))
    place_new(book, statements)
    honour_links(book, statements)
    named: Counter[str] = Counter()
    if _is_quiet(book, hash_of(recipe)):
        keep_proposals(book)
    elif _has_found(book):  # before discovery every statement waits for it
        wider = bear_themes(book, statements, is_first=is_first)
        named.update(name_born(book, statements, book.events))
        n_seen = len(book.events)
        propose_changes(book, statements, wider)
        named.update(name_born(book, statements, book.events[n_seen:]))
        honour_links(book, statements)
    placed = book.close()
    facts = {
        "n_born": sum(event["kind"] == "born" for event in book.events),
        "n_placed": placed.height,
        "n_unplaced": statements.unplaced(book).height,
        **named,
    }
    return Handle("theme", hash_of(recipe), canonical_json(recipe), statements.opinions.height, facts)


def _has_found(book: Book) -> bool:
    """Whether there are themes that discovery found."""
    return book.registry.active.filter(~pl.col("is_own")).height > 0


def _is_quiet(book: Book, theme_recipe_id: str) -> bool:
    """Whether nothing came, went or was said since the night before: then nothing new can be found."""
    night = book.night
    if not night.earlier or book.events:
        return False
    arrived = night.store.journal.read("arrival", [night.made_by])
    said = book.before.filter(pl.col("run_id").is_null(), pl.col("sequence") > book.last_sequence)
    embedded = night.store.lake.ledger(night.run_id).filter(pl.col("stage") == "embedding")["n_calls"].sum()
    searched = read_manifest_rows(night, night.earlier[-1]).get("theme", {}).get("recipe")
    came = arrived.filter(pl.col("kind") == "documents").height
    return not came and not said.height and not embedded and searched == theme_recipe_id


def read_statements(
    night: Night, book: Book, cleaned: Handle, sentences: Handle, vectors: Handle
) -> Statements:
    """The statements that the night looks at: all that are under no theme, and some of every theme.

    Where a theme's border moved, all are needed.
    """
    opinions = opinions_in(night, cleaned.recipe, sentences.recipe)
    if not _all_needed(book, vectors.recipe):
        seen = (
            book.placed.join(opinions, on="opinion_id", how="semi")
            .sort("opinion_id")
            .with_columns(nth=pl.int_range(pl.len()).over("theme_id"))
            .filter(pl.col("nth") < MEMBERS_SEEN)
        )
        movable = book.movable.sort(descending=True).head(MOVABLE_SEEN)
        settled = book.placed.join(seen, on="opinion_id", how="anti")
        settled = settled.filter(~pl.col("opinion_id").is_in(movable.implode()))
        linked = pl.concat([book.registry.links["left"], book.registry.links["right"]]).implode()
        settled = settled.filter(~pl.col("opinion_id").is_in(linked))
        opinions = opinions.join(settled, on="opinion_id", how="anti", maintain_order="left")
    opinions, matrix = opinion_vectors(night, opinions, vectors.recipe)
    known = with_authors(night, opinions, documents_of(night, cleaned.recipe))
    columns = ("opinion_id", "document_id", "author", "quote", "may_quote", "day")
    return Statements(known.select(columns), matrix, vectors.recipe)


def with_authors(night: Night, opinions: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """Statements with the number of their author, and whether they may be quoted."""
    may_not = not_granting(night.settings, documents["source"], "quote")
    authors = documents.select(
        "document_id",
        author_numbers(documents, night.settings),
        may_quote=~pl.col("source").is_in(may_not),
    )
    return opinions.join(authors, on="document_id", maintain_order="left")


def _all_needed(book: Book, embedding_recipe: str) -> bool:
    """Whether the night may move any statement, so that a sample of each theme will not do."""
    registry = book.registry
    return (
        book.night.settings.themes.auto_apply
        or registry.of_other_vectors(embedding_recipe).height > 0
        or registry.to_divide.height > 0
        or any(sequence > book.last_sequence for sequence in registry.changed_at.values())
    )


def _discover(book: Book, statements: Statements, documents: pl.DataFrame) -> None:
    """Find the themes of a store that has none, in what no theme of a person's own claims."""
    settings = book.night.settings
    free = statements.unplaced(book)
    if free.height < settings.themes.min_discovery_opinions or is_mostly_unread(documents):
        return
    found = discover_themes(
        free,
        statements.vectors_of(free),
        settings.themes,
        min_authors=settings.store.min_authors,
        run_id=book.night.run_id,
        seed=stage_seed(settings.store.seed, "themes"),
        taken=book.registry.themes["name"].to_list(),
    )
    enter_found(book, found, statements, cause="discovery")
