"""Whether the intervals of what themes do to ratings and returns hold the truth, and clear the innocent."""

from __future__ import annotations

import numpy as np
from statistics_pool import in_processes

from analytics.insight.drivers import measure_effects
from analytics.insight.shares import newcombe_difference

N_ITEMS, BAD_ITEM = 40, 0
HARM = -0.6
USUAL_RETURNS, RETURNS_WITH_THEME, RETURNS_OF_BAD_ITEM = 0.06, 0.11, 0.25


def coverage_of_effects(n: int, seed: int) -> dict[str, float]:
    """Ratings of 2,000 texts about items of different levels, by authors who are milder or stricter."""
    plain, loud = (in_processes(rating_intervals, n, seed, is_loud) for is_loud in (False, True))
    return {
        "coverage_effect_item_levels": float(np.mean([held[0] for held in plain])),
        "coverage_effect_of_nothing": float(np.mean([held[1] for held in plain])),
        "coverage_effect_one_author_30_texts": float(np.mean([held[0] for held in loud])),
    }


def rating_intervals(seed: int, is_loud: bool) -> list[bool]:
    """Whether the interval of a harm, and of a theme that does nothing, hold the truth.

    Where it is loud, one author wrote thirty of the texts, all of the harm.
    """
    rng = np.random.default_rng([seed, 1, is_loud])
    n = 2_000
    item, author = rng.integers(0, N_ITEMS, n), rng.integers(0, n // 2, n)
    level = rng.normal(0, 0.5, N_ITEMS)
    presence = rng.random((n, 2)) < np.where(level[item] < 0, 0.12, 0.06)[:, None]
    if is_loud:
        author[:30], presence[:30, 0] = n, True
    mildness = rng.normal(0, 0.5, n + 1)
    outcome = 4 + HARM * presence[:, 0] + level[item] + mildness[author] + rng.normal(0, 0.8, n)
    found = measure_effects(presence, outcome, item=item, author=author)
    return list((found.low <= [HARM, 0.0]) & (found.high >= [HARM, 0.0]))


def coverage_of_returns(n: int, seed: int) -> dict[str, float]:
    """A theme that lifts returns, a placebo, and a theme that is only spoken of with a bad item."""
    held = np.array(in_processes(return_intervals, n, seed))
    names = (
        "coverage_returns_lifted",
        "coverage_returns_placebo",
        "innocent_adjusted_covers_zero",
        "innocent_plain_covers_zero",
    )
    return dict(zip(names, held.mean(axis=0).tolist(), strict=True))


def return_intervals(seed: int) -> list[bool]:
    """Whether three adjusted intervals hold the truth, and the plain one of the innocent theme holds 0."""
    rng = np.random.default_rng([seed, 2])
    n = 6_000
    item, author = rng.integers(0, N_ITEMS, n), rng.integers(0, n // 2, n)
    likely = np.where(np.arange(N_ITEMS) == BAD_ITEM, 0.7, 0.02)
    presence = rng.random((n, 3)) < np.stack([np.full(n, 0.08), np.full(n, 0.08), likely[item]], axis=1)
    usual = np.where(item == BAD_ITEM, RETURNS_OF_BAD_ITEM, USUAL_RETURNS)
    lift = RETURNS_WITH_THEME - USUAL_RETURNS
    returned = rng.random(n) < usual + lift * presence[:, 0]
    found = measure_effects(presence, returned, item=item, author=author)
    truth = np.array([lift, 0.0, 0.0])
    rides = presence[:, 2]
    _, low, high = newcombe_difference(
        returned[rides].sum(), rides.sum(), returned[~rides].sum(), (~rides).sum()
    )
    return [*((found.low <= truth) & (truth <= found.high)), bool(low <= 0 <= high)]


def measure_drivers(n: int, seed: int) -> dict[str, float]:
    """Everything about drivers."""
    return coverage_of_effects(n, seed) | coverage_of_returns(n, seed)
