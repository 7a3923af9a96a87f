"""Decisions in plain words: what was found, what to do, and what would change our mind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.insight.decisions import CHANGE, EFFECT, FIX, KEEP
from analytics.insight.drivers import HARM
from analytics.insight.wording import count, listed, percent, spell_day


def finding_sentence(row: Mapping[str, Any]) -> str:
    """What was found, where, since when, how large and how sure.

    Args:
        row: Columns of table decision, `name` of its theme, is_group (a group of themes, whose complaints are
            meant), `item` (the item's title), outcome_kind and is_share.
    """
    told = {CHANGE: _change, EFFECT: _effect}.get(row["basis"], _loved)(row)
    return f"{told} {row['certainty'].capitalize()}."


def action_sentence(row: Mapping[str, Any]) -> str:
    """What to do about it."""
    name = quoted(row)
    if row["basis"] == EFFECT:
        return f"Read what those who mention {name} describe, and mend it where most of them point."
    if row["basis"] != CHANGE:
        return f"Show {row['item']} to more customers of {_segment(row)}."
    around = f"around {spell_day(row['since'])}"
    about = row["item"] if row["item_id"] else _segment(row)
    if row["kind"] == FIX and row["item_id"]:
        return f"Check what changed for {about} {around}: batch, supplier, version or packaging."
    if row["kind"] == FIX:
        return f"Check what changed {around}, and mend it."
    if row["kind"] == KEEP:
        what = f"was taken from {about}" if about else "people liked ended"
        return f"Find out what {what} {around}, and bring it back."
    return f"Find out what happened {around}; act if it goes on."


def change_of_mind_sentence(row: Mapping[str, Any]) -> str:
    """What would show that this is no longer so, or never was."""
    if row["basis"] == EFFECT:
        return "An interval that reaches zero, as more texts come in."
    if row["basis"] != CHANGE:
        return f"Ratings by customers of {_segment(row)} that are no better than those they give to others."
    rate = row["rate_before"]
    if rate is None:
        return "Two weeks in which hardly anybody says so."
    return (
        f"Two weeks again at {_rate(rate, row)}, as before." if rate else "Two weeks in which nobody says so."
    )


def change_sentence(row: Mapping[str, Any]) -> str:
    """What changed, where, since when and by how much.

    Args:
        row: Columns of table change, `name` of its theme, is_group, item_id, `item` (the item's title) and
            segment.
    """
    return _change({**row, "finding": row["kind"], **{f"size{end}": row[f"ratio{end}"] for end in _ENDS}})


_ENDS = ("", "_low", "_high")


def not_heard_sentence(row: Mapping[str, Any], on_hold: Sequence[str]) -> str:
    """Whose voice is missing from what a decision rests on.

    Args:
        row: Columns of table decision.
        on_hold: Sources that are left out tonight.
    """
    missing = []
    if row["n_unread"]:
        texts = count(row["n_unread"], "text")
        missing.append(f"{texts} of the same place and days that no model reads")
    if on_hold:
        missing.append(f"{listed(list(on_hold))}, on hold")
    silent = "those who write nothing"
    return f"Not heard: {listed([*missing, silent])}."


def quoted(row: Mapping[str, Any]) -> str:
    """The name of the theme, in quotation marks and on one line."""
    name = " ".join(str(row.get("name") or f"theme {row['theme_id'][:8]}").split())
    return f"“{name}”"


def place_of(row: Mapping[str, Any]) -> str:
    """Where it was found, with the word before it; empty where everywhere."""
    if row["item_id"]:
        return f" on {row['item']}"
    return f" in {_segment(row)}" if row["segment"] else ""


def _change(row: Mapping[str, Any]) -> str:
    is_group = bool(row.get("is_group"))
    what = f"Complaints about {quoted(row)}" if is_group else quoted(row)
    be, said = ("are", "made") if is_group else ("is", "said")
    where, since = place_of(row), f"since {spell_day(row['since'])}"
    if row["finding"] == "new":
        return (
            f"{what}{where} {be} new {since}: {count(row['n_authors'], 'person', 'people')}, "
            f"{_rate(row['rate_after'], row)}, none before."
        )
    if row["finding"] == "gone":
        return f"{what}{where} {be} gone {since}; before, {_rate(row['rate_before'], row)}."
    if row["size"] is None:  # on one side stand too few to be told of
        if row["rate_before"] is None:
            rate = f"{_rate(row['rate_after'], row)}, hardly anybody before"
            return f"{what}{where} {be} {said} far more often {since}: {rate}."
        rate = f"{_rate(row['rate_before'], row)} before, hardly anybody now"
        return f"{what}{where} {be} {said} far less often {since}: {rate}."
    rates = f"from {_number(row['rate_before'])} to {_rate(row['rate_after'], row)}"
    interval = f"95 % interval {_times(row['size_low'])} to {_times(row['size_high'])} times"
    return f"{what}{where} {be} {said} {_how_often(row['size'])} {since}: {rates} ({interval})."


def _effect(row: Mapping[str, Any]) -> str:
    low, high = sorted((abs(row["size_low"]), abs(row["size_high"])))
    if row["outcome_kind"] == HARM or row["is_share"]:
        size = f"{100 * abs(row['size']):.0f} points ({100 * low:.0f} to {100 * high:.0f})"
        overall = f"{percent(row['rate_before'], 1)} % of all"
        more = "more" if row["size"] > 0 else "less"
        return (
            f"“{row['outcome'].capitalize()}” is {size} {more} likely where {quoted(row)} is mentioned than "
            f"elsewhere about the same item; it is {overall}."
        )
    return (
        f"{quoted(row)} costs {abs(row['size']):.2f} points of {row['outcome']} (95 % interval {low:.2f} to "
        f"{high:.2f}), all else that is known being the same; the mean of all is {row['rate_before']:.1f}."
    )


def _loved(row: Mapping[str, Any]) -> str:
    lead, low, high = (100 * row[name] for name in ("size", "size_low", "size_high"))
    return (
        f"Customers of {_segment(row)} love {row['item']}, above all for {quoted(row)}: they rate it "
        f"{lead:.0f} points of 100 ({low:.0f} to {high:.0f}) above what they give to other items, and it is "
        f"only {_number(row['rate_before'])} of 1,000 items that people look at or buy."
    )


def _segment(row: Mapping[str, Any]) -> str:
    """Name and value of a segment, such as “country AT”; empty where it is about none."""
    return " ".join(str(row["segment"] or "").split(": ", 1))


def _how_often(ratio: float) -> str:
    """A ratio of rates in words."""
    if 1.9 <= ratio <= 2.1:
        return "twice as often"
    if 0.45 <= ratio <= 0.55:
        return "half as often"
    if ratio < 1:
        return f"{100 * (1 - ratio):.0f} % less often"
    return f"{_times(ratio)} times as often"


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}" if ratio >= 0.95 else f"{ratio:.2f}"


def _rate(rate: float, row: Mapping[str, Any]) -> str:
    return f"{_number(rate)} per 1,000 {row['exposure']}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
