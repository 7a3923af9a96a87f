"""Draws of pairs to label: both sides of every theme, with the probability that they had."""

from __future__ import annotations

import polars as pl
import pytest

from analytics.insight.label_draw import PAIR_ROWS, draw_pairs

DOCUMENTS = pl.Series([f"d{n:03}" for n in range(100)])
THEMES = pl.Series(["a", "b"])
PLACED = pl.DataFrame(
    {"document_id": [*DOCUMENTS[:20], *DOCUMENTS[:50], "gone"], "theme_id": ["a"] * 20 + ["b"] * 50 + ["a"]}
)
NOTHING = pl.DataFrame(schema={"document_id": pl.String, "theme_id": pl.String})


def test_half_of_what_is_placed_and_half_of_the_rest_of_each_theme() -> None:
    pairs = draw_pairs(DOCUMENTS, PLACED, THEMES, NOTHING, n=40, seed=1)
    assert pairs.schema == PAIR_ROWS
    assert pairs.group_by("theme_id", "is_placed").len()["len"].to_list() == [10] * 4
    known = pairs.join(PLACED.with_columns(known=True), on=["document_id", "theme_id"], how="left")
    assert (known["known"].fill_null(False) == known["is_placed"]).all()
    odds = pairs.unique(["theme_id", "is_placed"]).sort("theme_id", "is_placed")["probability"]
    assert odds.to_list() == pytest.approx([10 / 80, 10 / 20, 10 / 50, 10 / 50])


def test_the_probability_is_how_often_a_pair_is_drawn() -> None:
    """With three pairs for two themes on each side, which theme has two is drawn as well."""
    n_draws = 500
    drawn = pl.concat(
        draw_pairs(DOCUMENTS, PLACED, THEMES, NOTHING, n=6, seed=seed) for seed in range(n_draws)
    )
    taken = drawn.group_by("theme_id", "is_placed").agg(pl.len(), pl.col("probability").first())
    sizes = {("a", True): 20, ("a", False): 80, ("b", True): 50, ("b", False): 50}
    for theme, is_placed, n, probability in taken.iter_rows():
        assert n / n_draws / sizes[theme, is_placed] == pytest.approx(probability, rel=0.06)


def test_pairs_drawn_before_are_left_out_and_a_small_stratum_is_taken_whole() -> None:
    first = draw_pairs(DOCUMENTS, PLACED, THEMES, NOTHING, n=40, seed=1)
    second = draw_pairs(DOCUMENTS, PLACED, THEMES, first, n=40, seed=1)
    assert second.join(first, on=["document_id", "theme_id"], how="semi").is_empty()
    third = draw_pairs(DOCUMENTS, PLACED, THEMES, pl.concat([first, second]), n=40, seed=1)
    assert third.filter(pl.col("theme_id") == "a", "is_placed").is_empty()
    assert (
        draw_pairs(DOCUMENTS, PLACED.head(3), pl.Series(["a"]), NOTHING, n=20, seed=1)["probability"].max()
        == 1.0
    )


def test_a_seed_draws_the_same_again_whatever_the_order() -> None:
    again = draw_pairs(DOCUMENTS.reverse(), PLACED.reverse(), THEMES.reverse(), NOTHING, n=40, seed=1)
    assert again.equals(draw_pairs(DOCUMENTS, PLACED, THEMES, NOTHING, n=40, seed=1))
