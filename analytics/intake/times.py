"""Timestamps of a source, in whatever form it keeps them, as UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from analytics.tables import UTC_TIME

_ISO = (
    r"^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?<minute>[0-9]{2}:[0-9]{2})(?::(?<second>[0-9]{2})(?:[.,](?<fraction>[0-9]{1,9}))?)?"
    r"\s?(?<zone>[Zz]|UTC|GMT|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?$"
)
_PLAIN = {
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "%Y-%m-%d",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$": "%Y-%m-%d %H:%M:%S",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$": "%Y-%m-%dT%H:%M:%S",
}
"""Forms that a whole block is read in at once, which is several times faster; none has a zone."""

_CLOCK = (
    r"(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:[.,](?<fraction>[0-9]{1,9}))?)?"
    r"\s?(?<half>[ap]\.?m\.?)?"
)
_ZONE = r"(?<zone>z|utc|gmt|[ecmp][sd]t|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])(?:\s*\([a-z ]+\))?"
_REST = rf"(?:(?:,?\s+|t){_CLOCK}(?:\s?{_ZONE})?)?$"
_MONTH = (
    r"(?<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)"
_YEAR, _DAY = r"(?<year>[0-9]{4})", r"(?<day>[0-9]{1,2})"
_WRITTEN = (
    rf"^{_WEEKDAY}?{_DAY}(?:st|nd|rd|th)?[\s.-]+{_MONTH}\.?,?[\s-]+{_YEAR}{_REST}",
    rf"^{_WEEKDAY}?{_MONTH}\.?\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}{_REST}",
    rf"^{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_CLOCK}(?:\s+{_ZONE})?\s+{_YEAR}$",
    rf"^{_YEAR}[/.](?<month>[0-9]{{1,2}})[/.]{_DAY}{_REST}",
)
"""31 December 2025; Dec 31, 2025; Tue Dec 31 14:05:00 2025; 2025/12/31: each with or without a time."""
_NUMERIC = rf"^(?<first>[0-9]{{1,2}})(?<mark>[./-])(?<then>[0-9]{{1,2}})[./-]{_YEAR}{_REST}"
_PARTS = ("year", "month", "day", "hour", "minute", "second", "fraction", "half", "zone")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OFFSETS = {
    **{name: "+0000" for name in ("z", "utc", "gmt")},
    **{f"{letter}st": f"-0{hours}00" for letter, hours in zip("ecmp", (5, 6, 7, 8), strict=True)},
    **{f"{letter}dt": f"-0{hours}00" for letter, hours in zip("ecmp", (4, 5, 6, 7), strict=True)},
}
"""Zones by name, as RFC 2822 lists them."""

_MILLISECONDS_FROM = 1e11
"""A number this large is milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973."""

_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799.0
_MORE_THAN_ANY_GAP = "25h"


class DateOrder:
    """Whether 05/06/2025 is June or May, as far as the dates of a column have shown it.

    A date with a number over 12 shows it. Until one does, and after two have shown the opposite, such a date
    is not read.
    """

    def __init__(self) -> None:
        self._shown: set[bool] = set()

    def learn(self, is_day_first: pl.Series) -> None:
        """Take in what dates show: true, false or, where they leave it open, null."""
        self._shown.update(is_day_first.drop_nulls().unique())

    @property
    def is_day_first(self) -> bool | None:
        """None where it is open."""
        return next(iter(self._shown)) if len(self._shown) == 1 else None


def utc_times(values: pl.Series, zone: str, order: DateOrder | None = None) -> pl.Series:
    """Times as UTC microseconds; null where a value is no time.

    Text is ISO 8601, a number or one of the usual ways to write a date in English or in numbers; a number is
    seconds, or milliseconds, since 1970. A time without a zone is local in `zone`: of two readings the
    earlier counts; one that the clock skipped moves forward by as much.

    Args:
        values: Text, numbers, dates or timestamps.
        zone: IANA zone of times that carry none.
        order: What earlier values of the column have shown; learns from these.
    """
    dtype = values.dtype
    frame = values.alias("value").to_frame()
    value = pl.col("value")
    if dtype.is_numeric():
        times = frame.select(_from_numbers(value.cast(pl.Float64)))
    elif dtype == pl.Date:
        times = frame.select(_localised(value.cast(pl.Datetime("us")), zone))
    elif isinstance(dtype, pl.Datetime):
        is_zoned = dtype.time_zone is not None
        local = value.cast(pl.Datetime("us"))
        times = frame.select(value.cast(UTC_TIME) if is_zoned else _localised(local, zone))
    else:
        times = _from_texts(values.cast(pl.String).str.strip_chars(), zone, order or DateOrder()).to_frame()
    time = pl.first().cast(UTC_TIME)
    return times.select(pl.when(time.is_between(_FIRST, _LAST)).then(time).alias("time")).to_series()


def _from_texts(texts: pl.Series, zone: str, order: DateOrder) -> pl.Series:
    frame = texts.alias("value").to_frame()
    value = pl.col("value")
    for pattern, form in _PLAIN.items():
        if texts.head(1).str.contains(pattern).any() and texts.str.contains(pattern).all():
            local = value.str.to_datetime(form, time_unit="us", strict=False)
            return frame.select(_localised(local, zone)).to_series()
    parts = frame.select(value, part=value.str.extract_groups(_ISO))
    numbers = value.cast(pl.Float64, strict=False)
    times = parts.select(pl.coalesce(_from_parts(zone), _from_numbers(numbers))).to_series()
    unread = times.is_null() & texts.is_not_null() & (texts != "")
    if unread.any():
        times = times.scatter(unread.arg_true(), _from_other_forms(texts.filter(unread), zone, order))
    return times


def _from_numbers(number: pl.Expr) -> pl.Expr:
    seconds = pl.when(number.abs() >= _MILLISECONDS_FROM).then(number / 1e3).otherwise(number)
    readable = number.is_finite() & (seconds.abs() <= _LAST_SECOND)
    return pl.when(readable).then((seconds * 1e6).round()).cast(pl.Int64).cast(UTC_TIME)


def _from_other_forms(texts: pl.Series, zone: str, order: DateOrder) -> pl.Series:
    """Times from texts that are neither ISO 8601 nor numbers."""
    text = pl.col("value")
    frame = texts.str.to_lowercase().alias("value").to_frame()
    numeric = frame.select(part=text.str.extract_groups(_NUMERIC)).unnest("part")
    first, then = (pl.col(name).cast(pl.Int8, strict=False) for name in ("first", "then"))
    is_day_first = pl.when(then > 12).then(False).when(first > 12).then(True)
    order.learn(numeric.filter(pl.col("mark") != ".").select(is_day_first).to_series())
    known = pl.when((pl.col("mark") == ".") | (first == then)).then(True)
    column_shows = pl.lit(order.is_day_first, pl.Boolean)
    day_first = pl.coalesce(known, is_day_first, column_shows)
    numeric = numeric.with_columns(
        day=pl.when(day_first).then("first").when(~day_first).then("then"),
        month=pl.when(day_first).then("then").when(~day_first).then("first"),
    )
    written = [frame.select(part=text.str.extract_groups(pattern)).unnest("part") for pattern in _WRITTEN]
    every = [numeric, *written]
    merged = pl.DataFrame(
        {
            name: pl.select(pl.coalesce(*(one[name] for one in every if name in one.columns))).to_series()
            for name in _PARTS
        }
    )
    return merged.select(part=_as_iso_parts()).select(_from_parts(zone)).to_series()


def _as_iso_parts() -> pl.Expr:
    """The parts of a date as `_ISO` gives them."""
    month = pl.col("month").str.slice(0, 3).replace({name: str(nth) for nth, name in enumerate(_MONTHS, 1)})
    hour = pl.col("hour").cast(pl.Int8)
    is_late = pl.col("half").str.starts_with("p")
    hour = (
        pl.when(is_late.is_null())
        .then(hour)
        .when(hour.is_between(1, 12))
        .then(hour % 12 + pl.when(is_late).then(12).otherwise(0))
        .otherwise(99)
    )
    return pl.struct(
        day=pl.concat_str("year", pl.lit("-"), month.str.zfill(2), pl.lit("-"), pl.col("day").str.zfill(2)),
        minute=pl.concat_str(hour.cast(pl.String).str.zfill(2), pl.lit(":"), "minute"),
        second="second",
        fraction="fraction",
        zone=pl.col("zone").replace(_OFFSETS),
    )


def _from_parts(zone: str) -> pl.Expr:
    def part(name: str) -> pl.Expr:
        return pl.col("part").struct.field(name)

    clock = pl.concat_str(
        part("day"),
        pl.lit(" "),
        part("minute").fill_null("00:00"),
        pl.lit(":"),
        part("second").fill_null("00"),
    )
    fraction = part("fraction").fill_null("0").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64)
    local = clock.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    local += pl.duration(microseconds=fraction, time_unit="us")
    digits = part("zone").str.replace(":", "", literal=True)
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    sign = pl.when(digits.str.starts_with("-")).then(-1).otherwise(1)
    offset = pl.duration(minutes=(sign * (hours * 60 + minutes)).fill_null(0))
    zoned = (local - offset).dt.replace_time_zone("UTC")
    return pl.when(part("zone").is_null()).then(_localised(local, zone)).otherwise(zoned)


def _localised(local: pl.Expr, zone: str) -> pl.Expr:
    if zone == "UTC":
        return local.dt.replace_time_zone(zone)

    def in_zone(times: pl.Expr) -> pl.Expr:
        placed = times.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        return placed.dt.convert_time_zone("UTC")

    # A skipped time has no place of its own; counted on from the day before, it takes the offset of that day.
    forward = in_zone(local.dt.offset_by(f"-{_MORE_THAN_ANY_GAP}")).dt.offset_by(_MORE_THAN_ANY_GAP)
    return in_zone(local).fill_null(forward)
