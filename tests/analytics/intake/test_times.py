"""Timestamps in every form that a source keeps them in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.intake.times import DateOrder, utc_times


def one(value: object, zone: str = "UTC", dtype: pl.DataType | None = None) -> datetime | None:
    return utc_times(pl.Series([value], dtype=dtype), zone)[0]


NOON = datetime(2017, 1, 13, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2017-01-13T12:00:00Z",
        "2017-01-13T12:00:00z",
        "2017-01-13T12:00Z",
        "2017-01-13T12:00:00.000Z",
        "2017-01-13T12:00:00.000000000Z",
        "2017-01-13 12:00:00+00:00",
        "2017-01-13 12:00:00 UTC",
        "2017-01-13T14:00:00+02:00",
        "2017-01-13T14:00:00+0200",
        "2017-01-13T14:00:00+02",
        "2017-01-13T06:30:00-05:30",
        "2017-01-13 13:00:00",
        " 2017-01-13T13:00 ",
        "1484308800",
        "1484308800.0",
        "1484308800000",
        "1.4843088e9",
    ],
)
def test_text_is_iso_8601_or_a_number(text: str) -> None:
    """Berlin is an hour ahead, which only times without a zone of their own feel."""
    assert one(text, "Europe/Berlin") == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "32.01.2017",
        "2017-02-30",
        "2017-13-01",
        "2017-01-13T25:00:00",
        "2017-01-13T12:00:00+99:00",
        "2017-01-13T12:00:00 or so",
        "nan",
        "inf",
        "99999999999999999999",
        "9999-12-31T23:00:00-05:00",
        "0000-01-01",
    ],
)
def test_what_is_no_time_is_null(text: str) -> None:
    assert one(text) is None


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert one("2017-01-13T12:00:00.1234567Z") == NOON + timedelta(microseconds=123_456)
    assert one("2017-01-13T12:00:00,5Z") == NOON + timedelta(milliseconds=500)


def test_a_plain_date_is_local_midnight() -> None:
    midnight = datetime(2017, 1, 13, 5, 0, tzinfo=UTC)
    assert one("2017-01-13", "America/New_York") == midnight
    assert one(date(2017, 1, 13), "America/New_York") == midnight


def test_numbers_are_seconds_or_milliseconds() -> None:
    seconds = int(NOON.timestamp())
    assert one(seconds) == one(seconds * 1_000) == one(float(seconds)) == NOON
    assert one(seconds + 0.25) == NOON + timedelta(milliseconds=250)
    assert one(float("nan")) is None
    assert one(2**62) is None


def test_timestamps_are_local_unless_zoned() -> None:
    local = datetime(2017, 1, 13, 7, 0)
    assert one(local, "America/New_York", pl.Datetime("ns")) == NOON
    assert one(local, "America/New_York", pl.Datetime("ms")) == NOON
    assert one(NOON, "America/New_York", pl.Datetime("us", "Asia/Tokyo")) == NOON


def test_of_two_readings_the_earlier_counts() -> None:
    assert one("2017-11-05 01:30:00", "America/New_York") == datetime(2017, 11, 5, 5, 30, tzinfo=UTC)


def test_a_skipped_time_moves_forward() -> None:
    """The clock went from 02:00 to 03:00, so 02:30 was 03:30; Samoa skipped the whole of 30 December 2011."""
    assert one("2017-03-12 02:30:00", "America/New_York") == datetime(2017, 3, 12, 7, 30, tzinfo=UTC)
    assert one("2011-12-30 12:00:00", "Pacific/Apia") == datetime(2011, 12, 30, 22, 0, tzinfo=UTC)


ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
]


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.datetimes(datetime(1990, 1, 1), datetime(2036, 1, 1)))
def test_local_times_agree_with_the_standard_library(zone: str, local: datetime) -> None:
    expected = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert one(local.isoformat(sep=" "), zone) == expected
    assert one(local, zone) == expected


def test_types_and_lengths_stay() -> None:
    for values in (pl.Series([], dtype=pl.String), pl.Series([None, None]), pl.Series([None, "x"])):
        times = utc_times(values, "UTC")
        assert times.dtype == pl.Datetime("us", "UTC")
        assert times.to_list() == [None] * len(values)


@pytest.mark.parametrize(
    "text",
    [
        "31.12.2025 14:05",
        "31.12.2025, 14:05:00",
        "31.12.2025 14:05:00.000",
        "12/31/2025 14:05",
        "31/12/2025 14:05",
        "31-12-2025 14:05",
        "12/31/2025 2:05 PM",
        "12/31/2025, 02:05:00 p.m.",
        "2025/12/31 14:05",
        "2025.12.31 14:05",
        "Dec 31, 2025 14:05",
        "December 31, 2025 2:05 pm",
        "Dec. 31st, 2025 14:05",
        "31 December 2025 14:05",
        "31-Dec-2025 14:05:00",
        "Wednesday, 31 December 2025 14:05",
        "Wed, 31 Dec 2025 15:05:00 +0100",
        "Wed, 31 Dec 2025 14:05:00 GMT",
        "Wed, 31 Dec 2025 09:05:00 EST",
        "Wed, 31 Dec 2025 07:05:00 -0700 (MST)",
        "Wed Dec 31 14:05:00 2025",
        "Wed Dec 31 14:05:00 +0000 2025",
    ],
)
def test_dates_as_people_and_mail_programs_write_them(text: str) -> None:
    assert one(text) == datetime(2025, 12, 31, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "31.02.2025",
        "12.31.2025",
        "31/13/2025",
        "32/12/2025",
        "Decembre 31, 2025",
        "31 Dec 2025 13:05 PM",
        "31 Dec 2025 0:05 AM",
        "31 Dec 2025 24:05",
        "Wed, 31 Dec 2025 14:05:00 CET",
        "Wed, 31 Dec 2025 14:05:00 +9900",
        "31.12.25",
        "May 2025",
        "31 Dec 2025 or so",
    ],
)
def test_what_is_no_date_in_other_forms_is_null(text: str) -> None:
    assert one(text) is None


def test_midnight_and_noon_of_twelve_hours() -> None:
    assert one("1 Jan 2025 12:30 AM") == datetime(2025, 1, 1, 0, 30, tzinfo=UTC)
    assert one("1 Jan 2025 12:30 PM") == datetime(2025, 1, 1, 12, 30, tzinfo=UTC)


def days(order: DateOrder, *texts: str) -> list[str | None]:
    times = utc_times(pl.Series(texts), "UTC", order)
    return times.dt.strftime("%m-%d").to_list()


def test_the_order_of_day_and_month_is_what_the_column_shows() -> None:
    assert days(DateOrder(), "05/06/2025", "13/06/2025") == ["06-05", "06-13"]
    assert days(DateOrder(), "05/06/2025", "06/13/2025") == ["05-06", "06-13"]
    assert days(DateOrder(), "05.06.2025", "05-06-2025") == ["06-05", None]


def test_an_order_that_is_open_or_disputed_is_never_guessed() -> None:
    order = DateOrder()
    assert days(order, "05/06/2025", "06/06/2025") == [None, "06-06"]
    assert days(order, "13/06/2025") == ["06-13"]
    assert days(order, "05/06/2025") == ["06-05"]
    assert days(order, "06/13/2025", "05/06/2025") == ["06-13", None]
    assert days(order, "05/06/2025") == [None]


@settings(deadline=None)
@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2036, 1, 1)).map(lambda time: time.replace(microsecond=0)),
    st.sampled_from(
        ["%d.%m.%Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%B %d, %Y %I:%M:%S %p", "%a, %d %b %Y %H:%M:%S +0000"]
    ),
    st.lists(st.sampled_from(["2017-01-13", "1484308800", "never", ""]), max_size=3),
)
def test_written_dates_agree_with_the_standard_library(local: datetime, form: str, others: list[str]) -> None:
    texts = [*others, local.strftime(form)]
    times = utc_times(pl.Series(texts), "UTC")
    assert times[-1] == local.replace(tzinfo=UTC)
    assert times[:-1].to_list() == [one(other) for other in others]
