"""Which statements speak for many: chosen by how much of what is said they cover, never at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STAYS = 0.9
"""Voices chosen before stay where they cover at least this much of what the best ones would."""
MAX_CANDIDATES = 400


def choose_voices(
    vectors: np.ndarray,
    candidates: Sequence[int],
    authors: Sequence[object],
    n: int,
    kept: Sequence[int] = (),
) -> list[int]:
    """Statements that together are near to all others: greedy facility location (Nemhauser et al. 1978).

    Args:
        vectors: What is said, float32 unit rows (n_statements, n_dims).
        candidates: Rows that may speak, in a fixed order; the first MAX_CANDIDATES count.
        authors: Who said each; an author speaks once.
        n: At most so many voices.
        kept: Rows that spoke before; they stay while they cover nearly as much as the best would.

    Returns:
        Rows, the voice that covers most first.
    """
    allowed = list(dict.fromkeys([*kept, *candidates]))[: MAX_CANDIDATES + len(kept)]
    if not allowed or not len(vectors) or n < 1:
        return []
    near = np.maximum(vectors @ vectors[allowed].T, 0.0)
    best = _greedy(near, [authors[row] for row in allowed], n)
    before = [place for place, row in enumerate(allowed) if row in set(kept)][:n]
    if before:
        sticky = _greedy(near, [authors[row] for row in allowed], n, before)
        if _covered(near, sticky) >= STAYS * _covered(near, best):
            best = sticky
    return [allowed[place] for place in best]


def _greedy(near: np.ndarray, authors: Sequence[object], n: int, begun: Sequence[int] = ()) -> list[int]:
    chosen = list(begun)
    covered = near[:, chosen].max(axis=1) if chosen else np.zeros(len(near))
    while len(chosen) < n:
        gains = np.maximum(near - covered[:, None], 0.0).sum(axis=0)
        spoke = {authors[place] for place in chosen}
        for place, author in enumerate(authors):
            if author in spoke:
                gains[place] = -1.0
        place = int(np.argmax(gains))
        if gains[place] <= 1e-9:
            break
        chosen.append(place)
        covered = np.maximum(covered, near[:, place])
    return chosen


def _covered(near: np.ndarray, chosen: Sequence[int]) -> float:
    return float(near[:, list(chosen)].max(axis=1).sum()) if len(chosen) else 0.0


def group_by_voice(vectors: np.ndarray, voices: Sequence[int]) -> list[list[int]]:
    """For each voice the rows that are nearest to it, itself first, then the nearest."""
    if not voices:
        return []
    near = vectors @ vectors[list(voices)].T
    nearest = near.argmax(axis=1)
    groups = []
    for place, voice in enumerate(voices):
        rows = np.flatnonzero(nearest == place)
        ordered = rows[np.argsort(-near[rows, place], kind="stable")].tolist()
        groups.append([voice, *(row for row in ordered if row != voice and row not in voices)])
    return groups
