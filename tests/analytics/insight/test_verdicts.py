"""Whether what was done worked: by hand, where nothing was done to it, and against a simulated truth."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy import stats

from analytics.insight.rates import dispersion_around
from analytics.insight.verdicts import (
    NO_EFFECT,
    TOO_EARLY,
    VERDICT_ROWS,
    WORKED,
    WORSE,
    difference_in_differences,
    measure_verdicts,
    verdict_sentence,
)

DONE_ON = date(2026, 6, 1)
AS_OF = DONE_ON + timedelta(days=27)
BEFORE, AFTER = 8, 4
"""Weeks."""

Cells = dict[tuple[str, str, str], list[int]]


def store(cells: Cells, *, volume: float = 100.0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mentions by other authors each time, spread over each week; every place is as exposed."""
    mentions, exposure = [], []
    for (theme, kind, place), weeks in cells.items():
        for week, n in enumerate(weeks):
            first = DONE_ON + timedelta(days=7 * (week - BEFORE))
            mentions += [
                (theme, kind, place, f"{theme}-{place}-{week}-{nth}", first + timedelta(days=nth % 7))
                for nth in range(n)
            ]
    for kind, place in sorted({cell[1:] for cell in cells}):
        n_days = 7 * len(next(iter(cells.values())))
        first = DONE_ON - timedelta(days=7 * BEFORE)
        exposure += [(kind, place, first + timedelta(days=n), volume / 7) for n in range(n_days)]
    places = {"subject_kind": pl.String, "subject": pl.String}
    said = {"theme_id": pl.String, **places, "author": pl.String, "day": pl.Date}
    shown = {**places, "day": pl.Date, "n": pl.Float64}
    return pl.DataFrame(mentions, said, orient="row"), pl.DataFrame(exposure, shown, orient="row")


def done(*rows: tuple[str, str, str, str | None], since: date | None = None, on: date = DONE_ON):
    """Decisions by kind, kind of subject, subject and theme; their ids are d0, d1 …"""
    columns = {name: pl.String for name in ("kind", "subject_kind", "subject", "theme_id")}
    frame = pl.DataFrame(rows, columns, orient="row").with_row_index("decision_id")
    return frame.with_columns(
        decision_id=pl.format("d{}", "decision_id"), since=pl.lit(since, pl.Date), done_on=pl.lit(on)
    )


def judged(decisions: pl.DataFrame, cells: Cells, as_of: date = AS_OF, **more) -> list[dict]:
    found = measure_verdicts(decisions, *store(cells, **more), as_of=as_of)
    assert found.schema == pl.Schema(VERDICT_ROWS)
    return found.rows(named=True)


def steady(n: int) -> list[int]:
    return [n] * (BEFORE + AFTER)


FIXED: Cells = {
    ("lid", "item", "kettle"): [10] * BEFORE + [2] * AFTER,
    ("lid", "item", "pot"): steady(10),
    ("lid", "item", "pan"): steady(10),
    ("price", "item", "pot"): steady(5),
}


def test_the_ratio_and_its_interval_by_hand() -> None:
    counts = np.array([[80.0, 8.0], [160.0, 80.0]])
    exposure = np.array([[800.0, 400.0], [1600.0, 800.0]])
    change, error = difference_in_differences(counts, exposure, 1, np.array([1.0, 2.0]))
    assert change == pytest.approx(np.log(8.5 / 80.5 * 2) - np.log(80.5 / 160.5 * 2))
    assert error == pytest.approx(np.sqrt(1 / 8.5 + 1 / 80.5 + 2 / 80.5 + 2 / 160.5))
    nothing = difference_in_differences(counts, exposure * [1, 0], 1, np.ones(2))
    assert np.isnan(nothing).all()


