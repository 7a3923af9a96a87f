"""Shares whose documents come in clusters: one author writes several, and they are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True)
class Clusters:
    """What the authors of each share's documents add up to; all float64 (n,).

    With k of an author's n documents speaking of a theme, summed over the authors of a share.
    """

    said: np.ndarray
    """Sum of k."""
    written: np.ndarray
    """Sum of n."""
    authors: np.ndarray
    """How many authors wrote."""
    said_squares: np.ndarray
    """Sum of k²."""
    products: np.ndarray
    """Sum of k · n."""
    written_squares: np.ndarray
    """Sum of n²."""


def design_effect(clusters: Clusters) -> np.ndarray:
    """How many documents of clusters count as one of its own author, at least 1 (n,); NaN of nothing.

    The variance of the share k/n as a ratio of sums over authors (Kish, Survey Sampling 1965, section 6.3),
    linearised, held against that of independent documents. Where none or all documents speak of a theme they
    tell of no variance; each author then counts as one document, as if each spoke always or never.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = clusters.said / clusters.written
        squares = (
            clusters.said_squares - 2 * share * clusters.products + share**2 * clusters.written_squares
        ) * (clusters.authors / (clusters.authors - 1))
        effect = squares / (clusters.written * share * (1 - share))
        one_each = clusters.written / clusters.authors
    tells_nothing = (clusters.said == 0) | (clusters.said == clusters.written) | (clusters.authors < 2)
    return np.maximum(1.0, np.where(tells_nothing, one_each, effect))


def author_freedom(written: np.ndarray, written_squares: np.ndarray) -> np.ndarray:
    """Degrees of freedom of a variance over authors: how many there would be if all wrote alike, less one.

    That number is Kish's, the squared sum of the clusters' sizes by the sum of their squares; at least 1 is
    left (n,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.nan_to_num(written**2 / written_squares, nan=1.0)
    return np.maximum(1.0, alike - 1)


def author_quantile(written: np.ndarray, written_squares: np.ndarray) -> np.ndarray:
    """97.5 % quantile of Student's t at the freedom that so few authors leave (n,)."""
    return np.asarray(stdtrit(author_freedom(written, written_squares), 0.975))
