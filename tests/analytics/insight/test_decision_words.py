"""A decision says in plain words what its row says."""

from datetime import date
from typing import Any

import pytest

from analytics.insight.decision_words import (
    action_sentence,
    change_of_mind_sentence,
    change_sentence,
    finding_sentence,
    not_heard_sentence,
)

CHANGE: dict[str, Any] = {
    "name": "battery dies",
    "theme_id": "0123456789abcdef",
    "kind": "fix",
    "basis": "change",
    "finding": "rising",
    "item_id": "P1",
    "item": "Lamp",
    "segment": None,
    "since": date(2026, 5, 12),
    "size": 3.04,
    "size_low": 2.1,
    "size_high": 12.0,
    "rate_before": 4.04,
    "rate_after": 12.3,
    "exposure": "orders",
    "n_authors": 52,
    "n_unread": 0,
    "certainty": "very likely",
}
EFFECT: dict[str, Any] = CHANGE | {
    "basis": "effect",
    "finding": "harmful",
    "item_id": None,
    "item": None,
    "outcome": "return within 30 days",
    "outcome_kind": "harm",
    "is_share": True,
    "size": 0.32,
    "size_low": 0.19,
    "size_high": 0.45,
    "rate_before": 0.06,
    "certainty": "likely",
}
LOVED: dict[str, Any] = CHANGE | {
    "kind": "promote",
    "basis": "loved",
    "segment": "country: AT",
    "size": 0.36,
    "size_low": 0.17,
    "size_high": 0.55,
    "rate_before": 5.7,
}


def test_a_change_is_told_with_its_place_size_interval_and_unit() -> None:
    assert finding_sentence(CHANGE) == (
        "“battery dies” on Lamp is said 3.0 times as often since 12 May 2026: from 4.0 to 12 per 1,000 orders"
        " (95 % interval 2.1 to 12 times). Very likely."
    )


@pytest.mark.parametrize(
    ("different", "expected"),
    [
        ({"finding": "new"}, "is new since 12 May 2026: 52 people, 12 per 1,000 orders, none before. Very"),
        ({"finding": "gone"}, "is gone since 12 May 2026; before, 4.0 per 1,000 orders. Very"),
        ({"is_group": True, "item_id": None}, "Complaints about “battery dies” are made 3.0 times as often"),
        ({"size": 2.0}, "is said twice as often since"),
        (
            {"size": None, "rate_before": None},
            "is said far more often since 12 May 2026: 12 per 1,000 orders, hardly anybody before. Very",
        ),
        (
            {"size": None, "rate_after": None, "finding": "falling"},
            "is said far less often since 12 May 2026: 4.0 per 1,000 orders before, hardly anybody now. Very",
        ),
        ({"size": 0.5}, "is said half as often since"),
        ({"finding": "falling", "size": 0.3}, "is said 70 % less often since"),
        ({"item_id": None}, "“battery dies” is said"),
        ({"item_id": None, "segment": "plan: club plus"}, "“battery dies” in plan club plus is said"),
        ({"name": None}, "“theme 01234567” on Lamp"),
        ({"name": "two\nlines"}, "“two lines” on Lamp"),
        ({"certainty": "likely"}, "times). Likely."),
        ({"exposure": "people who write"}, "per 1,000 people who write"),
    ],
)
def test_each_case_has_its_words(different: dict[str, Any], expected: str) -> None:
    assert expected in finding_sentence({**CHANGE, **different})


def test_a_change_without_a_decision_is_told_in_the_same_words() -> None:
    row = CHANGE | {"kind": "rising", "ratio": 3.04, "ratio_low": 2.1, "ratio_high": 12.0}
    assert change_sentence(row) + " Very likely." == finding_sentence(CHANGE)


def test_an_effect_on_what_customers_do_is_in_points() -> None:
    assert finding_sentence(EFFECT) == (
        "“Return within 30 days” is 32 points (19 to 45) more likely where “battery dies” is mentioned than "
        "elsewhere about the same item; it is 6.0 % of all. Likely."
    )


def test_an_effect_on_a_rating_is_in_its_own_points() -> None:
    rating = {"outcome": "rating in reviews", "outcome_kind": "rating", "is_share": False, "rate_before": 3.9}
    row = EFFECT | rating | {"size": -1.2, "size_low": -1.5, "size_high": -0.9}
    assert finding_sentence(row).startswith(
        "“battery dies” costs 1.20 points of rating in reviews (95 % interval 0.90 to 1.50), all else that "
        "is known being the same; the mean of all is 3.9."
    )


def test_a_loved_item_is_told_with_those_who_love_it() -> None:
    assert finding_sentence(LOVED).startswith(
        "Customers of country AT love Lamp, above all for “battery dies”: they rate it 36 points of 100 (17 "
        "to 55) above what they give to other items, and it is only 5.7 of 1,000 items"
    )


def test_every_kind_says_what_to_do_and_what_would_change_our_mind() -> None:
    assert action_sentence(CHANGE).startswith("Check what changed for Lamp around 12 May 2026")
    assert action_sentence(CHANGE | {"kind": "watch"}).startswith("Find out what happened around 12 May 2026")
    assert action_sentence(CHANGE | {"kind": "keep"}).startswith("Find out what was taken from Lamp")
    assert action_sentence(LOVED) == "Show Lamp to more customers of country AT."
    assert "“battery dies”" in action_sentence(EFFECT)
    assert change_of_mind_sentence(CHANGE) == "Two weeks again at 4.0 per 1,000 orders, as before."
    assert change_of_mind_sentence(CHANGE | {"rate_before": None}) == (
        "Two weeks in which hardly anybody says so."
    )
    assert change_of_mind_sentence(CHANGE | {"rate_before": 0.0}) == "Two weeks in which nobody says so."
    assert "reaches zero" in change_of_mind_sentence(EFFECT)
    assert "country AT" in change_of_mind_sentence(LOVED)


def test_who_is_not_heard_is_named() -> None:
    assert not_heard_sentence(CHANGE, []) == "Not heard: those who write nothing."
    assert not_heard_sentence(CHANGE | {"n_unread": 3}, ["survey"]) == (
        "Not heard: 3 texts of the same place and days that no model reads, survey, on hold and those who "
        "write nothing."
    )
