"""What a night does to the themes that are there: what people asked, another model, new statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analytics.identity import hash_of
from analytics.insight.own_matching import match_own_themes
from analytics.insight.own_themes import (
    Background,
    define_own_theme,
    link_background,
    redraw_own_theme,
)
from analytics.insight.placement import make_anchors, place_opinions
from analytics.insight.proposals import split_in_two
from analytics.insight.themes import Found, describe_groups, theme_recipe
from analytics.rows import ANCHOR_ROWS, PLACED_ROWS
from analytics.store.registry import (
    ACTIVE,
    SPLIT,
    THEME,
    Registry,
    born_event,
    pack_anchors,
    theme_event,
)
from flows.gather import vector_keys, with_survivors
from flows.night import Night
from flows.steps import read_vectors
from flows.theme_book import PLACED_CAUSE, Book

EMBEDDING_CHANGED = "embedding changed"


@dataclass(frozen=True)
class Statements:
    """Statements that have a vector."""

    opinions: pl.DataFrame
    """opinion_id (sorted), document_id, author, quote, may_quote, day."""
    vectors: np.ndarray
    """float32 (n, n_dims), unit rows, aligned."""
    recipe: str
    """Recipe of the vectors."""

    def vectors_of(self, opinions: pl.DataFrame) -> np.ndarray:
        """Vectors of some of the statements, in their order."""
        return self.vectors[self.opinions["opinion_id"].search_sorted(opinions["opinion_id"]).to_numpy()]

    def unplaced(self, book: Book) -> pl.DataFrame:
        """The statements that are under no theme."""
        return self.opinions.join(book.placed, on="opinion_id", how="anti", maintain_order="left")

    def under(self, book: Book, theme_id: str) -> pl.DataFrame:
        """The statements under a theme."""
        members = book.placed.filter(pl.col("theme_id") == theme_id)
        return self.opinions.join(members, on="opinion_id", how="semi", maintain_order="left")


def similarities(statements: Statements, pairs: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """`pairs` (opinion_id, theme_id) with each statement's greatest cosine to the theme's anchors."""
    found = [
        place_opinions(
            mine["opinion_id"].to_list(),
            statements.vectors_of(mine),
            registry.anchors.filter(pl.col("theme_id") == theme_id).with_columns(radius=pl.lit(-1.0)),
        )
        for (theme_id,), mine in pairs.sort("theme_id", "opinion_id").group_by(
            "theme_id", maintain_order=True
        )
    ]
    return pl.concat([pl.DataFrame(schema=PLACED_ROWS), *found])


def enter_found(
    book: Book, found: Found, statements: Statements, *, cause: str, about: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Let themes into the registry, with their founders under them.

    Args:
        book: The night's.
        found: The themes.
        statements: Hold the founders.
        cause: Why they are born.
        about: What every one of them has besides, such as split_from.

    Returns:
        Each theme's event.
    """
    recipe = hash_of(theme_recipe(book.night.settings.themes))
    events = []
    for theme in found.themes.iter_rows(named=True):
        anchors = found.anchors.filter(pl.col("theme_id") == theme["theme_id"])
        events.append(
            born_event(
                {**theme, **(about or {})},
                anchors.select("centroid", "radius").iter_rows(),
                cause=cause,
                embedding_recipe=statements.recipe,
                theme_recipe=recipe,
            )
        )
    ids = book.enter(events)
    moved = book.placed.join(found.members.rename({"theme_id": "to"}), on="opinion_id")
    for (theme_id,), was in moved.sort("to", "opinion_id").group_by("to", maintain_order=True):
        book.take_out(was, cause, ids[str(theme_id)])
    book.put(similarities(statements, found.members, book.registry), cause, ids)
    return ids


def reanchor_themes(book: Book, statements: Statements) -> None:
    """Make the anchors of every theme anew where the vectors are another model's, by the texts under it.

    What is placed stays. The event says which share of a theme's statements the new anchors would put
    under it again.
    """
    stale = book.registry.of_other_vectors(statements.recipe)
    # Own themes are drawn among the whole store, which is linked once for all of them.
    background = link_background(statements.vectors) if stale["is_own"].any() else None
    made = []
    for theme in stale.iter_rows(named=True):
        anew = _anchors_anew(book, statements, theme, background)
        made += [(theme["theme_id"], centroid, radius) for centroid, radius in anew]
    if not made:
        return
    anchors = pl.DataFrame(made, schema=ANCHOR_ROWS, orient="row")
    held = book.placed.join(anchors, on="theme_id", how="semi").join(
        statements.opinions, on="opinion_id", how="semi"
    )
    told = statements.opinions.join(held, on="opinion_id", how="semi", maintain_order="left")
    again = place_opinions(told["opinion_id"].to_list(), statements.vectors_of(told), anchors)
    agreed = dict(
        held.join(again.with_columns(is_same=True), on=["opinion_id", "theme_id"], how="left")
        .group_by("theme_id")
        .agg(pl.col("is_same").fill_null(False).mean().round(6))
        .iter_rows()
    )
    book.enter(
        [
            theme_event(
                "anchored",
                theme_id,
                cause=EMBEDDING_CHANGED,
                anchors=pack_anchors(mine.select("centroid", "radius").iter_rows()),
                embedding_recipe=statements.recipe,
                agreed=agreed.get(theme_id),
            )
            for (theme_id,), mine in anchors.group_by("theme_id", maintain_order=True)
        ]
    )


