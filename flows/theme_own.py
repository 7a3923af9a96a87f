"""What the commands of `nightloom theme` do with people's own themes, and what they say."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analytics.errors import ActRefused
from analytics.identity import hash_of
from analytics.insight.cross_table import CrossTable, cross_table
from analytics.insight.own_themes import (
    Background,
    define_own_theme,
    link_background,
    match_own_themes,
    preview_matches,
)
from analytics.insight.taxonomy import read_taxonomy
from analytics.intake.redaction import redact_each
from analytics.models.embedding import describe_model, load_embedder
from analytics.settings import Settings
from analytics.store import theme_acts
from analytics.store.registry import ANCHOR_ROWS
from flows.theme_desk import Desk, open_desk

LISTED_CELLS = 5
"""Themes listed with each label in text; JSON has all."""
Told = tuple[str, dict[str, Any]]
"""The same as text and as what JSON is made of."""


def tell_add(
    settings: Settings,
    phrase: str,
    *,
    criterion: str | None,
    examples: Sequence[str],
    parent: str | None,
    only_preview: bool,
) -> Told:
    """Put in one theme of a person's own."""
    row = {"name": phrase, "criterion": criterion, "examples": list(examples), "parent": parent}
    text, content = _put_in(settings, [row], only_preview=only_preview)
    return text, {**content["themes"][0], "is_written": not only_preview}


def tell_import(settings: Settings, file: Path, *, only_preview: bool) -> Told:
    """Put in the themes of a taxonomy file."""
    text, content = _put_in(settings, read_taxonomy(file).to_dicts(), only_preview=only_preview)
    return text, {**content, "is_written": not only_preview}


def _put_in(settings: Settings, rows: Sequence[dict[str, Any]], *, only_preview: bool) -> Told:
    desk = open_desk(settings)
    opinions, vectors = desk.statements()
    background = link_background(vectors)
    drafts = [_redacted(row) for row in rows]
    for draft in drafts:
        theme_acts.free_name(desk.registry, draft["name"])
    embedded = _embed(desk, [word for draft in drafts for word in draft["words"]])
    lines, told, who = [], [], getpass.getuser()
    for draft in drafts:
        words = np.array([embedded[word] for word in draft["words"]])
        anchors = define_own_theme(words, background=background)
        theme_id = ""
        if not only_preview:
            theme_id = _record(desk, draft, anchors, who)
            desk = open_desk(settings)
        shown = _shown(desk, opinions, vectors, _anchor_rows(theme_id, anchors))
        n_matched = int(_matched(opinions, vectors, theme_id, anchors).height)
        lines += _preview_lines(draft["name"], n_matched, shown)
        told.append(
            {
                "theme_id": theme_id or None,
                "name": draft["name"],
                "n_matched": n_matched,
                "preview": shown.to_dicts(),
            }
        )
    lines.append(
        "nothing is written; leave out --preview to put it in"
        if only_preview
        else "next: nightloom run fills it; take out what does not belong with nightloom theme remove"
    )
    return "\n".join(lines), {"themes": told}


def _redacted(row: dict[str, Any]) -> dict[str, Any]:
    """A theme as a person wrote it, without personal data, and the words that are embedded for it."""
    name, criterion, *examples = redact_each(
        [" ".join(row["name"].split()), row.get("criterion") or "", *(row.get("examples") or [])]
    )
    words = list(dict.fromkeys(text for text in (name, criterion, *examples) if text.strip()))
    return {
        "name": name,
        "criterion": criterion or f"Says: {name}.",
        "words": words,
        "parent": row.get("parent"),
    }


def _embed(desk: Desk, words: Sequence[str]) -> dict[str, np.ndarray]:
    """Vectors of a person's words: the only texts that a model is given for a theme of their own.

    Raises:
        ActRefused: [embedding] is not what the published night used.
    """
    model = describe_model(desk.settings.embedding)
    if hash_of(model.recipe()) != desk.recipe("embedding"):
        raise ActRefused(
            "[embedding] changed since the night that is published; run `nightloom run`, then add the theme"
        )
    distinct = list(dict.fromkeys(words))
    vectors = load_embedder(model, desk.settings.embedding).embed(distinct)
    return dict(zip(distinct, vectors, strict=True))


