from datetime import date, timedelta

import numpy as np
import polars as pl

from analytics.insight.backtest import false_alarm_rate
from analytics.settings import TrendSettings

AS_OF = date(2026, 6, 30)
WEEKS = 26


def frames(weekly: np.ndarray) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mentions of each theme by new authors, so many a week, and a thousand orders a week."""
    rows = [
        (f"t{theme}", "all", "all", f"{theme}-{week}-{nth}", AS_OF - timedelta(days=7 * week + nth % 7))
        for theme, counts in enumerate(weekly)
        for week, n in enumerate(counts[::-1])
        for nth in range(int(n))
    ]
    schema = dict.fromkeys(["theme_id", "subject_kind", "subject", "author"], pl.String) | {"day": pl.Date}
    days = [AS_OF - timedelta(days=ago) for ago in range(7 * WEEKS)]
    exposure = pl.DataFrame({"day": days}).with_columns(
        subject_kind=pl.lit("all"), subject=pl.lit("all"), n=pl.lit(1000 / 7)
    )
    said = pl.DataFrame(rows, schema=schema, orient="row")
    return said, exposure


def rate(weekly: np.ndarray, seed: int = 1) -> float:
    return false_alarm_rate(
        *frames(weekly), TrendSettings(), as_of=AS_OF, min_authors=5, n_shuffles=10, seed=seed
    )


def test_weeks_that_are_all_alike_never_cry_wolf() -> None:
    assert rate(np.full((20, WEEKS), 10)) == 0.0


def test_shuffling_takes_a_real_change_away() -> None:
    """Of a theme that doubled half-way shuffled weeks are high or low at random: a burst, and no change."""
    rng = np.random.default_rng(1)
    weekly = rng.poisson(10, (20, WEEKS))
    weekly[0, WEEKS // 2 :] *= 4
    assert rate(weekly) <= 0.3


def test_the_same_seed_gives_the_same_rate() -> None:
    weekly = np.random.default_rng(2).poisson(4, (30, WEEKS))
    assert rate(weekly, seed=3) == rate(weekly, seed=3)


def test_an_empty_store_has_no_alarms() -> None:
    assert rate(np.zeros((0, WEEKS))) == 0.0
