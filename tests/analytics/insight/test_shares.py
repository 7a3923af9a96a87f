"""Shares: intervals as published, counts as done by hand, and segments that add up."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.insight.shares import document_days, newcombe_difference, theme_days, trends, wilson
from analytics.tables import SEGMENTS, TABLES

Z = 1.959964
AS_OF = date(2018, 6, 20)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(k: int, n: int, low: float, high: float) -> None:
    # Newcombe 1998, Two-sided confidence intervals for the single proportion, table I, method 3.
    assert [round(float(end), 4) for end in wilson(k, n, Z)] == [low, high]


def test_wilson_of_nothing_is_unknown_and_of_all_reaches_one() -> None:
    low, high = wilson([0, 0, 7], [0, 7, 7])
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] == 0.0
    assert high[2] == 1.0


@pytest.mark.parametrize(
    ("k1", "n1", "k2", "n2", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_newcombe_gives_the_published_intervals(
    k1: int, n1: int, k2: int, n2: int, low: float, high: float
) -> None:
    # Newcombe 1998, Interval estimation for the difference between independent proportions, table II.
    difference, *ends = newcombe_difference(k1, n1, k2, n2, Z)
    assert float(difference) == pytest.approx(k1 / n1 - k2 / n2)
    assert [round(float(end), 4) for end in ends] == [low, high]


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share(counts: tuple[int, int]) -> None:
    k, n = counts
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert low < high


def document(
    name: str,
    days_ago: int | None,
    author: int | None,
    channel: str | None = None,
    *,
    covered: bool = True,
    source: str = "reviews",
) -> dict[str, object]:
    return {
        "document_id": name,
        "day": None if days_ago is None else AS_OF - timedelta(days=days_ago),
        "author": author,
        "segments": [] if channel is None else [{"name": "channel", "value": channel}],
        "is_covered": covered,
        "source": source,
    }


def documents_of(rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = {
        "document_id": pl.String,
        "day": pl.Date,
        "author": pl.Int32,
        "segments": SEGMENTS,
        "is_covered": pl.Boolean,
        "source": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


DOCUMENTS = documents_of(
    [
        document("a", 0, 1, "shop"),
        document("b", 6, 2, "web"),
        document("c", 6, None, "web"),
        document("d", 6, None, "web"),
        document("e", 7, 1, "shop"),
        document("f", 0, 3, "shop", covered=False),
        document("g", None, 4, "shop"),
        document("h", -1, 5, "fax"),
        document("i", 21, 6),
    ]
)
OPINIONS = pl.DataFrame(
    {
        "opinion_id": ["a0", "a1", "b0", "c0", "d0", "e0", "g0", "h0", "i0"],
        "document_id": ["a", "a", "b", "c", "d", "e", "g", "h", "i"],
        "sentiment_label": ["negative", "positive", "neutral", "negative", "negative", "neutral"]
        + ["negative"] * 3,
    }
)
OPINION_THEME = pl.DataFrame(
    {
        "opinion_id": ["a0", "a1", "c0", "d0", "e0", "g0", "h0", "b0"],
        "theme_id": ["t"] * 7 + ["u"],
    }
)


def row_of(frame: pl.DataFrame, **key: object) -> dict[str, object]:
    return frame.row(by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in key.items()), named=True)


def everywhere(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("source") == "all")


def test_document_days_count_documents_covered_and_authors() -> None:
    days = document_days(DOCUMENTS)
    assert days.schema == TABLES["document_day"].empty().schema
    today = row_of(days, day=AS_OF, segment_value="all")
    assert (today["n_documents"], today["n_covered"], today["n_authors"]) == (2, 1, 2)
    web = row_of(days, day=AS_OF - timedelta(days=6), segment_value="web")
    assert (web["n_documents"], web["n_covered"], web["n_authors"]) == (3, 3, 2)  # unknown authors are one
    assert days.filter(pl.col("segment_name") == "all")["n_documents"].sum() == 8  # not the undated one


def test_theme_days_count_statements_and_tones() -> None:
    days = theme_days(OPINIONS, OPINION_THEME, DOCUMENTS, TABLES["trend"].empty(), min_authors=2)
    assert not days["is_shown"].any()  # no week is shown
    assert days.schema == TABLES["theme_day"].empty().schema
    today = row_of(days, theme_id="t", day=AS_OF, segment_value="all")
    counts = ("n_documents", "n_opinions", "n_authors", "n_negative", "n_positive")
    assert [today[name] for name in counts] == [1, 2, 1, 1, 1]
    web = row_of(days, theme_id="t", day=AS_OF - timedelta(days=6), segment_value="web")
    assert [web[name] for name in counts] == [2, 2, 1, 2, 0]


def test_a_day_is_shown_in_a_shown_week_of_days_that_all_have_enough_authors() -> None:
    """The last week has two authors each day; the one before it one on a day; the third is not shown."""
    authors = {0: (1, 2), 3: (3, 4), 8: (1, 2, 3), 10: (4,), 14: (1, 2)}
    documents = documents_of(
        [document(f"{day}-{who}", day, who, "web") for day, people in authors.items() for who in people]
    )
    opinions = documents.select(opinion_id="document_id", document_id="document_id").with_columns(
        sentiment_label=pl.lit("neutral")
    )
    placed = opinions.select("opinion_id", theme_id=pl.lit("t"))
    trend = trends(opinions, placed, documents, AS_OF, n_weeks=2, min_authors=2)
    days = theme_days(opinions, placed, documents, trend, min_authors=2)
    shown = days.filter("is_shown").select("day", "segment_name").rows()
    assert shown == [(AS_OF - timedelta(days=3), "all"), (AS_OF, "all")]


def test_trends_by_hand() -> None:
    cells = trends(OPINIONS, OPINION_THEME, DOCUMENTS, AS_OF, n_weeks=3, min_authors=2)
    assert cells.schema == TABLES["trend"].empty().schema
    weeks = everywhere(cells)
    now = row_of(weeks, theme_id="t", segment_value="all", window_end=AS_OF)
    assert now["window_start"] == date(2018, 6, 14)
    # Covered: a b c d. Mentioned by a c d, whose authors are 1 and the unknown.
    assert (now["n_documents"], now["n_covered"], now["n_authors"]) == (3, 4, 2)
    assert (now["share"], now["share_low"], now["share_high"]) == (0.75, 0.04341, 0.994983)
    assert not now["is_shown"]  # all that was ever said, less this week, would leave e alone in its week
    before = row_of(weeks, theme_id="t", segment_value="all", window_end=date(2018, 6, 13))
    assert (before["n_documents"], before["n_covered"], before["share"], before["is_shown"]) == (
        1,
        1,
        1.0,
        False,
    )
    oldest = row_of(weeks, theme_id="t", segment_value="all", window_end=date(2018, 6, 6))
    assert (oldest["n_documents"], oldest["n_covered"]) == (0, 0)
    assert (oldest["share"], oldest["share_low"], oldest["share_high"]) == (None, None, None)
    web = row_of(weeks, theme_id="t", segment_value="web", window_end=AS_OF)
    assert (web["n_documents"], web["n_covered"], web["n_authors"], web["is_shown"]) == (2, 3, 1, False)


def test_a_theme_has_every_week_of_all_documents_and_elsewhere_those_that_mention_it() -> None:
    cells = trends(OPINIONS, OPINION_THEME, DOCUMENTS, AS_OF, n_weeks=3, min_authors=2)
    weeks = everywhere(cells)
    rows = weeks.group_by("theme_id", "segment_value").len().sort("theme_id", "segment_value").rows()
    assert rows == [("t", "all", 3), ("t", "shop", 2), ("t", "web", 1), ("u", "all", 3), ("u", "web", 1)]
    named = cells.filter(pl.col("source") == "reviews").drop("source").rows()
    assert set(named) == set(weeks.filter(pl.col("n_documents") > 0).drop("source").rows())
    zero = row_of(weeks, theme_id="u", segment_value="all", window_end=date(2018, 6, 13))
    assert (zero["share"], zero["share_low"]) == (0.0, 0.0)


def test_shares_do_not_depend_on_the_order_of_rows() -> None:
    given_order = (OPINIONS, OPINION_THEME, DOCUMENTS)
    turned = tuple(frame.reverse() for frame in given_order)
    assert document_days(DOCUMENTS).equals(document_days(DOCUMENTS.reverse()))
    weeks = trends(*given_order, AS_OF, min_authors=2)
    assert weeks.equals(trends(*turned, AS_OF, min_authors=2))
    assert theme_days(*given_order, weeks, min_authors=2).equals(
        theme_days(*turned, weeks.reverse(), min_authors=2)
    )


def test_an_empty_store_has_empty_tables() -> None:
    empty = (OPINIONS.clear(), OPINION_THEME.clear(), DOCUMENTS.clear())
    assert document_days(DOCUMENTS.clear()).is_empty()
    weeks = trends(*empty, AS_OF, min_authors=2)
    assert weeks.is_empty()
    assert theme_days(*empty, weeks, min_authors=2).is_empty()


def test_windows_of_four_weeks_and_more_end_with_the_night() -> None:
    cells = trends(OPINIONS, OPINION_THEME, DOCUMENTS, AS_OF, min_authors=2)
    whole = everywhere(cells).filter(pl.col("theme_id") == "t", pl.col("segment_value") == "all")
    days = (pl.col("window_end") - pl.col("window_start")).dt.total_days() + 1
    assert whole.select(days.alias("days"))["days"].value_counts().sort("days").rows() == [
        (7, 26),
        (28, 1),
        (91, 1),
        (182, 1),
    ]
    last_four = whole.filter(days == 28).row(0, named=True)
    # Covered: a b c d e i. Mentioned by a c d e, whose authors are 1 and the unknown.
    assert (last_four["n_documents"], last_four["n_covered"], last_four["n_authors"]) == (4, 6, 2)
    assert (last_four["window_end"], last_four["is_shown"]) == (AS_OF, True)


def test_an_interval_is_wider_where_one_author_wrote_many_of_the_documents() -> None:
    """Of 300 documents 60 speak of it: in one store all by authors of their own, in the other 30 by one."""
    apart = [document(f"d{n}", 0, n) for n in range(300)]
    together = [document(f"d{n}", 0, min(n, 270)) for n in range(300)]
    placed = pl.DataFrame({"opinion_id": [f"d{n}" for n in range(240, 300)], "theme_id": ["t"] * 60})
    widths = []
    for rows in (apart, together):
        documents = documents_of(rows)
        opinions = documents.select(opinion_id="document_id", document_id="document_id")
        cells = trends(opinions, placed, documents, AS_OF, n_weeks=1, min_authors=5)
        low, high = cells.filter(pl.col("source") == "all").select("share_low", "share_high").row(0)
        widths.append(high - low)
    assert widths[0] == pytest.approx(0.0904, abs=0.001)  # Wilson of 60 in 300, and a little for t
    # Sums over 271 authors: k² 930, k·n 930, n² 1170; 271 / 270 (930 - 0.4 · 930 + 0.04 · 1170) / 48 = 12.65
    assert widths[1] / widths[0] == pytest.approx(12.65**0.5, rel=0.1)


def test_a_share_is_hidden_where_what_it_is_a_share_of_would_tell_of_few() -> None:
    """All who wrote on the web speak of it; one of the shop wrote and does not."""
    web = [document(f"w{n}", 0, n, "web", source="reviews") for n in range(6)]
    documents = documents_of([*web, document("s", 0, 9, "shop", source="reviews")])
    opinions = documents.select(opinion_id="document_id", document_id="document_id")
    placed = pl.DataFrame({"opinion_id": [f"w{n}" for n in range(6)], "theme_id": ["t"] * 6})
    cells = trends(opinions, placed, documents, AS_OF, n_weeks=1, min_authors=5)
    shown = cells.filter("is_shown").select("segment_value", "source", "n_documents", "n_covered").rows()
    assert shown == [("all", "all", 6, 7), ("all", "reviews", 6, 7)]


def test_a_name_of_what_is_not_told_apart_names_no_part() -> None:
    documents = documents_of([document(f"d{n}", 0, n, "all", source="all") for n in range(5)])
    documents = documents.with_columns(segments=pl.lit([{"name": "all", "value": "x"}], SEGMENTS))
    opinions = documents.select(opinion_id="document_id", document_id="document_id")
    placed = opinions.select("opinion_id", theme_id=pl.lit("t"))
    cells = trends(opinions, placed, documents, AS_OF, n_weeks=1, min_authors=5)
    assert cells.select("segment_name", "segment_value", "source", "is_shown").rows() == [
        ("all", "all", "all", True)
    ]


AUTHORS, CHANNELS = st.sampled_from([None, 1, 2, 3]), st.sampled_from(["shop", "web", "app"])
rows = st.lists(st.tuples(st.integers(0, 20), AUTHORS, CHANNELS, st.booleans()), max_size=25)


@settings(max_examples=40, deadline=None)
@given(rows)
def test_document_counts_of_exclusive_segments_add_up(drawn: list[tuple[int, int | None, str, bool]]) -> None:
    documents = documents_of(
        [document(f"d{n}", days, author, channel, covered=is_covered)
         for n, (days, author, channel, is_covered) in enumerate(drawn)]
    )  # fmt: skip
    opinions = documents.select(opinion_id="document_id", document_id="document_id").with_columns(
        sentiment_label=pl.lit("neutral")
    )
    placed = opinions.head(15).select("opinion_id", theme_id=pl.lit("t"))
    weeks = trends(opinions, placed, documents, AS_OF, n_weeks=3, min_authors=1)
    for table, key in (
        (document_days(documents), ["day"]),
        (theme_days(opinions, placed, documents, weeks, min_authors=1), ["theme_id", "day"]),
        (everywhere(weeks), ["theme_id", "window_start"]),
    ):
        is_all = pl.col("segment_name") == "all"
        total = table.filter(is_all, pl.col("n_documents") > 0).select(*key, "n_documents").sort(key)
        summed = table.filter(~is_all).group_by(key).agg(pl.col("n_documents").sum()).sort(key)
        assert total.equals(summed.filter(pl.col("n_documents") > 0))
