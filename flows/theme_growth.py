"""What a night finds in what waits and in the themes themselves: births and proposals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from analytics.identity import proposal_id, stage_seed
from analytics.insight.births import find_births
from analytics.insight.placement import make_anchors, narrowed, place_opinions
from analytics.insight.proposals import find_duplicates, find_two_humped
from analytics.insight.themes import describe_groups
from analytics.rows import JOURNAL_ROWS
from analytics.store.registry import ACTIVE, pack_anchors, read_anchor, theme_event, write_anchor
from flows.theme_book import Book
from flows.theme_changes import Statements, enter_found, enter_halves, find_halves

CONTRAST = 5_000
"""Statements of other themes against which the keywords of a new one are chosen, at most."""
BORN = "waiting statements"
DOUBTED = timedelta(days=7)
"""So long a statement at the border of a theme may be the first of one of its own."""
LATELY = timedelta(days=56)
"""On the night that first finds themes a birth may take what was said in these days out of them: what came up
of late may lie within a larger theme."""
YOUNG_NIGHTS = 10
"""A theme still takes shape for so long."""
_PROPOSALS = JOURNAL_ROWS["theme_proposal"]


def bear_themes(book: Book, statements: Statements, *, is_first: bool) -> pl.DataFrame:
    """Make themes of what waits, where enough distinct authors say the same thing.

    Args:
        book: The night's.
        statements: What waits, and members of every theme.
        is_first: Whether tonight is the night that first found themes.

    Returns:
        Columns opinion_id, group, theme_id: what waits and is a known theme in new words.
    """
    settings = book.night.settings
    marked = _with_themes(book, statements)
    if is_first:
        is_late = (pl.col("day") > book.night.as_of - LATELY).fill_null(False)
        marked = marked.with_columns(may_move=pl.col("may_move") | is_late)
    else:
        marked = _with_doubt(book, marked)
    found = find_births(
        marked,
        statements.vectors_of(marked),
        min_opinions=settings.themes.min_opinions,
        min_authors=settings.store.min_authors,
        young=_young(book),
        seed=stage_seed(settings.store.seed, "births"),
        is_first=is_first,
    )
    numbered = marked.select("opinion_id").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    if found.born.height:
        founders = found.born.join(numbered, on="row").drop("row")
        _enter_born(book, statements, founders)
    return found.wider.join(numbered, on="row").drop("row")


def _young(book: Book) -> frozenset[str]:
    """Themes that were born of what waited in the last nights."""
    recent = book.night.store.placement.read(book.night.earlier[-YOUNG_NIGHTS:])
    return frozenset(recent.filter(pl.col("cause") == BORN)["theme_id"])


def _with_themes(book: Book, statements: Statements) -> pl.DataFrame:
    """The statements with their theme and whether a birth may move them, newest first."""
    nearest = book.placed.sort("similarity", "theme_id", descending=[True, False]).unique(
        "opinion_id", keep="first", maintain_order=True
    )
    own = book.registry.themes.filter("is_own").select("theme_id")
    known = statements.opinions.join(
        book.placed.join(own, on="theme_id", how="semi"), on="opinion_id", how="anti", maintain_order="left"
    )
    return (
        known.join(nearest, on="opinion_id", how="left", maintain_order="left")
        .with_columns(may_move=pl.col("opinion_id").is_in(book.movable.implode()))
        .sort("day", "opinion_id", descending=[True, False], nulls_last=True)
    )


def _with_doubt(book: Book, marked: pl.DataFrame) -> pl.DataFrame:
    """What is new and lies at a theme's border, as if it waited: it stays there unless a birth takes it."""
    limits = narrowed(book.registry.anchors).group_by("theme_id").agg(limit=pl.col("radius").min())
    is_new = pl.col("day") > book.night.as_of - DOUBTED
    is_sure = ~(pl.col("may_move") & is_new & (pl.col("similarity") < pl.col("limit"))).fill_null(False)
    with_limits = marked.join(limits, on="theme_id", how="left", maintain_order="left")
    sure = [pl.when(is_sure).then(name).alias(name) for name in ("theme_id", "similarity")]
    return with_limits.with_columns(sure).drop("limit")


