"""What the commands of `nightloom theme` do with themes that are there, and what they say."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import Any

import polars as pl

from analytics.errors import ActRefused
from analytics.intake.redaction import redact_each
from analytics.settings import Settings
from analytics.store import theme_acts
from analytics.store.registry import read_anchor
from flows.people_commands import Told
from flows.theme_desk import Desk, open_desk

_LATER = "the next night applies it: nightloom run"


def tell_rename(settings: Settings, theme: str, name: str, criterion: str | None) -> Told:
    """Give a theme another name."""
    desk = open_desk(settings)
    name, *criteria = redact_each([name, *([criterion] if criterion else [])])
    said = theme_acts.rename_theme(
        desk.store.state, desk.registry, theme, name, who=_who(), criterion=next(iter(criteria), None)
    )
    was = theme_acts.find_theme(desk.registry, said["theme_id"])["name"]
    return _told(f"{was!r} is called {said['name']!r}; {_LATER}", said)


def tell_merge(settings: Settings, themes: Sequence[str], into: str) -> Told:
    """Put themes into another one."""
    desk = open_desk(settings)
    merged, survivor = theme_acts.merge_themes(desk.store.state, desk.registry, themes, into, who=_who())
    names = ", ".join(repr(theme["name"]) for theme in merged)
    text = f"{names} merged into {survivor['name']!r}, which keeps its id and name; {_LATER}"
    return _told(text, survivor, merged=[theme["theme_id"] for theme in merged])


def tell_split(settings: Settings, theme: str) -> Told:
    """Ask that a theme be divided in two."""
    desk = open_desk(settings)
    said = theme_acts.split_theme(desk.store.state, desk.registry, theme, who=_who())
    return _told(f"{said['name']!r} is to be split in two by its statements; {_LATER}", said)


def tell_pin(settings: Settings, theme: str, *, unpin: bool) -> Told:
    """Hold a theme as it is, or let it go."""
    desk = open_desk(settings)
    said = theme_acts.pin_theme(desk.store.state, desk.registry, theme, who=_who(), unpin=unpin)
    then = "may change again" if unpin else "stays as it is, whatever is proposed for others"
    return _told(f"{said['name']!r} {then}", said)


def tell_retire(settings: Settings, theme: str, *, revive: bool) -> Told:
    """Show a theme no more, or again."""
    desk = open_desk(settings)
    act = theme_acts.revive_theme if revive else theme_acts.retire_theme
    said = act(desk.store.state, desk.registry, theme, who=_who())
    then = "is shown again" if revive else "is shown no more, and still takes in what is said of it"
    return _told(f"{said['name']!r} {then}; {_LATER}", said)


def tell_link(settings: Settings, left: str, right: str, *, apart: bool, undo: bool) -> Told:
    """Say that two statements, a statement and a theme, or two themes belong together or apart."""
    desk = open_desk(settings)
    ends = [_end(desk, left), _end(desk, right)]
    if not apart and not undo and all(kind == "theme" for kind, _ in ends):
        raise ActRefused(
            "two themes that belong together are merged: nightloom theme merge THEME --into THEME"
        )
    (_, one), (_, other) = ends
    theme_acts.link(desk.store.state, one, other, who=_who(), apart=apart, undo=undo)
    said = "no longer linked" if undo else "kept apart" if apart else "kept together"
    return f"{one[:12]} and {other[:12]} are {said}; {_LATER}", {
        "left": one,
        "right": other,
        "is_apart": apart,
    }


def _end(desk: Desk, reference: str) -> tuple[str, str]:
    opinion = desk.opinion(reference)
    if opinion is not None:
        return "opinion", opinion
    try:
        return "theme", theme_acts.find_theme(desk.registry, reference)["theme_id"]
    except ActRefused:
        raise ActRefused(
            f"{reference!r} is neither a published opinion nor a theme; `nightloom theme preview THEME` and "
            "`nightloom show themes` list their ids"
        ) from None


def tell_accept(settings: Settings, proposal: str) -> Told:
    """Do what a proposal says."""
    desk = open_desk(settings)
    row = _proposal(desk, proposal)
    state, registry, who = desk.store.state, desk.registry, _who()
    if row["kind"] == "merge":
        theme_acts.merge_themes(state, registry, [row["theme_id"]], row["other_id"], who=who)
    elif row["kind"] == "split":
        theme_acts.split_theme(state, registry, row["theme_id"], who=who)
    else:
        theme_acts.anchor_theme(
            state,
            row["theme_id"],
            [read_anchor(row["anchor"])],
            embedding_recipe=desk.recipe("embedding"),
            cause="widened",
            who=who,
            is_added=True,
        )
    return f"accepted: {row['sentence']}; {_LATER}", {"proposal_id": row["proposal_id"], "kind": row["kind"]}


def tell_dismiss(settings: Settings, proposal: str) -> Told:
    """Do not propose that again."""
    desk = open_desk(settings)
    row = _proposal(desk, proposal)
    theme_acts.dismiss_proposal(desk.store.state, row["proposal_id"], who=_who())
    return f"dismissed, and not made again: {row['sentence']}", {"proposal_id": row["proposal_id"]}


def _proposal(desk: Desk, reference: str) -> dict[str, Any]:
    found = desk.query(
        "SELECT * FROM theme_proposal WHERE starts_with(proposal_id, $start)", start=reference
    ).filter(~pl.col("proposal_id").is_in(list(desk.registry.dismissed)))
    if found.height != 1:
        many = "more than one proposal begins" if found.height else "no open proposal begins"
        raise ActRefused(f"{many} with {reference!r}; `nightloom show proposals` lists them")
    return found.row(0, named=True)


def _who() -> str:
    return getpass.getuser()


def _told(text: str, theme: dict[str, Any], **more: Any) -> Told:
    return text, {"theme_id": theme["theme_id"], "name": theme["name"], **more}
