"""Whether what was done worked: before and after, held against what nobody touched.

The measure is a difference in differences of rates: how a theme's rate has changed where something was done,
by how it has changed elsewhere over the same days. What moves everything, such as a season or a new source,
moves both and is left out. The unit is an author in a week; counts vary more than independent ones would,
and by how much is measured around the rates before and after, as for trends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from analytics.insight.rates import CONFIDENCE, dispersion_around
from analytics.insight.trends import WEEK_DAYS
from analytics.insight.windows import CELL, count_matrix
from analytics.tables import ALL

WORKED, WORSE, NO_EFFECT, TOO_EARLY = "worked", "worse", "no visible effect", "too early"
WANTS_MORE = ("keep", "promote")
"""Kinds of decision that want a rate to rise; the others want it to fall."""
OTHER_ITEMS, OTHER_SEGMENTS, OTHER_THEMES = "other items", "other segments", "other themes"

LONGEST_BEFORE = 13 * WEEK_DAYS
USUAL_BEFORE = 8 * WEEK_DAYS
"""Days before it was done, where nobody knows since when it was so."""
MIN_COMPARED = 10
"""With fewer authors before, the same theme elsewhere says too little, and other themes are compared with."""
POWER = 0.8
VISIBLE = float(np.log(2))
"""A halving: what must be seen with that power before `no visible effect` is said."""
LONGEST_WAIT = 2 * 365

VERDICT_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "decision_id": pl.String,
    "done_on": pl.Date,
    "verdict": pl.String,  # worked | worse | no visible effect | too early
    "ratio": pl.Float64,  # of the change of its rate to that of what was not touched; null: nothing after
    "ratio_low": pl.Float64,
    "ratio_high": pl.Float64,
    "compared_with": pl.String,  # other items | other segments | other themes
    "enough_on": pl.Date,  # when a halving would be seen, where it is too early; null: never
    "n_before": pl.Int64,  # distinct authors of each week, summed
    "n_after": pl.Int64,
    "n_authors_before": pl.Int64,  # distinct authors of all those weeks
    "n_authors_after": pl.Int64,
}


@dataclass(frozen=True)
class _Span:
    """The days before and after something was done, in weeks counted from that day."""

    first: date
    done_on: date
    as_of: date

    @property
    def n_before(self) -> int:
        return max(0, -(-(self.done_on - self.first).days // WEEK_DAYS))

    @property
    def n_after(self) -> int:
        return max(0, -(-((self.as_of - self.done_on).days + 1) // WEEK_DAYS))

    def cut(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of these days, with the `window` that each is in."""
        since = (pl.col("day") - self.done_on).dt.total_days()
        week = (since / WEEK_DAYS).floor().cast(pl.Int64) + self.n_before
        return rows.filter(pl.col("day").is_between(self.first, self.as_of)).with_columns(window=week)


@dataclass(frozen=True)
class _Weeks:
    """Cells of mentions, week by week, and all of them together."""

    counts: np.ndarray
    """Distinct authors (n_cells, n_weeks)."""
    exposure: np.ndarray
    """The same shape."""
    shown: np.ndarray
    """Exposure of all places, whether anything was said there or not (n_weeks,)."""

    @property
    def together(self) -> np.ndarray:
        """Counts of all cells (n_weeks,)."""
        return np.asarray(self.counts.sum(axis=0))


def measure_verdicts(
    done: pl.DataFrame, mentions: pl.DataFrame, exposure: pl.DataFrame, *, as_of: date
) -> pl.DataFrame:
    """Say of each decision that was done whether it worked; see VERDICT_ROWS.

    Before is from `since` on, at most 13 weeks, and 8 weeks where that is not known; after begins on
    `done_on`. A theme at an item or in a segment is held against the same theme at other items or in other
    values of that segment; where fewer than 10 authors spoke of it there before, and for a theme everywhere,
    against all other themes. What another decision has touched in these days is left out.

    Args:
        done: Columns decision_id, kind, subject_kind, subject, theme_id (null: what has no theme), since,
            done_on.
        mentions: Columns theme_id, subject_kind, subject, author, day: who mentions what, where and when.
        exposure: Columns subject_kind, subject, day, n: what mentions are counted in.
        as_of: Last day after.
    """
    done, mentions = (
        frame.with_columns(pl.col("theme_id").fill_null("")) for frame in (done.sort("decision_id"), mentions)
    )
    rows = [_verdict(row, done, mentions, exposure, as_of) for row in done.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=VERDICT_ROWS, orient="row")


