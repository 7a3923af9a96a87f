"""Shares corrected for what is wrongly placed and what is missed, by labels that people gave.

Prediction-powered inference (Angelopoulos, Duchi and Zrnic, PPI++: Efficient prediction-powered inference,
2023): the share of what is placed, which is known of every document, plus how far labels say it is off. That
the labels be drawn with known probabilities is all that it asks of them, and nothing of the placement.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy.special import stdtrit

from analytics.insight.clustering import author_freedom
from analytics.insight.shares import Z_95, wilson

NONE, LABELS, POOLED, INHERITED = "none", "labels", "pooled", "inherited"
CORRECTED = ("corrected_share", "corrected_low", "corrected_high", "correction")
ENOUGH = 10
"""A theme has its own correction where so many labels are of what is placed and so many of the rest."""
DOUBT = 0.5
"""Variance of labels that are all alike: as if half a label more said otherwise."""
MOST_LENT, LEAST_LENT = 100.0, 2.0
"""So many labels, at most and at least, the rates of all themes count beside a theme's own."""

LABEL_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "author": pl.Int32,  # of the document; null: all such are one author
    "is_placed": pl.Boolean,  # under the theme, tonight
    "says_it": pl.Boolean,  # by the person
    "probability": pl.Float64,  # with which the pair was drawn
}
RATE_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "theme_id": pl.String,
    "correction": pl.String,  # none | labels | pooled
    "n_labels": pl.Int64,
    "right": pl.Float64,  # of what is placed, the share that says it
    "missed": pl.Float64,  # of what is not placed, the share that says it
    "right_variance": pl.Float64,
    "missed_variance": pl.Float64,
    "covariance": pl.Float64,
    "freedom": pl.Float64,
}