def test_a_fix_that_took_the_complaints_away_worked() -> None:
    (row,) = judged(done(("fix", "item", "kettle", "lid")), FIXED)
    assert (row["verdict"], row["compared_with"], row["enough_on"]) == (WORKED, "other items", None)
    assert (row["n_before"], row["n_after"]) == (80, 8)
    assert row["ratio"] == pytest.approx(8.5 / 80.5 / (80.5 / 160.5), abs=1e-6)
    error = np.sqrt(1 / 8.5 + 1 / 80.5 + 1 / 80.5 + 1 / 160.5)
    margins = -np.log(row["ratio_low"] / row["ratio"]), np.log(row["ratio_high"] / row["ratio"])
    assert margins[0] == pytest.approx(margins[1], abs=1e-3)
    # Twelve weeks and what other cells lend: Student's quantile lies between those of 12 and of many.
    assert stats.norm.ppf(0.975) * error < margins[0] < stats.t.ppf(0.975, 12) * error


def test_the_other_way_is_worse_and_what_is_kept_is_to_rise() -> None:
    (row,) = judged(done(("keep", "item", "kettle", "lid")), FIXED)
    assert row["verdict"] == WORSE
    risen = {**FIXED, ("lid", "item", "kettle"): [10] * BEFORE + [30] * AFTER}
    assert judged(done(("keep", "item", "kettle", "lid")), risen)[0]["verdict"] == WORKED
    assert judged(done(("watch", "item", "kettle", "lid")), risen)[0]["verdict"] == WORSE


def test_what_fell_everywhere_was_not_done_by_anybody() -> None:
    fallen = {cell: [10] * BEFORE + [5] * AFTER for cell in FIXED}
    (row,) = judged(done(("fix", "item", "kettle", "lid")), fallen)
    assert row["ratio"] == pytest.approx(1.0, abs=0.05)
    assert row["verdict"] in (NO_EFFECT, TOO_EARLY)


def test_enough_that_has_not_changed_is_no_visible_effect() -> None:
    many = {cell: steady(30) for cell in FIXED}
    (row,) = judged(done(("fix", "item", "kettle", "lid")), many)
    assert row["verdict"] == NO_EFFECT
    assert 0.5 < row["ratio_low"] < 1 < row["ratio_high"]


def test_too_early_says_when_it_will_be_enough_and_then_it_is() -> None:
    cells = {cell: steady(30) for cell in FIXED}
    last = DONE_ON + timedelta(days=6)
    (row,) = judged(done(("fix", "item", "kettle", "lid")), {c: w[:9] for c, w in cells.items()}, last)
    assert row["verdict"] == TOO_EARLY
    assert last < row["enough_on"] < AS_OF
    for day, verdict in ((row["enough_on"] - timedelta(days=1), TOO_EARLY), (row["enough_on"], NO_EFFECT)):
        mentions, exposure = store(cells)
        known = pl.col("day") <= day
        found = measure_verdicts(
            done(("fix", "item", "kettle", "lid")), mentions.filter(known), exposure.filter(known), as_of=day
        )
        assert found["verdict"].to_list() == [verdict], day


def test_on_the_day_it_is_done_nothing_is_known_yet() -> None:
    before = {cell: weeks[:BEFORE] for cell, weeks in FIXED.items()}
    (row,) = judged(done(("fix", "item", "kettle", "lid")), before, DONE_ON - timedelta(days=1))
    assert (row["verdict"], row["ratio"], row["n_after"]) == (TOO_EARLY, None, 0)
    assert row["enough_on"] > DONE_ON


def test_what_was_hardly_said_before_will_never_show() -> None:
    rare = {**FIXED, ("lid", "item", "kettle"): [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]}
    (row,) = judged(done(("fix", "item", "kettle", "lid")), rare)
    assert (row["verdict"], row["enough_on"]) == (TOO_EARLY, None)


