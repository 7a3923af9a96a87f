"""Ratings in every form that a source keeps them in."""

from __future__ import annotations

import polars as pl
import pytest

from analytics.intake.ratings import read_ratings


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("4", 4.0),
        (" 4.5 ", 4.5),
        ("4,5", 4.5),
        ("-0,5", -0.5),
        ("4/5", 4.0),
        ("3,5 / 5", 3.5),
        ("4.0 out of 5 stars", 4.0),
        ("4 of 5", 4.0),
        ("8/10", None),
        ("4 stars", 4.0),
        ("1 Star", 1.0),
        ("4.5★", 4.5),
        ("★★★★", 4.0),
        ("★★★☆☆", 3.0),
        ("★★★½☆", 3.5),
        ("⭐⭐", 2.0),
        ("★★★☆", None),
        ("★★★★★★", 6.0),
        ("1e1", 10.0),
        ("good", None),
        ("nan", None),
        ("inf", None),
        ("4/5/2025", None),
        ("1,2,3", None),
        ("", None),
        (None, None),
    ],
)
def test_text(text: str | None, rating: float | None) -> None:
    assert read_ratings(pl.Series([text], dtype=pl.String), (1.0, 5.0)).to_list() == [rating]


def test_a_comma_is_no_decimal_point_where_the_scale_goes_to_thousands() -> None:
    assert read_ratings(pl.Series(["1,234", "12"]), (0.0, 5_000.0)).to_list() == [None, 12.0]
    assert read_ratings(pl.Series(["80/100", "0,8"]), (0.0, 100.0)).to_list() == [80.0, 0.8]


def test_numbers_stay_and_rows_keep_their_order() -> None:
    assert read_ratings(pl.Series([4, None, 9]), (1.0, 5.0)).to_list() == [4.0, None, 9.0]
    assert read_ratings(pl.Series([float("nan"), 2.5]), (1.0, 5.0)).to_list() == [None, 2.5]
    mixed = pl.Series(["1", "4,5", None, "bad", "5/5", "2"])
    assert read_ratings(mixed, (1.0, 5.0)).to_list() == [1.0, 4.5, None, None, 5.0, 2.0]