def _enter_born(book: Book, statements: Statements, founders: pl.DataFrame) -> None:
    settings = book.night.settings
    with_rows = statements.opinions.with_row_index("row")
    grouped = with_rows.join(founders, on="opinion_id", maintain_order="left")
    others = statements.opinions.join(founders, on="opinion_id", how="anti").head(CONTRAST)
    described = describe_groups(
        grouped,
        statements.vectors,
        min_authors=settings.store.min_authors,
        run_id=book.night.run_id,
        contrast=others["quote"],
        taken=book.registry.themes["name"].to_list(),
        usual_radius=_usual_radius(book),
        known=set(book.registry.themes["theme_id"]),
    )
    parents = pl.col("theme_id").replace_strict(
        _parents(book, described.anchors), default=None, return_dtype=pl.String
    )
    born = replace(described, themes=described.themes.with_columns(parent_id=parents))
    ids = enter_found(book, born, statements, cause=BORN)
    _recruit(book, statements, born.anchors, ids)


def _usual_radius(book: Book) -> float | None:
    """The mean radius of the registry's anchors."""
    radius = book.registry.anchors["radius"].mean()
    return float(radius) if isinstance(radius, float) else None


def _parents(book: Book, anchors: pl.DataFrame) -> dict[str, str | None]:
    """The group of the known theme that is nearest to each new one."""
    known = book.registry.active.drop_nulls("centroid").select("theme_id", "centroid", radius=pl.lit(-1.0))
    first = anchors.unique("theme_id", keep="first", maintain_order=True)
    if known.is_empty():
        return {}
    matrix = np.array(first["centroid"].to_list(), dtype=np.float32)
    nearest = place_opinions(first["theme_id"].to_list(), matrix, known)
    nearest = nearest.unique("opinion_id", keep="first", maintain_order=True)
    parent = dict(book.registry.themes.select("theme_id", "parent_id").iter_rows())
    return {new: parent[old] for new, old in nearest.select("opinion_id", "theme_id").iter_rows()}


def _recruit(book: Book, statements: Statements, anchors: pl.DataFrame, ids: Mapping[str, str]) -> None:
    """Put under new themes what waits and belongs there, and what was placed of late and is nearer."""
    marked = _with_themes(book, statements)
    is_open = pl.col("theme_id").is_null() | pl.col("may_move")
    candidates = marked.filter(is_open, ~pl.col("theme_id").is_in(list(ids)).fill_null(False))
    placed = place_opinions(candidates["opinion_id"].to_list(), statements.vectors_of(candidates), anchors)
    was = candidates.select("opinion_id", was_id="theme_id", was="similarity")
    moves = placed.join(was, on="opinion_id").filter(
        pl.col("was").is_null() | (pl.col("similarity") > pl.col("was"))
    )
    for (theme,), mine in moves.drop_nulls("was_id").group_by("theme_id", maintain_order=True):
        out = mine.select("opinion_id", theme_id="was_id", similarity="was")
        book.take_out(out, BORN, ids[str(theme)])
    book.put(moves.select("opinion_id", "theme_id", "similarity"), BORN, ids)


def propose_changes(book: Book, statements: Statements, wider: pl.DataFrame) -> None:
    """Propose merges, splits and wider borders; with `auto_apply` they are done at once.

    Args:
        book: The night's.
        statements: Some members of every theme.
        wider: As `bear_themes` returns it.
    """
    rows = [
        row
        for row in (
            *_widenings(book, statements, wider),
            *_merges(book, statements),
            *_splits(book, statements),
        )
        if row["proposal_id"] not in book.registry.dismissed
    ]
    if book.night.settings.themes.auto_apply:
        for row in rows:
            apply_proposal(book, statements, row)
        rows = []
    frame = pl.DataFrame(rows, schema=_PROPOSALS, orient="row").unique("proposal_id", keep="first")
    book.night.store.journal.write("theme_proposal", book.night.made_by, frame.sort("proposal_id"))


def keep_proposals(book: Book) -> None:
    """Make the proposals of the night before again."""
    night = book.night
    before = night.store.journal.read("theme_proposal", night.earlier[-1:]).drop("_run_id")
    night.store.journal.write("theme_proposal", night.made_by, before)