def test_it_is_compared_with_other_themes_where_the_same_is_hardly_said_elsewhere() -> None:
    alone = {**FIXED, ("lid", "item", "pot"): steady(0), ("lid", "item", "pan"): [1] * 4 + [0] * 8}
    alone[("price", "item", "pan")] = steady(20)
    (row,) = judged(done(("fix", "item", "kettle", "lid")), alone)
    assert (row["compared_with"], row["verdict"]) == ("other themes", WORKED)
    everywhere = {("lid", "all", "all"): FIXED["lid", "item", "kettle"], ("price", "all", "all"): steady(20)}
    (row,) = judged(done(("fix", "all", "all", "lid")), everywhere)
    assert (row["compared_with"], row["verdict"]) == ("other themes", WORKED)


def test_a_segment_is_compared_with_the_other_values_of_its_name() -> None:
    cells = {
        ("lid", "segment", "country: DE"): FIXED["lid", "item", "kettle"],
        ("lid", "segment", "country: FR"): steady(10),
        ("lid", "segment", "channel: web"): [10] * BEFORE + [100] * AFTER,
    }
    (row,) = judged(done(("fix", "segment", "country: DE", "lid")), cells)
    assert row["compared_with"] == "other segments"
    assert row["ratio"] == pytest.approx(8.5 / 80.5 / (40.5 / 80.5), abs=1e-6)


def test_what_another_decision_touched_is_not_untouched() -> None:
    both = {**FIXED, ("lid", "item", "pot"): FIXED["lid", "item", "kettle"]}
    decisions = done(("fix", "item", "kettle", "lid"), ("fix", "item", "pot", "lid"))
    first, second = judged(decisions, both)
    assert first["ratio"] == second["ratio"] == pytest.approx(8.5 / 80.5 / (40.5 / 80.5), abs=1e-6)
    long_ago = decisions.with_columns(
        done_on=pl.when(pl.col("decision_id") == "d0").then("done_on").otherwise(DONE_ON - timedelta(days=99))
    )
    first, _ = judged(long_ago, both)
    assert first["ratio"] == pytest.approx(8.5 / 80.5 / (48.5 / 160.5), abs=1e-6)


def test_before_begins_when_it_began_and_no_earlier_than_thirteen_weeks() -> None:
    grown = {**FIXED, ("lid", "item", "kettle"): [0] * 4 + [10] * 4 + [2] * AFTER}
    since = DONE_ON - timedelta(days=28)
    (row,) = judged(done(("fix", "item", "kettle", "lid"), since=since), grown)
    assert (row["n_before"], row["n_after"]) == (40, 8)
    mentions, exposure = store(FIXED)
    early = pl.col("day") - timedelta(days=56)
    mentions = pl.concat([mentions, mentions.with_columns(early)])
    exposure = pl.concat([exposure.filter(pl.col("day") < DONE_ON).with_columns(early), exposure])
    ancient = done(("fix", "item", "kettle", "lid"), since=DONE_ON - timedelta(days=400))
    row = measure_verdicts(ancient, mentions, exposure, as_of=AS_OF).row(0, named=True)
    assert row["n_before"] == 10 * 5 + 2 * 4 + 10 * 8


def test_one_author_with_thirty_texts_is_one() -> None:
    mentions, exposure = store(FIXED)
    loud = mentions.filter(pl.col("day") == DONE_ON).head(1).select(pl.all().repeat_by(30).explode())
    decisions = done(("fix", "item", "kettle", "lid"))
    calm = measure_verdicts(decisions, mentions, exposure, as_of=AS_OF)
    assert measure_verdicts(decisions, pl.concat([mentions, loud]), exposure, as_of=AS_OF).equals(calm)


def test_the_order_of_rows_changes_nothing() -> None:
    mentions, exposure = store(FIXED)
    decisions = done(("fix", "item", "kettle", "lid"), ("keep", "item", "pot", "price"))
    shuffled = mentions.sample(fraction=1.0, shuffle=True, seed=3)
    found = measure_verdicts(decisions.reverse(), shuffled, exposure.reverse(), as_of=AS_OF)
    assert found.equals(measure_verdicts(decisions, mentions, exposure, as_of=AS_OF))


