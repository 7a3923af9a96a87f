"""The text that every model and reader sees: the customer's words, repaired, redacted, capped."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from analytics.identity import hash_each
from analytics.intake.correspondence import CUT_VERSION, OUT_OF_OFFICE, cut_foreign
from analytics.intake.languages import DECIDED, detect_languages, language_recipe
from analytics.intake.markup import html_to_text
from analytics.intake.redaction import KINDS, REDACTION_VERSION, redact
from analytics.settings import CleaningSettings, RedactionSettings

CLEAN_VERSION = 2

COUNTS = pl.List(pl.Struct({"kind": pl.String, "n": pl.Int32}))

CLEAN_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "title": pl.String,
    "text": pl.String,
    "question": pl.String,
    "text_hash": pl.String,
    "redactions": COUNTS,  # pieces of each kind
    "cuts": COUNTS,  # characters of each kind
    "detected": pl.String,
    "confidence": pl.Float64,
    "likeliest": pl.List(pl.String),
}

INPUTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "title": pl.String,
    "text": pl.String,
    "question": pl.String,
    "is_correspondence": pl.Boolean,
    "names": pl.List(pl.String),
    "macros": pl.List(pl.UInt64),
}
"""What decides a cleaned text, beside the recipe."""

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
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")
_LONGEST_PLACEHOLDER = max(map(len, KINDS)) + 2
_LONGEST_WORD = 100
"""A cut looks this far back for a word's end; some scripts have no spaces."""
_REPLY_MARK = re.compile(r"(?:(?:re|aw|fwd?|wg|sv|vs|antw|tr|rv|rif|ref)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)


def clean_recipe(settings: CleaningSettings, redaction: RedactionSettings) -> dict[str, Any]:
    """What cleaning is meant to do; a change of any part makes a new recipe."""
    return {
        "stage": "clean",
        "version": CLEAN_VERSION,
        "redaction": REDACTION_VERSION,
        "redaction_engine": redaction.engine,
        "cut": CUT_VERSION,
        "language": language_recipe(),
        "max_characters": settings.max_characters,
        "max_title_characters": settings.max_title_characters,
    }


@dataclass
class Taken:
    """What was taken out of one document: pieces redacted and characters cut, by kind."""

    redacted: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)


def clean_texts(
    rows: pl.DataFrame, settings: CleaningSettings, redaction: RedactionSettings | None = None
) -> pl.DataFrame:
    """Clean and redact titles, bodies and questions, and join title and body: title, blank line, body.

    Args:
        rows: Columns `key`, `title` and `text`, null where there is none; and, where they matter, the others
            of `INPUTS`: `is_correspondence` (the body is a message, of which only its writer's words are
            kept), `names` (known people that it names), `macros` (hashes of recurring blocks in it).
        settings: The length caps.
        redaction: How personal data is found.

    Returns:
        Columns of `CLEAN_ROWS`, in row order.
    """
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in INPUTS.items() if name not in rows.columns]
    texts: list[tuple[str, str, str | None]] = []
    found: list[Taken] = []
    for row in rows.with_columns(missing).select(*INPUTS).iter_rows():
        taken = Taken()
        texts.append(_clean_document(*row, settings=settings, taken=taken))
        found.append(taken)
    titles = [title for title, _, _ in texts]
    bodies = [body for _, body, _ in texts]
    if redaction is not None and redaction.engine == "presidio":
        titles, bodies = _redact_further(titles, found), _redact_further(bodies, found)
    joined = [
        "\n\n".join(part for part in (title, body) if part)
        for title, body in zip(titles, bodies, strict=True)
    ]
    detections = detect_languages([_PLACEHOLDER.sub(" ", text) for text in joined])
    return pl.DataFrame(
        {
            "key": rows["key"],
            "title": pl.Series(titles, dtype=pl.String),
            "text": pl.Series(joined, dtype=pl.String),
            "question": pl.Series([question for _, _, question in texts], dtype=pl.String),
            "text_hash": pl.Series(hash_each(joined), dtype=pl.String),
            "redactions": _lists_of_counts([one.redacted for one in found]),
            "cuts": _lists_of_counts([one.cut for one in found]),
            "detected": detections["language"],
            "confidence": detections["confidence"],
            "likeliest": detections["likeliest"],
        },
        schema=CLEAN_ROWS,
    )