def difference_in_differences(
    counts: np.ndarray, exposure: np.ndarray, split: int, dispersion: np.ndarray
) -> tuple[float, float]:
    """How the first rate has changed by how the second has: log of the ratio, and its standard error.

    By the delta method, with half a count added to each (Gart and Zweifel 1967).

    Args:
        counts: Of what was touched and what was not, in each week (2, n_weeks).
        exposure: The same shape.
        split: The first week after.
        dispersion: Variance by mean of each of the two, at least 1 (2,).

    Returns:
        NaN where a side has no exposure.
    """
    before, after = counts[:, :split].sum(axis=1) + 0.5, counts[:, split:].sum(axis=1) + 0.5
    exposed_before, exposed_after = exposure[:, :split].sum(axis=1), exposure[:, split:].sum(axis=1)
    if not (exposed_before > 0).all() or not (exposed_after > 0).all():
        return float("nan"), float("nan")
    change = np.log(after / exposed_after) - np.log(before / exposed_before)
    error = np.sqrt((dispersion * (1 / before + 1 / after)).sum())
    return float(change[0] - change[1]), float(error)


def _verdict(
    row: Mapping[str, Any], done: pl.DataFrame, mentions: pl.DataFrame, exposure: pl.DataFrame, as_of: date
) -> dict[str, Any]:
    span = _span(row, as_of)
    said, shown = span.cut(mentions), span.cut(exposure)
    here = (pl.col("subject_kind") == row["subject_kind"]) & (pl.col("subject") == row["subject"])
    mine = said.filter(here, pl.col("theme_id") == row["theme_id"])
    touched = _weeks(mine, shown.filter(here), span)
    compared_with, untouched = _untouched(row, done, said, shown, span)
    counts = np.vstack([touched.together, untouched.together])
    exposed = np.vstack([touched.shown, untouched.shown])
    around = dispersion_around(
        np.vstack([counts, untouched.counts]), np.vstack([exposed, untouched.exposure]), span.n_before
    )
    spread, freedom = around.dispersion[:2], float(around.freedom[:2].min())
    change, error = difference_in_differences(counts, exposed, span.n_before, spread)
    margin = float(stats.t.isf((1 - CONFIDENCE) / 2, freedom)) * error
    n_days = _days_until_visible(counts, exposed, span, spread, freedom)
    verdict = _word(row["kind"], change - margin, change + margin, is_enough=n_days == 0)
    is_after = pl.col("window") >= span.n_before
    n_before, n_after = counts[0, : span.n_before].sum(), counts[0, span.n_before :].sum()
    return {
        "decision_id": row["decision_id"],
        "done_on": row["done_on"],
        "verdict": verdict,
        **_ratios(change, margin),
        "compared_with": compared_with,
        "enough_on": _wait(span, n_days) if verdict == TOO_EARLY else None,
        "n_before": int(n_before),
        "n_after": int(n_after),
        "n_authors_before": mine.filter(~is_after)["author"].n_unique(),
        "n_authors_after": mine.filter(is_after)["author"].n_unique(),
    }


def _span(row: Mapping[str, Any], as_of: date) -> _Span:
    days = LONGEST_BEFORE if row["since"] else USUAL_BEFORE
    first = row["done_on"] - timedelta(days=days)
    return _Span(max(first, row["since"] or first), row["done_on"], as_of)


def _untouched(
    row: Mapping[str, Any], done: pl.DataFrame, said: pl.DataFrame, shown: pl.DataFrame, span: _Span
) -> tuple[str, _Weeks]:
    """What to compare with: its name, and its weeks."""
    is_peer = _peers(row["subject_kind"], row["subject"])
    acted = done.filter(
        pl.col("decision_id") != row["decision_id"],
        pl.col("done_on").is_between(span.first, span.as_of),
        pl.col("subject_kind") == row["subject_kind"],
    )
    is_same = pl.col("theme_id") == row["theme_id"]
    if row["subject_kind"] != ALL:
        places = acted.filter(is_same)["subject"]
        is_free = is_peer & ~pl.col("subject").is_in(places.implode())
        same = said.filter(is_free, is_same)
        if same.filter(pl.col("window") < span.n_before)["author"].n_unique() >= MIN_COMPARED:
            name = OTHER_SEGMENTS if row["subject_kind"] == "segment" else OTHER_ITEMS
            return name, _weeks(same, shown.filter(is_free), span)
    themes = acted.filter(is_peer)["theme_id"]
    others = said.filter(is_peer, ~is_same, ~pl.col("theme_id").is_in(themes.implode()))
    return OTHER_THEMES, _weeks(others, shown.filter(is_peer), span)