def apply_proposal(book: Book, statements: Statements, row: dict[str, Any]) -> None:
    """Do what a proposal says, as an event of the night."""
    theme = book.registry.theme(row["theme_id"])
    if theme is None or theme["status"] != ACTIVE:
        return
    if row["kind"] == "merge":
        survivor = book.registry.theme(row["other_id"])
        if survivor is not None and survivor["status"] == ACTIVE:
            book.enter([theme_event("merged", theme["theme_id"], cause="duplicate", into=row["other_id"])])
    elif row["kind"] == "split":
        halves = find_halves(book, statements, theme, statements.under(book, theme["theme_id"]))
        if halves is not None:
            book.enter([theme_event("split", theme["theme_id"], cause="two humps")])
            enter_halves(book, statements, theme, halves)
    else:
        event = theme_event(
            "anchored",
            theme["theme_id"],
            cause="widened",
            anchors=pack_anchors([read_anchor(row["anchor"])]),
            embedding_recipe=statements.recipe,
            is_added=True,
        )
        book.enter([event])


def _open_to_change(book: Book, statements: Statements) -> pl.DataFrame:
    """Members of the themes for which something may be proposed: row (of the statements), theme_id."""
    themes = book.registry.active.filter(~pl.col("is_own"), ~pl.col("is_pinned")).select("theme_id")
    rows = statements.opinions.select("opinion_id").with_row_index("row")
    placed = book.placed.join(themes, on="theme_id", how="semi")
    return rows.join(placed, on="opinion_id", maintain_order="left").select("row", "theme_id")


def _names(book: Book) -> dict[str, str]:
    return dict(book.registry.themes.select("theme_id", "name").iter_rows())


def _merges(book: Book, statements: Statements) -> list[dict[str, Any]]:
    links = book.registry.links.filter("is_apart").select("left", "right")
    apart = frozenset((left, right) for left, right in links.iter_rows())
    pairs = find_duplicates(_open_to_change(book, statements), statements.vectors, apart=apart)
    names, sizes = _names(book), dict(book.placed.group_by("theme_id").len().iter_rows())
    return [
        {
            "proposal_id": proposal_id("merge", [one, other]),
            "kind": "merge",
            "theme_id": one,
            "other_id": other,
            "evidence": evidence,
            "n_opinions": sizes.get(one, 0),
            "anchor": None,
            "sentence": f"“{names[one]}” and “{names[other]}” look like one theme: {evidence:.0%} of "
            "the nearest neighbours of their statements are under the other",
        }
        for one, other, evidence in pairs.iter_rows()
    ]


def _splits(book: Book, statements: Statements) -> list[dict[str, Any]]:
    members = _open_to_change(book, statements)
    found = find_two_humped(members, statements.vectors, min_opinions=book.night.settings.themes.min_opinions)
    names, sizes = _names(book), dict(book.placed.group_by("theme_id").len().iter_rows())
    return [
        {
            "proposal_id": proposal_id("split", [theme]),
            "kind": "split",
            "theme_id": theme,
            "other_id": None,
            "evidence": evidence,
            "n_opinions": sizes.get(theme, 0),
            "anchor": None,
            "sentence": f"“{names[theme]}” looks like two themes: cut in two, {evidence:.1%} of the nearest "
            "neighbours of its statements are on the other side",
        }
        for theme, evidence in found.iter_rows()
    ]


def _widenings(book: Book, statements: Statements, wider: pl.DataFrame) -> list[dict[str, Any]]:
    open_themes = set(book.registry.active.filter(~pl.col("is_own"), ~pl.col("is_pinned"))["theme_id"])
    names = _names(book)
    rows = []
    for (theme, _), mine in wider.sort("opinion_id").group_by("theme_id", "group", maintain_order=True):
        waiting = mine.join(statements.unplaced(book), on="opinion_id", how="semi")
        if theme not in open_themes or waiting.height < book.night.settings.themes.min_opinions:
            continue
        centroid, within = make_anchors(statements.vectors_of(waiting), usual_radius=_usual_radius(book))[0]
        rows.append(
            {
                "proposal_id": proposal_id("widen", [str(theme)]),
                "kind": "widen",
                "theme_id": theme,
                "other_id": None,
                "evidence": float(waiting.height),
                "n_opinions": waiting.height,
                "anchor": write_anchor(centroid, within),
                "sentence": f"“{names[str(theme)]}” seems to be said in new words: statements that wait mix "
                "with those under it",
            }
        )
    return rows
