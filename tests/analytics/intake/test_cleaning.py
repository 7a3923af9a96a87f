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
from analytics.intake.cleaning import CLEAN_ROWS, CLEAN_VERSION, clean, clean_recipe, clean_texts
from analytics.intake.correspondence import CUT_VERSION, block_hashes
from analytics.intake.redaction import REDACTION_VERSION
from analytics.settings import CleaningSettings, RedactionSettings

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
    assert (CLEAN_VERSION, digest) == (2, "b11fc3b7cea5e94832633772df5f24d5")


def test_recipe_names_everything_that_changes_the_text() -> None:
    recipe = clean_recipe(SETTINGS, RedactionSettings())
    assert recipe.pop("language")["stage"] == "language"
    assert recipe == {
        "stage": "clean",
        "version": 2,
        "redaction": REDACTION_VERSION,
        "redaction_engine": "patterns",
        "cut": CUT_VERSION,
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
    assert out.schema == CLEAN_ROWS
    assert out["title"].to_list() == ["Great thing", "", "Only title", ""]
    texts = ["Great thing\n\nmail [email] or [email],\n\ncall [phone]", "body", "Only title", ""]
    assert out["text"].to_list() == texts
    assert out["text_hash"].to_list() == [hash_of(text) for text in texts]
    assert out["redactions"].to_list() == [[{"kind": "email", "n": 2}, {"kind": "phone", "n": 1}], [], [], []]
    assert out.equals(clean_texts(rows, SETTINGS))
    assert clean_texts(rows.clear(), SETTINGS).schema == out.schema


MAIL = """<p>Hi team,</p><p>The lid leaks since Monday &amp; nobody answers.</p>
<p>We are sorry to hear that your order gave you trouble, and we will look into it at once.</p>
<p>Kind regards<br>Anna Schmidt<br>Tel. 030 23125214</p>
<blockquote>On Monday, Larkfell wrote: please send us a photo.</blockquote>"""


def letter(**inputs: object) -> dict[str, object]:
    row = {"key": "a", "title": "Re: AW: Lid", "text": MAIL, "is_correspondence": True, **inputs}
    return clean_texts(pl.DataFrame([row]), SETTINGS).row(0, named=True)


def test_of_a_letter_only_its_writers_words_stay_and_the_cut_is_recorded() -> None:
    told = "We are sorry to hear that your order gave you trouble, and we will look into it at once."
    out = letter(macros=block_hashes(told))
    assert out["text"] == "Lid\n\nHi team,\n\nThe lid leaks since Monday & nobody answers."
    cuts = {cut["kind"]: cut["n"] for cut in out["cuts"]}
    assert sorted(cuts) == ["macro", "quoted_reply", "signature"]
    assert len(told) <= cuts["macro"] <= len(told) + 2
    assert told in letter()["text"], "without being known as one, it may be the customer's"


def test_a_text_that_is_no_letter_keeps_all_its_words() -> None:
    out = letter(is_correspondence=False)
    assert out["title"] == "Re: AW: Lid"
    assert out["text"].endswith("On Monday, Larkfell wrote: please send us a photo.")
    assert out["cuts"] == []


def test_an_automatic_reply_says_nothing() -> None:
    out = letter(title="Automatic reply: Lid", text="I am away until 5 May.")
    assert (out["title"], out["text"], [cut["kind"] for cut in out["cuts"]]) == ("", "", ["out_of_office"])


def test_known_names_go_and_questions_are_redacted_too() -> None:
    row = {"key": "a", "title": None, "text": "Ask Anna Schmidt.", "names": ["Anna Schmidt"],
           "question": "Did anna@example.com help you?"}  # fmt: skip
    out = clean_texts(pl.DataFrame([row]), SETTINGS).row(0, named=True)
    assert (out["text"], out["question"]) == ("Ask [name].", "Did [email] help you?")


def test_the_language_is_told_without_the_placeholders() -> None:
    rows = pl.DataFrame(
        {"key": ["a"], "title": [None], "text": ["Der Deckel leckt, bitte an a@b.co melden."]}
    )
    assert clean_texts(rows, SETTINGS)["detected"].to_list() == ["de"]


def test_presidio_is_asked_where_the_settings_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def redact_entities(texts: list[str], language: str) -> list[tuple[str, dict[str, int]]]:
        assert language == "en"
        return [(text.replace("Zebulon", "[name]"), {"name": text.count("Zebulon")}) for text in texts]

    monkeypatch.setattr("analytics.intake.presidio.redact_entities", redact_entities)
    rows = pl.DataFrame(
        {"key": ["a"], "title": [None], "text": ["I spoke to Zebulon at the shop about the leaking lid."]}
    )
    out = clean_texts(rows, SETTINGS, RedactionSettings(engine="presidio")).row(0, named=True)
    assert out["text"] == "I spoke to [name] at the shop about the leaking lid."
    assert out["redactions"] == [{"kind": "name", "n": 1}]


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
