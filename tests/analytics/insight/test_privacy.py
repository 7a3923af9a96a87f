"""Cells: enough people in each, and in whatever is left when shown cells are taken from shown cells."""

from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.insight.privacy import CELL, NONE, NOT_TOLD_APART, safe_cells
from analytics.tables import ALL

N_WEEKS = 4
OLDER = N_WEEKS
Said = tuple[int | None, int, str, dict[str, str]]
"""One document: author, week, source, value of each segment."""


def mentions_of(said: list[Said], theme: str = "t") -> pl.DataFrame:
    names = sorted({name for *_, values in said for name in values}) or [NONE]
    rows = [
        (theme, author, week, source, name, values.get(name, NONE))
        for author, week, source, values in said
        for name in names
    ]
    schema = {"theme_id": pl.String, "author": pl.Int32, "week": pl.Int64, "source": pl.String}
    return pl.DataFrame(
        rows, schema=schema | {"segment_name": pl.String, "segment_value": pl.String}, orient="row"
    )


def at_place(mentions: pl.DataFrame, place: int) -> pl.DataFrame:
    """`mentions` with the segment, or the source, or both, not told apart."""
    return mentions.with_columns(pl.lit(ALL).alias(name) for name in NOT_TOLD_APART[place])


def cells_of(mentions: pl.DataFrame) -> pl.DataFrame:
    counted = [
        at_place(mentions, place)
        .filter((pl.col("week") < length) | pl.lit(length == 1))
        .with_columns(week="week" if length == 1 else pl.lit(0, pl.Int64), n_weeks=pl.lit(length, pl.Int64))
        .group_by(CELL)
        .agg(n_authors=pl.col("author").n_unique())
        for place, length in product(NOT_TOLD_APART, (1, N_WEEKS))
    ]
    return pl.concat(counted).sort(CELL)


def shown_of(said: list[Said], *, min_authors: int = 5, has_open_totals: bool = False) -> set[str]:
    """Cells that are shown, as `value/source/week` or `value/source/last`; * is what is not told apart."""
    mentions = mentions_of(said)
    cells = cells_of(mentions)
    safe = safe_cells(
        mentions, cells, windows=[N_WEEKS], min_authors=min_authors, has_open_totals=has_open_totals
    )
    shown = cells.filter(safe, pl.col("segment_value") != NONE)
    return {
        "/".join(
            [
                *("*" if told == ALL else told for told in (row["segment_value"], row["source"])),
                "last" if row["n_weeks"] > 1 else str(row["week"]),
            ]
        )
        for row in shown.iter_rows(named=True)
    }


def in_channels(week: int = 0, **authors: range) -> list[Said]:
    """One document of each author in each channel; `none` has no channel."""
    return [
        (author, week, "reviews", {} if channel == "none" else {"channel": channel})
        for channel, who in authors.items()
        for author in who
    ]


def values_in(shown: set[str], window: str = "last") -> set[str]:
    return {cell.split("/")[0] for cell in shown if cell.endswith(f"/*/{window}")}


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({"web": range(10), "shop": range(20, 25)}, {"*", "web", "shop"}),
        # All minus web would be the two of the shop.
        ({"web": range(10), "shop": range(20, 22)}, {"*"}),
        # All minus web leaves five people in two channels.
        ({"web": range(10), "shop": range(20, 22), "fax": range(30, 33)}, {"*", "web"}),
        # The same number of documents, but the people of the shop are among those of the fax.
        ({"web": range(10), "shop": range(20, 22), "fax": range(20, 23)}, {"*"}),
        # The smaller of two is hidden to protect the shop.
        ({"web": range(10), "app": range(20, 26), "shop": range(30, 32)}, {"*", "web"}),
        # Documents without a channel are found by subtraction like any other.
        ({"web": range(10), "app": range(20, 26), "none": range(30, 31)}, {"*", "web"}),
        ({"web": range(4)}, set()),
    ],
)
def test_what_is_left_of_all_documents(channels: dict[str, range], expected: set[str]) -> None:
    assert values_in(shown_of(in_channels(**channels))) == expected


def test_documents_without_an_author_are_of_one_author() -> None:
    known = in_channels(web=range(10), shop=range(20, 24))
    unknown: list[Said] = [(None, 0, "reviews", {"channel": "shop"})] * 7
    assert values_in(shown_of(known + unknown)) == {"*", "web", "shop"}
    assert values_in(shown_of(in_channels(web=range(10)) + unknown)) == {"*"}


def test_a_week_is_not_what_the_others_leave() -> None:
    sizes = {0: 9, 1: 2, 2: 7, 3: 8}
    said = [row for week, n in sizes.items() for row in in_channels(week, web=range(n))]
    shown = shown_of(said)
    assert {"*/*/last", "*/*/0", "*/*/3"} <= shown
    assert {"*/*/1", "*/*/2"}.isdisjoint(shown)


def test_the_window_is_not_what_older_documents_leave_of_everything() -> None:
    recent = [row for week in range(4) for row in in_channels(week, web=range(6))]
    older = in_channels(OLDER, web=range(2))
    assert "*/*/last" in shown_of(recent + older)
    open_totals = shown_of(recent + older, has_open_totals=True)
    assert "*/*/last" not in open_totals
    assert [f"*/*/{week}" in open_totals for week in range(4)].count(False) == 1
    assert "*/*/last" in shown_of(recent + in_channels(OLDER, web=range(5)), has_open_totals=True)


