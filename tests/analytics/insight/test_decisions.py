from datetime import date
from typing import Any

import polars as pl
import pytest

from analytics.identity import decision_id
from analytics.insight.candidates import locate_changes, merge_alike, with_rates
from analytics.insight.decisions import (
    FOUND_ROWS,
    Ranked,
    from_changes,
    from_effects,
    from_loved,
    rank_decisions,
    still_open,
)
from analytics.insight.loved import LOVED_ROWS
from analytics.insight.trends import CHANGE_ROWS
from analytics.rows import EPISODE_ROWS
from analytics.tables import TABLES

NIGHT, SINCE = date(2026, 6, 30), date(2026, 6, 1)
DRIVER_COLUMNS = TABLES["driver"].columns
COMMON: dict[str, Any] = {"as_of": NIGHT, "weeks": 26}


def change(theme: str, kind: str = "rising", place: tuple[str, str] = ("all", "all"), **more: Any) -> dict:
    fell = kind in ("falling", "gone")
    row = {
        "theme_id": theme,
        "subject_kind": place[0],
        "subject": place[1],
        "kind": kind,
        "n_after": {"gone": 0, "falling": 5}.get(kind, 60),
        "n_before": {"new": 0}.get(kind, 40 if not fell else 80),
        "exposure_after": 400.0,
        "exposure_before": 800.0,
        "ratio": None if kind == "new" else 0.1 if fell else 3.0,
        "ratio_low": 2.0,
        "ratio_high": 4.5,
        "dispersion": 1.0,
        "p_value": 0.0001,
        "q_value": 0.001,
        "since": SINCE,
    }
    return row | more


def changes(*rows: dict) -> pl.DataFrame:
    full = [{name: row.get(name) for name in CHANGE_ROWS} for row in rows]
    return pl.DataFrame(full, schema=CHANGE_ROWS, orient="row")


def told(*rows: dict) -> pl.DataFrame:
    located = locate_changes(changes(*rows))
    merged = merge_alike(
        located, pl.DataFrame(schema={"theme_id": pl.String, "direction": pl.String, "author": pl.String})
    )
    return with_rates(merged, min_authors=5)


def driver(theme: str, effect: float, outcome: str = "rating in reviews", **more: Any) -> dict:
    kind = "rating" if outcome.startswith("rating") else "harm"
    reach = abs(effect) / 2
    row = {
        "theme_id": theme,
        "outcome": outcome,
        "outcome_kind": kind,
        "is_share": kind == "harm",
        "scale": 1.0 if kind == "harm" else 4.0,
        "n_documents": 1000,
        "n_authors": 50,
        "share": 0.1,
        "mean_outcome": 0.06 if kind == "harm" else 4.0,
        "effect": effect,
        "effect_low": effect - reach,
        "effect_high": effect + reach,
        "p_value": 0.0001,
        "q_value": 0.001,
        "recoverable": -effect * 0.1,
        "recoverable_plain": -effect * 0.1,
    }
    return row | more


def drivers(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=DRIVER_COLUMNS, orient="row")


def loved(**more: Any) -> pl.DataFrame:
    row = {
        "item_id": "P1",
        "segment": "country: AT",
        "n_authors": 30,
        "rating_share": 0.95,
        "lead": 0.3,
        "lead_low": 0.2,
        "lead_high": 0.4,
        "seen_share": 0.005,
        "p_value": 1e-6,
        "q_value": 1e-5,
        "theme_id": "warm",
    }
    return pl.DataFrame([row | more], schema={**LOVED_ROWS, "theme_id": pl.String}, orient="row")


def rank(*found: pl.DataFrame, earlier: pl.DataFrame | None = None, run: str = "run1", **more: Any) -> Ranked:
    return rank_decisions(
        pl.concat([pl.DataFrame(schema=FOUND_ROWS), *found]),
        pl.DataFrame(schema=EPISODE_ROWS) if earlier is None else earlier,
        **{"going_on": set(), "survivors": {}, "weights": {}, "max_decisions": 5, "run_id": run, **more},
    )


def of_changes(*rows: dict, effects: pl.DataFrame | None = None) -> pl.DataFrame:
    return from_changes(told(*rows), drivers() if effects is None else effects, {}, **COMMON, false_rate=0.1)


# ---- which kind


@pytest.mark.parametrize(
    ("kind", "effect", "expected"),
    [
        ("rising", -1.0, "fix"),
        ("new", -1.0, "fix"),
        ("rising", 1.0, "watch"),
        ("new", 0.0, "watch"),
        ("falling", 1.0, "keep"),
        ("gone", 1.0, "keep"),
        ("falling", -1.0, None),
    ],
)
def test_more_of_what_harms_is_fixed_and_less_of_what_is_loved_is_kept(
    kind: str, effect: float, expected: str | None
) -> None:
    effects = drivers(driver("leaks", effect)) if effect else drivers()
    found = of_changes(change("leaks", kind), effects=effects)
    assert found["kind"].to_list() == ([expected] if expected else [])


def test_an_effect_that_may_be_chance_harms_nobody() -> None:
    found = of_changes(change("leaks"), effects=drivers(driver("leaks", -1.0, q_value=0.2)))
    assert found["kind"].to_list() == ["watch"]


def test_a_change_keeps_its_place() -> None:
    found = of_changes(
        change("leaks", place=("item", "P1")), change("loud", place=("segment", "country: AT"))
    )
    places = found.sort("theme_id").select("subject", "item_id", "segment").rows()
    assert places == [("item P1", "P1", None), ("country: AT", None, "country: AT")]


