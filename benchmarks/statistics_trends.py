"""Whether changes are told as they should be: false alerts, false discoveries, power, delay, coverage."""

from __future__ import annotations

import numpy as np
from scipy import stats
from statistics_pool import in_processes
from statistics_stores import (
    BURSTY,
    CALM,
    N_DAYS,
    N_TESTS,
    SETTINGS,
    as_frames,
    changes_in,
    draw_counts,
    draw_store,
    night_of,
    rows_in,
)

from analytics.insight.trends import NEW, RISING, SHORT, SHORT_DAYS, STEADY, WEEK_DAYS, WEIGHTS, WINDOW

N_LATER = 14
WITHIN = 7
MENTIONS_A_WEEK = 40.0
CHANGED = 20


def measure_quiet_nights(n: int, seed: int) -> dict[str, float]:
    """How often a store in which nothing changes gives an alert, at the end of the night."""
    calm = in_processes(quiet_night, n, seed, CALM, 1)
    bursty = in_processes(quiet_night, n // 4, seed + 1, BURSTY, 1)
    places = in_processes(quiet_night, n // 4, seed + 2, CALM, 4)
    return {
        **share_of_alerts("false_alert_rate", calm),
        **share_of_alerts("false_alert_rate_bursty", bursty),
        **share_of_alerts("false_alert_rate_segments", places),
    }


def share_of_alerts(name: str, alerts: list[bool]) -> dict[str, float]:
    """The share, with its one-sided 95 % bound from below (Clopper and Pearson 1934)."""
    k, n = sum(alerts), len(alerts)
    return {name: k / n, f"{name}_lower": float(stats.beta.ppf(0.05, k, n - k + 1)) if k else 0.0}


def quiet_night(seed: int, dispersion: tuple[float, float], n_places: int) -> bool:
    """Whether one such night alerts: 200 themes everywhere, or 40 everywhere and in each of four segments."""
    rng = np.random.default_rng([seed, 1])
    n_themes = N_TESTS if n_places == 1 else N_TESTS // (n_places + 1)
    store = draw_store(rng, dispersion, n_cells=n_themes * n_places)
    store.means /= n_places
    places = [f"channel: {number}" for number in range(n_places)] if n_places > 1 else []
    volume = np.tile(store.volume, (n_places, 1))
    frames = as_frames(rng, draw_counts(rng, store), volume, places, n_loud=5)
    _, n_changed, n_told = night_of(*frames)
    if n_told > n_changed:
        raise ValueError(f"{n_changed} changes were told as {n_told}")
    return n_told > 0


def measure_changing_nights(n: int, seed: int) -> dict[str, float]:
    """Of what is told where 20 of 200 themes change, the share that did not; and how much of it is told."""
    shares = np.array(in_processes(changing_night, n, seed))
    return {
        "false_discovery_rate": float(shares[:, 0].mean()),
        "found_of_all_sizes": float(shares[:, 1].mean()),
    }


def changing_night(seed: int) -> tuple[float, float]:
    """Half of the changes began last week, half three to twelve weeks ago; half up, half down."""
    rng = np.random.default_rng([seed, 2])
    store = draw_store(rng)
    changed = rng.choice(N_TESTS, CHANGED, replace=False)
    for place, theme in enumerate(changed):
        days = 7 if place % 2 else int(rng.integers(3, 13)) * 7
        store.factor[theme, -days:] = 2.5 if place % 4 < 2 else 0.3
    told = changes_in(draw_counts(rng, store), store.volume)
    n_false = len(set(told) - set(changed.tolist()))
    return n_false / max(1, len(told)), (len(told) - n_false) / CHANGED


def measure_power(n: int, seed: int) -> dict[str, float]:
    """How soon a theme that doubles is told, beside one who knows its rate before and its dispersion."""
    calm = np.array(in_processes(doubling, n, seed, CALM, N_LATER))
    bursty = np.array(in_processes(doubling, n // 2, seed + 1, BURSTY, WITHIN))
    by_night, by_oracle = calm.mean(axis=0)
    is_found, first = calm[:, 0].any(axis=1), calm[:, 0].argmax(axis=1) + 1
    result = {
        "power": float(by_night[WITHIN - 1]),
        "power_oracle": float(by_oracle[WITHIN - 1]),
        "power_bursty": float(bursty[:, 0, WITHIN - 1].mean()),
        "power_bursty_oracle": float(bursty[:, 1, WITHIN - 1].mean()),
        "delay_nights": float(np.median(np.where(is_found, first, N_LATER + 1))),
    }
    for name, curve in (("found_by_night", by_night), ("oracle_by_night", by_oracle)):
        result |= {f"{name}_{night:02}": float(share) for night, share in enumerate(curve, 1)}
    return result


def doubling(seed: int, dispersion: tuple[float, float], n_nights: int) -> list[list[bool]]:
    """Whether a night has told it, and whether the oracle has, by each night since (2, n_nights)."""
    rng = np.random.default_rng([seed, 3])
    store = draw_store(rng, dispersion, n_later=n_nights)
    baseline = store.volume[N_DAYS - WEEK_DAYS * SETTINGS.baseline_weeks : N_DAYS]
    store.means[0] = MENTIONS_A_WEEK / baseline.mean()
    store.factor[0, -n_nights:] = 2.0
    counts = draw_counts(rng, store)
    told, known = [False], [False]
    for night in range(1, n_nights + 1):
        days = slice(night, N_DAYS + night)
        told.append(told[-1] or is_told(counts[:, days], store.volume[days]))
        expected = store.means[0] / WEEK_DAYS * store.volume[days]
        known.append(known[-1] or oracle_tells(counts[0, days], expected, float(store.dispersion[0])))
    return [told[1:], known[1:]]


def is_told(counts: np.ndarray, volume: np.ndarray) -> bool:
    """Whether the first theme is told to rise."""
    return changes_in(counts, volume).get(0) in (NEW, RISING)


def oracle_tells(counts: np.ndarray, usual: np.ndarray, dispersion: float) -> bool:
    """The same two windows, at the same level, by one who knows what to expect."""
    share = {window: WEIGHTS[window] / (WEIGHTS[WINDOW] + WEIGHTS[SHORT]) for window in (WINDOW, SHORT)}
    for window, n_days in ((WINDOW, WEEK_DAYS), (SHORT, SHORT_DAYS)):
        expected = usual[-n_days:].sum()
        # A burst is the same on all days of a week, so that fewer days show less of it.
        more = max(1e-9, (dispersion - 1) * n_days / WEEK_DAYS)
        tail = stats.nbinom.sf(counts[-n_days:].sum() - 1, expected / more, 1 / (1 + more))
        if 2 * tail <= SETTINGS.false_discovery_rate / N_TESTS * share[window]:
            return True
    return False


def measure_coverage(n: int, seed: int) -> dict[str, float]:
    """How often 95 % intervals of rate ratios hold the truth."""
    held = np.array(in_processes(ratio_intervals, n, seed))
    names = ("steady", "one_author_30_texts", "doubled", "segment_grows_tenfold")
    return {
        f"coverage_ratio_{name}": float(share) for name, share in zip(names, held.mean(axis=0), strict=True)
    }


def ratio_intervals(seed: int) -> list[bool]:
    """Of one store in two places, of which one is ten times as large of late: an interval of each kind."""
    rng = np.random.default_rng([seed, 4])
    n_themes = 30
    store = draw_store(rng, n_cells=2 * n_themes)
    store.means[: 2 * 3] = MENTIONS_A_WEEK / 2
    store.factor[2 * 2 : 2 * 3, -WEEK_DAYS:] = 2.0
    volume = np.tile(store.volume, (2, 1))
    volume[1, -WEEK_DAYS:] *= 10
    store.factor[1::2, -WEEK_DAYS:] *= 10
    counts = draw_counts(rng, store)
    # Author 0 is loud of theme 0, the first in the first place; theme 1 is steady, and theme 2 doubles.
    mentions, exposure = as_frames(rng, counts, volume, ["size: a", "size: b"], n_loud=1)
    found, *_ = night_of(mentions, exposure)
    rows = {(row["theme_id"], row["subject"]): row for row in found.iter_rows(named=True)}
    asked = (("1", "size: a", 1.0), ("0", "size: a", 1.0), ("2", "size: a", 2.0), ("1", "size: b", 1.0))
    held = []
    for theme, place, ratio in asked:
        row = rows[theme, place]
        after = store.volume[-row["days_after"] :]
        truth = 1 + (ratio - 1) * after[-WEEK_DAYS:].sum() / after.sum()
        high = np.inf if row["ratio_high"] is None else row["ratio_high"]
        held.append(bool(row["ratio_low"] <= truth <= high))
    return held


def measure_growth(n: int, seed: int) -> dict[str, float]:
    """Orders double in the last week while every theme keeps its rate: nothing is to be said of the theme."""
    nights = in_processes(growing_night, n, seed)
    return {
        "orders_double_alert_rate": float(np.mean([is_told for is_told, _, _ in nights])),
        "orders_double_any_alert_rate": float(np.mean([is_any for _, is_any, _ in nights])),
        "orders_double_ratio": float(np.median([ratio for _, _, ratio in nights])),
    }


def growing_night(seed: int) -> tuple[bool, bool, float]:
    """Whether such a night alerts about the theme, whether about any, and the ratio of its rates."""
    rng = np.random.default_rng([seed, 5])
    store = draw_store(rng)
    store.means[0] = MENTIONS_A_WEEK
    store.volume[-WEEK_DAYS:] *= 2
    found = rows_in(draw_counts(rng, store), store.volume)
    (theme,) = found.filter(theme_id="000").iter_rows(named=True)
    return theme["kind"] != STEADY, bool((found["kind"] != STEADY).any()), theme["ratio"]
