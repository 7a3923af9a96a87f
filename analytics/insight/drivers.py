"""What a theme does to an outcome: its effect where everything else that is known stays the same.

A linear model of the outcome on all themes together, with each item's own level taken out (fixed effects) and
what else is known of a document as further terms. The theme that is asked about is never penalised, the
others lightly, so that its effect keeps its size (Frisch and Waugh 1933; Chernozhukov et al. 2018). Intervals
hold where an author writes several texts: errors are added up by author (Liang and Zeger 1986). One who wrote
much of what is said of a theme pulls the effect to himself: his errors count as they would be without him
(Bell and McCaffrey 2002, CR3), and so few authors stand behind it as they are in effect (Carter, Schnepel and
Steigerwald 2017). For a yes-or-no outcome the effect is in points of its probability; where all who mention a
theme have the same yes or no, their own errors are nearly nothing, so that those of all documents count where
they are larger.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy import stats

from analytics.insight.rates import CONFIDENCE

RIDGE = 1.0
"""Penalty of a term that is not asked about: as if a document in which it has no effect were added."""
RATING, COLUMN, HARM, REPURCHASE = "rating", "column", "harm", "repurchase"
"""Kinds of outcomes."""
MIN_FREEDOM = 1.0
"""Of fewer than two authors, in effect, no interval is told."""


@dataclass(frozen=True)
class Effects:
    """Of each theme; all float64 (n_themes,), NaN where the data cannot tell."""

    effect: np.ndarray
    """In units of the outcome."""
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray
    recoverable: np.ndarray
    """By how much the mean outcome would rise were the theme never mentioned: -effect times its share."""
    plain: np.ndarray
    """The same without any adjustment: mean without the documents that mention it, less the mean of all."""


def measure_effects(
    presence: np.ndarray,
    outcome: np.ndarray,
    *,
    item: np.ndarray,
    author: np.ndarray,
    controls: np.ndarray | None = None,
) -> Effects:
    """Effect of every theme's presence in a document.

    Args:
        presence: Whether each document mentions each theme (n_documents, n_themes).
        outcome: Of each document (n_documents,).
        item: Number of what it is about, from 0; one number for all that is about nothing (n_documents,).
        author: Number of who wrote it, from 0 (n_documents,).
        controls: Further terms, such as months, sources and segments (n_documents, n_controls).
    """
    n, n_themes = presence.shape
    if not n:
        return Effects(*(np.full(n_themes, np.nan) for _ in fields(Effects)))
    columns = [presence.astype(np.float64)]
    if controls is not None:
        columns.append(controls.astype(np.float64))
    terms = np.concatenate(columns, axis=1) if len(columns) > 1 else columns[0]
    centred = _less_item_means(terms, item)
    y = _less_item_means(outcome.astype(np.float64)[:, None], item)[:, 0]
    penalised = centred.T @ centred + RIDGE * np.eye(centred.shape[1])
    inverse = np.linalg.inv(penalised)
    fitted = inverse @ (centred.T @ y)
    residual = y - centred @ fitted
    # Without its own penalty a term's inverse differs by a matrix of rank one (Sherman and Morrison 1950).
    own = np.diag(inverse)[:n_themes]
    free = 1.0 - RIDGE * own
    has_own = free > 1e-6
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(has_own, fitted[:n_themes] / free, np.nan)
        weights = np.where(has_own, inverse[:, :n_themes] / free, 0.0)
    weighted = centred @ weights
    spread, freedom = _spread_by_author(weighted, residual[:, None], author)
    if np.isin(outcome, (0, 1)).all():
        spread = np.maximum(spread, (residual**2).mean() * (weighted**2).sum(axis=0))
    # Levels of items were measured too, each from its own documents.
    n_told = n - centred.shape[1] - len(np.unique(item))
    error = np.sqrt(spread * n / max(1, n_told))
    error = np.where(has_own & (error > 0) & (n_told > 0) & (freedom >= MIN_FREEDOM), error, np.nan)
    freedom = np.maximum(freedom, MIN_FREEDOM)
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * stats.t.sf(np.abs(effect / error), freedom)
    share = presence.mean(axis=0)
    return Effects(
        effect, effect - reach, effect + reach, p_value, -effect * share, _plain(presence, outcome)
    )


def _less_item_means(columns: np.ndarray, item: np.ndarray) -> np.ndarray:
    """Columns less the mean of each item."""
    counts = np.bincount(item)
    order = np.argsort(item, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(item[order]) > 0])
    sums = np.add.reduceat(columns[order], starts, axis=0)
    means = np.zeros((len(counts), columns.shape[1]))
    means[item[order][starts]] = sums / counts[item[order][starts]][:, None]
    return np.asarray(columns - means[item])


def _spread_by_author(
    weights: np.ndarray, residual: np.ndarray, author: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Variance of each effect, errors of an author added up first, and its degrees of freedom."""
    order = np.argsort(author, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(author[order]) > 0])
    scores = np.add.reduceat((weights * residual)[order], starts, axis=0)
    parts = np.add.reduceat((weights**2)[order], starts, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = parts / parts.sum(axis=0)
        spread = np.where(pull < 1, scores / (1 - pull), np.nan) ** 2
        return spread.sum(axis=0), 1 / (pull**2).sum(axis=0) - 1


def _plain(presence: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    absent = ~presence.astype(bool)
    n_absent = absent.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((absent * outcome[:, None]).sum(axis=0) / n_absent - outcome.mean())
