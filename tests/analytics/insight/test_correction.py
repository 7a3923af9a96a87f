"""Corrected shares: by hand, against the formula of the paper, and what is said where labels are few."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from analytics.insight.correction import (
    LABEL_ROWS,
    correct_shares,
    measure_rates,
    rates_of_labels,
    tune,
)


def labels_of(theme: str, *counts: tuple[bool, bool, int], probability: float = 0.02) -> pl.DataFrame:
    """Labels of authors of their own: placed, says it, how many."""
    rows = [(theme, None, placed, says, probability) for placed, says, n in counts for _ in range(n)]
    labels = pl.DataFrame(rows, schema=LABEL_ROWS, orient="row")
    return labels.with_columns(author=pl.int_range(pl.len(), dtype=pl.Int32))


def shares_of(**shares: float) -> pl.DataFrame:
    rows = [(theme, share, share - 0.01, share + 0.01, 10_000) for theme, share in shares.items()]
    return pl.DataFrame(
        rows, schema=["theme_id", "share", "share_low", "share_high", "n_covered"], orient="row"
    )


def corrected(labels: pl.DataFrame, shares: pl.DataFrame, *, is_inherited: bool = False) -> pl.DataFrame:
    return correct_shares(shares, measure_rates(labels, shares), is_inherited=is_inherited)


def test_a_share_is_what_is_right_of_what_is_placed_and_what_is_missed_of_the_rest() -> None:
    labels = labels_of("t", (True, True, 40), (True, False, 10), (False, True, 5), (False, False, 45))
    row = corrected(labels, shares_of(t=0.3)).row(0, named=True)
    assert row["corrected_share"] == pytest.approx(0.3 * 0.8 + 0.7 * 0.1)
    assert row["correction"] == "labels"
    # Variance .09 · .8 · .2 / 49 + .49 · .1 · .9 / 49 + (.7 · .01 / 1.96)² = .0012066, as of 177.3 documents;
    # Wilson of .31 with t of 98 degrees of freedom, 1.9845: (.32111 ± .06982) / 1.02221.
    assert row["corrected_low"] == pytest.approx(0.2458, abs=2e-4)
    assert row["corrected_high"] == pytest.approx(0.3824, abs=2e-4)


def test_the_power_is_the_covariance_by_the_variance_and_the_estimate_that_of_the_paper() -> None:
    rng = np.random.default_rng(3)
    placed = (rng.random(200) < 0.3).astype(float)
    says = (rng.random(200) < np.where(placed, 0.8, 0.1)).astype(float)
    level, power = tune(says, placed, np.ones(200))
    covariance = np.cov(says, placed)
    assert power == pytest.approx(covariance[0, 1] / covariance[1, 1])
    assert level + power * 0.25 == pytest.approx(power * 0.25 + (says - power * placed).mean())


def test_weights_undo_that_one_side_was_drawn_more_often() -> None:
    says = np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 1 + [0.0] * 9)
    placed = np.repeat([1.0, 0.0], 10)
    for weights in (np.ones(20), np.repeat([10.0, 90.0], 10)):
        rates = rates_of_labels(says, placed, weights, np.arange(20))
        assert rates["right"] == pytest.approx(0.8)
        assert rates["missed"] == pytest.approx(0.1)


def test_labels_of_one_author_tell_less_than_as_many_of_many() -> None:
    says = np.repeat([1.0, 0.0, 1.0, 0.0], [15, 5, 2, 18])
    placed = np.repeat([1.0, 0.0], 20)
    apart = rates_of_labels(says, placed, np.ones(40), np.arange(40))
    authors = np.concatenate([np.repeat([0, 1], [15, 5]), np.arange(2, 22)])
    together = rates_of_labels(says, placed, np.ones(40), authors)
    assert together["right_variance"] > 5 * apart["right_variance"]
    assert together["freedom"] < apart["freedom"]


def test_labels_that_are_all_alike_leave_a_doubt() -> None:
    labels = labels_of("t", (True, True, 100), (False, False, 100))
    row = corrected(labels, shares_of(t=0.3).with_columns(share_low=0.3, share_high=0.3)).row(0, named=True)
    assert row["corrected_share"] == pytest.approx(0.3)
    assert row["corrected_low"] < 0.295
    assert row["corrected_high"] > 0.305


def test_a_theme_without_labels_borrows_from_all_in_proportion_to_its_size() -> None:
    labels = pl.concat(
        labels_of(theme, (True, True, 16), (True, False, 4), (False, True, 2), (False, False, 18))
        for theme in "abc"
    ).with_columns(author=pl.int_range(pl.len(), dtype=pl.Int32))
    rows = corrected(labels, shares_of(a=0.2, b=0.2, c=0.2, small=0.02))
    assert rows["correction"].to_list() == ["labels", "labels", "labels", "pooled"]
    # .8 of what is placed is right; of the rest .1 says it where .2 is placed: .4 for each that is placed.
    assert rows["corrected_share"][3] == pytest.approx(0.02 * 0.8 + 0.02 * 0.4, abs=1e-3)
    reach = (rows["corrected_high"] - rows["corrected_low"]) / rows["corrected_share"]
    assert reach[3] > reach[0]


def test_few_own_labels_draw_a_theme_away_from_the_others() -> None:
    many = labels_of("many", (True, True, 45), (True, False, 5), (False, True, 2), (False, False, 48))
    few = labels_of("few", (True, True, 1), (True, False, 4), (False, False, 5))
    labels = pl.concat([many, few]).with_columns(author=pl.int_range(pl.len(), dtype=pl.Int32))
    rates = measure_rates(labels, shares_of(many=0.2, few=0.2)).sort("theme_id")
    assert rates["correction"].to_list() == ["pooled", "labels"]
    assert 0.2 < rates["right"][0] < 0.9
    assert rates["n_labels"].to_list() == [10, 100]


def test_without_labels_nothing_is_corrected_and_parts_say_what_they_inherit() -> None:
    shares = shares_of(t=0.3)
    row = corrected(labels_of("t", (True, True, 3)), shares).row(0, named=True)
    assert (row["correction"], row["corrected_share"], row["corrected_low"]) == ("none", None, None)
    labels = labels_of("t", (True, True, 40), (True, False, 10), (False, True, 5), (False, False, 45))
    rates = measure_rates(labels, shares)
    parts = pl.concat([shares_of(t=0.5), shares_of(other=0.5)])
    inherited = correct_shares(parts, rates, is_inherited=True)
    assert inherited["correction"].to_list() == ["inherited", "none"]
    assert inherited["corrected_share"].to_list() == [pytest.approx(0.5 * 0.8 + 0.5 * 0.1), None]


def test_intervals_of_corrected_shares_hold_the_truth() -> None:
    held = 0
    for nth in range(300):
        rng = np.random.default_rng([11, nth])
        says = rng.random(10_000) < 0.05
        placed = rng.random(10_000) < np.where(says, 0.9, 0.1)
        rows = rng.choice(10_000, 200, replace=False)
        labels = pl.DataFrame(
            [np.full(200, "t"), np.arange(200), placed[rows], says[rows], np.full(200, 0.02)],
            schema=LABEL_ROWS,
        )
        row = corrected(labels, shares_of(t=float(placed.mean()))).row(0, named=True)
        held += row["corrected_low"] <= 0.05 <= row["corrected_high"]
    assert held / 300 > 0.92  # .95 less two standard errors
