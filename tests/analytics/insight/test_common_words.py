from __future__ import annotations

import polars as pl

from analytics.insight.common_words import MIN_USERS, in_common_words


def common(quotes, said):
    frame = pl.DataFrame(said, schema={"author": pl.Int64, "quote": pl.String}, orient="row")
    return in_common_words(frame, pl.Series(quotes, dtype=pl.String)).to_list()


def test_a_word_of_too_few_authors_keeps_a_quote_from_speaking():
    said = [(author, "The zip broke, it's a shame.") for author in range(MIN_USERS)]
    said += [(9, "The zip broke, zqcanary!")] * 5
    quotes = ["A zip BROKE.", "The zip broke, zqcanary!", "It is 7.", ""]
    assert common(quotes, said) == [True, False, True, True]
    assert common(["the zip"], said[: MIN_USERS - 1]) == [False]


def test_scripts_without_spaces_are_not_judged():
    assert common(["拉链坏了", "지퍼가 고장났어요", "拉链 broken"], []) == [True, True, False]
