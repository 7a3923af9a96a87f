"""What people say of themes: each act is checked against the registry and written into the state.

An act is applied by the next night and survives every later one. The registry that is passed is that of the
night which is published; themes are named by their id, the beginning of it, or their name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from analytics.errors import ActRefused
from analytics.store.registry import ACTIVE, GROUP, RETIRED, THEME, Registry, born_event, pack_anchors
from analytics.store.state import State

SHORTEST_PREFIX = 6
LONGEST_NAME = 80
_NEXT = "`nightloom show themes` lists them"


def find_theme(registry: Registry, reference: str, *, level: str = THEME) -> dict[str, Any]:
    """The theme that a person means: by its id, the beginning of it, or its name in any case.

    Raises:
        ActRefused: there is none, or more than one.
    """
    wanted = " ".join(reference.split())
    themes = registry.themes.filter(pl.col("level") == level)
    by_name = themes.filter(pl.col("name").str.to_lowercase() == wanted.lower())
    alive = by_name.filter(pl.col("status") == ACTIVE)
    found = alive if alive.height else by_name
    if found.is_empty() and len(wanted) >= SHORTEST_PREFIX:
        found = themes.filter(pl.col("theme_id").str.starts_with(wanted.lower()))
    if found.is_empty():
        raise ActRefused(f"no {level} is called {reference!r}; {_NEXT} with their ids")
    if found.height > 1:
        ids = ", ".join(found["theme_id"].str.slice(0, 12))
        raise ActRefused(f"{reference!r} could be any of {ids}; write more of the id")
    return found.row(0, named=True)


def rename_theme(
    state: State, registry: Registry, reference: str, name: str, *, who: str, criterion: str | None = None
) -> dict[str, Any]:
    """Give a theme another name; its id, members and history stay."""
    theme = _alive(registry, reference)
    name = free_name(registry, name, but=theme["theme_id"])
    content = {"cause": "person", "name": name, **({"criterion": criterion} if criterion else {})}
    state.record_theme_act("renamed", theme["theme_id"], content, who=who)
    return {**theme, "name": name}


def merge_themes(
    state: State, registry: Registry, references: Sequence[str], into: str, *, who: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Put themes into another one, which keeps its id and name and takes in all that they did."""
    survivor = _alive(registry, into)
    merged = [_alive(registry, reference) for reference in references]
    if any(theme["theme_id"] == survivor["theme_id"] for theme in merged):
        raise ActRefused(f"{into!r} cannot be merged into itself; name another theme")
    for theme in merged:
        content = {"cause": "person", "into": survivor["theme_id"]}
        state.record_theme_act("merged", theme["theme_id"], content, who=who)
    return merged, survivor


def split_theme(state: State, registry: Registry, reference: str, *, who: str) -> dict[str, Any]:
    """Ask that a theme be divided in two; the next night does it, by its statements."""
    theme = _alive(registry, reference)
    if theme["is_own"]:
        raise ActRefused(
            f"{theme['name']!r} is a theme of your own, which is what you said it is; add two others and "
            "retire it"
        )
    state.record_theme_act("split", theme["theme_id"], {"cause": "person"}, who=who)
    return theme


def retire_theme(state: State, registry: Registry, reference: str, *, who: str) -> dict[str, Any]:
    """Show a theme no more; it goes on taking in what is said of it, so that it is not found anew."""
    theme = _alive(registry, reference)
    state.record_theme_act("retired", theme["theme_id"], {"cause": "person"}, who=who)
    return theme


def revive_theme(state: State, registry: Registry, reference: str, *, who: str) -> dict[str, Any]:
    """Show a retired theme again."""
    theme = find_theme(registry, reference)
    if theme["status"] != RETIRED:
        raise ActRefused(f"{theme['name']!r} is {theme['status']}; only a retired theme can be revived")
    state.record_theme_act("revived", theme["theme_id"], {"cause": "person"}, who=who)
    return theme


def pin_theme(
    state: State, registry: Registry, reference: str, *, who: str, unpin: bool = False
) -> dict[str, Any]:
    """Hold a theme as it is: nothing is proposed for it, and nothing done to it by itself."""
    theme = _alive(registry, reference)
    state.record_theme_act("unpinned" if unpin else "pinned", theme["theme_id"], {"cause": "person"}, who=who)
    return theme


