"""A change that the mix of items accounts for is none; one that happens to every item is."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from analytics.insight.mix import without_mix
from analytics.insight.trends import CHANGE_ROWS, FALLING, RISING, STEADY, days_looked_at, find_changes
from analytics.settings import TrendSettings

AS_OF = date(2026, 6, 30)
SETTINGS = TrendSettings()
N_DAYS = days_looked_at(SETTINGS)
SINCE = 42
BRAND = ("segment", "brand: Acme")
"""That all items are of."""


def told(written: dict[str, tuple[int, int]], said: dict[str, tuple[int, int]]) -> dict[str, str]:
    """Kinds by place: texts and mentions a day of each item, before the last SINCE days and in them."""
    rows, shown = [], []
    for ago in range(N_DAYS):
        day = AS_OF - timedelta(days=ago)
        for item, sides in written.items():
            is_after = ago < SINCE
            shown.append(("item", item, day, float(sides[is_after])))
            for nth in range(said[item][is_after]):
                name = f"{item}-{ago}-{nth}"
                rows += [("streaming", name, name, day, kind, place) for kind, place in places(item)]
        total = float(sum(sides[ago < SINCE] for sides in written.values()))
        shown += [("all", "all", day, total), (*BRAND, day, total)]
    mentions = pl.DataFrame(
        rows, schema=["theme_id", "document_id", "author", "day", "subject_kind", "subject"], orient="row"
    )
    exposure = pl.DataFrame(shown, schema=["subject_kind", "subject", "day", "n"], orient="row")
    found = find_changes(mentions, exposure, SETTINGS, as_of=AS_OF, min_authors=5)
    assert (found.filter(pl.col("subject_kind") != "item")["kind"] != STEADY).all()
    left = without_mix(found, mentions, exposure, as_of=AS_OF, n_days=N_DAYS, min_ratio=SETTINGS.min_ratio)
    assert left.schema == pl.Schema(CHANGE_ROWS)
    assert left.filter(kind=STEADY)["since"].null_count() == left.filter(kind=STEADY).height
    return {f"{kind} {place}": told for kind, place, told in left[["subject_kind", "subject", "kind"]].rows()}


def places(item: str) -> list[tuple[str, str]]:
    return [("all", "all"), BRAND, ("item", item)]


def test_fewer_texts_about_the_item_that_a_theme_belongs_to_are_no_change_of_the_theme() -> None:
    kinds = told({"stick": (40, 10), "tablet": (40, 70)}, {"stick": (12, 3), "tablet": (1, 2)})
    assert kinds["all all"] == kinds["segment brand: Acme"] == STEADY


def test_an_item_that_is_new_brings_no_change_where_it_is_like_the_others() -> None:
    kinds = told(
        {"stick": (40, 10), "tablet": (40, 40), "speaker": (0, 60)},
        {"stick": (12, 3), "tablet": (1, 1), "speaker": (0, 9)},
    )
    assert kinds["all all"] == kinds["segment brand: Acme"] == STEADY


def test_new_items_that_a_theme_is_not_said_of_take_nothing_from_it() -> None:
    kinds = told({"reader": (40, 20), "speaker": (0, 80)}, {"reader": (12, 6), "speaker": (0, 0)})
    assert kinds["all all"] == kinds["segment brand: Acme"] == STEADY


def test_a_theme_that_goes_with_its_item_is_no_change() -> None:
    kinds = told({"reader": (40, 0), "speaker": (40, 80)}, {"reader": (12, 0), "speaker": (0, 0)})
    assert kinds["all all"] == kinds["segment brand: Acme"] == STEADY


def test_a_theme_of_a_new_item_alone_is_a_change() -> None:
    kinds = told({"tablet": (60, 60), "speaker": (0, 20)}, {"tablet": (3, 3), "speaker": (0, 12)})
    assert kinds["all all"] == RISING


@pytest.mark.parametrize(("before", "after", "kind"), [(3, 9, RISING), (9, 3, FALLING)])
def test_what_happens_to_every_item_is_a_change_whatever_the_mix(before: int, after: int, kind: str) -> None:
    kinds = told(
        {"stick": (40, 20), "tablet": (40, 60)}, {"stick": (before, after // 2), "tablet": (before, after)}
    )
    assert kinds["all all"] == kinds["segment brand: Acme"] == kind


def test_a_change_of_one_item_stays() -> None:
    kinds = told({"stick": (40, 10), "tablet": (40, 70)}, {"stick": (12, 0), "tablet": (1, 2)})
    assert kinds["item stick"] != STEADY
