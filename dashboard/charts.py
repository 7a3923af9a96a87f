"""Charts: pure functions of a frame; one accent, legible on light and dark."""

from __future__ import annotations

import altair as alt
import polars as pl

ACCENT = "#1a8fa5"
QUIET = "#8793a1"
WARNING = "#d9480f"
_PADDING = {"left": 0, "top": 4, "right": 10, "bottom": 6}
_GAP = "break-paths-show-path-domains"


def axis_end(*tops: pl.Series) -> float:
    """Where an axis of shares ends, so that every given share fits."""
    highest = max((float(top) for series in tops for top in series.drop_nulls()), default=0.0)
    return min(1.0, 1.08 * max(0.01, highest))


def chart_size(size: pl.DataFrame, *, none: float, is_ratio: bool) -> alt.LayerChart:
    """The size of a finding as a point on its interval, beside a line at no effect.

    Args:
        size: One row: size, size_low, size_high.
        none: The size that means nothing happened.
        is_ratio: Sizes are ratios above 0, drawn by their logarithm.
    """
    ends = [none, *size.row(0)]
    low, high = min(ends), max(ends)
    domain = [max(low, 0.01) / 1.15, high * 1.15] if is_ratio else [low - 0.08 * (high - low), high * 1.08]
    axis = alt.Axis(format=",.2~f", tickCount=5, title=None, grid=True, domain=False, ticks=False)
    scale = alt.Scale(domain=domain, nice=False, type="log" if is_ratio else "linear")
    tooltip = [
        alt.Tooltip("size:Q", format=",.2f", title="Size"),
        alt.Tooltip("size_low:Q", format=",.2f", title="From"),
        alt.Tooltip("size_high:Q", format=",.2f", title="To"),
    ]
    shown = size.with_columns(pl.col("size_low").clip(domain[0], domain[1]), none=pl.lit(none))
    base = alt.Chart(shown)
    whisker = base.mark_rule(color=ACCENT, opacity=0.4, strokeWidth=8, strokeCap="round").encode(
        x=alt.X("size_low:Q", axis=axis, scale=scale), x2="size_high:Q", tooltip=tooltip
    )
    point = base.mark_point(color=ACCENT, filled=True, opacity=1, size=110).encode(
        x=alt.X("size:Q", axis=axis, scale=scale), tooltip=tooltip
    )
    line = base.mark_rule(color=QUIET, strokeDash=[4, 3]).encode(x=alt.X("none:Q", axis=axis, scale=scale))
    return (line + whisker + point).properties(height=52, padding=_PADDING)


def chart_weeks(
    weeks: pl.DataFrame, compared: pl.DataFrame | None = None, events: pl.DataFrame | None = None
) -> alt.LayerChart:
    """Weekly shares of a theme with their interval; weeks without a figure leave a gap.

    Args:
        weeks: One row per week: window_start, window_end, n_documents, n_covered, share, share_low,
            share_high.
        compared: The same of all documents, drawn quietly behind; None: nothing to compare with.
        events: Columns name, start, end: what the calendar names, drawn as bands where it meets these weeks.
    """
    highest = [frame["share_high"] for frame in (weeks, compared) if frame is not None]
    y_axis = alt.Axis(title=None, format=".0%", tickCount=5)
    y_scale = alt.Scale(domain=[0, axis_end(*highest)], nice=False)
    low = alt.Y("share_low:Q", axis=y_axis, scale=y_scale)
    share = alt.Y("share:Q", axis=y_axis, scale=y_scale)
    # Days are drawn as the reader's midnight, wherever that is, so that no label slips to the day before.
    days = [f"{day}T00:00:00" for day in weeks["window_end"].to_list()]
    x = alt.X(
        "window_end:T",
        axis=alt.Axis(title=None, format="%-d %b %Y", labelOverlap=True, grid=False, values=days),
    )
    tooltip = [
        alt.Tooltip("window_start:T", format="%-d %B %Y", title="Week from"),
        alt.Tooltip("window_end:T", format="%-d %B %Y", title="Week to"),
        alt.Tooltip("share:Q", format=".1%", title="Share"),
        alt.Tooltip("share_low:Q", format=".1%", title="From"),
        alt.Tooltip("share_high:Q", format=".1%", title="To"),
        alt.Tooltip("n_documents:Q", format=",", title="Documents"),
        alt.Tooltip("n_covered:Q", format=",", title="Of covered"),
    ]
    base = alt.Chart(weeks)
    layers = [
        base.mark_area(color=ACCENT, opacity=0.28, invalid=_GAP).encode(x=x, y=low, y2="share_high:Q"),
        alt.Chart(_alone(weeks))
        .mark_rule(color=ACCENT, opacity=0.45, strokeWidth=2)
        .encode(x=x, y=low, y2="share_high:Q"),
        base.mark_line(color=ACCENT, strokeWidth=2.5, invalid=_GAP).encode(x=x, y=share),
        alt.Chart(weeks.drop_nulls("share"))
        .mark_point(color=ACCENT, filled=True, size=55, opacity=1)
        .encode(x=x, y=share, tooltip=tooltip),
    ]
    if compared is not None:
        behind = alt.Chart(compared).mark_line(color=QUIET, strokeWidth=2, strokeDash=[5, 4], invalid=_GAP)
        layers.insert(0, behind.encode(x=x, y=share))
    shown = None if events is None else _within(events, weeks)
    if shown is not None and shown.height:
        layers.insert(0, _bands(shown))
    return alt.layer(*layers).properties(height=280, padding=_PADDING)


