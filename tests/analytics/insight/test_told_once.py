from datetime import date, timedelta
from typing import Any

import polars as pl

from analytics.insight.candidates import locate_changes, merge_alike, narrow_groups, with_rates
from analytics.insight.trends import CHANGE_ROWS, without_season

SINCE = date(2026, 6, 1)
EVERYWHERE, LAMP = ("all", "all"), ("item", "lamp")


def cell(
    theme: str, place: tuple[str, str] = EVERYWHERE, kind: str = "rising", **more: Any
) -> dict[str, Any]:
    """Twenty authors more than the rate before would have given."""
    row = {
        "theme_id": theme,
        "subject_kind": place[0],
        "subject": place[1],
        "kind": kind,
        "n_after": 40,
        "n_before": 40,
        "exposure_after": 100.0,
        "exposure_before": 200.0,
        "days_after": 28,
        "p_value": 1e-4,
        "since": SINCE,
    }
    return row | more


def changes(*rows: dict[str, Any]) -> pl.DataFrame:
    full = [{name: row.get(name) for name in CHANGE_ROWS} for row in rows]
    return pl.DataFrame(full, schema=CHANGE_ROWS, orient="row")


def mentions(n_others: int = 20, **authors: str) -> pl.DataFrame:
    """Who speaks of what, among others who speak of something else; letters are people."""
    others = {"else": [str(n) for n in range(n_others)]}
    rows = [
        (theme, direction, author)
        for theme, said in (others | authors).items()
        for direction in ("up", "down")
        for author in said
    ]
    return pl.DataFrame(rows, schema=["theme_id", "direction", "author"], orient="row")


def told(*rows: dict[str, Any], said: pl.DataFrame | None = None, **parents: str) -> list[tuple]:
    located = narrow_groups(locate_changes(changes(*rows)), parents)
    merged = merge_alike(located, mentions() if said is None else said, parents)
    return merged.select("theme_id", "subject", "others").rows()


def test_a_change_is_told_where_most_of_it_happened() -> None:
    assert told(cell("leaks"), cell("leaks", LAMP, n_after=30, n_before=20)) == [("leaks", "lamp", [])]
    assert told(cell("leaks"), cell("leaks", LAMP, n_after=15, n_before=20)) == [("leaks", "all", [])]


def test_a_segment_that_nearly_everybody_is_in_is_no_place_of_a_change() -> None:
    web = ("segment", "channel: web")
    most = cell("leaks", web, n_after=39, n_before=39)
    assert told(cell("leaks"), most) == [("leaks", "all", [])]
    few_before = cell("leaks", web, n_after=25, n_before=10)
    assert told(cell("leaks"), few_before) == [("leaks", "channel: web", [])]


def test_what_changed_in_one_place_alone_is_told_of_it() -> None:
    assert told(cell("leaks", LAMP)) == [("leaks", "lamp", [])]


def test_themes_that_change_in_one_place_at_one_time_are_one() -> None:
    assert told(cell("leaks", LAMP), cell("drips", LAMP, n_after=35)) == [("leaks", "lamp", ["drips"])]
    later = SINCE + timedelta(days=30)
    apart = told(cell("leaks", LAMP), cell("drips", LAMP, n_after=35, since=later))
    assert [row[0] for row in apart] == ["leaks", "drips"]


def test_of_several_themes_the_surest_is_told_not_the_largest() -> None:
    broad, sure = cell("broad", LAMP, p_value=1e-4), cell("leaks", LAMP, n_after=30, p_value=1e-9)
    assert told(broad, sure) == [("leaks", "lamp", ["broad"])]


def test_the_same_people_make_one_of_two_times() -> None:
    later = SINCE + timedelta(days=30)
    rows = cell("leaks", LAMP), cell("drips", LAMP, n_after=35, since=later)
    assert told(*rows, said=mentions(leaks="abcd", drips="cdx")) == [("leaks", "lamp", ["drips"])]


def test_everywhere_it_takes_the_same_time_and_the_same_people() -> None:
    rows = cell("leaks"), cell("late", n_after=35)
    assert [row[0] for row in told(*rows)] == ["leaks", "late"]
    assert told(*rows, said=mentions(leaks="abcd", late="cdx")) == [("leaks", "all", ["late"])]


def test_what_is_told_of_an_item_is_not_told_again_of_everything() -> None:
    rows = cell("leaks", LAMP), cell("tea", n_after=30)
    assert told(*rows, said=mentions(leaks="abcdef", tea="efg")) == [("leaks", "lamp", ["tea"])]
    assert len(told(*rows, said=mentions(leaks="abcdef", tea="fgh"))) == 2


def test_people_who_speak_of_both_by_chance_make_nothing_one() -> None:
    rows = cell("leaks"), cell("late", n_after=35)
    said = {"leaks": "abcd", "late": "cdx"}
    assert len(told(*rows, said=mentions(5, **said))) == 1
    assert len(told(*rows, said=mentions(3, **said))) == 2


def test_up_and_down_are_never_one() -> None:
    fell = cell("drips", LAMP, kind="falling", n_after=2)
    assert len(told(cell("leaks", LAMP), fell, said=mentions(leaks="ab", drips="ab"))) == 2


def test_a_group_is_told_where_none_of_its_themes_is() -> None:
    assert told(cell("group"), late="group") == [("group", "all", [])]
    assert told(cell("group"), cell("late", n_after=35), late="group") == [("late", "all", [])]


def test_a_group_is_told_where_it_is_surer_than_its_themes_everywhere() -> None:
    group, themes = cell("group", p_value=1e-6), [cell(name, p_value=1e-3) for name in ("late", "lost")]
    assert told(group, *themes, late="group", lost="group") == [("group", "all", ["late", "lost"])]
    in_lamp = cell("late", LAMP, p_value=1e-3)
    assert told(group, in_lamp, late="group") == [("late", "lamp", [])]


def test_a_group_that_is_more_than_its_theme_stands_for_it() -> None:
    small = cell("late", n_after=26)
    assert told(cell("group"), small, late="group") == [("group", "all", ["late"])]


def test_season_of_the_whole_store_is_season_of_its_parts() -> None:
    now, then = changes(cell("gifts", LAMP)), changes(cell("gifts"))
    assert without_season(now, then)["kind"].to_list() == ["steady"]
    assert without_season(now, changes(cell("gifts", ("item", "desk"))))["kind"].to_list() == ["rising"]


def test_what_happened_a_year_ago_too_is_season() -> None:
    now = changes(cell("gifts"), cell("leaks"), cell("cold", kind="falling"))
    then = changes(cell("gifts"), cell("leaks", kind="steady"), cell("cold"))
    kinds = dict(without_season(now, then).select("theme_id", "kind").iter_rows())
    assert kinds == {"gifts": "steady", "leaks": "rising", "cold": "falling"}


def test_no_figure_tells_of_a_few_people() -> None:
    ratios = {"ratio": 3.0, "ratio_low": 2.0, "ratio_high": 4.5}
    rows = [cell(theme, n_before=n, **ratios) for theme, n in (("none", 0), ("few", 4), ("enough", 5))]
    told_of = with_rates(changes(*rows), min_authors=5)
    assert told_of["rate_before"].to_list() == [0.0, None, 25.0]
    assert told_of["rate_after"].to_list() == [400.0] * 3
    for name in ratios:
        assert told_of[name].is_null().to_list() == [False, True, False], name