def link(state: State, left: str, right: str, *, who: str, apart: bool = False, undo: bool = False) -> None:
    """Say that two belong together, or apart: two statements, a statement and a theme, or two themes.

    Args:
        state: Where it is written.
        left: An opinion_id or a theme_id.
        right: Another.
        who: The person.
        apart: They must never be together; two themes are then never merged by themselves.
        undo: Take back what was said of the two.
    """
    if left == right:
        raise ActRefused(f"{left!r} cannot be linked to itself; name another statement or theme")
    kind = "unlinked" if undo else "linked"
    content = {"cause": "person", "left": left, "right": right, "is_apart": apart}
    state.record_theme_act(kind, "", content, who=who)


def add_own_theme(
    state: State,
    registry: Registry,
    *,
    name: str,
    criterion: str,
    words: Sequence[str],
    anchors: Iterable[tuple[Any, float]],
    embedding_recipe: str,
    who: str,
    parent_id: str | None = None,
) -> str:
    """Put in a theme of a person's own; returns its id.

    Args:
        state: Where it is written.
        registry: Names must be distinct from those in it.
        name: Its name.
        criterion: What a statement must say to belong, in one sentence.
        words: What the anchors were made of: name, criterion and examples, in the person's words.
        anchors: Centroid and radius of each.
        embedding_recipe: Recipe of the vectors they were made of.
        who: The person.
        parent_id: The group it belongs to.
    """
    theme = {
        "theme_id": "",
        "name": free_name(registry, name),
        "criterion": criterion,
        "keywords": [],
        "typical_opinion_id": None,
        "parent_id": parent_id,
        "is_own": True,
        "words": words,
    }
    born = born_event(theme, anchors, cause="own theme", embedding_recipe=embedding_recipe, theme_recipe=None)
    return state.record_theme_act("born", None, born["content"], who=who)


def add_group(state: State, registry: Registry, name: str, *, who: str, embedding_recipe: str) -> str:
    """The group of that name, put in where there is none yet; returns its id."""
    known = registry.groups.filter(pl.col("name").str.to_lowercase() == name.lower())
    if known.height:
        return str(known["theme_id"][0])
    group: dict[str, Any] = {
        "theme_id": "",
        "level": GROUP,
        "name": free_name(registry, name),
        "criterion": f"Themes about {name}.",
        "keywords": [],
        "typical_opinion_id": None,
        "is_own": True,
    }
    born = born_event(group, [], cause="own theme", embedding_recipe=embedding_recipe, theme_recipe=None)
    return state.record_theme_act("born", None, born["content"], who=who)


def anchor_theme(
    state: State,
    theme_id: str,
    anchors: Iterable[tuple[Any, float]],
    *,
    embedding_recipe: str,
    cause: str,
    who: str,
    is_added: bool = False,
) -> None:
    """Move the border of a theme: in place of its anchors, or beside them."""
    content = {
        "cause": cause,
        "anchors": pack_anchors(anchors),
        "embedding_recipe": embedding_recipe,
        "is_added": is_added,
    }
    state.record_theme_act("anchored", theme_id, content, who=who)


def dismiss_proposal(state: State, proposal_id: str, *, who: str) -> None:
    """Say that a proposal is not wanted; it is not made again."""
    state.record_theme_act("dismissed", proposal_id, {"cause": "person"}, who=who)


def _alive(registry: Registry, reference: str) -> dict[str, Any]:
    theme = find_theme(registry, reference)
    if theme["status"] != ACTIVE:
        raise ActRefused(f"{theme['name']!r} is {theme['status']}, not active; {_NEXT}")
    return theme


def free_name(registry: Registry, name: str, *, but: str | None = None) -> str:
    """The name on one line, where no other theme has it."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise ActRefused(
            f"a name has 1 to {LONGEST_NAME} characters, and {name!r} has {len(name)}; shorten it"
        )
    same = registry.themes.filter(
        pl.col("name").str.to_lowercase() == name.lower(),
        pl.col("status").is_in([ACTIVE, RETIRED]),
        pl.col("theme_id") != (but or ""),
    )
    if same.height:
        raise ActRefused(f"another theme is called {name!r} already; choose another name, or merge the two")
    return name
