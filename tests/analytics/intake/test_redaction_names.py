"""Known users' names: which texts hold them, and what is replaced."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.intake.redaction import KINDS, redact
from analytics.intake.redaction_names import NameIndex

KNOWN = [
    "Anna Schmidt",
    "Dr. José María García",
    "O'Brien, Pat",
    "Mark Brown",
    "Quentin",
    "Happy Customer",
    "Rose",
    "Bo",
    "Amazon Kindle",
    "김민수",
    "王小明",
    "",
    "12345",
]


def found(*texts: str | None) -> list[tuple[str, ...]]:
    return NameIndex(KNOWN).find(pl.Series(texts, dtype=pl.String))


@pytest.mark.parametrize(
    ("text", "names", "redacted"),
    [
        ("Anna Schmidt wrote", ("Anna Schmidt",), "[name] wrote"),
        ("ask ANNA SCHMIDT.", ("Anna Schmidt",), "ask [name]."),
        ("Schmidt, Anna: no", ("Anna Schmidt",), "[name]: no"),
        ("Anna\nSchmidt's", ("Anna Schmidt",), "[name]'s"),
        ("José María García", ("Dr. José María García",), "[name]"),
        ("JOSÉ GARCÍA", ("Dr. José María García",), "[name]"),
        ("Pat O'Brien and Mark Brown", ("Mark Brown", "O'Brien, Pat"), "[name] and [name]"),
        ("thanks, quentin!", ("Quentin",), "thanks, [name]!"),
        ("김민수는 좋다", ("김민수",), "[name]는 좋다"),
        ("我叫王小明", ("王小明",), "我叫[name]"),
    ],
)
def test_a_known_name_is_found_and_replaced(text: str, names: tuple[str, ...], redacted: str) -> None:
    assert found(text) == [names]
    assert redact(text, names) == (redacted, {"name": redacted.count("[name]")})


@pytest.mark.parametrize(
    "text",
    [
        "Anna alone, Schmidt alone",
        "Joanna Schmidt and Anna Schmidtke",
        "Anna. And Schmidt",
        "Anna and Schmidt",
        "a happy customer with a rose, Bo, on an Amazon Kindle",
        "12345",
        "",
    ],
)
def test_what_is_no_known_name_stays(text: str) -> None:
    assert found(text) == [()]
    assert redact(text, KNOWN) == (text, {})


def test_each_text_has_its_own_names() -> None:
    assert found("Mark Brown, Anna Schmidt", None, "nobody", "anna schmidt") == [
        ("Anna Schmidt", "Mark Brown"),
        (),
        (),
        ("Anna Schmidt",),
    ]


def test_an_index_without_names_finds_nothing() -> None:
    assert NameIndex(["Happy Customer", ""]).find(pl.Series(["Happy Customer", "x"])) == [(), ()]


def test_the_whole_name_wins_over_its_part() -> None:
    assert redact("Anna Maria Schmidt", ["Anna Schmidt", "Anna Maria Schmidt"]) == ("[name]", {"name": 1})


def test_a_name_and_what_has_a_form_are_both_counted() -> None:
    text = "Anna Schmidt, anna.schmidt@example.org, lives at 12 Anna Schmidt Street, Apt 4"
    assert redact(text, ["Anna Schmidt"]) == (
        "[name], [email], lives at [address]",
        {"address": 1, "email": 1, "name": 1},
    )


@pytest.mark.parametrize("kind", [*KINDS, "National Id", "Name Card"])
def test_a_user_who_is_called_like_a_placeholder_changes_none(kind: str) -> None:
    text = "".join(f"[{each}] " for each in KINDS)
    assert redact(text, [kind, kind.replace("-", " ")]) == (text, {})


WORDS = st.sampled_from(
    "Anna anna Schmidt, Schmidt Maria Quentin rose [name] [email] - . , 12 a@b.co Mark Brown".split()
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=10).map(" ".join) | st.text(), st.lists(st.text(max_size=12), max_size=3))
def test_redacting_again_with_the_same_names_changes_nothing(text: str, more: list[str]) -> None:
    names = [*KNOWN, "Anna Maria Schmidt", *more]
    redacted, _ = redact(text, names)
    assert redact(redacted, names) == (redacted, {})


@settings(deadline=None)
@given(st.lists(WORDS, max_size=10).map(" ".join))
def test_the_index_finds_every_name_that_would_be_replaced(text: str) -> None:
    names = NameIndex(KNOWN).find(pl.Series([text]))[0]
    assert redact(text, names) == redact(text, KNOWN)
