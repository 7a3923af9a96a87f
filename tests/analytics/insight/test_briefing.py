"""The briefing says in plain sentences what the rows say, and nothing in a name acts on its reader."""

from datetime import date
from typing import Any

import polars as pl

from analytics.insight.briefing import Briefing, as_html, brief_night, coverage_sentence, figures_sentence
from analytics.insight.wording import inert
from analytics.tables import TABLES

RUN = {"as_of": date(2018, 6, 20), "n_documents": 1200, "n_new": 30, "degraded": [], "seconds": 12.4}
REASONS = pl.DataFrame({"reason": ["no text", "near copy"], "n_documents": [40, 10]})
CHANGES = pl.DataFrame({"sentence": ["“slow <b>app</b>” is new."]})
DECISIONS = pl.DataFrame(
    {
        "rank": [2, 1],
        "kind": ["watch", "fix"],
        "sentence": ["“slow <b>app</b>” is new.", "“[click](http://x)” is said twice as often."],
        "action": ["Find out.", "Check it."],
    }
)
VERDICTS = pl.DataFrame({"verdict": ["worked", "too early"], "sentence": ["Worked: a.", "Too early: b."]})
LEDGER = TABLES["ledger"].empty()


def briefing(**different: Any) -> str:
    night = {
        "run": RUN,
        "reasons": REASONS,
        "on_hold": [],
        "changes": CHANGES,
        "decisions": DECISIONS,
        "verdicts": VERDICTS.clear(),
        "tests": "900 tests made tonight.",
        "not_judged": ["3 themes behind which fewer than 5 people stand."],
        "ledger": LEDGER,
    }
    return brief_night(Briefing(**{**night, **different}))


def test_a_briefing_tells_the_night_in_its_order() -> None:
    assert briefing() == (
        "# Night of 20 Jun 2018\n\n"
        "## Data health\n\n"
        "1,200 documents, 30 new; 1,150 covered, 50 not (no text 40, near copy 10).\n\n"
        "## What changed\n\n"
        "- “slow \\<b\\>app\\</b\\>” is new.\n\n"
        "900 tests made tonight.\n\n"
        "## Decisions\n\n"
        "1. **Fix.** “\\[click\\](http://x)” is said twice as often. Check it.\n"
        "2. **Watch.** “slow \\<b\\>app\\</b\\>” is new. Find out.\n\n"
        "## What we could not judge\n\n"
        "- 3 themes behind which fewer than 5 people stand.\n\n"
        "## Cost\n\n"
        "No model was asked; 12 seconds.\n"
    )


def test_a_quiet_night_says_so() -> None:
    text = briefing(
        changes=CHANGES.clear(),
        decisions=DECISIONS.clear(),
        on_hold=["Source *a* has delivered nothing."],
        run={**RUN, "n_documents": 1, "degraded": ["2 parts", "no_rating"]},
        reasons=REASONS.clear(),
    )
    assert "Nothing changed that we can be sure of." in text
    assert "None: no finding outside the sources on hold is sure enough to act on." in text
    assert "1 document, 30 new; 1 covered.\n" in text
    assert "On hold: Source \\*a\\* has delivered nothing." in text
    assert "Degraded: 2 parts; no\\_rating." in text


def test_what_was_done_is_told_with_how_much_of_it_worked() -> None:
    assert "What was done: 1 of 1 worked:\n\n- Worked: a.\n- Too early: b.\n" in briefing(verdicts=VERDICTS)


def test_what_models_cost_is_told() -> None:
    paid = {"n_calls": 1200, "n_input_tokens": 5000, "n_output_tokens": 10, "usd": 0.25}
    ledger = pl.DataFrame([{name: paid.get(name) for name in LEDGER.columns}], schema=LEDGER.schema)
    assert "1,200 calls to models, 5,010 tokens, 0.25 US dollars, 12 seconds.\n" in briefing(ledger=ledger)


def test_as_a_page_it_shows_names_and_does_nothing_with_them() -> None:
    page = as_html(briefing(), "Night of 20 Jun 2018")
    assert page.startswith("<!doctype html>")
    assert "<h2>What changed</h2>" in page
    assert "slow &lt;b&gt;app&lt;/b&gt;" in page
    assert "<b>" not in page
    assert '<a href="http://x"' not in page


def test_nothing_in_a_text_acts_as_markdown() -> None:
    assert inert("a*b_c`d\n# e|f\\g") == "a\\*b\\_c\\`d \\# e\\|f\\\\g"


def test_figures_are_one_sentence() -> None:
    row = {"n_documents": 1, "n_authors": 1, "negative_share": 0.5, "positive_share": None}
    assert figures_sentence(row, 0.25) == (
        "1 document by 1 author, 25.0 % of all covered; 50 % of the statements are negative, 0 % positive."
    )


def test_languages_that_no_model_reads_are_named_with_the_setting_to_change() -> None:
    reasons = pl.DataFrame(
        {"reason": ["language und", "language de", "no text", "language fr"], "n_documents": [9, 30, 2, 4]}
    )
    assert coverage_sentence(100, reasons) == (
        "55 covered, 45 not (language de 30, language und 9, language fr 4, no text 2). No figure includes "
        "texts in de and fr: the embedding model does not read them; set model under [embedding] "
        "to one that does."
    )