def _clean_document(
    title: str | None,
    text: str | None,
    question: str | None,
    is_correspondence: bool | None,
    names: list[str] | None,
    macros: list[int] | None,
    *,
    settings: CleaningSettings,
    taken: Taken,
) -> tuple[str, str, str | None]:
    """Title, body and question of one document."""
    longest = settings.max_title_characters
    if title and is_correspondence:
        title = _REPLY_MARK.sub("", title.strip(), count=1)
    clean_title = clean(title or "", longest, taken.redacted, names=names or (), one_line=True)
    body = text or ""
    if is_correspondence and body:
        body = cut_body(body, macros or (), taken, subject=clean_title)
        if taken.cut[OUT_OF_OFFICE]:
            clean_title = ""  # "Automatic reply" is no opinion either
    clean_body = clean(body, settings.max_characters, taken.redacted, names=names or ())
    asked = clean(question, longest, Counter(), names=names or (), one_line=True) if question else None
    return clean_title, clean_body, asked or None


def cut_body(text: str, macros: Sequence[int], taken: Taken, *, subject: str = "") -> str:
    """A message without what its writer did not write.

    Args:
        text: As it came.
        macros: Hashes of the recurring blocks in it.
        taken: Gains what was cut.
        subject: Subject of the message.
    """
    if OUT_OF_OFFICE in dict(cut_foreign(subject).cuts):
        taken.cut[OUT_OF_OFFICE] += len(text)
        return ""
    cut = cut_foreign(readable(text), macros)
    taken.cut.update(dict(cut.cuts))
    return cut.text


def readable(text: str) -> str:
    """A text as a reader of its source sees it: HTML as text, entities decoded, encoding repaired."""
    return html_to_text(_repair(text))


def _redact_further(texts: list[str], found: list[Taken]) -> list[str]:
    """Texts without what Presidio finds in those whose language is sure; the others were redacted by form.

    Raises:
        ModelUnavailable: Presidio is not installed, or its model of one of these languages.
    """
    from analytics.intake.presidio import redact_entities

    redacted = list(texts)
    detections = detect_languages(texts).with_row_index("nth")
    sure = detections.filter(pl.col("confidence") >= DECIDED)
    for (language,), rows in sure.group_by(["language"], maintain_order=True):
        places = rows["nth"].to_list()
        answers = redact_entities([texts[nth] for nth in places], str(language))
        for nth, (text, counts) in zip(places, answers, strict=True):
            redacted[nth] = text
            found[nth].redacted.update(counts)
    return redacted


def _lists_of_counts(counts: Sequence[Counter[str]]) -> pl.Series:
    """One list of (kind, n) for each counter, most of them empty."""
    flat = pl.DataFrame(
        [(nth, kind, n) for nth, one in enumerate(counts) for kind, n in sorted(one.items())],
        schema={"nth": pl.Int64, "kind": pl.String, "n": pl.Int32},
        orient="row",
    )
    lists = flat.group_by("nth", maintain_order=True).agg(counts=pl.struct("kind", "n"))
    every = pl.DataFrame({"nth": pl.int_range(len(counts), dtype=pl.Int64, eager=True)})
    joined = every.join(lists, on="nth", how="left", maintain_order="left")
    return joined["counts"].cast(COUNTS).fill_null(pl.Series([[]], dtype=COUNTS))


def clean(
    text: str,
    max_characters: int,
    counts: Counter[str],
    *,
    names: Sequence[str] = (),
    one_line: bool = False,
) -> str:
    """Repair, redact and cap one text; cleaning the result again changes nothing.

    Args:
        text: As it came.
        max_characters: Longest result.
        counts: Gains what was redacted.
        names: Known people whom the text may name.
        one_line: Whether line breaks become spaces, as in a title.
    """
    for _ in range(_ROUNDS):
        cleaned = _tidy(_repair(html_to_text(text)), one_line=one_line)
        cleaned, found = redact(cleaned, names)
        cleaned = _cap(cleaned, max_characters)
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


def _cap(text: str, max_characters: int) -> str:
    """The text up to the last word's end that fits; where words have no ends, up to the last character."""
    if len(text) <= max_characters:
        return text
    word_end = max(text.rfind(" ", 0, max_characters + 1), text.rfind("\n", 0, max_characters + 1))
    end = word_end if word_end > max(0, max_characters - _LONGEST_WORD) else max_characters
    for placeholder in _PLACEHOLDER.finditer(
        text, max(0, end - _LONGEST_PLACEHOLDER), end + _LONGEST_PLACEHOLDER
    ):
        if placeholder.start() < end < placeholder.end():
            end = placeholder.start()
    while end and unicodedata.combining(text[end]):
        end -= 1
    return text[:end].rstrip()