def test_what_protects_another_cell_is_not_found_by_subtraction_itself() -> None:
    """In week 1 the web hides two people of the shop; the web's other weeks must not give it away."""
    said = [row for week in (0, 2, 3) for row in in_channels(week, web=range(8), shop=range(20, 26))]
    shown = shown_of(said + in_channels(1, web=range(9), shop=range(20, 22)))
    assert values_in(shown, "1") == {"*"}
    assert "web/*/last" in shown
    assert sum(f"web/*/{week}" not in shown for week in (0, 2, 3)) == 1
    assert {f"*/*/{week}" for week in (0, 1, 2, 3, "last")} <= shown


def test_a_source_and_a_segment_together() -> None:
    """The web is safe in both sources; of the shop, one person wrote in the survey."""
    said: list[Said] = [
        (author, 0, source, {"channel": channel})
        for channel, source, who in (
            ("web", "reviews", range(20)),
            ("web", "survey", range(20, 30)),
            ("app", "reviews", range(30, 42)),
            ("app", "survey", range(42, 50)),
            ("shop", "reviews", range(50, 60)),
            ("shop", "survey", range(60, 61)),
        )
        for author in who
    ]
    shown = shown_of(said)
    assert {"*/*/last", "*/reviews/last", "*/survey/last", "web/*/last", "shop/*/last"} <= shown
    assert {"web/reviews/last", "web/survey/last"} <= shown
    # shop − shop in reviews would be one person, and so would survey − web − app in the survey.
    assert {"shop/reviews/last", "shop/survey/last", "app/survey/last", "app/reviews/last"}.isdisjoint(shown)


def test_what_is_neither_of_a_segment_nor_of_a_source() -> None:
    """All − web − reviews + web in reviews would be the one person who wrote of the fax by mail."""
    sizes = {
        ("web", "reviews"): 10,
        ("web", "survey"): 7,
        ("web", "mail"): 3,
        ("shop", "reviews"): 7,
        ("fax", "reviews"): 3,
        ("fax", "mail"): 1,
    }
    said: list[Said] = [
        (100 * nth + author, 0, source, {"channel": channel})
        for nth, ((channel, source), n) in enumerate(sizes.items())
        for author in range(n)
    ]
    shown = shown_of(said)
    assert "*/*/last" in shown
    assert not {"web/*/last", "*/reviews/last", "web/reviews/last"} <= shown


def test_one_author_is_enough_where_the_settings_say_so() -> None:
    said = in_channels(0, web=range(3), shop=range(1)) + in_channels(2, fax=range(1))
    mentions = mentions_of(said)
    cells = cells_of(mentions)
    assert safe_cells(mentions, cells, windows=[N_WEEKS], min_authors=1, has_open_totals=True).all()


def test_themes_do_not_touch_each_other_and_nothing_has_no_cells() -> None:
    one, other = in_channels(web=range(10), shop=range(20, 22)), in_channels(web=range(10), shop=range(6))
    mentions = pl.concat([mentions_of(one, "one"), mentions_of(other, "other")])
    cells = cells_of(mentions)
    rules = {"windows": [N_WEEKS], "min_authors": 5, "has_open_totals": True}
    shown = cells.filter(safe_cells(mentions, cells, **rules), pl.col("segment_value") == "web")
    assert shown["theme_id"].unique().to_list() == ["other"]
    assert safe_cells(mentions.clear(), cells.clear(), **rules).to_list() == []


CHANNEL, COUNTRY = st.sampled_from(["web", "app", "shop", ""]), st.sampled_from(["de", "at", ""])
drawn = st.lists(
    st.tuples(
        st.sampled_from([None, *range(9)]),
        st.integers(0, OLDER),
        st.sampled_from(["reviews", "survey"]),
        CHANNEL,
        COUNTRY,
    ),
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(drawn)
def test_nothing_shown_and_nothing_left_has_few_people(
    rows: list[tuple[int | None, int, str, str, str]],
) -> None:
    """Every whole, less its shown parts one way, counted on the documents themselves."""
    said: list[Said] = [
        (author, week, source, {"channel": channel or NONE, "country": country or NONE})
        for author, week, source, channel, country in rows
    ]
    mentions = mentions_of(said)
    cells = cells_of(mentions) if said else cells_of(mentions.clear())
    safe = safe_cells(mentions, cells, windows=[N_WEEKS], min_authors=3, has_open_totals=True)
    shown = set(cells.filter(safe).select(*CELL[1:]).iter_rows())

    def people(left: list[Said]) -> int:
        return len({author for author, *_ in left})

    def is_taken(row: Said, name: str | None, by_source: bool, length: int) -> bool:
        _, week, source, values = row
        segment = (ALL, ALL) if name is None else (name, values[name])
        place = (*segment, source if by_source else ALL)
        long = length > 1 and (*place, 0, N_WEEKS) in shown and week < N_WEEKS
        return long or (*place, week, 1) in shown

    for name, value, source, week, length in shown:
        inside = [
            row
            for row in said
            if (row[1] < N_WEEKS if length > 1 else row[1] == week)
            and name in (ALL, *row[3])
            and (name == ALL or row[3][name] == value)
            and source in (ALL, row[2])
        ]
        assert people(inside) >= 3
        own, is_of_source = None if name == ALL else name, source != ALL
        ways = [(other, is_of_source) for other in ("channel", "country") if own is None]
        ways += [] if is_of_source else [(own, True)]
        for divided_by, by_source in ways:
            rest = [row for row in inside if not is_taken(row, divided_by, by_source, length)]
            assert not 0 < people(rest) < 3, (name, value, source, week, length, divided_by, by_source)
        if length > 1:
            rest = [row for row in inside if not is_taken(row, own, is_of_source, 1)]
            assert not 0 < people(rest) < 3, (name, value, source, "weeks")
