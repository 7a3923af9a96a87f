"""The briefing says in plain sentences what the rows say, and nothing in a name acts on its reader."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from analytics.insight.briefing import brief_night, coverage_sentence, decision_sentence, inert

ROW: dict[str, Any] = {
    "name": "battery, charge, hours",
    "theme_id": "0123456789abcdef",
    "rank": 1,
    "kind": "fix",
    "window_start": date(2018, 5, 24),
    "window_end": date(2018, 6, 20),
    "share": 0.123,
    "share_low": 0.109,
    "share_high": 0.139,
    "negative_share": 0.71,
    "positive_share": 0.2,
    "change": 0.031,
    "change_low": 0.004,
    "change_high": 0.058,
}


def test_a_decision_is_one_plain_sentence() -> None:
    assert decision_sentence(ROW) == (
        "Fix “battery, charge, hours”: in 12.3 % of covered documents (10.9–13.9 %) of 24 May–20 Jun 2018; "
        "71 % of its statements are negative; up 3.1 points (0.4 to 5.8) on the 28 days before."
    )


@pytest.mark.parametrize(
    ("different", "expected"),
    [
        ({"kind": "keep", "positive_share": 0.834}, "; 83 % of its statements are positive; "),
        ({"kind": "watch"}, "; 71 % of its statements are negative, 20 % positive; "),
        (
            {"change": -0.031, "change_low": -0.058, "change_high": -0.004},
            "; down 3.1 points (0.4 to 5.8) on the 28 days before.",
        ),
        (
            {"change": 0.001, "change_low": -0.02, "change_high": 0.03},
            "; no clear change (−2.0 to +3.0 points) on the 28 days before.",
        ),
        (
            {"change": 0.0, "change_low": 0.0, "change_high": 0.03},
            "; no clear change (0.0 to +3.0 points) on ",
        ),
        ({"change": None, "change_low": None, "change_high": None}, "; not enough evidence for a change."),
        ({"window_start": date(2018, 6, 20)}, "of 20 Jun 2018; "),
        ({"window_start": date(2018, 6, 20)}, "on the day before."),
        ({"window_start": date(2018, 6, 1)}, "of 1–20 Jun 2018; "),
        ({"window_start": date(2017, 12, 24)}, "of 24 Dec 2017–20 Jun 2018; "),
        (
            {"window_start": None, "window_end": None, "change": None},
            "in 12.3 % of all covered documents (10.9–13.9 %); ",
        ),
        ({"name": None}, "Fix “theme 01234567”: "),
        ({"name": "two\nlines"}, "Fix “two lines”: "),
    ],
)
def test_each_case_has_its_words(different: dict[str, Any], expected: str) -> None:
    assert expected in decision_sentence({**ROW, **different})


RUN = {"as_of": date(2018, 6, 20), "n_documents": 1200, "n_new": 30, "degraded": []}
REASONS = pl.DataFrame({"reason": ["no text", "near copy"], "n_documents": [40, 10]})
DECISIONS = pl.DataFrame(
    [{**ROW, "rank": 2, "theme_id": "t2"}, {**ROW, "rank": 1, "theme_id": "t1", "kind": "keep"}]
).drop("name")
THEMES = pl.DataFrame({"theme_id": ["t2", "t1"], "name": ["slow <b>app</b>", "[click](http://x)"]})


def test_a_briefing_tells_the_night_its_coverage_and_its_decisions_by_rank() -> None:
    assert brief_night(DECISIONS, THEMES, RUN, reasons=REASONS) == (
        "# Night of 20 Jun 2018\n\n"
        "1,200 documents, 30 new; 1,150 covered, 50 not (no text 40, near copy 10).\n\n"
        "## Decisions\n\n"
        "1. Keep “\\[click\\](http://x)”: in 12.3 % of covered documents (10.9–13.9 %) of 24 May–20 Jun 2018"
        "; 20 % of its statements are positive; up 3.1 points (0.4 to 5.8) on the 28 days before.\n"
        "2. Fix “slow \\<b\\>app\\</b\\>”: in 12.3 % of covered documents (10.9–13.9 %) of 24 May–20 Jun 2018"
        "; 71 % of its statements are negative; up 3.1 points (0.4 to 5.8) on the 28 days before.\n"
    )


def test_a_briefing_says_what_degraded_and_when_there_is_nothing_to_decide() -> None:
    text = brief_night(
        DECISIONS.clear(),
        THEMES,
        {**RUN, "n_documents": 1, "degraded": ["2 parts", "no_rating"]},
        reasons=REASONS.clear(),
        on_hold=["Source *a* has delivered nothing."],
    )
    assert "1 covered.\n" in text
    assert "On hold: Source \\*a\\* has delivered nothing." in text
    assert "1 document, " in text
    assert "Degraded: 2 parts; no\\_rating." in text
    assert "None: no theme has enough distinct authors behind it outside the sources on hold." in text


def test_nothing_in_a_text_acts_as_markdown() -> None:
    assert inert("a*b_c`d\n# e|f\\g") == "a\\*b\\_c\\`d \\# e\\|f\\\\g"


def test_languages_that_no_model_reads_are_named_with_the_setting_to_change() -> None:
    reasons = pl.DataFrame(
        {"reason": ["language und", "language de", "no text", "language fr"], "n_documents": [9, 30, 2, 4]}
    )
    assert coverage_sentence(100, reasons) == (
        "55 covered, 45 not (language de 30, language und 9, language fr 4, no text 2). No figure includes "
        "texts in de and fr: the embedding model does not read them; set model under [embedding] "
        "to one that does."
    )
