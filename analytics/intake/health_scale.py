"""Ratings on another scale than before, told from ratings that turned better or worse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from analytics.intake.health_changes import Change
from analytics.intake.health_counts import SourceCounts
from analytics.intake.health_evidence import BASELINE_DAYS, present_change, two_sample

SCALE_NATS = 9.2  # one in 10,000
_MIN_BEYOND = 3
_SCALE_TOPS = (1.0, 5.0, 10.0)
_RATING_BASELINE_DAYS = 182


def find_scale(counts: SourceCounts) -> Change | None:
    """Ratings on another scale: beyond the old top, shrunk below it, or turned round."""
    if counts.values.size == 0:
        return None
    for evidence in (_beyond, _shrunk):
        since = present_change(partial(_nats, evidence, counts), counts.n_days, SCALE_NATS)
        if since is not None:
            _, top = _beyond(counts, 0)
            new = counts.values[counts.rating[since:].sum(axis=0) > 0].max()
            return Change("scale changed", since, True, {"old": f"{top[since]:g}", "new": f"{new:g}"})
    since = present_change(lambda start: _turned(counts, start), counts.n_days, SCALE_NATS)
    return None if since is None else Change("scale changed", since, True, {"turned": 1.0})


def _nats(
    evidence: Callable[..., tuple[np.ndarray, np.ndarray]], counts: SourceCounts, start: int
) -> np.ndarray:
    return evidence(counts, start)[0]


def _before_and_since(table: np.ndarray, start: int, baseline: int) -> tuple[np.ndarray, np.ndarray]:
    n_days = table.shape[0]
    total = np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(table, axis=0)])
    days = np.arange(n_days)
    low = np.minimum(np.maximum(days - baseline, start), days)
    return total[days] - total[low], total[n_days] - total[days]


def _beyond(counts: SourceCounts, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Nats of ratings above the old top or outside the declared scale, and that top (n_days,).

    The highest rating seen is the scale's top only where ratings pile up on it. Ratings below the old lowest
    one are no sign: a bad product gets them on the same scale.
    """
    before, since = _before_and_since(counts.rating, start, _RATING_BASELINE_DAYS)
    n_before, n_since = before.sum(axis=1), since.sum(axis=1)
    usual = before >= np.maximum(2, 0.002 * n_before)[:, None]
    top_index = np.where(usual.any(axis=1), usual.shape[1] - 1 - np.argmax(usual[:, ::-1], axis=1), 0)
    top = counts.values[top_index]
    piled = np.take_along_axis(before, top_index[:, None], axis=1)[:, 0] >= 0.05 * n_before
    strange = (piled[:, None] & (counts.values[None, :] > top[:, None])) | counts.is_outside[None, :]
    k_before, k_since = (before * strange).sum(axis=1), (since * strange).sum(axis=1)
    nats = two_sample(
        np.stack([k_before, n_before - k_before], axis=1), np.stack([k_since, n_since - k_since], axis=1)
    )
    recent = counts.rating[-3:].sum(axis=0)
    still = (recent[None, :] * strange).sum(axis=1) >= 0.1 * max(recent.sum(), 1)
    share_since = k_since / np.maximum(n_since, 1)
    share_before = k_before / np.maximum(n_before, 1)
    named = (n_before >= 40) & (k_since >= _MIN_BEYOND) & (share_since >= 0.2 + share_before) & still
    return np.where(named, nats, -np.inf), top


def _shrunk(counts: SourceCounts, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Nats of ratings that end at a lower usual top (n_days,), and pile up there as no bad product's would.

    The smaller counts: that none lies above the new top, and that they pile up on it against an even spread
    (worse opinions put most weight on the lowest ratings, Grenander 1956).
    """
    before, since = _before_and_since(counts.rating, start, BASELINE_DAYS)
    n_before, n_since = before.sum(axis=1), since.sum(axis=1)
    top_index = since.shape[1] - 1 - np.argmax((since > 0)[:, ::-1], axis=1)
    top = counts.values[top_index]
    above = counts.values[None, :] > top[:, None]
    lost = (before * above).sum(axis=1)
    vanished = -n_since * np.log1p(-np.minimum(lost / np.maximum(n_before + 1, 1), 0.999))
    piled = np.take_along_axis(since, top_index[:, None], axis=1)[:, 0]
    share = np.clip(piled / np.maximum(n_since, 1), 1e-9, 1 - 1e-9)
    even = 1 / np.maximum(((before > 0) & ~above).sum(axis=1), 2)
    pile = n_since * (share * np.log(share / even) + (1 - share) * np.log((1 - share) / (1 - even)))
    is_top = np.isin(top, _SCALE_TOPS) & (share > even) & (n_before >= 40) & (n_since >= _MIN_BEYOND)
    return np.where(is_top, np.minimum(vanished, pile), -np.inf), top


def _turned(counts: SourceCounts, start: int) -> np.ndarray:
    """Nats (n_days,) of items once rated low being rated high and items once rated high being rated low.

    Without items on both sides a scale turned round cannot be told from opinions that turned bad.
    """
    if counts.item_rated.shape[1] < 5:
        return np.full(counts.n_days, -np.inf)
    before, since = _before_and_since(counts.item_rated, start, BASELINE_DAYS)
    high_before, high_since = _before_and_since(counts.item_high, start, BASELINE_DAYS)
    share = high_before / np.maximum(before, 1)
    known = before >= 8
    nats = np.full(counts.n_days, np.inf)
    for group in (known & (share >= 0.6), known & (share <= 0.4)):
        n_before, n_since = (before * group).sum(axis=1), (since * group).sum(axis=1)
        k_before, k_since = (high_before * group).sum(axis=1), (high_since * group).sum(axis=1)
        mirrored = np.abs(k_since / np.maximum(n_since, 1) - 1 + k_before / np.maximum(n_before, 1)) <= 0.2
        evidence = two_sample(
            np.stack([k_before, n_before - k_before], axis=1),
            np.stack([k_since, n_since - k_since], axis=1),
        )
        nats = np.minimum(nats, np.where(mirrored & (group.sum(axis=1) >= 2), evidence, -np.inf))
    return nats
