"""The briefing: a night on one page, in Markdown and in HTML; words of customers are no part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import polars as pl
from markdown_it import MarkdownIt

from analytics.insight.verdicts import TOO_EARLY, WORKED
from analytics.insight.wording import count, inert, listed, percent, spell_day

NOTHING_CHANGED = "Nothing changed that we can be sure of."
_MOST_LISTED = 6


@dataclass(frozen=True)
class Briefing:
    """What the page is made of."""

    run: dict[str, Any]
    """The night's row of table run."""
    reasons: pl.DataFrame
    """Why documents are not covered: reason, n_documents."""
    on_hold: Sequence[str]
    """Sentences about sources on which no claim rests."""
    changes: pl.DataFrame
    """Table change, with sentence."""
    decisions: pl.DataFrame
    """Table decision."""
    verdicts: pl.DataFrame
    """Table verdict."""
    tests: str
    """How many tests were made, and how often they cry wolf."""
    not_judged: Sequence[str]
    """What could not be judged, in sentences."""
    ledger: pl.DataFrame
    """Table ledger of the night."""


def brief_night(night: Briefing) -> str:
    """The night in Markdown: data health, what changed, decisions, what could not be judged, cost."""
    lines = [
        f"# Night of {spell_day(night.run['as_of'])}",
        "",
        "## Data health",
        "",
        *_health(night),
        "",
        "## What changed",
        "",
        *_changes(night),
        "",
        "## Decisions",
        "",
        *_decisions(night),
        "",
        "## What we could not judge",
        "",
        *([f"- {inert(sentence)}" for sentence in night.not_judged] or ["Nothing that the store holds."]),
        "",
        "## Cost",
        "",
        *_cost(night),
    ]
    return "\n".join(lines) + "\n"


def as_html(markdown: str, title: str) -> str:
    """The page in HTML, self-contained, dark where the reader's system is."""
    body = MarkdownIt("commonmark", {"html": False}).render(markdown)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.55 system-ui,sans-serif;max-width:46rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #8884;"
    "padding-bottom:.2rem}li{margin:.5rem 0}li p{margin:.2rem 0}"
)


def _health(night: Briefing) -> list[str]:
    run = night.run
    lines = [
        f"{count(run['n_documents'], 'document')}, {run['n_new']:,} new; "
        + coverage_sentence(run["n_documents"], night.reasons)
    ]
    lines += [f"\nOn hold: {inert(sentence)}" for sentence in night.on_hold]
    if run.get("degraded"):
        lines.append("\nDegraded: " + inert("; ".join(run["degraded"])) + ".")
    return lines


def _changes(night: Briefing) -> list[str]:
    if night.changes.is_empty():
        return [NOTHING_CHANGED, "", inert(night.tests)]
    return [*(f"- {inert(sentence)}" for sentence in night.changes["sentence"]), "", inert(night.tests)]


def _decisions(night: Briefing) -> list[str]:
    if night.decisions.is_empty():
        where = " outside the sources on hold" if night.on_hold else ""
        lines = [f"None: no finding{where} is sure enough to act on."]
    else:
        lines = [
            f"{row['rank']}. **{row['kind'].capitalize()}.** {inert(row['sentence'])} {inert(row['action'])}"
            for row in night.decisions.sort("rank").iter_rows(named=True)
        ]
    if night.verdicts.height:
        judged = night.verdicts.filter(pl.col("verdict") != TOO_EARLY)
        worked = judged.filter(pl.col("verdict") == WORKED).height
        rate = f": {worked} of {judged.height} worked" if judged.height else ""
        lines += ["", f"What was done{rate}:", ""]
        lines += [f"- {inert(sentence)}" for sentence in night.verdicts["sentence"]]
    return lines


def _cost(night: Briefing) -> list[str]:
    paid, seconds = night.ledger, night.run["seconds"]
    if paid.is_empty() or not paid["n_calls"].sum():
        return [f"No model was asked; {seconds:.0f} seconds."]
    said = f"{count(int(paid['n_calls'].sum()), 'call')} to models"
    tokens = int(paid["n_input_tokens"].sum()) + int(paid["n_output_tokens"].sum())
    if tokens:
        said += f", {count(tokens, 'token')}"
    return [f"{said}, {float(paid['usd'].sum()):.2f} US dollars, {seconds:.0f} seconds."]


def figures_sentence(row: dict[str, Any], share: float) -> str:
    """How much is written about a theme or an item, and in which tone, in one sentence.

    Args:
        row: n_documents, n_authors, negative_share and positive_share.
        share: Of the covered documents.
    """
    documents, authors = count(row["n_documents"], "document"), count(row["n_authors"], "author")
    negative, positive = percent(row["negative_share"] or 0, 0), percent(row["positive_share"] or 0, 0)
    return (
        f"{documents} by {authors}, {percent(share, 1)} % of all covered; {negative} % of the statements "
        f"are negative, {positive} % positive."
    )


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
            f" No figure includes texts in {listed(unread)}: the embedding model does not read them; "
            "set model under [embedding] to one that does."
        )
    return said
