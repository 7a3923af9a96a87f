"""Which change a source is in tonight: stopped, another scale, another way of collecting, mix or volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Protocol

import numpy as np

from analytics.intake.health_counts import SourceCounts
from analytics.intake.health_evidence import (
    BASELINE_DAYS,
    MIN_HISTORY_DAYS,
    MixEvidence,
    VolumeFit,
    count_evidence,
    dispersion_of,
    expected_since,
    fit_volume,
    mix_evidence,
    present_change,
)

STOP_NATS = 9.2  # one in 10,000
VOLUME_NATS = 9.2
MIX_NATS = 11.5
COLLECTION_NATS = 13.8
_SIGN_NATS = 6.9  # the least that the mix speaks for it

_STOP_SHARE = 0.1
_RISE, _FALL = 1.5, 0.6
_COMPLETE_SHARE = 0.9
_RATING_BASELINE_DAYS = 182


class Event(Protocol):
    """Something planned or known that explains a change of volume; no sources means all of them."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def start(self) -> date: ...  # noqa: D102
    @property
    def end(self) -> date: ...  # noqa: D102
    @property
    def sources(self) -> Sequence[str]: ...  # noqa: D102


@dataclass(frozen=True)
class Change:
    """The state that a source is in; `since` is a row of its counts."""

    status: str
    since: int
    held: bool
    facts: Mapping[str, float | str] = field(default_factory=dict)
    event: Event | None = None


@dataclass(frozen=True)
class Volume:
    """What was expected of each day, and which days the feed stood still."""

    fit: VolumeFit
    expected: np.ndarray
    dispersion: np.ndarray
    is_gap: np.ndarray
    is_holiday: np.ndarray


def measure_volume(counts: SourceCounts, holidays: np.ndarray) -> Volume:
    """Fit the usual volume twice: the second time without the days on which the feed stood still.

    Args:
        counts: Of one source.
        holidays: True on days that are neither fitted nor judged (n_days,).
    """
    n_documents, judged = counts.n_documents, ~holidays
    fit = fit_volume(n_documents, judged)
    gaps = _gaps(n_documents, fit, judged)
    is_gap = np.zeros(counts.n_days, dtype=bool)
    for first, last in gaps:
        is_gap[first:last] = True
    fit = fit_volume(n_documents, judged & ~is_gap)
    expected = fit.expected.copy()
    dispersion = dispersion_of(fit, 1.0)
    for first, last in gaps:
        weekday = (np.arange(first, last) - first) % 7
        expected[first:last] = fit.level[first] * fit.factors[first, weekday]
        dispersion[first:last] = dispersion[first]
    sundays = np.array([counts.day(index).weekday() == 6 for index in range(counts.n_days)])
    for index in np.flatnonzero(holidays & ~np.isnan(expected)):
        if (week := sundays[index : index + 7]).any():
            sunday = fit.factors[index, np.argmax(week)]
            expected[index] = fit.level[index] * min(sunday, fit.factors[index, 0])
    return Volume(fit, expected, dispersion, is_gap, holidays)


