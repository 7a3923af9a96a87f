"""Source health: what each source delivers against what was expected, and whether claims may rest on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from analytics.intake.health_changes import (
    Change,
    Event,
    Volume,
    explain,
    find_collection,
    find_late,
    find_mix,
    find_stop,
    find_volume,
    measure_volume,
)
from analytics.intake.health_counts import SourceCounts, count_sources
from analytics.intake.health_evidence import MIN_HISTORY_DAYS, count_limits
from analytics.intake.health_scale import find_scale
from analytics.intake.health_wording import state_sentence

PUBLISHED_DAYS = 182

SOURCE_DAY = {
    "source": pl.String,
    "day": pl.Date,
    "n_arrived": pl.Int64,
    "expected": pl.Float64,  # null while the history is too short
    "expected_low": pl.Float64,
    "expected_high": pl.Float64,
    "status": pl.String,  # ok | low | high | stopped | late | holiday | too new to tell
}

SOURCE_STATE = {
    "source": pl.String,
    "status": pl.String,
    "since": pl.Date,
    "held": pl.Boolean,
    "last_day": pl.Date,
    "sentence": pl.String,
}


@dataclass(frozen=True)
class Health:
    """Two frames: `source_day` (source × day, the last half year) and `source_state` (one row per source)."""

    source_day: pl.DataFrame
    source_state: pl.DataFrame


def assess_sources(
    documents: pl.DataFrame, *, as_of: date, holidays: Collection[date], events: Sequence[Event] = ()
) -> Health:
    """Say what state each source is in tonight; a pure function of the documents up to `as_of`.

    Args:
        documents: Columns source, day (Date, null left out), rating_share (0 to 1 or null), rating (as
            given), language, item_id, arrived_on (Date of the night that first saw the row, or null), and
            n_words where known. Where all rows of a source arrived in one night its delays count as none.
        as_of: The night; later days and later arrivals are left out.
        holidays: Days that are neither fitted nor judged.
        events: Promotions, launches and outages, which explain a change of volume.

    Returns:
        A status is ok, too new to tell, stopped, late, volume changed, scale changed, mix changed or
        collection changed; claims are held while a source is stopped or its scale, mix or collection has
        changed. A change that has lasted eight weeks is the new normal; a stop never is.
    """
    days, states = [], []
    for counts in count_sources(documents, as_of):
        is_holiday = np.array([counts.day(index) in holidays for index in range(counts.n_days)])
        volume = measure_volume(counts, is_holiday)
        change = explain(_find_change(counts, volume), counts, events, as_of)
        days.append(_source_days(counts, volume, change))
        states.append(
            {
                "source": counts.source,
                "status": change.status,
                "since": counts.first_day if change.since == 0 else counts.day(change.since),
                "held": change.held,
                "last_day": counts.last_day,
                "sentence": state_sentence(counts, change),
            }
        )
    table = pl.concat(days) if days else pl.DataFrame(schema=SOURCE_DAY)
    return Health(table, pl.DataFrame(states, schema=SOURCE_STATE))


def _find_change(counts: SourceCounts, volume: Volume) -> Change:
    """The gravest state that holds tonight."""
    if stop := find_stop(counts, volume):
        return stop
    if counts.n_days <= MIN_HISTORY_DAYS:
        return Change("too new to tell", 0, False)
    if scale := find_scale(counts):
        return scale
    volume_change, rises = find_volume(counts, volume)
    found = find_collection(counts, rises) or find_mix(counts) or volume_change or find_late(counts, volume)
    if found:
        return found
    return Change("ok", _ok_since(volume), False)


def _ok_since(volume: Volume) -> int:
    """The day after the last one on which the feed stood still."""
    gaps = np.flatnonzero(volume.is_gap)
    return min(int(gaps[-1]) + 1, volume.is_gap.size - 1) if gaps.size else 0


def _source_days(counts: SourceCounts, volume: Volume, change: Change) -> pl.DataFrame:
    n_days, n_arrived = counts.n_days, counts.n_documents
    low, high = count_limits(volume.expected, volume.dispersion)
    unknown = np.isnan(volume.expected)
    is_stopped = volume.is_gap.copy()
    if change.status == "stopped":
        is_stopped[change.since : n_days - counts.lag_days] = True
    is_waiting = np.arange(n_days) >= n_days - counts.lag_days
    with np.errstate(invalid="ignore"):
        is_low, is_high = n_arrived < low, n_arrived > high
    status = np.select(
        [is_waiting & (is_low | (n_arrived == 0)), is_stopped, volume.is_holiday, unknown, is_low, is_high],
        ["late", "stopped", "holiday", "too new to tell", "low", "high"],
        "ok",
    )
    first = max(0, n_days - PUBLISHED_DAYS)
    columns = {"expected": volume.expected, "expected_low": low, "expected_high": high}
    return pl.DataFrame(
        {
            "source": [counts.source] * (n_days - first),
            "day": [counts.first + timedelta(days=index) for index in range(first, n_days)],
            "n_arrived": n_arrived[first:].astype(np.int64),
            **{name: pl.Series(values[first:].round(2)).fill_nan(None) for name, values in columns.items()},
            "status": status[first:].tolist(),
        },
        schema=SOURCE_DAY,
    )