def _record(desk: Desk, draft: dict[str, Any], anchors: list[tuple[np.ndarray, float]], who: str) -> str:
    state, recipe = desk.store.state, desk.recipe("embedding")
    parent = draft["parent"]
    parent_id = (
        theme_acts.add_group(state, desk.registry, redact_each([parent])[0], who=who, embedding_recipe=recipe)
        if parent
        else None
    )
    return theme_acts.add_own_theme(
        state,
        desk.registry,
        name=draft["name"],
        criterion=draft["criterion"],
        words=draft["words"],
        anchors=anchors,
        embedding_recipe=recipe,
        who=who,
        parent_id=parent_id,
    )


def _anchor_rows(theme_id: str, anchors: Sequence[tuple[Any, float]]) -> pl.DataFrame:
    return pl.DataFrame([(theme_id, *anchor) for anchor in anchors], schema=ANCHOR_ROWS, orient="row")


def _matched(
    opinions: pl.DataFrame, vectors: np.ndarray, theme_id: str, anchors: Sequence[tuple[Any, float]]
) -> pl.DataFrame:
    return match_own_themes(opinions["opinion_id"].to_list(), vectors, _anchor_rows(theme_id, anchors))


def _shown(
    desk: Desk,
    opinions: pl.DataFrame,
    vectors: np.ndarray,
    anchors: pl.DataFrame,
    answered: Sequence[str] = (),
) -> pl.DataFrame:
    min_authors = desk.night.settings.store.min_authors
    return preview_matches(opinions, vectors, anchors, min_authors=min_authors, answered=answered)


def _answered(desk: Desk, theme_id: str) -> list[str]:
    """Statements of which a person said already whether they belong to a theme."""
    links = desk.registry.links
    left = links.filter(pl.col("right") == theme_id)["left"]
    right = links.filter(pl.col("left") == theme_id)["right"]
    return [*left, *right]


def _preview_lines(name: str, n_matched: int, shown: pl.DataFrame) -> list[str]:
    lines = [f"{name}: {n_matched:,} statements; {shown.height} of them:"]
    for row in shown.iter_rows(named=True):
        quote = " ".join(row["quote"].split())
        beyond = "" if row["is_match"] else "(just beyond its edge) "
        lines.append(f"  {row['opinion_id'][:12]}  {row['similarity']:.2f}  {beyond}{quote}")
    return lines


def tell_preview(settings: Settings, reference: str) -> Told:
    """Statements that a theme takes in: the nearest, some between, some at its edge."""
    desk = open_desk(settings)
    theme = theme_acts.find_theme(desk.registry, reference)
    opinions, vectors = desk.statements()
    mine = desk.registry.anchors.filter(pl.col("theme_id") == theme["theme_id"])
    anchors = list(mine.select("centroid", "radius").iter_rows())
    shown = _shown(desk, opinions, vectors, mine, _answered(desk, theme["theme_id"]))
    n_matched = _matched(opinions, vectors, theme["theme_id"], anchors).height
    text = "\n".join(_preview_lines(theme["name"], n_matched, shown))
    content = {"theme_id": theme["theme_id"], "name": theme["name"], "n_matched": n_matched}
    return text, {**content, "preview": shown.to_dicts()}


