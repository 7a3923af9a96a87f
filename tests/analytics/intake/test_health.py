"""Source health on small stores whose state is known by construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle, islice

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.intake.health import SOURCE_DAY, SOURCE_STATE, Health, assess_sources
from analytics.intake.health_evidence import (
    count_evidence,
    count_limits,
    fit_volume,
    present_change,
    two_sample,
)

FIRST = date(2026, 1, 5)  # a Monday
SCHEMA = {
    "source": pl.String,
    "day": pl.Date,
    "rating_share": pl.Float64,
    "rating": pl.Float64,
    "language": pl.String,
    "arrived_on": pl.Date,
    "item_id": pl.String,
    "n_words": pl.Int64,
}
USUAL = (5, 4, 5, 3, 5, 1, 4, 5, 2, 5)


@dataclass(frozen=True)
class Planned:
    name: str
    kind: str
    start: date
    end: date
    sources: tuple[str, ...] = ()


def day(row: int) -> date:
    return FIRST + timedelta(days=row)


def feed(
    counts: Sequence[int],
    *,
    source: str = "survey",
    ratings: Callable[[int], Sequence[float | None]] = lambda row: USUAL,
    languages: Callable[[int], Sequence[str]] = lambda row: ("en",),
    words: Callable[[int], int] = lambda row: 30,
    items: Sequence[str | None] = (None,),
    top: float = 5,
    lag: int = 0,
) -> pl.DataFrame:
    """`counts[row]` documents on each day; ratings, languages and items go round within a day."""
    rows = []
    for row, count in enumerate(counts):
        given_ratings = list(islice(cycle(ratings(row)), count))
        given_languages = list(islice(cycle(languages(row)), count))
        for index in range(count):
            rating = given_ratings[index]
            share = None if rating is None or rating > top else (rating - 1) / (top - 1)
            rows.append(
                {
                    "source": source,
                    "day": day(row),
                    "rating_share": share,
                    "rating": rating,
                    "language": given_languages[index],
                    "arrived_on": day(row + lag),
                    "item_id": items[index % len(items)],
                    "n_words": words(row) + index,
                }
            )
    return pl.DataFrame(rows, schema=SCHEMA)


def assess(documents: pl.DataFrame, row: int, **more: object) -> Health:
    return assess_sources(documents, as_of=day(row), **{"holidays": [], **more})  # type: ignore[arg-type]


def state(documents: pl.DataFrame, row: int, **more: object) -> dict[str, object]:
    return assess(documents, row, **more).source_state.row(0, named=True)


def test_a_feed_that_stops_is_named_with_its_day() -> None:
    documents = feed([14] * 70)
    assert state(documents, 69)["status"] == "ok"
    stopped = state(documents, 71)
    assert (stopped["status"], stopped["since"], stopped["held"]) == ("stopped", day(70), True)
    assert stopped["last_day"] == day(69)
    assert stopped["sentence"] == (
        "Source survey has delivered nothing since 16 Mar 2026 (about 14 a day expected): no claim of a fall "
        "rests on it; check the feed."
    )


def test_a_stop_never_becomes_the_new_normal() -> None:
    assert state(feed([14] * 70), 400)["status"] == "stopped"


def test_one_empty_day_of_a_weak_feed_is_no_stop_but_a_week_is() -> None:
    documents = feed([2, 1, 3, 2] * 20)
    assert state(documents, 80)["status"] == "ok"
    assert state(documents, 87)["status"] == "stopped"


@pytest.mark.parametrize("count", [20, 300])
def test_a_feed_that_rests_at_weekends_stops_only_on_a_working_day(count: int) -> None:
    documents = feed([count, count, count, count, count, 0, 0] * 10)
    assert [state(documents, row)["status"] for row in (68, 69)] == ["ok", "ok"]
    assert state(documents, 71)["status"] == "stopped"


def test_an_empty_holiday_is_not_judged() -> None:
    documents = feed([30] * 70)
    holidays = [day(70), day(71)]
    health = assess(documents, 71, holidays=holidays)
    assert health.source_state["status"].to_list() == ["ok"]
    assert health.source_day["status"].to_list()[-2:] == ["holiday", "holiday"]
    assert state(documents, 73, holidays=holidays)["status"] == "stopped"


def test_a_young_source_is_too_new_to_tell() -> None:
    young = state(feed([30] * 20), 19)
    assert (young["status"], young["held"], young["since"]) == ("too new to tell", False, FIRST)
    days = assess(feed([30] * 20), 19).source_day
    assert days["expected"].null_count() == 20


def test_a_feed_that_comes_back_is_ok_and_its_gap_stays_marked() -> None:
    health = assess(feed([20] * 70 + [0] * 10 + [20] * 5), 84)
    assert health.source_state.select("status", "since").row(0) == ("ok", day(80))
    marked = health.source_day.filter(pl.col("status") == "stopped")
    assert marked["day"].to_list() == [day(row) for row in range(70, 80)]
    assert marked["expected"].to_list() == pytest.approx([20] * 10, abs=1)


def test_a_slow_source_is_late_not_stopped() -> None:
    late = state(feed([20] * 90, lag=4), 85)
    assert (late["status"], late["held"], late["since"]) == ("late", False, day(82))
    assert "up to 4 days late" in str(late["sentence"])
    # Four days are usual for it; what was due after them has not come either.
    assert state(feed([20] * 90, lag=4).filter(pl.col("arrived_on") <= day(85)), 88)["status"] == "stopped"


def test_an_import_in_one_night_says_nothing_about_delays() -> None:
    documents = feed([20] * 90).with_columns(pl.lit(day(300)).alias("arrived_on"))
    assert state(documents, 89)["status"] == "ok"
    assert state(documents, 92)["status"] == "stopped"


def test_ratings_beyond_the_old_top_are_another_scale() -> None:
    documents = feed([20] * 75, ratings=lambda row: USUAL if row < 72 else [2 * rating for rating in USUAL])
    assert state(documents, 71)["status"] == "ok"
    changed = state(documents, 72)
    assert (changed["status"], changed["since"], changed["held"]) == ("scale changed", day(72), True)
    assert "up to 10 instead of 5" in str(changed["sentence"])


def test_one_slip_of_the_hand_is_no_other_scale() -> None:
    documents = feed([20] * 75, ratings=lambda row: USUAL if row != 73 else [*USUAL, 50, *USUAL[1:]])
    assert state(documents, 73)["status"] == "ok"


def test_bad_ratings_are_no_other_scale_and_are_not_held() -> None:
    """A defect: from one day on nine in ten rate 1 or 2."""
    documents = feed([20] * 90, ratings=lambda row: USUAL if row < 72 else (1, 2, 1, 1, 2, 1, 1, 2, 1, 4))
    assert [state(documents, row)["status"] for row in range(72, 90)] == ["ok"] * 18


def test_a_scale_that_shrinks_is_told_from_bad_ratings() -> None:
    ten = [2 * rating for rating in USUAL]
    halved = feed([20] * 75, ratings=lambda row: ten if row < 70 else USUAL, top=10)
    worse = feed([20] * 75, ratings=lambda row: ten if row < 70 else (1, 1, 2, 3, 1, 2, 4, 1, 5, 2), top=10)
    assert state(halved, 74)["status"] == "scale changed"
    assert state(worse, 74)["status"] == "ok"


def test_a_scale_turned_round_needs_items_that_were_bad_before() -> None:
    items = ("good", "fine", "bad", "poor", "well")

    def turned(row: int, bad: int) -> Sequence[float]:
        usual = (5, 4, bad, bad, 5)
        return usual if row < 70 else [6 - rating for rating in usual]

    known = state(feed([25] * 75, ratings=lambda row: turned(row, 1), items=items), 74)
    assert (known["status"], known["since"]) == ("scale changed", day(70))
    assert "other way round" in str(known["sentence"])
    # Where all items were good, all turning bad is no other scale.
    assert state(feed([25] * 75, ratings=lambda row: turned(row, 5), items=items), 74)["status"] == "ok"


def test_another_language_mix_is_held() -> None:
    documents = feed(
        [20] * 90, languages=lambda row: ("en",) * 9 + ("de",) if row < 80 else ("en", "de", "de", "de")
    )
    assert state(documents, 79)["status"] == "ok"
    changed = state(documents, 82)
    assert (changed["status"], changed["since"], changed["held"]) == ("mix changed", day(80), True)
    assert "75 % instead of 10 % documents in language 'de'" in str(changed["sentence"])


def test_ratings_that_are_no_longer_asked_for_are_a_mix() -> None:
    documents = feed([20] * 90, ratings=lambda row: USUAL if row < 80 else (5, None))
    assert state(documents, 84)["status"] == "mix changed"
    assert "50 % instead of 100 % documents with a rating" in str(state(documents, 84)["sentence"])


def test_a_doubled_volume_is_named_and_not_held() -> None:
    documents = feed([40] * 70 + [80] * 100)
    doubled = state(documents, 75)
    assert (doubled["status"], doubled["since"], doubled["held"]) == ("volume changed", day(70), False)
    assert "2.0 times its usual 40 a day" in str(doubled["sentence"])
    assert state(documents, 70 + 55)["status"] == "volume changed"
    assert state(documents, 70 + 56)["status"] == "ok"


def test_a_promotion_explains_more_documents() -> None:
    promotion = Planned("spring sale", "promotion", day(70), day(80), ("survey",))
    elsewhere = Planned("spring sale", "promotion", day(70), day(80), ("shop",))
    documents = feed([40] * 70 + [80] * 10)
    assert "promotion 'spring sale' explains it" in str(state(documents, 75, events=[promotion])["sentence"])
    assert "explains" not in str(state(documents, 75, events=[elsewhere])["sentence"])


def invited(row: int) -> Sequence[float]:
    return USUAL if row < 70 else (5,) * 8 + (4, 5)


def test_invitations_are_a_change_of_collecting() -> None:
    documents = feed([40] * 70 + [80] * 10, ratings=invited, words=lambda row: 30 if row < 70 else 1)
    changed = state(documents, 73)
    assert (changed["status"], changed["held"]) == ("collection changed", True)
    sale = Planned("spring sale", "promotion", day(70), day(80))
    explained = state(documents, 73, events=[sale])
    assert (explained["status"], explained["held"]) == ("volume changed", False)


def test_a_stated_outage_does_not_lift_the_hold_of_a_stop() -> None:
    outage = Planned("moving house", "outage", day(70), day(75))
    stopped = state(feed([40] * 70), 73, events=[outage])
    assert (stopped["status"], stopped["held"]) == ("stopped", True)
    assert "outage 'moving house' explains it" in str(stopped["sentence"])


def test_no_documents_give_empty_tables() -> None:
    health = assess(pl.DataFrame(schema=SCHEMA), 10)
    assert dict(health.source_day.schema) == SOURCE_DAY
    assert dict(health.source_state.schema) == SOURCE_STATE
    assert health.source_state.is_empty()


def test_optional_columns_and_nulls_are_borne() -> None:
    documents = feed([5] * 60).with_columns(
        pl.lit(None, dtype=pl.Float64).alias("rating"),
        pl.lit(None, dtype=pl.Float64).alias("rating_share"),
        pl.lit(None, dtype=pl.String).alias("language"),
        pl.lit(None, dtype=pl.Date).alias("arrived_on"),
    )
    assert state(documents.drop("n_words"), 59)["status"] == "ok"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=120), st.integers(0, 130), st.randoms())
def test_a_night_depends_on_its_own_source_and_past_only(counts: list[int], row: int, shuffled) -> None:  # type: ignore[no-untyped-def]
    """Neither later documents, nor other sources, nor the order of rows change anything; days add up."""
    counts = [1, *counts]
    documents = feed(counts)
    past = documents.filter(pl.col("day") <= day(row))
    alone = assess(past, row)
    order = list(range(documents.height))
    shuffled.shuffle(order)
    together = assess(pl.concat([documents[order], feed([3] * 50, source="chat")]), row)
    for table, other in zip(
        (alone.source_day, alone.source_state), (together.source_day, together.source_state), strict=True
    ):
        assert table.equals(other.filter(pl.col("source") == "survey"))
    assert alone.source_day["n_arrived"].sum() == past.height


def test_evidence_of_an_empty_day_is_its_probability() -> None:
    """Gamma-Poisson: P(0) = (1 + a m)^(-1/a); with m = 3, a = 1 that is 1/4."""
    assert count_evidence(np.zeros(1), np.array([3.0]), np.array([1.0])) == pytest.approx(np.log(4))
    assert count_evidence(np.array([3.0]), np.array([3.0]), np.array([1.0])) == pytest.approx(0, abs=1e-12)


def test_two_samples_by_hand() -> None:
    """Ten of ten against none of ten: 20 log 2."""
    nats = two_sample(np.array([[10.0, 0.0]]), np.array([[0.0, 10.0]]))
    assert nats == pytest.approx(20 * np.log(2))
    assert two_sample(np.array([[10.0, 5.0]]), np.array([[4.0, 2.0]])) == pytest.approx(0, abs=1e-9)


@given(st.floats(0.1, 1000), st.floats(0.01, 1))
def test_limits_are_the_last_counts_within_the_evidence(mean: float, dispersion: float) -> None:
    expected, spread = np.array([mean]), np.array([dispersion])
    low, high = count_limits(expected, spread, nats=3.3)
    assert low[0] >= 0

    def nats(count: np.ndarray) -> float:
        return float(count_evidence(count, expected, spread)[0])

    assert max(nats(low), nats(high)) <= 3.3 + 1e-6
    assert nats(high + 1) > 3.3
    assert low[0] == 0 or nats(low - 1) > 3.3


def test_weekdays_and_level_are_found_and_one_burst_is_not() -> None:
    week = np.array([60, 60, 60, 60, 60, 30, 20])
    counts = np.tile(week, 9)
    counts[50] = 900
    fit = fit_volume(counts, np.ones(63, dtype=bool))
    assert fit.expected[56:] == pytest.approx(week, rel=0.2)
    plain = fit_volume(np.tile(week, 9), np.ones(63, dtype=bool))
    assert plain.expected[56:] == pytest.approx(week, rel=0.05)


def test_a_lasting_change_becomes_what_later_days_are_compared_with() -> None:
    def evidence(start: int) -> np.ndarray:
        nats = np.zeros(200)
        nats[100], nats[190] = (50, 0) if start == 0 else (0, 20)
        return nats

    assert present_change(evidence, 200, 10) == 190
    assert (
        present_change(lambda start: np.where(np.arange(200) == 100, 50.0, 0) * (start == 0), 200, 10) is None
    )