def tune(says: np.ndarray, placed: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """The level and the power λ of a corrected share, which is level + λ · share of what is placed.

    λ is the covariance of label and placement by the variance of placement, which makes the variance least
    (PPI++, section 6); the level is the weighted mean of label − λ · placement.

    Args:
        says: Labels, 0 or 1 (n,).
        placed: Placements, 0 or 1, some of both (n,).
        weights: Inverse probabilities of having been drawn (n,).
    """
    weights = weights / weights.sum()
    off = placed - (weights * placed).sum()
    power = float((weights * off * says).sum() / (weights * off**2).sum())
    return float((weights * (says - power * placed)).sum()), power


def rates_of_labels(
    says: np.ndarray, placed: np.ndarray, weights: np.ndarray, authors: np.ndarray
) -> dict[str, float]:
    """How often what is placed, and what is not, says it, by one theme's labels: columns of RATE_ROWS.

    Variances sum over authors; residuals are made larger by what each label takes out of its own (HC2 of
    MacKinnon and White 1985), and labels that are all alike leave a doubt.

    Args:
        says: Labels, 0 or 1 (n,).
        placed: Placements, 0 or 1, two or more of each (n,).
        weights: Inverse probabilities of having been drawn (n,).
        authors: Number of each document's author (n,).
    """
    level, power = tune(says, placed, weights)
    influence = np.zeros((2, authors.max() + 1))
    floors = []
    for row, side in enumerate((1, 0)):
        mine = placed == side
        share = weights[mine] / weights[mine].sum()
        residual = share * (says[mine] - level - power * side) / np.sqrt(1 - share)
        np.add.at(influence[row], authors[mine], residual)
        floors.append(max(0.0, DOUBT / mine.sum() ** 2 - float((residual**2).sum())))
    spread = influence @ influence.T
    counted = np.bincount(authors).astype(np.float64)
    return {
        "right": level + power,
        "missed": level,
        "right_variance": float(spread[0, 0]) + floors[0],
        "missed_variance": float(spread[1, 1]) + floors[1],
        "covariance": float(spread[0, 1]),
        "freedom": float(author_freedom(counted.sum(), (counted**2).sum())) - 1,
    }


def measure_rates(labels: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """How right the placements under each theme are; see RATE_ROWS.

    A theme with enough labels has its own rates. One with few or none borrows from all themes: its rates are
    drawn towards those of all by as much as themes are alike (empirical Bayes of a beta-binomial), where what
    is missed counts in proportion to what is placed.

    Args:
        labels: As LABEL_ROWS.
        shares: Columns theme_id and share, that of what is placed, of every theme to correct.
    """
    labels = labels.with_columns(
        author=pl.col("author").fill_null(-1).rank("dense").cast(pl.Int64) - 1,
        weight=1 / pl.col("probability"),
    )
    sides = _sides(labels, shares)
    can_pool = all(sides[f"n_{side}"].sum() >= ENOUGH for side in ("right", "missed"))
    pooled = _pooled(sides) if can_pool else sides
    by_theme = labels.partition_by("theme_id", as_dict=True)
    rows: list[dict[str, Any]] = []
    for row in pooled.iter_rows(named=True):
        own = by_theme.get((row["theme_id"],), labels.head(0))
        n_placed = int(own["is_placed"].sum())
        rates: dict[str, Any] = {"theme_id": row["theme_id"], "n_labels": own.height, "correction": NONE}
        if min(n_placed, own.height - n_placed) >= ENOUGH:
            says, placed, weights = (
                own[name].cast(pl.Float64).to_numpy() for name in ("says_it", "is_placed", "weight")
            )
            of_labels = rates_of_labels(says, placed, weights, own["author"].to_numpy())
            rates |= {"correction": LABELS} | of_labels
        elif can_pool:
            rates |= {"correction": POOLED} | {name: row[name] for name in RATE_ROWS if name in row}
        rows.append({name: rates.get(name) for name in RATE_ROWS})
    return pl.DataFrame(rows, schema=RATE_ROWS, orient="row")


def _sides(labels: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """What labels say on both sides: theme_id, placed (its share), n_ and said_ of right and of missed.

    Labels of few authors count as the effective number of authors.
    """
    counted = (
        labels.group_by("theme_id", "is_placed", "author")
        .agg(n=pl.len(), mine=pl.col("weight").sum(), said=(pl.col("says_it") * pl.col("weight")).sum())
        .group_by("theme_id", "is_placed")
        .agg(
            n=pl.col("n").sum() ** 2 / (pl.col("n") ** 2).sum(),
            rate=pl.col("said").sum() / pl.col("mine").sum(),
        )
    )
    found = shares.select("theme_id", placed="share").sort("theme_id")
    for name, side in (("right", True), ("missed", False)):
        mine = counted.filter(pl.col("is_placed") == side)
        mine = mine.select(
            "theme_id", pl.col("n").alias(f"n_{name}"), (pl.col("n") * pl.col("rate")).alias(f"said_{name}")
        )
        found = found.join(mine, on="theme_id", how="left", maintain_order="left")
    return found.fill_null(0.0)


def _pooled(sides: pl.DataFrame) -> pl.DataFrame:
    """`sides` with the rates that all themes lend, drawn towards what its own labels say: as RATE_ROWS."""
    placed, n_right, said_right, n_missed, said_missed = (
        sides[name].to_numpy() for name in ("placed", "n_right", "said_right", "n_missed", "said_missed")
    )
    right, right_variance = _drawn_together(said_right, n_right, np.ones(sides.height))
    odds = placed / np.maximum(1 - placed, 1e-9)
    missed, missed_variance = _drawn_together(said_missed, n_missed, odds)
    return sides.with_columns(
        right=pl.Series(right),
        missed=pl.Series(missed),
        right_variance=pl.Series(right_variance),
        missed_variance=pl.Series(missed_variance),
        covariance=pl.lit(0.0),
        freedom=pl.lit(float(n_right.sum() + n_missed.sum()) - 2),
    )


def _drawn_together(said: np.ndarray, n: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates of each theme between its own and what all say, with their variances (n_themes,).

    How many labels the others count for follows from how much more the themes' own rates differ than chance
    lets them (Kleinman 1973). To the variance of the beta distribution comes that of the common rate.

    Args:
        said: Labels of each theme that say it.
        n: Labels of each theme, some of any.
        size: What the common rate is proportional to.
    """
    known, total = n > 0, float((n * size).sum())
    mean = np.clip(said.sum() / max(total, 1e-9) * size, 1e-6, 1 - 1e-6)
    noise = mean * (1 - mean)
    squares = float((n[known] * (said[known] / n[known] - mean[known]) ** 2 / noise[known]).sum())
    alike = max(1e-9, squares - (known.sum() - 1)) / max(1e-9, float((n[known] - 1).sum()))
    lent = float(np.clip(1 / alike - 1, LEAST_LENT, MOST_LENT)) if known.sum() > 2 else LEAST_LENT
    rate = (lent * mean + said) / (lent + n)
    per_theme = 1 + (n.sum() / known.sum() - 1) / (lent + 1)
    of_mean = size**2 * per_theme * (float((n * noise).sum()) + DOUBT) / max(total, 1e-9) ** 2
    return rate, rate * (1 - rate) / (lent + n + 1) + (lent / (lent + n)) ** 2 * of_mean


def correct_shares(cells: pl.DataFrame, rates: pl.DataFrame, *, is_inherited: bool) -> pl.DataFrame:
    """Put corrected shares beside those that are counted.

    Args:
        cells: theme_id, share, share_low, share_high and n_covered of a theme, or of a part of the documents
            (a segment, a week), in which the rates are taken to be the theme's.
        rates: As RATE_ROWS.
        is_inherited: The cells are parts.

    Returns:
        `cells` with corrected_share, corrected_low and corrected_high, null where nothing is corrected, and
        correction.
    """
    cells = cells.drop(CORRECTED, strict=False)
    joined = cells.join(rates, on="theme_id", how="left", maintain_order="left")
    f, low, high, n, right, missed, right_variance, missed_variance, covariance, freedom = (
        joined[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ("share", "share_low", "share_high", "n_covered", *list(RATE_ROWS)[3:])
    )
    share = np.clip(missed + (right - missed) * f, 0.0, 1.0)
    variance = (
        f**2 * right_variance
        + (1 - f) ** 2 * missed_variance
        + 2 * f * (1 - f) * covariance
        + ((right - missed) * (high - low) / (2 * Z_95)) ** 2
    )
    inside = np.clip(share, 0.5 / np.maximum(n, 1), 1 - 0.5 / np.maximum(n, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.clip(inside * (1 - inside) / variance, 1.0, np.maximum(n, 1))
    z = stdtrit(np.maximum(freedom, 1.0), 0.975)
    ends = wilson(share * effective, effective, z)
    kind = pl.col("correction").fill_null(NONE)
    values = [pl.Series(column).round(6).fill_nan(None) for column in (share, *ends)]
    return cells.with_columns(
        *(value.alias(name) for name, value in zip(CORRECTED[:3], values, strict=True)),
        joined.select(
            correction=pl.when((kind != NONE) & is_inherited).then(pl.lit(INHERITED)).otherwise(kind)
        ).to_series(),
    )
