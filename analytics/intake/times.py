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
_MILLISECONDS_FROM = 1e11
"""A number this large is milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973."""

_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799.0
_MORE_THAN_ANY_GAP = "25h"


def utc_times(values: pl.Series, zone: str) -> pl.Series:
    """Times as UTC microseconds; null where a value is no time.

    Text is ISO 8601 or a number; a number is seconds, or milliseconds, since 1970. A time without a zone is
    local in `zone`: of two readings the earlier counts; one that the clock skipped moves forward by as much.

    Args:
        values: Text, numbers, dates or timestamps.
        zone: IANA zone of times that carry none.
    """
    dtype = values.dtype
    frame = values.alias("value").to_frame()
    value = pl.col("value")
    if dtype.is_numeric():
        times = _from_numbers(value.cast(pl.Float64))
    elif dtype == pl.Date:
        times = _localised(value.cast(pl.Datetime("us")), zone)
    elif isinstance(dtype, pl.Datetime):
        times = (
            value.cast(UTC_TIME)
            if dtype.time_zone is not None
            else _localised(value.cast(pl.Datetime("us")), zone)
        )
    else:
        frame = frame.select(value.cast(pl.String).str.strip_chars()).with_columns(
            part=value.str.extract_groups(_ISO)
        )
        numbers = value.cast(pl.Float64, strict=False)
        times = pl.coalesce(_from_parts(zone), _from_numbers(numbers))
    times = times.cast(UTC_TIME)
    possible = pl.when(times.is_between(_FIRST, _LAST)).then(times)
    return frame.select(possible.alias("time")).to_series()


def _from_numbers(number: pl.Expr) -> pl.Expr:
    seconds = pl.when(number.abs() >= _MILLISECONDS_FROM).then(number / 1e3).otherwise(number)
    readable = number.is_finite() & (seconds.abs() <= _LAST_SECOND)
    return pl.when(readable).then((seconds * 1e6).round()).cast(pl.Int64).cast(UTC_TIME)


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
    def in_zone(times: pl.Expr) -> pl.Expr:
        placed = times.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        return placed.dt.convert_time_zone("UTC")

    # A skipped time has no place of its own; counted on from the day before, it takes the offset of that day.
    forward = in_zone(local.dt.offset_by(f"-{_MORE_THAN_ANY_GAP}")).dt.offset_by(_MORE_THAN_ANY_GAP)
    return in_zone(local).fill_null(forward)