def _gaps(n_documents: np.ndarray, fit: VolumeFit, judged: np.ndarray) -> list[tuple[int, int]]:
    """Runs of empty days (first, last + 1) that chance does not explain."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], n_documents == 0, [0]]).astype(int)))
    gaps = []
    for first, last in edges.reshape(-1, 2):
        weekday = (np.arange(first, last) - first) % 7
        expected = fit.level[first] * (fit.factors[first, weekday] * judged[first:last]).sum()
        dispersion = dispersion_of(fit, max(int(judged[first:last].sum()), 1))[first]
        nats = count_evidence(np.zeros(1), np.array([expected]), np.array([dispersion]))[0]
        if nats >= STOP_NATS:
            gaps.append((int(first), int(last)))
    return gaps


def find_stop(counts: SourceCounts, volume: Volume) -> Change | None:
    """A feed that has delivered next to nothing for longer than chance and its own delay explain."""
    n_days = counts.n_days
    weights = counts.arrived_share * ~volume.is_holiday
    weights[n_days - counts.lag_days :] = 0.0
    expected, dispersion = expected_since(volume.fit, weights)
    arrived = np.cumsum((counts.n_documents * (weights > 0))[::-1])[::-1]
    nats = count_evidence(arrived, expected, dispersion)
    nats = np.where((arrived <= _STOP_SHARE * expected) & (weights > 0), nats, -np.inf)
    since = int(np.argmax(nats))
    if nats[since] < STOP_NATS:
        return None
    facts = {"arrived": float(arrived[since]), "level": float(volume.fit.level[since])}
    if arrived[since] == 0:
        since = int(np.flatnonzero(counts.n_documents)[-1]) + 1
    return Change("stopped", since, True, facts)


def find_late(counts: SourceCounts, volume: Volume) -> Change | None:
    """The newest days are missing, and this source is used to deliver them later."""
    lag = counts.lag_days
    empty = counts.n_documents == 0
    if not lag or not empty[-1]:
        return None
    since = int(np.flatnonzero(~empty)[-1]) + 1
    missing = np.nansum(volume.expected[since:])
    return Change("late", since, False, {"lag": float(lag)}) if missing >= 3 else None


def find_volume(counts: SourceCounts, volume: Volume) -> tuple[Change | None, np.ndarray]:
    """A step of the number of documents; and the nats of a rise on each day (n_days,)."""
    usable = ~volume.is_holiday & ~volume.is_gap & (counts.arrived_share >= _COMPLETE_SHARE)
    if counts.lag_days:
        is_known = counts.arrived_share[-1] < 1
        usable[-counts.lag_days * (1 if is_known else 3) :] = False
    steps: dict[int, tuple[np.ndarray, np.ndarray, VolumeFit]] = {}

    def nats_from(start: int) -> np.ndarray:
        steps[start] = _volume_evidence(counts, volume, usable, start)
        return steps[start][0]

    found = present_change(nats_from, counts.n_days, VOLUME_NATS)
    nats, ratio, _ = steps[0]
    rises = np.where(ratio > 1, nats, -np.inf)
    if found is None:
        return None, rises
    nats, ratio, fit = steps[max(steps)]
    first = max(max(steps) + MIN_HISTORY_DAYS, counts.n_days - BASELINE_DAYS)
    since = _step(counts, fit, usable, first + np.flatnonzero(nats[first:] >= VOLUME_NATS))
    facts = {"ratio": float(ratio[since]), "level": float(fit.level[since])}
    return Change("volume changed", since, False, facts), rises


def _volume_evidence(
    counts: SourceCounts, volume: Volume, usable: np.ndarray, start: int
) -> tuple[np.ndarray, np.ndarray, VolumeFit]:
    """Nats and ratio (n_days,) of a step on each day that the newest days still show, and the fit behind."""
    valid = ~volume.is_holiday & ~volume.is_gap
    valid[:start] = False
    fit = volume.fit if start == 0 else fit_volume(counts.n_documents, valid)
    expected, dispersion = expected_since(fit, usable.astype(float))
    arrived = np.cumsum((counts.n_documents * usable)[::-1])[::-1].astype(np.float64)
    ratio = arrived / np.maximum(expected, 1e-9)
    now, week = _newest(counts, fit, usable, 3), _newest(counts, fit, usable, 7)
    still_up = (now >= 1.25) | ((week >= 1.25) & (now >= 1))
    still_down = (now <= 0.8) | ((week <= 0.8) & (now <= 1))
    moved = ((ratio >= _RISE) & still_up) | ((ratio <= _FALL) & still_down)
    nats = count_evidence(arrived, expected, dispersion)
    return np.where(moved & (expected > 0), nats, -np.inf), ratio, fit


def _newest(counts: SourceCounts, fit: VolumeFit, usable: np.ndarray, n_newest: int) -> np.ndarray:
    """What the newest usable days hold of what each day's fit expects of them (n_days,); 1 where nothing."""
    newest = np.flatnonzero(usable)[-n_newest:][None, :]
    days = np.arange(counts.n_days)[:, None]
    inside = newest >= days
    expected = fit.level * (np.take_along_axis(fit.factors, (newest - days) % 7, axis=1) * inside).sum(axis=1)
    arrived = (counts.n_documents[newest] * inside).sum(axis=1)
    return np.where(expected > 0, arrived / np.maximum(expected, 1e-9), 1.0)


def _step(counts: SourceCounts, fit: VolumeFit, usable: np.ndarray, candidates: np.ndarray) -> int:
    """The candidate that best splits the days around it into two levels (least squares of square roots)."""
    first = max(0, int(candidates[0]) - BASELINE_DAYS)
    factors = fit.factors[candidates[0], (np.arange(first, counts.n_days) - candidates[0]) % 7]
    usable = usable[first:] & (factors >= 0.1)
    levels = np.where(usable, np.sqrt(counts.n_documents[first:] / np.maximum(factors, 0.1)), 0.0)
    total, n = np.cumsum(levels), np.cumsum(usable)
    before = candidates - first - 1
    n_before, n_since = np.maximum(n[before], 1), np.maximum(n[-1] - n[before], 1)
    gap = (total[-1] - total[before]) / n_since - total[before] / n_before
    return int(candidates[np.argmax(gap**2 * n_before * n_since)])