def test_what_has_no_theme_is_counted_by_its_item() -> None:
    orders = {("", "item", place): weeks for (theme, _, place), weeks in FIXED.items() if theme == "lid"}
    orders["", "item", "kettle"] = [10] * BEFORE + [30] * AFTER
    (row,) = judged(done(("promote", "item", "kettle", None)), orders)
    assert (row["verdict"], row["compared_with"]) == (WORKED, "other items")
    assert judged(done(), {}) == []


def drawn(rng: np.random.Generator, effect: float, n_weeks: int, dispersion: float) -> tuple:
    """Weekly counts of one touched cell and eight others, more varied than independent ones."""
    change = np.where(np.arange(n_weeks) < BEFORE, 1.0, effect)
    mean = np.vstack([8 * change, np.full((8, n_weeks), 6.0)])
    counts = rng.poisson(rng.gamma(mean / (dispersion - 1), dispersion - 1)).astype(float)
    together = np.vstack([counts[0], counts[1:].sum(axis=0)])
    return together, np.vstack([together, counts[1:]])


@pytest.mark.parametrize("effect", [1.0, 0.5])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(effect: float) -> None:
    rng, n_weeks, hits = np.random.default_rng(7), BEFORE + AFTER, 0
    for _ in range(600):
        together, cells = drawn(rng, effect, n_weeks, 1.6)
        around = dispersion_around(cells, np.ones_like(cells), BEFORE)
        spread = around.dispersion[:2]
        change, error = difference_in_differences(together, np.ones_like(together), BEFORE, spread)
        margin = stats.t.isf(0.025, around.freedom[:2].min()) * error
        hits += abs(change - np.log(effect)) <= margin
    assert 0.92 < hits / 600 < 0.98


def test_what_nobody_changed_seldom_worked_or_got_worse() -> None:
    rng, words = np.random.default_rng(11), []
    decisions = done(*[("fix", "item", f"i{n}", f"t{n % 4}") for n in range(4)])
    for _ in range(25):
        cells = {
            (f"t{theme}", "item", f"i{place}"): rng.poisson(rng.gamma(50, 0.6, BEFORE + AFTER)).tolist()
            for theme in range(4)
            for place in range(6)
        }
        words += [row["verdict"] for row in judged(decisions, cells)]
    assert set(words) <= {WORKED, WORSE, NO_EFFECT, TOO_EARLY}
    assert words.count(WORKED) + words.count(WORSE) <= 12, "of 100, 5 are expected"
    assert words.count(NO_EFFECT) > 0


def test_a_verdict_is_told_in_plain_words() -> None:
    row = {"verdict": WORKED, "done_on": DONE_ON, "compared_with": "other items", "enough_on": None}
    ratios = {"ratio": 0.2, "ratio_low": 0.1, "ratio_high": 0.4}
    what = "mentions of “lid” on Kettle"
    assert verdict_sentence({**row, **ratios}, what) == (
        "Worked: mentions of “lid” on Kettle fell by 80 % (60 to 90 %) after 1 Jun 2026, held against other "
        "items."
    )
    risen = {**row, "verdict": WORSE, "ratio": 1.5, "ratio_low": 1.1, "ratio_high": 2.0}
    assert "Worse: mentions of “lid” on Kettle rose by 50 % (10 to 100 %)" in verdict_sentence(risen, what)
    same = {**row, "verdict": NO_EFFECT, "ratio": 1.0, "ratio_low": 0.8, "ratio_high": 1.25}
    assert "changed by 0 % (−20 to +25 %)" in verdict_sentence(same, what)
    early = {**row, "verdict": TOO_EARLY, "enough_on": AS_OF}
    assert verdict_sentence(early, what).endswith("a halving would show by 28 Jun 2026.")
    assert "for a halving ever to show" in verdict_sentence({**early, "enough_on": None}, what)
