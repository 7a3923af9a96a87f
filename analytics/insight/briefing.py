"""The briefing: a night's decisions in plain sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~!&$])")


def decision_sentence(row: Mapping[str, Any]) -> str:
    """One plain sentence for a decision.

    Args:
        row: Columns of table decision, and `name` of its theme.
    """
    name = " ".join(str(row.get("name") or f"theme {row['theme_id'][:8]}").split())
    parts = [
        f"{row['kind'].capitalize()} “{name}”: in {_percent(row['share'], 1)} % of {_window(row)}",
        _tone(row),
        _change(row),
    ]
    return "; ".join(parts) + "."


def figures_sentence(row: Mapping[str, Any], share: float) -> str:
    """How much is written about a theme or an item, and in which tone, in one sentence.

    Args:
        row: n_documents, n_authors, negative_share and positive_share.
        share: Of the covered documents.
    """
    documents, authors = _count(row["n_documents"], "document"), _count(row["n_authors"], "author")
    negative, positive = _percent(row["negative_share"] or 0, 0), _percent(row["positive_share"] or 0, 0)
    return (
        f"{documents} by {authors}, {_percent(share, 1)} % of all covered; {negative} % of the statements "
        f"are negative, {positive} % positive."
    )


def brief_night(
    decisions: pl.DataFrame,
    themes: pl.DataFrame,
    run_row: Mapping[str, Any],
    *,
    reasons: pl.DataFrame,
    on_hold: Sequence[str] = (),
) -> str:
    """The night in Markdown: how much was read, then every decision by rank; words of customers stay inert.

    Args:
        decisions: Table decision.
        themes: Columns theme_id, name.
        run_row: The night's row of table run.
        reasons: Columns reason, n_documents: why documents are not covered.
        on_hold: Sentences about sources on which no claim rests.
    """
    lines = [
        f"# Night of {_day(run_row['as_of'])}",
        "",
        f"{_count(run_row['n_documents'], 'document')}, {run_row['n_new']:,} new; "
        + coverage_sentence(run_row["n_documents"], reasons),
    ]
    for sentence in on_hold:
        lines += ["", f"On hold: {inert(sentence)}"]
    if run_row.get("degraded"):
        lines += ["", "Degraded: " + inert("; ".join(run_row["degraded"])) + "."]
    lines += ["", "## Decisions", ""]
    named = decisions.join(themes.select("theme_id", "name"), on="theme_id", how="left").sort("rank")
    if named.is_empty():
        where = " outside the sources on hold" if on_hold else ""
        lines.append(f"None: no theme has enough distinct authors behind it{where}.")
    for row in named.iter_rows(named=True):
        lines.append(f"{row['rank']}. {inert(decision_sentence(row))}")
    return "\n".join(lines) + "\n"


def coverage_sentence(n_documents: int, reasons: pl.DataFrame) -> str:
    """How many documents the figures cover, why the others are left out, and what would change it.

    Args:
        n_documents: How many there are.
        reasons: Columns reason, n_documents: why documents are not covered.
    """
    left_out = reasons.sort(["n_documents", "reason"], descending=[True, False])
    n_left = int(left_out["n_documents"].sum())
    said = f"{n_documents - n_left:,} covered"
    if not n_left:
        return said + "."
    first, others = left_out.head(_MOST_LISTED), left_out.slice(_MOST_LISTED)
    told = ", ".join(f"{reason} {n:,}" for reason, n in first.select("reason", "n_documents").iter_rows())
    if others.height:
        told += f", {others.height} other reasons {others['n_documents'].sum():,}"
    said += f", {n_left:,} not ({told})."
    languages = [
        reason.removeprefix("language ") for reason in left_out["reason"] if reason.startswith("language ")
    ]
    unread = [language for language in languages if language != "und"]
    if unread:
        said += (
            f" No figure includes texts in {_listed(unread)}: the embedding model does not read them; "
            "set model under [embedding] to one that does."
        )
    return said


_MOST_LISTED = 6


def _listed(words: Sequence[str]) -> str:
    shown = list(words[:_MOST_LISTED])
    if len(words) > _MOST_LISTED:
        shown.append(f"{len(words) - _MOST_LISTED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def inert(text: str) -> str:
    """`text` on one line and with nothing that Markdown or HTML would act on."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _window(row: Mapping[str, Any]) -> str:
    interval = f"({_percent(row['share_low'], 1)}–{_percent(row['share_high'], 1)} %)"
    if row["window_start"] is None:
        return f"all covered documents {interval}"
    return f"covered documents {interval} of {_days(row['window_start'], row['window_end'])}"


def _tone(row: Mapping[str, Any]) -> str:
    negative, positive = _percent(row["negative_share"], 0), _percent(row["positive_share"], 0)
    if row["kind"] == "fix":
        return f"{negative} % of its statements are negative"
    if row["kind"] == "keep":
        return f"{positive} % of its statements are positive"
    return f"{negative} % of its statements are negative, {positive} % positive"


def _change(row: Mapping[str, Any]) -> str:
    if row["change"] is None:
        return "not enough evidence for a change"
    n_days = (row["window_end"] - row["window_start"]).days + 1
    before = "day before" if n_days == 1 else f"{n_days} days before"
    change, low, high = (100 * row[name] for name in ("change", "change_low", "change_high"))
    if low > 0:
        return f"up {change:.1f} points ({low:.1f} to {high:.1f}) on the {before}"
    if high < 0:
        return f"down {-change:.1f} points ({-high:.1f} to {-low:.1f}) on the {before}"
    return f"no clear change ({_signed(low)} to {_signed(high)} points) on the {before}"


def _signed(points: float) -> str:
    """A number with its sign, and zero without one."""
    shown = f"{abs(points):.1f}"
    if float(shown) == 0:
        return shown
    return f"{'−' if points < 0 else '+'}{shown}"


def _percent(share: float, decimals: int) -> str:
    return f"{100 * share:.{decimals}f}"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _days(first: date, last: date) -> str:
    """Both days, without repeating the month or year that they share."""
    if first == last:
        return _day(last)
    start = str(first.day)
    if (first.year, first.month) != (last.year, last.month):
        start += f" {_MONTHS[first.month - 1]}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start}–{_day(last)}"