def find_mix(counts: SourceCounts) -> Change | None:
    """Documents in other languages than usual, or with a rating more or less often."""
    found = []
    for kind, table in (("language", counts.language), ("rating", counts.presence)):
        if table.shape[1] < 2 or not (table.sum(axis=0) > 0).sum() > 1:
            continue
        evidence: dict[int, MixEvidence] = {}

        def nats(start: int, table: np.ndarray = table, kept: dict = evidence) -> np.ndarray:
            kept[start] = mix_evidence(table, start)
            return kept[start].nats

        since = present_change(nats, counts.n_days, MIX_NATS)
        if since is not None:
            found.append((evidence[max(evidence)], kind, since))
    if not found:
        return None
    best, kind, since = max(found, key=lambda one: one[0].nats[one[2]])
    moved = int(np.argmax(np.abs(best.since[since] - best.before[since]))) if kind == "language" else 0
    name = counts.languages[moved] if kind == "language" else ""
    shares = {"before": float(best.before[since][moved]), "share": float(best.since[since][moved])}
    return Change("mix changed", since, True, {"kind": kind, "name": name, **shares})


def find_collection(counts: SourceCounts, rises: np.ndarray) -> Change | None:
    """More documents and, from the same day, more top ratings, more ratings, shorter texts or languages.

    Worse ratings or longer texts beside a rise are no sign: a defect brings them.

    Args:
        counts: Of one source.
        rises: Nats of a rise of volume (n_days,).
    """
    # Half a year of ratings, so that the end of a defect's bad ones is no sign.
    tables = (
        (_top_ratings(counts), 0.12, _RATING_BASELINE_DAYS),
        (counts.presence, 0.05, BASELINE_DAYS),
        (counts.length, 0.12, BASELINE_DAYS),
        (counts.language, 0.12, BASELINE_DAYS),
    )
    # A rise that lasts must be told by itself in the end, or a mix alone would be named so.
    needed = np.clip(3.0 + 0.45 * (counts.n_days - 1 - np.arange(counts.n_days)), 3.0, VOLUME_NATS)

    def evidence_from(start: int) -> np.ndarray:
        signs = np.zeros(counts.n_days)
        for table, least, baseline in tables:
            if table.shape[1] < 2:
                continue
            mix = mix_evidence(table, start, least_shift=least, baseline=baseline)
            is_sign = (mix.since[:, 0] > mix.before[:, 0]) | (table is counts.language)
            signs += np.where(is_sign, np.maximum(mix.nats, 0.0), 0.0)
        together = (signs >= _SIGN_NATS) & (rises >= needed)
        return np.where(together, signs + rises, -np.inf)

    since = present_change(evidence_from, counts.n_days, COLLECTION_NATS)
    return None if since is None else Change("collection changed", since, True)


def _top_ratings(counts: SourceCounts) -> np.ndarray:
    """Documents with the scale's best rating and with another (n_days, 2)."""
    if counts.values.size < 2:
        return np.zeros((counts.n_days, 0), dtype=np.int64)
    totals = counts.rating.sum(axis=0)
    best = int(np.flatnonzero(totals >= 0.005 * totals.sum())[-1])
    at_best = counts.rating[:, best]
    return np.stack([at_best, counts.rating.sum(axis=1) - at_best], axis=1)


def explain(change: Change, counts: SourceCounts, events: Sequence[Event], as_of: date) -> Change:
    """Name the event behind a change of volume; a change of collecting that one explains is one of volume.

    A stop stays on hold inside an outage: nothing was delivered, whatever the reason.
    """
    if change.status not in ("volume changed", "collection changed", "stopped"):
        return change
    since = counts.day(change.since)
    for event in events:
        mine = not event.sources or counts.source in event.sources
        if change.status == "stopped" and event.kind != "outage":
            continue
        near = event.start - timedelta(days=2) <= since <= event.end + timedelta(days=1)
        if mine and event.kind != "other" and near and as_of <= event.end + timedelta(days=7):
            if change.status == "collection changed":
                return replace(change, status="volume changed", held=False, event=event)
            return replace(change, event=event)
    return change
