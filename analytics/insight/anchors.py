"""Anchors of themes: how near each statement is to each theme, and whether it is within."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

_BLOCK = 8_192


def unit(vector: np.ndarray) -> np.ndarray:
    """The direction (n_dims,) of a vector as float64; zeros where it has none."""
    whole = vector.astype(np.float64)
    length = np.sqrt(whole @ whole)
    return whole / (length if length > 0 else 1.0)


@dataclass(frozen=True)
class Block:
    """Some statements against all themes."""

    start: int
    """Row of the first of them."""
    vectors: np.ndarray
    """float64 (n_block, n_dims)."""
    within: np.ndarray
    """bool (n_block, n_themes): at least one anchor's radius is reached."""
    similarity: np.ndarray
    """float64 (n_block, n_themes): greatest cosine to the theme's anchors, to six decimals."""


@dataclass(frozen=True)
class Anchors:
    """Anchors of themes, in an order of their own."""

    themes: pl.Series
    """theme_id, each once, sorted."""
    centroids: np.ndarray
    """float64 (n_anchors, n_dims), unit rows."""
    radii: np.ndarray
    first: np.ndarray
    """int64 (n_themes,): where each theme's anchors begin."""

    @classmethod
    def of(cls, anchors: pl.DataFrame) -> Anchors:
        """Anchors of a frame with columns theme_id, centroid, radius; not empty."""
        anchors = anchors.sort("theme_id", "radius", "centroid")
        themes = anchors["theme_id"].unique(maintain_order=True)
        return cls(
            themes,
            np.array(anchors["centroid"].to_list(), dtype=np.float64),
            anchors["radius"].to_numpy(),
            anchors["theme_id"].search_sorted(themes).to_numpy(),
        )

    def measure(self, vectors: np.ndarray) -> Iterator[Block]:
        """Hold statements against every theme, block by block: what is said of a row depends on it alone."""
        for start in range(0, len(vectors), _BLOCK):
            block = vectors[start : start + _BLOCK].astype(np.float64)
            # In float64 the block's shape shows only far behind the sixth decimal.
            cosines = np.round(block @ self.centroids.T, 6)
            within = np.logical_or.reduceat(cosines >= self.radii, self.first, axis=1)
            yield Block(start, block, within, np.maximum.reduceat(cosines, self.first, axis=1))