def _anchors_anew(
    book: Book, statements: Statements, theme: dict[str, Any], background: Background | None
) -> list[tuple[np.ndarray, float]]:
    mine = statements.under(book, theme["theme_id"])
    if not theme["is_own"] or background is None:
        distinct = mine.unique("quote", keep="first", maintain_order=True)
        return make_anchors(statements.vectors_of(distinct)) if distinct.height else []
    if mine.height:
        return redraw_own_theme(statements.vectors_of(mine), background=background)
    words = words_of(book.night, theme["words"], statements.recipe)
    return define_own_theme(words, background=background) if len(words) else []


def fill_own_themes(book: Book, statements: Statements) -> None:
    """Fill the themes that people put in or changed since the night before with the whole history."""
    removed = removed_from(book.registry, statements)
    for theme_id, sequence in sorted(book.registry.changed_at.items()):
        theme = book.registry.theme(theme_id)
        if sequence <= book.last_sequence or not theme or not theme["is_own"] or theme["level"] != THEME:
            continue
        event = hash_of([sequence])
        anchors = book.registry.anchors.filter(pl.col("theme_id") == theme_id)
        matched = match_own_themes(
            statements.opinions["opinion_id"].to_list(),
            statements.vectors,
            anchors,
            removed=removed,
        )
        matched = matched.join(told_of(book.registry, apart=True), on=["opinion_id", "theme_id"], how="anti")
        held = book.placed.filter(pl.col("theme_id") == theme_id)
        kept = pl.concat([matched.select("opinion_id", "theme_id"), told_of(book.registry, apart=False)])
        book.take_out(held.join(kept, on=["opinion_id", "theme_id"], how="anti"), "own theme", event)
        elsewhere = book.placed.join(matched, on="opinion_id", how="semi").join(
            book.registry.active.filter("is_own"), on="theme_id", how="anti"
        )
        book.take_out(elsewhere, "own theme", event)
        book.put(matched.join(held, on="opinion_id", how="anti"), "own theme", {theme_id: event})


def split_themes(book: Book, statements: Statements) -> None:
    """Divide the themes that people asked to split, each by its own statements."""
    if book.registry.to_divide.is_empty():
        return
    log = book.night.store.placement.read(book.night.earlier)
    ever = with_survivors(log, book.registry, (ACTIVE, SPLIT))
    for theme in book.registry.to_divide.iter_rows(named=True):
        members = ever.filter(pl.col("theme_id") == theme["theme_id"])
        mine = statements.opinions.join(members, on="opinion_id", how="semi", maintain_order="left")
        halves = find_halves(book, statements, theme, mine)
        if halves is None:
            cause = "not split: a part would have too few statements or authors"
            book.enter([theme_event("revived", theme["theme_id"], cause=cause)])
        else:
            enter_halves(book, statements, theme, halves)


def find_halves(
    book: Book, statements: Statements, theme: dict[str, Any], members: pl.DataFrame
) -> Found | None:
    """The two themes that a theme's members make; None where either would be too small to be one."""
    settings = book.night.settings
    vectors = statements.vectors_of(members)
    grouped = members.with_row_index("row").with_columns(pl.Series("group", split_in_two(vectors)))
    sizes = grouped.group_by("group").agg(n=pl.len(), n_authors=pl.col("author").n_unique())
    large = sizes.filter(
        pl.col("n") >= settings.themes.min_opinions, pl.col("n_authors") >= settings.store.min_authors
    )
    if large.height < 2:
        return None
    others = book.registry.active.filter(pl.col("theme_id") != theme["theme_id"])["name"].to_list()
    return describe_groups(
        grouped,
        vectors,
        min_authors=settings.store.min_authors,
        run_id=book.night.run_id,
        taken=others,
    )