def tell_remove(
    settings: Settings, reference: str, references: Sequence[str], *, others_belong: bool
) -> Told:
    """Say which statements do not belong to a theme of one's own; its border is drawn anew without them.

    With `others_belong` the other statements of its preview are said to belong.
    """
    desk = open_desk(settings)
    theme = theme_acts.find_theme(desk.registry, reference)
    if not theme["is_own"]:
        raise ActRefused(
            f"{theme['name']!r} was found, not added; keep a statement out of it with "
            "nightloom theme link --apart OPINION THEME"
        )
    removed = [desk.opinion(reference) for reference in references]
    for reference, opinion in zip(references, removed, strict=True):
        if opinion is None:
            raise ActRefused(
                f"no published opinion begins with {reference!r}; `nightloom theme preview` lists them"
            )
    state, who = desk.store.state, getpass.getuser()
    others = tell_preview(settings, theme["theme_id"])[1]["preview"] if others_belong else []
    for row in others:
        if row["opinion_id"] not in removed:
            theme_acts.link(state, row["opinion_id"], theme["theme_id"], who=who)
    for opinion in removed:
        theme_acts.link(state, str(opinion), theme["theme_id"], who=who, apart=True)
    anchors = _refit(open_desk(settings), theme)
    theme_acts.anchor_theme(
        state,
        theme["theme_id"],
        anchors,
        embedding_recipe=desk.recipe("embedding"),
        cause="statements removed",
        who=who,
    )
    text, content = tell_preview(settings, theme["theme_id"])
    said = f"{len(removed)} removed; the border is drawn anew, and the next night applies it: nightloom run"
    return f"{text}\n{said}", {**content, "n_removed": len(removed)}


def _refit(desk: Desk, theme: dict[str, Any]) -> list[tuple[np.ndarray, float]]:
    """Anchors of an own theme by its words and all that people said belongs or does not."""
    opinions, vectors = desk.statements()
    background: Background = link_background(vectors)
    links = desk.registry.links.filter(
        (pl.col("left") == theme["theme_id"]) | (pl.col("right") == theme["theme_id"])
    )
    said = links.select(
        "is_apart", opinion_id=pl.when(pl.col("left") == theme["theme_id"]).then("right").otherwise("left")
    )
    known = said.join(opinions.select("opinion_id").with_row_index("row"), on="opinion_id")
    apart, together = (
        vectors[known.filter(pl.col("is_apart") == side)["row"].to_numpy()] for side in (True, False)
    )
    words = np.array(list(_embed(desk, theme["words"]).values()))
    return define_own_theme(words, background=background, positives=together, negatives=apart)


def tell_table(settings: Settings, label: str) -> Told:
    """Themes against the labels of a segment."""
    desk = open_desk(settings)
    labels = desk.query(
        """SELECT document_id, s.value AS label FROM (SELECT document_id, unnest(segments) AS s FROM document)
        WHERE s.name = $name""",
        name=label,
    )
    if labels.is_empty():
        known = desk.query(
            "SELECT DISTINCT segment_name AS n FROM document_day WHERE segment_name <> 'all' ORDER BY n"
        )
        raise ActRefused(
            f"no document has a segment {label!r}; there are {', '.join(known['n']) or 'none'}: map the "
            "column under segments of its source"
        )
    placed = desk.query(
        """SELECT ot.opinion_id, ot.theme_id FROM opinion_theme AS ot
        JOIN theme AS t ON t.theme_id = ot.theme_id AND t.is_shown"""
    )
    opinions = desk.query("SELECT opinion_id, document_id FROM opinion")
    documents = desk.query("SELECT document_id, author FROM document WHERE is_covered")
    table = cross_table(
        labels, placed, opinions, documents, min_authors=desk.night.settings.store.min_authors
    )
    names = dict(desk.registry.themes.select("theme_id", "name").iter_rows())
    content = {"label": label, "labels": table.labels.to_dicts(), "cells": table.cells.to_dicts()}
    return _table_text(table, names), content


def _table_text(table: CrossTable, names: dict[str, str]) -> str:
    """Each label with the themes that its documents are under, most first; hidden cells are dashes."""
    lines = []
    for label, cells in table.cells.sort(
        "label", "n_documents", descending=[False, True], nulls_last=True
    ).group_by("label", maintain_order=True):
        lines.append(f"{label[0]}")
        for row in cells.head(LISTED_CELLS).iter_rows(named=True):
            if row["n_documents"] is not None:
                name = names.get(row["theme_id"], "no theme")
                share = f"{100 * row['share']:.0f} %" if row["share"] is not None else "–"
                lines.append(f"  {row['n_documents']:>7,}  {share:>6}  {name}")
    return "\n".join(lines) or "nothing can be shown: too few authors in every cell"
