"""Cleaning: golden output, and that it is the same each time."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.identity import hash_of
from analytics.intake.cleaning import CLEAN_VERSION, clean, clean_recipe, clean_texts
from analytics.settings import CleaningSettings

SETTINGS = CleaningSettings()

GOLDEN = [
    ("Plain text stays as it is.", "Plain text stays as it is."),
    ("âœ” No problems, itâ€™s fine", "✔ No problems, it's fine"),
    ("Tom &amp;amp; Jerry &lt;3 caf&eacute;", "Tom & Jerry <3 café"),
    ("one\r\ntwo\rthree\n\n\n\n\nfour \n \n five", "one\ntwo\nthree\n\nfour\n\nfive"),
    ("  tabs\tand  \u00a0 spaces\u3000 ", "tabs and spaces"),
    ("zero\u200bwidth \u202eright-to-left\u202c \ufeffbom so\u00adft", "zerowidth right-to-left bom soft"),
    ("bell\x07 null\x00 \x1b[31mred\x1b[0m", "bell null red"),
    ("e\u0301 ﬁne １２３", "é fine 123"),
    ("hidden\U000e0041\U000e0042 tags", "hidden tags"),
    ("Call 415-555-2671, 4111 1111 1111 1111 or jane\u200b@example.com", "Call [phone], [card] or [email]"),
    ("친절해요 👍🏽 très bien", "친절해요 👍🏽 très bien"),
    ("&#74;ane&#64;example.com", "[email]"),
    (" \n\t ", ""),
]


def cleaned(text: str, cap: int = 20_000, *, one_line: bool = False) -> str:
    return clean(text, cap, Counter(), one_line=one_line)


def test_golden_output_belongs_to_its_version() -> None:
    """A change of output must change the version, for else old and new texts stand under one recipe."""
    assert [cleaned(text) for text, _ in GOLDEN] == [expected for _, expected in GOLDEN]
    digest = hash_of([cleaned(text) for text, _ in GOLDEN])
    assert (CLEAN_VERSION, digest) == (1, "b11fc3b7cea5e94832633772df5f24d5")


def test_recipe_names_everything_that_changes_the_text() -> None:
    assert clean_recipe(SETTINGS) == {
        "stage": "clean",
        "version": 1,
        "redaction": 1,
        "max_characters": 20_000,
        "max_title_characters": 300,
    }


def test_texts_are_joined_hashed_and_counted() -> None:
    rows = pl.DataFrame(
        {
            "key": ["a", "b", "c", "d"],
            "title": [" Great\nthing ", None, "Only title", None],
            "text": ["mail a@b.co or c@d.co,\n\n\n\ncall 415-555-2671", "body", "", None],
        }
    )
    out = clean_texts(rows, SETTINGS)
    assert out.schema == {
        "key": pl.String,
        "title": pl.String,
        "text": pl.String,
        "text_hash": pl.String,
        "redactions": pl.List(pl.Struct({"kind": pl.String, "n": pl.Int32})),
    }
    assert out["title"].to_list() == ["Great thing", "", "Only title", ""]
    texts = ["Great thing\n\nmail [email] or [email],\n\ncall [phone]", "body", "Only title", ""]
    assert out["text"].to_list() == texts
    assert out["text_hash"].to_list() == [hash_of(text) for text in texts]
    assert out["redactions"].to_list() == [[{"kind": "email", "n": 2}, {"kind": "phone", "n": 1}], [], [], []]
    assert out.equals(clean_texts(rows, SETTINGS))
    assert clean_texts(rows.clear(), SETTINGS).schema == out.schema


def test_a_long_text_is_cut_at_a_words_end() -> None:
    assert cleaned("one two three", 11) == "one two"
    assert cleaned("one two three", 7) == "one two"
    assert cleaned("one two three", 13) == "one two three"


def test_a_text_without_spaces_is_cut_at_the_last_character() -> None:
    assert cleaned("좋" * 300, 200) == "좋" * 200
    assert cleaned("a " + "b" * 300, 200) == "a " + "b" * 198


def test_a_cut_never_leaves_half_a_placeholder_or_half_a_character() -> None:
    assert cleaned("좋" * 196 + "a@b.co" + "좋" * 50, 200) == "좋" * 196
    assert cleaned("q\u0323" * 200, 201) == "q\u0323" * 100


def test_a_number_that_the_cut_uncovers_is_redacted() -> None:
    text = "x" * 90 + " +14155552671" + "0" * 20
    assert "4155552671" not in cleaned(text, 104)


def test_the_caps_hold_for_title_and_body() -> None:
    settings = CleaningSettings(max_characters=100, max_title_characters=10)
    row = pl.DataFrame({"key": ["a"], "title": ["word " * 9], "text": ["word " * 99]})
    out = clean_texts(row, settings)
    assert out["title"][0] == "word word"
    assert out["text"][0] == "word word\n\n" + " ".join(["word"] * 20)


TRICKY = st.lists(
    st.sampled_from(
        [text for text, _ in GOLDEN]
        + [
            "&",
            "amp;",
            "#38;",
            "lt;",
            "Ã",
            "©",
            "â€",
            "™",
            "\x85",
            "\u2028",
            "\u0301",
            "é",
            "좋",
            "[email]",
            "[ph",
        ]
        + [
            "a@b.co",
            "415-555-2671",
            "+1",
            "4155552671",
            "10.0.0.1",
            " ",
            "\n",
            "\t",
            "\r",
            ".",
            "x" * 30,
            "ﬁ",
            "＠",
        ]
    ),
    max_size=12,
).map("".join)


@settings(deadline=None)
@given(TRICKY | st.text(), st.integers(10, 120), st.booleans())
def test_cleaning_again_changes_nothing(text: str, cap: int, one_line: bool) -> None:
    once = cleaned(text, cap, one_line=one_line)
    counts: Counter[str] = Counter()
    assert clean(once, cap, counts, one_line=one_line) == once
    assert not counts
    assert len(once) <= cap
    assert once == unicodedata.normalize("NFC", once)
    assert once == once.strip()
    assert "\n\n\n" not in once
    assert not (one_line and "\n" in once)


@pytest.mark.parametrize(
    "text", ["&" + "amp;" * 100_000, "&#38;" + "#38;" * 5_000, "Ã©" * 10_000, "\u200b" * 20_000]
)
def test_no_text_takes_long(text: str) -> None:
    started = time.perf_counter()
    once = cleaned(text)
    assert time.perf_counter() - started < 1.0
    assert cleaned(once) == once