def _peers(subject_kind: str, subject: str) -> pl.Expr:
    """Places to compare with: everything itself, other items, or other values of the same segment."""
    is_kind = pl.col("subject_kind") == subject_kind
    if subject_kind == ALL:
        return is_kind
    others = is_kind & (pl.col("subject") != subject)
    if subject_kind == "segment":
        name, _, _ = subject.partition(": ")
        others &= pl.col("subject").str.starts_with(f"{name}: ")
    return others


def _weeks(said: pl.DataFrame, shown: pl.DataFrame, span: _Span) -> _Weeks:
    width = span.n_before + span.n_after
    cells = said.select(CELL).unique().sort(CELL)
    counted = said.group_by(*CELL, "window").agg(n=pl.col("author").n_unique())
    places = shown.group_by("subject_kind", "subject", "window").agg(pl.col("n").sum())
    everywhere = np.zeros(width)
    for week, n in shown.group_by("window").agg(pl.col("n").sum()).iter_rows():
        everywhere[week] = n
    return _Weeks(
        count_matrix(cells, counted, CELL, width), count_matrix(cells, places, CELL[1:], width), everywhere
    )


def _days_until_visible(
    counts: np.ndarray, exposed: np.ndarray, span: _Span, spread: np.ndarray, freedom: float
) -> int | None:
    """Days from `as_of` until a halving would be seen, at the rates of before; None: it never would."""
    before, exposed_before = counts[:, : span.n_before].sum(axis=1), exposed[:, : span.n_before].sum(axis=1)
    if not (exposed_before > 0).all():
        return None
    daily = exposed_before / (span.done_on - span.first).days
    ahead = np.arange(LONGEST_WAIT + 1)
    exposed_after = exposed[:, span.n_before :].sum(axis=1)[:, None] + daily[:, None] * ahead
    rate = before / exposed_before * np.array([0.5, 1.0])
    expected = rate[:, None] * exposed_after
    parts = 1 / (before + 0.5)[:, None] + 1 / (expected + 0.5)
    error = np.sqrt((spread[:, None] * parts).sum(axis=0))
    reach = stats.t.isf((1 - CONFIDENCE) / 2, freedom) + stats.norm.ppf(POWER)
    is_visible = error * reach <= VISIBLE
    return int(np.argmax(is_visible)) if is_visible.any() else None


def _wait(span: _Span, n_days: int | None) -> date | None:
    last = max(span.as_of, span.done_on - timedelta(days=1))
    return None if n_days is None else last + timedelta(days=n_days)


def _word(kind: str, low: float, high: float, *, is_enough: bool) -> str:
    if high < 0:
        return WORSE if kind in WANTS_MORE else WORKED
    if low > 0:
        return WORKED if kind in WANTS_MORE else WORSE
    return NO_EFFECT if is_enough else TOO_EARLY


def _ratios(change: float, margin: float) -> dict[str, float | None]:
    if np.isnan(change):
        return {"ratio": None, "ratio_low": None, "ratio_high": None}
    low, ratio, high = np.exp([change - margin, change, change + margin]).round(6)
    return {"ratio": float(ratio), "ratio_low": float(low), "ratio_high": float(high)}


def verdict_sentence(row: Mapping[str, Any], what: str) -> str:
    """A verdict in plain words.

    Args:
        row: A row of VERDICT_ROWS.
        what: What was counted and where, such as: mentions of “lid leaks” on Kettle.
    """
    day, others = _day(row["done_on"]), row["compared_with"]
    if row["verdict"] == TOO_EARLY:
        if row["enough_on"] is None:
            return f"Too early: there were too few {what} before {day} for a halving ever to show."
        return (
            f"Too early: there are too few {what} to tell; a halving would show by {_day(row['enough_on'])}."
        )
    low, high = (round(100 * (row[name] - 1)) for name in ("ratio_low", "ratio_high"))
    change = round(100 * (row["ratio"] - 1))
    if row["verdict"] == NO_EFFECT:
        told = f"changed by {_signed(change)} % ({_signed(low)} to {_signed(high)} %)"
    elif change < 0:
        told = f"fell by {-change} % ({-high} to {-low} %)"
    else:
        told = f"rose by {change} % ({low} to {high} %)"
    return f"{row['verdict'].capitalize()}: {what} {told} after {day}, held against {others}."


def _signed(percent: int) -> str:
    return f"{'−' if percent < 0 else '+' if percent else ''}{abs(percent)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
