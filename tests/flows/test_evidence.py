"""Which statements may stand under a decision."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from analytics.insight.briefs import DISSENT, REPRESENTATIVE
from analytics.insight.decisions import FIX
from flows.decisions import _is_complaint
from flows.evidence import _in_its_words, _voices

WIFI = "it does not connect to the wifi at home"
OTHER = "so far there were no issues at all"


def said(*rows: tuple[str, str, float | None]) -> pl.DataFrame:
    """Statements by different authors: quote, tone, rating_share."""
    frame = pl.DataFrame(
        [(f"o{n}", *row, n) for n, row in enumerate(rows)],
        schema=["opinion_id", "quote", "sentiment_label", "rating_share", "author"],
        orient="row",
    )
    return frame.with_columns(pl.col("rating_share").cast(pl.Float64))


def test_statements_in_the_words_of_a_theme_stand_under_it_where_enough_people_use_them() -> None:
    rows = said(*[(WIFI, "negative", 0.2)] * 3, *[(OTHER, "negative", 1.0)] * 4)
    assert _in_its_words(rows, "wifi, connect, page")["quote"].unique().to_list() == [WIFI]
    assert _in_its_words(rows, "connected")["quote"].unique().to_list() == [WIFI], "another form"
    assert _in_its_words(rows[1:], "wifi, connect, page").height == 6, "two people are too few"
    assert _in_its_words(rows, None).height == 7
    praised = pl.concat([rows, said(("works", "positive", 1.0)).with_columns(author=pl.lit(9, pl.Int64))])
    assert _in_its_words(praised, "wifi").height == 8, "one tone would fall silent"


@pytest.mark.parametrize(("n_low", "is_sure"), [(3, True), (2, False)])
def test_a_complaint_is_taken_from_texts_that_are_rated_so(n_low: int, is_sure: bool) -> None:
    rows = said(*[(WIFI, "negative", 0.25)] * n_low, *[(OTHER, "negative", 1.0)] * 4)
    vectors = np.eye(rows.height, dtype=np.float32)
    quoted = {rows["quote"][row] for _, row in _voices(FIX, rows, vectors, [], 5)}
    assert (quoted == {WIFI}) is is_sure


def test_nothing_dissents_that_is_rated_like_what_it_would_dissent_from() -> None:
    rows = said(*[(WIFI, "negative", 0.25)] * 3, (OTHER, "positive", 0.0))
    vectors = np.eye(4, dtype=np.float32)
    assert all(voice == REPRESENTATIVE for voice, _ in _voices(FIX, rows, vectors, [], 5))
    happy = rows.with_columns(rating_share=pl.when(pl.col("author") == 3).then(1.0).otherwise("rating_share"))
    assert _voices(FIX, happy, vectors, [], 5)[-1] == (DISSENT, 3)


def test_what_is_not_mostly_complaint_needs_no_mending() -> None:
    assert _is_complaint(pl.Series(["negative", "negative", "positive", "neutral"]))
    assert not _is_complaint(pl.Series(["negative", "negative", "positive", "positive", "neutral"]))