def test_what_customers_do_counts_over_what_they_rate() -> None:
    both = drivers(driver("colour", 0.2, "return within 30 days"), driver("slow", -1.0))
    found = from_effects(both, {}, **COMMON, false_rate=0.1)
    assert found["theme_id"].to_list() == ["colour"]
    only_ratings = drivers(driver("slow", -1.0), driver("fast", 1.0))
    assert from_effects(only_ratings, {}, **COMMON, false_rate=0.1)["theme_id"].to_list() == ["slow"]


def test_themes_of_one_group_that_do_the_same_harm_are_told_once() -> None:
    outcome = "return within 30 days"
    rows = drivers(
        driver("colour", 0.2, outcome), driver("shade", 0.3, outcome), driver("size", 0.1, outcome)
    )
    found = from_effects(rows, {"colour": "g1", "shade": "g1", "size": "g2"}, **COMMON, false_rate=0.1)
    assert found.select("theme_id", "other_themes").rows() == [("shade", ["colour"]), ("size", [])]


def test_a_harm_too_small_to_be_worth_mending_asks_for_nothing() -> None:
    rows = drivers(
        driver("stars", -0.07), driver("wifi", -0.09), driver("dear", 0.019, "return within 30 days")
    )
    assert from_effects(rows.filter(outcome_kind="rating"), {}, **COMMON, false_rate=0.1)[
        "theme_id"
    ].to_list() == ["wifi"]
    assert from_effects(rows, {}, **COMMON, false_rate=0.1).is_empty()


def test_a_loved_item_is_promoted_to_those_who_love_it() -> None:
    found = from_loved(loved(), **COMMON)
    assert found.select("kind", "subject", "item_id", "segment", "theme_id").rows() == [
        ("promote", "item P1, country: AT", "P1", "country: AT", "warm")
    ]


def test_certainty_is_told_in_two_words() -> None:
    found = of_changes(change("a", q_value=0.009), change("b", q_value=0.011, subject_kind="all"))
    assert dict(found.select("theme_id", "certainty").iter_rows()) == {"a": "very likely", "b": "likely"}


# ---- order


def test_what_touches_more_people_and_is_surer_comes_first() -> None:
    few, many = change("few", n_after=45), change("many", n_after=90)
    unsure = change("unsure", n_after=90, q_value=0.09)
    ranked = rank(of_changes(few, many, unsure)).decisions
    assert ranked.sort("rank")["theme_id"].to_list() == ["many", "unsure", "few"]


def test_at_most_so_many_are_listed() -> None:
    ranked = rank(of_changes(*(change(f"t{n}", n_after=50 + n) for n in range(9))))
    assert ranked.decisions["rank"].to_list() == [1, 2, 3, 4, 5]


def test_a_quiet_night_has_none() -> None:
    assert rank(of_changes(change("a", "steady", since=None))).decisions.is_empty()


def test_a_kind_that_is_called_wrong_ranks_lower() -> None:
    found = pl.concat([of_changes(change("a", n_after=50)), from_loved(loved(n_authors=60), **COMMON)])
    trusted, doubted = rank(found), rank(found, weights={"watch": 0.2})
    assert trusted.decisions["kind"].to_list() == ["watch", "promote"]
    assert doubted.decisions["kind"].to_list() == ["promote", "watch"]


def test_a_theme_that_changed_is_not_told_again_for_its_effect() -> None:
    effects = drivers(driver("leaks", 0.2, "return within 30 days"))
    changed = of_changes(change("leaks"), effects=effects)
    ranked = rank(changed, from_effects(effects, {}, **COMMON, false_rate=0.1))
    assert ranked.decisions.select("theme_id", "basis").rows() == [("leaks", "change")]


def test_the_order_of_what_was_found_changes_nothing() -> None:
    found = of_changes(*(change(f"t{n}") for n in range(6)))
    assert rank(found).decisions.equals(rank(found.reverse()).decisions)


# ---- identity over nights


def test_a_decision_keeps_its_id_while_it_is_found() -> None:
    first = rank(of_changes(change("leaks")))
    again = rank(of_changes(change("leaks", n_after=70)), earlier=first.episodes, run="run2")
    assert again.decisions["decision_id"].to_list() == first.decisions["decision_id"].to_list()
    assert again.decisions["decision_id"].to_list() == [decision_id("watch", "all", "leaks", 1)]
    assert again.decisions["first_run"].to_list() == ["run1"]


def test_an_unsure_night_does_not_end_it() -> None:
    first = rank(of_changes(change("leaks")))
    unsure = changes(change("leaks", "steady", ratio=1.4, since=None))
    quiet = rank(earlier=first.episodes, run="run2", going_on=still_open(unsure, drivers()))
    assert quiet.decisions.is_empty()
    back = rank(of_changes(change("leaks")), earlier=quiet.episodes, run="run3")
    assert back.decisions["episode"].to_list() == [1]


def test_once_it_is_over_the_next_time_is_another_episode() -> None:
    first = rank(of_changes(change("leaks")))
    fallen = changes(change("leaks", "steady", ratio=0.9, since=None))
    over = rank(earlier=first.episodes, run="run2", going_on=still_open(fallen, drivers()))
    assert over.episodes["is_open"].to_list() == [False]
    back = rank(of_changes(change("leaks")), earlier=over.episodes, run="run3")
    assert back.decisions["episode"].to_list() == [2]
    assert back.decisions["decision_id"].to_list() != first.decisions["decision_id"].to_list()


def test_a_theme_that_went_into_another_takes_its_decision_along() -> None:
    first = rank(of_changes(change("drips")))
    merged = rank(
        of_changes(change("leaks")), earlier=first.episodes, run="run2", survivors={"drips": "leaks"}
    )
    assert merged.decisions["decision_id"].to_list() == first.decisions["decision_id"].to_list()
    assert merged.decisions["theme_id"].to_list() == ["leaks"]
