"""Where a change is told, and what is told once: typed rows, answers known by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from analytics.insight.candidates import locate_changes, merge_alike
from analytics.insight.trends import CHANGE_ROWS, FALLING, RISING, STEADY


def row(theme: str, place: str, after: int, before: int, **more: Any) -> dict[str, Any]:
    """A change of a week held against eight, at a constant exposure of 100 a week."""
    kind, _, name = place.partition(":")
    changed = {
        "theme_id": theme,
        "subject_kind": kind,
        "subject": name or kind,
        "kind": RISING if after * 8 > before else FALLING,
        "days_after": 7,
        "n_after": after,
        "n_before": before,
        "exposure_after": 100.0,
        "exposure_before": 800.0,
        "since": date(2026, 6, 24),
    }
    return dict.fromkeys(CHANGE_ROWS) | changed | more


def told(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=CHANGE_ROWS)


def places(located: pl.DataFrame) -> list[tuple[str, ...]]:
    return located.select("theme_id", "direction", "subject_kind", "subject").rows()


def test_a_change_is_told_where_most_of_it_happened() -> None:
    everywhere = row("lid", "all", 50, 80)
    mostly, partly = row("lid", "item:kettle", 36, 16), row("lid", "item:lamp", 14, 48)
    assert places(locate_changes(told(everywhere, mostly, partly))) == [("lid", "up", "item", "kettle")]
    assert places(locate_changes(told(everywhere, partly))) == [("lid", "up", "all", "all")]
    assert places(locate_changes(told(partly))) == [("lid", "up", "item", "lamp")]
    assert locate_changes(told(row("lid", "all", 50, 80, kind=STEADY))).is_empty()


def test_what_is_counted_in_more_days_is_not_more_of_it() -> None:
    everywhere = row("lid", "all", 130, 80)
    month = {"days_after": 28, "exposure_after": 400.0}
    item = row("lid", "item:kettle", 128, 64, **month)
    (where,) = locate_changes(told(everywhere, item)).iter_rows(named=True)
    assert where["subject"] == "all", "120 a week everywhere, 24 a week of the kettle"
    assert where["excess"] == pytest.approx(120)


def test_themes_that_say_the_same_are_told_once() -> None:
    changes = told(
        row("lid", "item:kettle", 40, 16),
        row("rust", "item:kettle", 20, 16, since=date(2026, 6, 12)),
        row("spout", "item:kettle", 20, 16, since=date(2026, 6, 1)),
        row("price", "item:lamp", 20, 16),
    )
    nobody = pl.DataFrame(schema={"theme_id": pl.String, "direction": pl.String, "author": pl.String})
    merged = merge_alike(locate_changes(changes), nobody)
    assert merged.select("theme_id", "others").rows() == [("lid", ["rust"]), ("price", []), ("spout", [])]


def test_themes_of_the_whole_store_are_one_where_the_same_authors_speak_of_both() -> None:
    located = locate_changes(told(row("late", "all", 50, 80), row("lost", "all", 40, 80)))
    speakers = {"late": "abcd", "lost": "defg", "else": "hijklmnopqrstuvwxyz"}
    mentions = pl.DataFrame(
        [(theme, "up", author) for theme, authors in speakers.items() for author in authors],
        schema=["theme_id", "direction", "author"],
        orient="row",
    )
    assert merge_alike(located, mentions)["theme_id"].to_list() == ["late"]
    apart = mentions.filter(pl.col("author") != "d")
    assert merge_alike(located, apart)["theme_id"].to_list() == ["late", "lost"]
