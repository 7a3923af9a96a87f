"""Which columns of texts and acts hold the ids of the items and users that other files describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Literal

import polars as pl

from analytics.intake.guess import MAX_COLUMNS, Guess, SourceGuess
from analytics.intake.guess_names import name_match, tells_about
from analytics.intake.guess_values import as_text, share_within

Joined = Literal["item", "user"]
KINDS: dict[Joined, str] = {"item": "items", "user": "users"}

_JOINS = 0.5
_HARDLY = 0.1
_BY_CHANCE = 10
"""Fewer different values than this may be among ids by chance."""


def join_guess(
    guess: SourceGuess, frame: pl.DataFrame, known: dict[Joined, dict[str, frozenset[str]]]
) -> SourceGuess:
    """The guess with its item and user columns settled by the ids that are known.

    Args:
        guess: Of a file of documents or interactions.
        frame: The file's first rows.
        known: For items and users, each source's name and all its ids.
    """
    if guess.kind.value not in ("documents", "interactions"):
        return guess
    taken = {one.value for role, one in guess.columns.items() if role not in KINDS and one.is_sure}
    shares = {role: _shares(frame, taken, role, known[role]) for role in KINDS if known.get(role)}
    chosen = {role: _kept(guess, role, shares[role]) for role in shares}
    wanting = [role for role, column in chosen.items() if column is None]
    kept = {column for column in chosen.values() if column}
    options = [[None, *(c for c, (share, _) in shares[role].items() if share >= _JOINS and c not in kept)]
               for role in wanting]  # fmt: skip

    def total(columns: tuple[str | None, ...]) -> float:
        given = [column for column in columns if column]
        if len(set(given)) < len(given):
            return -1.0
        return sum(shares[role][column][0] for role, column in zip(wanting, columns, strict=True) if column)

    if wanting:
        best = max(product(*options), key=total)
        chosen |= dict(zip(wanting, best, strict=True))
    columns = dict(guess.columns)
    for role, column in chosen.items():
        if column is not None:
            columns |= {role: _joined(column, role, shares[role], columns.get(role))}
        elif role in columns and columns[role].value in shares[role]:
            share, file = shares[role][columns[role].value]
            seen = f"but {share:.0%} of its values are ids of {file!r}"
            columns[role] = replace(columns[role], confidence=min(columns[role].confidence, 0.6),
                                    reason=f"{columns[role].reason}; {seen}")  # fmt: skip
    for role in KINDS:
        # A column that turned out to be the one is not the other as well.
        other: Joined = "user" if role == "item" else "item"
        if role in chosen and chosen[role] and other in columns and columns[other].value == chosen[role]:
            if chosen.get(other) != chosen[role]:
                del columns[other]
    return replace(guess, columns=columns)


def _shares(
    frame: pl.DataFrame, taken: Iterable[str], role: Joined, known: dict[str, frozenset[str]]
) -> dict[str, tuple[float, str]]:
    """For every free column the largest share of its values that a source knows, and that source."""
    found = {}
    for name in frame.columns[:MAX_COLUMNS]:
        values = as_text(frame[name])
        if frame[name].dtype.is_float():
            values = values.str.replace(r"\.0$", "")
        distinct = values.unique()
        is_named = name_match(role, name) > 0
        if (
            name in taken
            or tells_about(name)
            or distinct.is_empty()
            or (distinct.len() < _BY_CHANCE and not is_named)
        ):
            continue
        found[name] = max((share_within(distinct.to_list(), ids), source) for source, ids in known.items())
    return found


def _kept(guess: SourceGuess, role: Joined, shares: dict[str, tuple[float, str]]) -> str | None:
    """The column that the guess has for a role, where it was sure and the ids do not speak against it."""
    one = guess.columns.get(role)
    if one is None or not one.is_sure or one.value not in shares:
        return None
    others = [share for column, (share, _) in shares.items() if column != one.value]
    speaks_against = shares[one.value][0] < _HARDLY
    return (
        None if speaks_against or (shares[one.value][0] < _JOINS <= max(others, default=0.0)) else one.value
    )


def _joined(column: str, role: Joined, shares: dict[str, tuple[float, str]], before: Guess | None) -> Guess:
    share, file = shares[column]
    seen = f"{share:.0%} of its values are ids of {file!r}"
    if before is not None and before.value == column:
        raised = 0.95 if share >= _JOINS else before.confidence
        return Guess(column, max(before.confidence, raised), f"{before.reason}; {seen}")
    return Guess(column, 0.85 if share >= 0.9 else 0.7, f"its values: {seen}")
