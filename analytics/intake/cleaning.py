"""The text that every model and reader sees: repaired, redacted, capped, and the same each time."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

import polars as pl

from analytics.identity import hash_each
from analytics.intake.redaction import REDACTION_VERSION, redact
from analytics.settings import CleaningSettings

CLEAN_VERSION = 1

REDACTIONS = pl.List(pl.Struct({"kind": pl.String, "n": pl.Int32}))

_NEEDS_NO_REPAIR = re.compile(r"[ -%'-~\n]*")
"""Printable ASCII without an ampersand: nothing to decode, to normalise or to take away."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # control characters
    "\xad\u034f\u180e\u200b-\u200d\u2060-\u2064\ufeff"  # zero width
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # direction
    "\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f]"  # annotations and tags
)
_PAGE_BREAKS = str.maketrans({"\v": "\n", "\f": "\n"})
_ENTITY = re.compile(r"&(?=#?[0-9A-Za-z]{1,24};)")
_ENTITY_ROUNDS = 8
_ROUNDS = 12
_PLACEHOLDER = re.compile(r"\[(?:email|iban|card|ip|phone)\]")
_LONGEST_WORD = 100
"""A cut looks this far back for a word's end; some scripts have no spaces."""


def clean_recipe(settings: CleaningSettings) -> dict[str, Any]:
    """What cleaning is meant to do; a change of any part makes a new recipe."""
    return {
        "stage": "clean",
        "version": CLEAN_VERSION,
        "redaction": REDACTION_VERSION,
        "max_characters": settings.max_characters,
        "max_title_characters": settings.max_title_characters,
    }


def clean_texts(rows: pl.DataFrame, settings: CleaningSettings) -> pl.DataFrame:
    """Clean and redact titles and bodies, and join them: title, blank line, body.

    Args:
        rows: Columns `key`, `title` and `text`; null where there is none.
        settings: The length caps.

    Returns:
        Columns `key`, `title`, `text`, `text_hash` and `redactions` (how many of each kind), in row order.
    """
    titles: list[str] = []
    texts: list[str] = []
    found: list[tuple[int, str, int]] = []
    for nth, (title, body) in enumerate(rows.select("title", "text").iter_rows()):
        counts: Counter[str] = Counter()
        clean_title = clean(title or "", settings.max_title_characters, counts, one_line=True)
        clean_body = clean(body or "", settings.max_characters, counts)
        titles.append(clean_title)
        texts.append("\n\n".join(part for part in (clean_title, clean_body) if part))
        found += ((nth, kind, n) for kind, n in sorted(counts.items()))
    return pl.DataFrame(
        {
            "key": rows["key"],
            "title": pl.Series(titles, dtype=pl.String),
            "text": pl.Series(texts, dtype=pl.String),
            "text_hash": pl.Series(hash_each(texts), dtype=pl.String),
            "redactions": _redactions(found, rows.height),
        }
    )


def _redactions(found: list[tuple[int, str, int]], n_rows: int) -> pl.Series:
    """One list per row out of (row, kind, count), most of them empty."""
    flat = pl.DataFrame(found, schema={"nth": pl.Int64, "kind": pl.String, "n": pl.Int32}, orient="row")
    lists = flat.group_by("nth", maintain_order=True).agg(redactions=pl.struct("kind", "n"))
    every = pl.DataFrame({"nth": pl.int_range(n_rows, dtype=pl.Int64, eager=True)})
    joined = every.join(lists, on="nth", how="left", maintain_order="left")
    return joined["redactions"].cast(REDACTIONS).fill_null(pl.Series([[]], dtype=REDACTIONS))


def clean(text: str, max_characters: int, counts: Counter[str], *, one_line: bool = False) -> str:
    """Repair, redact and cap one text; cleaning the result again changes nothing.

    Args:
        text: As it came.
        max_characters: Longest result.
        counts: Gains what was redacted.
        one_line: Whether line breaks become spaces, as in a title.
    """
    for _ in range(_ROUNDS):
        cleaned = _tidy(_repair(text), one_line=one_line)
        cleaned, found = redact(cleaned)
        cleaned = _cut(cleaned, max_characters)
        counts.update(found)
        # A cut can make a broken encoding readable, and a repaired one can hold an address.
        if cleaned == text:
            break
        text = cleaned
    return text


def _repair(text: str) -> str:
    """Text with its encoding mistakes undone, in normal form C, without characters that nobody sees."""
    if _NEEDS_NO_REPAIR.fullmatch(text):
        return text
    import ftfy

    text = ftfy.fix_text(_unescape(text.translate(_PAGE_BREAKS)), explain=False, unescape_html=False)
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text.replace("\t", " ")))


def _unescape(text: str) -> str:
    """Text with its HTML entities decoded, those inside decoded ones too.

    ftfy would do so for as many rounds as somebody nested them, and take hours for one text; here, after a
    few rounds, the rest is made plain text instead.
    """
    from ftfy.fixes import unescape_html

    for _ in range(_ENTITY_ROUNDS):
        unescaped = unescape_html(text)
        if unescaped == text:
            return text
        text = unescaped
    return _ENTITY.sub("& ", text)


def _tidy(text: str, *, one_line: bool) -> str:
    if one_line:
        return re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _cut(text: str, max_characters: int) -> str:
    """The text up to the last word's end that fits; where words have no ends, up to the last character."""
    if len(text) <= max_characters:
        return text
    word_end = max(text.rfind(" ", 0, max_characters + 1), text.rfind("\n", 0, max_characters + 1))
    end = word_end if word_end > max(0, max_characters - _LONGEST_WORD) else max_characters
    for placeholder in _PLACEHOLDER.finditer(text, max(0, end - 7), end + 7):
        if placeholder.start() < end < placeholder.end():
            end = placeholder.start()
    while end and unicodedata.combining(text[end]):
        end -= 1
    return text[:end].rstrip()
