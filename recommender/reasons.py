"""Why an item is on a list: the liked items whose texts are most like its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.generators import DECIMALS

MAX_REASONS = 2
"""Items named as the reason for one recommendation."""


@dataclass(frozen=True)
class Reasons:
    """Reasons of a block of lists, one entry each, by row, place and nth."""

    row: np.ndarray  # int, row of the block
    place: np.ndarray  # int, place in the list, from 0
    nth: np.ndarray  # int, from 0, best first
    column: np.ndarray  # int, the liked item
    similarity: np.ndarray  # float64, its cosine to the recommended item


def nearest_liked(listed: np.ndarray, liked: np.ndarray, item_vectors: np.ndarray) -> Reasons:
    """For each listed item the `MAX_REASONS` liked items most like it; equals in the order of columns.

    Args:
        listed: int (n_users, n_places), columns of listed items, -1 where there is none.
        liked: bool (n_users, n_items).
        item_vectors: float64 (n_items, n_dims), unit rows; zeros for an item without text,
            which is nobody's reason, because its cosine is 0.
    """
    kept: list[tuple[np.ndarray, ...]] = []
    reason_row, reason_column = np.nonzero(liked)
    ends = np.searchsorted(reason_row, np.arange(len(liked) + 1))
    for row in np.flatnonzero((listed >= 0).any(axis=1)):
        columns = reason_column[ends[row] : ends[row + 1]]
        places = np.flatnonzero(listed[row] >= 0)
        cosines = np.round(item_vectors[listed[row, places]] @ item_vectors[columns].T, DECIMALS)
        nearest = (-cosines).argsort(axis=1, kind="stable")[:, :MAX_REASONS]
        similarity = cosines[np.arange(len(places))[:, None], nearest]
        which, nth = np.nonzero(similarity > 0)
        kept.append(
            (
                np.full(len(which), row),
                places[which],
                nth,
                columns[nearest[which, nth]],
                similarity[which, nth],
            )
        )
    if not kept:
        nothing = np.empty(0, dtype=np.int64)
        return Reasons(nothing, nothing, nothing, nothing, np.empty(0))
    return Reasons(*(np.concatenate(field) for field in zip(*kept, strict=True)))