def enter_halves(book: Book, statements: Statements, theme: dict[str, Any], halves: Found) -> None:
    """Let the two themes that one was split into into the registry, in its group."""
    about = {"split_from": theme["theme_id"], "parent_id": theme["parent_id"]}
    enter_found(book, halves, statements, cause="split", about=about)


def place_new(book: Book, statements: Statements) -> None:
    """Put statements that are under no theme under the themes that people put in, else under the nearest."""
    apart = told_of(book.registry, apart=True)
    is_own = book.registry.themes.filter("is_own").select("theme_id")
    own = book.registry.anchors.join(is_own, on="theme_id", how="semi")
    found = book.registry.anchors.join(is_own, on="theme_id", how="anti")
    free = statements.unplaced(book)
    matched = match_own_themes(
        free["opinion_id"].to_list(),
        statements.vectors_of(free),
        own,
        removed=removed_from(book.registry, statements),
    )
    book.put(matched.join(apart, on=["opinion_id", "theme_id"], how="anti"), "own theme")
    free = statements.unplaced(book)
    placed = place_opinions(free["opinion_id"].to_list(), statements.vectors_of(free), found, apart=apart)
    book.put(placed, PLACED_CAUSE)


def honour_links(book: Book, statements: Statements) -> None:
    """Put together and keep apart what people said belongs together or apart."""
    themes = set(book.registry.anchors["theme_id"])
    known = set(statements.opinions["opinion_id"])
    survivors = dict(book.registry.survivors.iter_rows())
    for left, right, is_apart, event_id in book.registry.links.iter_rows():
        ends = [survivors.get(end, end) for end in (left, right)]
        opinions = [end for end in ends if end in known]
        if len(opinions) == 2:
            wanted = _shared_theme(book, opinions, is_apart)
        else:
            wanted = [(opinion, theme) for opinion in opinions for theme in ends if theme in themes]
        pairs = pl.DataFrame(wanted, schema={"opinion_id": pl.String, "theme_id": pl.String}, orient="row")
        held = book.placed.join(pairs, on=["opinion_id", "theme_id"], how="semi")
        if is_apart:
            book.take_out(held, "linked", event_id)
        else:
            owed = pairs.join(held, on=["opinion_id", "theme_id"], how="anti")
            rows = similarities(statements, owed, book.registry)
            book.put(rows, "linked", dict.fromkeys(rows["theme_id"], event_id))


def _shared_theme(book: Book, opinions: Sequence[str], is_apart: bool) -> list[tuple[str, str]]:
    """Which statement has to go under, or leave, which theme, for two to be together or apart."""
    first, second = (
        book.placed.filter(pl.col("opinion_id") == opinion).sort("similarity", "theme_id", descending=True)
        for opinion in opinions
    )
    if is_apart:
        both = first.join(second, on="theme_id")
        nearer = both.with_columns(is_first=pl.col("similarity") < pl.col("similarity_right"))
        return [
            (row["opinion_id"] if row["is_first"] else row["opinion_id_right"], row["theme_id"])
            for row in nearer.iter_rows(named=True)
        ]
    if first.is_empty() == second.is_empty():
        return []
    full, owed = (first, opinions[1]) if first.height else (second, opinions[0])
    return [(owed, full["theme_id"][0])]


def told_of(registry: Registry, *, apart: bool) -> pl.DataFrame:
    """What people said of a statement and a theme: opinion_id, theme_id."""
    links = registry.links.filter(pl.col("is_apart") == apart)
    survivors = registry.survivors
    both = pl.concat(
        [
            links.select(opinion_id="left", theme_id="right"),
            links.select(opinion_id="right", theme_id="left"),
        ]
    )
    return both.join(survivors, on="theme_id").select("opinion_id", theme_id="survivor_id")


def removed_from(registry: Registry, statements: Statements) -> pl.DataFrame:
    """What people took out of themes: theme_id, vector; near copies of it stay out of theirs too."""
    told = told_of(registry, apart=True)
    known = statements.opinions.select("opinion_id").join(told, on="opinion_id")
    known = known.sort("opinion_id", "theme_id")
    vectors = statements.vectors_of(known)
    return known.select("theme_id", pl.Series("vector", vectors.tolist(), pl.List(pl.Float32)))


def words_of(night: Night, words: Sequence[str], recipe: str) -> np.ndarray:
    """Vectors of a person's words for a theme: float32 unit rows (n_words, n_dims), those that are there."""
    texts = pl.Series("text", list(words), pl.String)
    return read_vectors(night, recipe, vector_keys(texts, recipe))[1]