def _within(events: pl.DataFrame, weeks: pl.DataFrame) -> pl.DataFrame:
    """The parts of events that lie in the weeks; their days as the reader's midnight."""
    first, last = weeks["window_start"].min(), weeks["window_end"].max()
    met = events.filter(pl.col("start") <= last, pl.col("end") >= first)
    ends = pl.max_horizontal("start", pl.lit(first)), pl.min_horizontal("end", pl.lit(last))
    return met.select(
        "name",
        "kind",
        *(
            pl.format("{}T00:00:00", end.cast(pl.String)).alias(name)
            for name, end in zip(("start", "end"), ends, strict=True)
        ),
    )


def _bands(events: pl.DataFrame) -> alt.Chart:
    tooltip = [alt.Tooltip("name:N", title="Event"), alt.Tooltip("kind:N", title="Kind")]
    return (
        alt.Chart(events)
        .mark_rect(color=WARNING, opacity=0.12)
        .encode(x="start:T", x2="end:T", tooltip=tooltip)
    )


def chart_days(days: pl.DataFrame) -> alt.LayerChart:
    """Documents by day on the band of what was expected; days out of it are marked.

    Args:
        days: One row per day: day, n_arrived, expected, expected_low, expected_high, status.
    """
    # As in `chart_weeks`: a day is the reader's midnight.
    drawn = days.with_columns(pl.format("{}T00:00:00", pl.col("day").cast(pl.String)).alias("day"))
    x = alt.X("day:T", axis=alt.Axis(title=None, format="%-d %b %Y", labelOverlap=True, grid=False))
    y_axis = alt.Axis(title=None, tickCount=5, format=",d", tickMinStep=1)
    tooltip = [
        alt.Tooltip("day:T", format="%-d %B %Y", title="Day"),
        alt.Tooltip("n_arrived:Q", format=",", title="Documents"),
        alt.Tooltip("expected:Q", format=",.1f", title="Expected"),
        alt.Tooltip("status:N", title="Status"),
    ]
    band = (
        alt.Chart(drawn)
        .mark_area(color=QUIET, opacity=0.22, invalid=_GAP)
        .encode(x=x, y=alt.Y("expected_low:Q", axis=y_axis), y2="expected_high:Q")
    )
    line = (
        alt.Chart(drawn)
        .mark_line(color=ACCENT, strokeWidth=1.8)
        .encode(x=x, y=alt.Y("n_arrived:Q", axis=y_axis))
    )
    odd = (
        alt.Chart(drawn.filter(~pl.col("status").is_in(["ok", "too new to tell", "holiday"])))
        .mark_point(color=WARNING, filled=True, size=45, opacity=1)
        .encode(x=x, y="n_arrived:Q", tooltip=tooltip)
    )
    hover = alt.Chart(drawn).mark_point(opacity=0, size=60).encode(x=x, y="n_arrived:Q", tooltip=tooltip)
    return alt.layer(band, line, hover, odd).properties(height=260, padding=_PADDING)


def _alone(weeks: pl.DataFrame) -> pl.DataFrame:
    """Weeks with a figure between two without: too short for a line or a band."""
    known = pl.col("share").is_not_null()
    beside = known.shift(1, fill_value=False) | known.shift(-1, fill_value=False)
    return weeks.sort("window_end").filter(known & ~beside)
