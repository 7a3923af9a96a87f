"""Sentences as statements: where each begins and ends in the document's text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from analytics import identity

SENTENCE_VERSION = 2
MAX_CHARACTERS = 400
"""A longer sentence is cut at a clause mark or a space."""
MIN_WORDS = 3
"""A shorter span is not a statement, unless it answers a question."""
SHORT_ANSWER_WORDS = 8
"""An answer with fewer words says little without its question."""

_CLOSERS = "\"'”’»)\\]}」』）】》"
_BOUNDARY = re.compile(
    rf"""
    (?P<mark>[.!?…]+)(?P<closers>[{_CLOSERS}]*)(?=\s|$)
  | [。！？｡]+[{_CLOSERS}]*
  | (?<=[a-z]{{2}})[.!?]+(?=[A-Z][a-z'’ ])  # the space was forgotten: "works great.I love it"
  | \n
    """,
    re.VERBOSE,
)
_NEXT = re.compile(r"\s*(\S?)")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_LAST_CLAUSE = re.compile(r".*(?:[,;:](?=\s)|[，、；：—–])", re.DOTALL)
_LAST_SPACE = re.compile(r".*\s", re.DOTALL)
_WORD = re.compile(r"[^\W_]\S*")
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
)
"""Characters of scripts that put no space between words (Thai to Han), as the inside of a regex class."""
_UNSPACED = re.compile(f"[{UNSPACED}]")

_NEVER_LAST = frozenset(
    "mr mrs ms dr prof st rev gen sen rep gov capt lt col sgt mt e.g i.e eg ie cf vs viz fig vol pp".split()
)
_SELDOM_LAST = frozenset(
    "etc inc ltd co corp jr sr a.m p.m approx appt dept est ext min max no nos oz ft lb lbs tel".split()
)
_LONGEST_ABBREVIATION = 12


def sentence_recipe() -> dict[str, Any]:
    """What decides the statements of a text."""
    return {
        "stage": "sentences",
        "version": SENTENCE_VERSION,
        "max_characters": MAX_CHARACTERS,
        "min_words": MIN_WORDS,
        "short_answer_words": SHORT_ANSWER_WORDS,
    }


def count_words(text: str) -> int:
    """Words of a text; in scripts without spaces two characters count as a word."""
    n_unspaced = len(_UNSPACED.findall(text))
    if n_unspaced:
        text = _UNSPACED.sub(" ", text)
    return len(_WORD.findall(text)) + n_unspaced // 2


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Half-open code-point offsets of the sentences of `text`: ordered, disjoint, stripped, none empty."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        if _ends_sentence(text, start, match):
            spans += _stripped_pieces(text, start, match.end())
            start = match.end()
    spans += _stripped_pieces(text, start, len(text))
    return spans


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    mark = match["mark"]
    if mark is None:
        return True
    following = _NEXT.match(text, match.end())
    next_character = following[1] if following else ""
    if match["closers"] and next_character.islower():
        return False  # “Why?” he asked
    if mark.strip("!?"):
        if len(mark) > 1 or mark == "…":
            return not next_character.islower()
        return _is_full_stop(text, start, match.start(), next_character)
    return True


def _is_full_stop(text: str, start: int, position: int, next_character: str) -> bool:
    """Whether the single dot at `position` ends the sentence begun at `start`, and not an abbreviation."""
    if not next_character:
        return True
    if text[start:position].strip().isdigit():
        return False  # "1. Good screen"
    before = text[max(start, position - _LONGEST_ABBREVIATION) : position].split()
    word = before[-1].lstrip("\"'“‘«([{") if before else ""
    lowered = word.lower()
    if lowered in _NEVER_LAST:
        return False
    if lowered in _SELDOM_LAST:
        return next_character.isupper() if lowered not in {"no", "nos"} else not next_character.isdigit()
    return not (_INITIALS.fullmatch(word) and word[0].isupper() and word != "I")


def _stripped_pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for piece_start, piece_end in _cut_long(text, start, end):
        piece = text[piece_start:piece_end]
        stripped = piece.strip()
        if stripped:
            first = piece_start + len(piece) - len(piece.lstrip())
            yield first, first + len(stripped)


def _cut_long(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > MAX_CHARACTERS:
        limit = start + MAX_CHARACTERS
        cut = limit
        for pattern, earliest in ((_LAST_CLAUSE, start + MAX_CHARACTERS // 2), (_LAST_SPACE, start)):
            found = pattern.match(text, start, limit)
            if found and found.end() > earliest:
                cut = found.end()
                break
        yield start, cut
        start = cut
    yield start, end


def opinion_spans(rows: pl.DataFrame) -> pl.DataFrame:
    """The spans of each text that are long enough to state something.

    Args:
        rows: Columns key, text and, where some texts answer a question, is_answer.

    Returns:
        Columns key, starts and ends (lists of Int32): one row per input row, in its order, also for empty
        ones.
    """
    starts: list[list[int]] = []
    ends: list[list[int]] = []
    answers = rows["is_answer"].to_list() if "is_answer" in rows.columns else [False] * rows.height
    for text, is_answer in zip(rows["text"].to_list(), answers, strict=True):
        fewest = 1 if is_answer else MIN_WORDS
        spans = [
            (start, end)
            for start, end in split_sentences(text or "")
            if count_words(text[start:end]) >= fewest
        ]
        starts.append([start for start, _ in spans])
        ends.append([end for _, end in spans])
    return rows.select(
        "key",
        pl.Series("starts", starts, dtype=pl.List(pl.Int32)),
        pl.Series("ends", ends, dtype=pl.List(pl.Int32)),
    )


def read_with_question(quotes: Sequence[str], questions: Sequence[str | None]) -> list[str]:
    """What a model is given to read for each statement: a short answer behind its question, else itself."""
    return [
        f"{question} {quote}" if question and count_words(quote) < SHORT_ANSWER_WORDS else quote
        for quote, question in zip(quotes, questions, strict=True)
    ]


_OPINIONS: dict[str, pl.DataType | type[pl.DataType]] = {
    "opinion_id": pl.String,
    "document_id": pl.String,
    "start": pl.Int32,
    "end": pl.Int32,
    "nth": pl.Int32,
    "quote": pl.String,
    "aspect": pl.String,
    "place": pl.Int32,
}


def opinions_of(documents: pl.DataFrame) -> pl.DataFrame:
    """One row per statement of each document, sorted by document and place.

    Args:
        documents: Columns document_id, text, starts, ends (null lists: no statements) and, where statements
            were extracted, aspects.

    Returns:
        Columns opinion_id, document_id, start, end, nth, quote, aspect, place; `nth` counts from 0 the
        statements with the same words and aspect in the same document; `quote` is `text[start:end]`; `place`
        counts a document's statements from 0.
    """
    if "aspects" not in documents.columns:
        documents = documents.with_columns(aspects=pl.lit(None, pl.List(pl.String)))
    rows: list[tuple[str, str, int, int, int, str, str | None, int]] = []
    for document, text, starts, ends, aspects in (
        documents.select("document_id", "text", "starts", "ends", "aspects").sort("document_id").iter_rows()
    ):
        seen: Counter[tuple[str, str | None]] = Counter()
        of_each = aspects or [None] * len(starts or ())
        for place, (start, end, aspect) in enumerate(zip(starts or (), ends or (), of_each, strict=True)):
            quote = text[start:end]
            nth = seen[quote, aspect]
            seen[quote, aspect] += 1
            known = identity.opinion_id(document, quote, nth, aspect)
            rows.append((known, document, start, end, nth, quote, aspect, place))
    return pl.DataFrame(rows, schema=_OPINIONS, orient="row")
