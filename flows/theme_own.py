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
from analytics.insight.own_matching import match_own_themes, preview_matches
from analytics.insight.own_themes import define_own_theme, link_background
from analytics.insight.taxonomy import read_taxonomy
from analytics.intake.redaction import redact_each
from analytics.models.embedding import describe_model, load_embedder
from analytics.rows import ANCHOR_ROWS
from analytics.settings import Settings
from analytics.store import theme_acts
from flows.people_commands import Told
from flows.theme_changes import Statements, removed_from, told_of
from flows.theme_desk import Desk, open_desk

LISTED_CELLS = 5
"""Themes listed with each label in text; JSON has all."""


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
    text, (told,) = _put_in(settings, [row], only_preview=only_preview)
    return text, {**told, "is_written": not only_preview}


def tell_import(settings: Settings, file: Path, *, only_preview: bool) -> Told:
    """Put in the themes of a taxonomy file."""
    text, told = _put_in(settings, read_taxonomy(file).to_dicts(), only_preview=only_preview)
    return text, {"themes": told, "is_written": not only_preview}


def _put_in(
    settings: Settings, rows: Sequence[dict[str, Any]], *, only_preview: bool
) -> tuple[str, list[dict[str, Any]]]:
    desk = open_desk(settings)
    statements = desk.statements()
    background = link_background(statements.vectors)
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
            desk = desk.again()
        seen = _see(desk, statements, {"theme_id": theme_id, "name": draft["name"]}, anchors)
        lines += _preview_lines(seen)
        told.append({**seen, "theme_id": theme_id or None})
    lines.append(
        "nothing is written; leave out --preview to put it in"
        if only_preview
        else "next: nightloom run fills it; take out what does not belong with nightloom theme remove"
    )
    return "\n".join(lines), told


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


def _see(
    desk: Desk, statements: Statements, theme: dict[str, Any], anchors: Sequence[tuple[Any, float]]
) -> dict[str, Any]:
    """What a theme takes in: theme_id, name, n_matched, and a preview without what was spoken of already."""
    theme_id = theme["theme_id"]
    rows = pl.DataFrame([(theme_id, *anchor) for anchor in anchors], schema=ANCHOR_ROWS, orient="row")
    matched = match_own_themes(
        statements.opinions["opinion_id"].to_list(),
        statements.vectors,
        rows,
        removed=removed_from(desk.registry, statements),
    )
    shown = preview_matches(
        statements.opinions,
        statements.vectors,
        rows,
        min_authors=desk.night.settings.store.min_authors,
        answered=[*_told(desk, theme_id, apart=True), *_told(desk, theme_id, apart=False)],
    )
    return {
        "theme_id": theme_id,
        "name": theme["name"],
        "n_matched": matched.height,
        "preview": shown.to_dicts(),
    }


def _told(desk: Desk, theme_id: str, *, apart: bool) -> list[str]:
    """Statements that a person said do not belong to a theme, or do."""
    return told_of(desk.registry, apart=apart).filter(pl.col("theme_id") == theme_id)["opinion_id"].to_list()


def _preview_lines(seen: dict[str, Any]) -> list[str]:
    lines = [f"{seen['name']}: {seen['n_matched']:,} statements; {len(seen['preview'])} of them:"]
    for row in seen["preview"]:
        quote = " ".join(row["quote"].split())
        beyond = "" if row["is_match"] else "(just beyond its edge) "
        lines.append(f"  {row['opinion_id'][:12]}  {row['similarity']:.2f}  {beyond}{quote}")
    return lines


def _anchors_of(desk: Desk, theme_id: str) -> list[tuple[Any, float]]:
    mine = desk.registry.anchors.filter(pl.col("theme_id") == theme_id)
    return list(mine.select("centroid", "radius").iter_rows())


def tell_preview(settings: Settings, reference: str) -> Told:
    """Statements that a theme takes in: the nearest, some between, some at its edge."""
    desk = open_desk(settings)
    theme = theme_acts.find_theme(desk.registry, reference)
    seen = _see(desk, desk.statements(), theme, _anchors_of(desk, theme["theme_id"]))
    return "\n".join(_preview_lines(seen)), seen


def tell_remove(
    settings: Settings, reference: str, references: Sequence[str], *, others_belong: bool
) -> Told:
    """Say which statements do not belong to a theme of one's own; its border is drawn anew without them.

    With `others_belong` the other statements of its preview are said to belong.
    """
    desk = open_desk(settings)
    theme = theme_acts.find_theme(desk.registry, reference)
    theme_id = theme["theme_id"]
    if not theme["is_own"]:
        raise ActRefused(
            f"{theme['name']!r} was found, not added; keep a statement out of it with "
            "nightloom theme link --apart OPINION THEME"
        )
    removed = [_opinion(desk, reference) for reference in references]
    state, who = desk.store.state, getpass.getuser()
    statements = desk.statements()
    if others_belong:
        for row in _see(desk, statements, theme, _anchors_of(desk, theme_id))["preview"]:
            if row["opinion_id"] not in removed:
                theme_acts.link(state, row["opinion_id"], theme_id, who=who)
    for opinion in removed:
        theme_acts.link(state, opinion, theme_id, who=who, apart=True)
    desk = desk.again()
    anchors = _refit(desk, statements, theme)
    recipe = statements.recipe
    cause = "statements removed"
    theme_acts.anchor_theme(state, theme_id, anchors, embedding_recipe=recipe, cause=cause, who=who)
    seen = _see(desk, statements, theme, anchors)
    said = f"{len(removed)} removed; the border is drawn anew, and the next night applies it: nightloom run"
    return "\n".join([*_preview_lines(seen), said]), {**seen, "n_removed": len(removed)}


def _opinion(desk: Desk, reference: str) -> str:
    opinion = desk.opinion(reference)
    if opinion is None:
        raise ActRefused(
            f"no published opinion begins with {reference!r}; `nightloom theme preview` lists them"
        )
    return opinion


def _refit(desk: Desk, statements: Statements, theme: dict[str, Any]) -> list[tuple[np.ndarray, float]]:
    """Anchors of an own theme by its words and all that people said belongs or does not."""
    known = statements.opinions
    apart, together = (
        statements.vectors_of(
            known.filter(pl.col("opinion_id").is_in(_told(desk, theme["theme_id"], apart=side)))
        )
        for side in (True, False)
    )
    words = np.array(list(_embed(desk, theme["words"]).values()))
    return define_own_theme(words, background=statements.vectors, positives=together, negatives=apart)


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
