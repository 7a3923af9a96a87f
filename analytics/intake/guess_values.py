"""What the values of a column look like, whatever its header says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analytics.intake.times import utc_times

FEW_VALUES = 30
"""A column of at most this many values splits figures."""

_EMAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
_URL = r"^(?:https?://|www\.)\S+$"
_WIDE = r"[぀-ヿ㐀-鿿가-힣฀-๿]"
"""Scripts in which a few characters say as much as a few words."""

_EPOCH = (6e8, 2.2e9)
"""Seconds from 1989 to 2039; a thousand times as much in milliseconds."""

_SAID_SCALE = re.compile(r"\b(0|1)\s*(?:-|–|to|bis|à|a)\s*(5|7|10|100)\b")
"""A scale in a header, such as `Score (0-10)`."""
_LIKELY = re.compile(r"(?i)likely|likelihood|wahrscheinlich|probab")
_WOULD_RECOMMEND = re.compile(r"(?i)recommend|weiterempf|recommand|recomend|raccomand")
"""The question behind a net promoter score, which is asked from 0 to 10."""
_MANY = 100
"""From so many numbers on a rare one may be a slip."""

OTHER_DATES = (
    (r"^\d{1,2}\.\d{1,2}\.\d{2,4}\b", "day.month.year"),
    (r"^\d{1,2}/\d{1,2}/\d{2,4}\b", "with slashes"),
    (r"^\d{1,2}-\d{1,2}-\d{4}\b", "with hyphens, the year last"),
    (r"^\d{4}/\d{1,2}/\d{1,2}\b", "year/month/day"),
    (r"^\d{2,4}\.\d{1,2}\.\d{1,2}\b", "year.month.day"),
    (r"^\d{4}年\d{1,2}月\d{1,2}日", "年月日"),
    (r"^(?:[A-Za-z]{3,9},? )?\d{1,2}[ -][A-Za-z]{3,9}\.?,?[ -]\d{2,4}\b", "day, month in letters, year"),
    (r"^(?:[A-Za-z]{3,9},? )?[A-Za-z]{3,9}\.? \d{1,2},? \d{4}\b", "month in letters, day, year"),
    (r"^[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d ", "weekday month day time zone year"),
)
"""Forms of dates that may stand in exports, beside ISO 8601 and seconds since 1970."""

LANGUAGE_TAGS = frozenset(
    "en de fr es pt it nl sv da no nb fi pl cs sk hu ro bg el tr ru uk zh ja ko ar he hi th vi id ca".split()
)


@dataclass(frozen=True)
class Profile:
    """What was seen of one column; shares are of the filled values."""

    name: str
    position: int
    dtype: pl.DataType
    n_rows: int
    n_filled: int
    n_distinct: int
    distinct: tuple[str, ...]
    """The values, most frequent first, where there are few; else none."""
    mean_chars: float
    mean_words: float
    wide_share: float
    letter_share: float
    number_share: float
    whole_share: float
    low: float
    high: float
    low_usual: float
    """From here to `high_usual` lie 99 of 100 numbers, where there are a hundred."""
    high_usual: float
    n_numbers: int
    date_share: float
    """Read as times by the program."""
    epoch_share: float
    other_date: tuple[str, float]
    """Form of dates that ISO 8601 is not, and the share of it."""
    url_share: float
    email_share: float
    person_share: float
    """Two to four capitalised words."""
    json_share: float
    picture_share: float
    is_zoned: bool
    has_clock: bool

    @property
    def is_nested(self) -> bool:
        """Whether its values are lists or records."""
        return self.dtype.is_nested() or self.json_share >= 0.9

    @property
    def fill(self) -> float:
        """Share of rows that hold a value."""
        return self.n_filled / self.n_rows if self.n_rows else 0.0

    @property
    def distinct_share(self) -> float:
        """Share of values that differ."""
        return self.n_distinct / self.n_filled if self.n_filled else 0.0

    @property
    def is_date(self) -> bool:
        """Whether its values are dates or times, in any form but bare numbers."""
        return max(self.date_share, self.other_date[1]) >= 0.9

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.number_share >= 0.95

    @property
    def is_token(self) -> bool:
        """Whether its values are single words, codes or numbers."""
        return self.mean_words <= 1.1 and self.mean_chars <= 64

    @property
    def words(self) -> float:
        """Mean words, where scripts without spaces count two characters as one."""
        return self.mean_chars / 2 if self.wide_share >= 0.5 else self.mean_words


def profile_columns(frame: pl.DataFrame) -> list[Profile]:
    """Look at every column of a file's first rows."""
    return [_profile(frame[name], nth) for nth, name in enumerate(frame.columns)]


def as_text(column: pl.Series) -> pl.Series:
    """The filled values of a column as stripped text."""
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object, pl.Null):
        return pl.Series(column.name, [], pl.String)
    text = column.drop_nulls().cast(pl.String).str.strip_chars()
    return text.filter(text != "")


def _profile(column: pl.Series, position: int) -> Profile:
    text = as_text(column)
    n = text.len()
    if column.dtype.is_nested():
        n = column.drop_nulls().len()
    counts = text.alias("value").value_counts(sort=True, name="n")
    values = counts.sort("n", "value", descending=[True, False])["value"]
    number = text.cast(pl.Float64, strict=False)
    number = number.filter(number.is_finite())
    is_time = column.dtype.is_temporal()
    dates = utc_times(text.filter(~text.str.contains(r"^[+-]?\d+(?:\.\d+)?$")), "UTC").drop_nulls().len()
    magnitude = pl.select(pl.when(number.abs() >= 1e11).then(number / 1e3).otherwise(number)).to_series()

    def share(pattern: str) -> float:
        return float(text.str.contains(pattern).sum()) / text.len() if text.len() else 0.0

    zone = getattr(column.dtype, "time_zone", None)
    n_text = max(text.len(), 1)
    return Profile(
        name=column.name,
        position=position,
        dtype=column.dtype,
        n_rows=column.len(),
        n_filled=n,
        n_distinct=values.len(),
        distinct=tuple(values.to_list()) if values.len() <= FEW_VALUES else (),
        mean_chars=_mean(text.str.len_chars()),
        mean_words=_mean(text.str.count_matches(r"\S+")),
        wide_share=share(_WIDE),
        letter_share=share(r"\p{L}{2,}"),
        number_share=number.len() / n_text,
        whole_share=float((number == number.floor()).sum()) / max(number.len(), 1),
        low=_float(number.min()),
        high=_float(number.max()),
        low_usual=_float(number.quantile(0.005, "nearest") if number.len() >= _MANY else number.min()),
        high_usual=_float(number.quantile(0.995, "nearest") if number.len() >= _MANY else number.max()),
        n_numbers=number.n_unique(),
        date_share=1.0 if is_time else dates / n_text,
        epoch_share=float(magnitude.is_between(*_EPOCH).sum()) / n_text,
        other_date=_other_date(text) if not is_time else ("", 0.0),
        url_share=share(_URL),
        email_share=share(_EMAIL),
        person_share=share(r"^\p{Lu}[\p{L}'.-]+(?: \p{Lu}[\p{L}'.-]*){1,3}$"),
        json_share=share(r"(?s)^(?:\[.*\]|\{.*\})$"),
        picture_share=share(r"(?i)\.(?:png|jpe?g|gif|webp|svg)(?:\?\S*)?$"),
        is_zoned=zone is not None or share(r"(?:[Zz]|UTC|GMT|\d{2}:\d{2}.*\s?[+-]\d{2}:?\d{2})$") >= 0.9,
        has_clock=share(r"\d{1,2}:\d{2}") >= 0.5
        and share(r"[ T]00:00(?::00(?:\.0+)?)?(?:[+-]00:?00|Z)?$") < 0.9,
    )


def _mean(counts: pl.Series) -> float:
    return float(counts.mean() or 0.0)  # type: ignore[arg-type]


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _other_date(text: pl.Series) -> tuple[str, float]:
    """Form and share of the likeliest form of dates but ISO 8601."""
    found = [(form, float(text.str.contains(pattern).sum())) for pattern, form in OTHER_DATES]
    form, count = max(found, key=lambda pair: pair[1])
    return (form, count / text.len()) if count else ("", 0.0)


def date_order(column: pl.Series) -> str | None:
    """Of dates such as 3/4/2024: "day first", "month first", or None where they do not say."""
    parts = as_text(column).str.extract_groups(r"^(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}\b").struct.unnest()
    first, second = (parts[name].cast(pl.Int64, strict=False) for name in parts.columns)
    day_first, month_first = (first > 12).any(), (second > 12).any()
    return None if day_first == month_first else "day first" if day_first else "month first"


def rating_scale(profile: Profile) -> tuple[tuple[float, float], bool, str] | None:
    """The scale that numbers lie on, whether both ends were seen, and why; None where they lie on none."""
    if not profile.is_number or profile.n_numbers < 2:
        return None
    low, high = profile.low, profile.high
    usual = _scale_of(profile, profile.low_usual, profile.high_usual)
    if usual is not None and not usual[0][0] <= low <= high <= usual[0][1]:
        most = f"{profile.low_usual:g} to {profile.high_usual:g}"
        seen = f"nearly all values from {most}, some from {low:g} to {high:g}"
        scale: tuple[tuple[float, float], bool] | None = usual
    else:
        scale, seen = _scale_of(profile, low, high), f"values from {low:g} to {high:g}"
    if scale is None:
        return None
    return (*scale, f"{seen}; so says its name" if scale[0] == _scale_said(profile.name) else seen)


def _scale_said(header: str) -> tuple[float, float] | None:
    """The scale that a header names, or that its question is always asked on."""
    said = _SAID_SCALE.search(header)
    if said is not None:
        return float(said[1]), float(said[2])
    return (0.0, 10.0) if _LIKELY.search(header) and _WOULD_RECOMMEND.search(header) else None


def _scale_of(profile: Profile, low: float, high: float) -> tuple[tuple[float, float], bool] | None:
    said = _scale_said(profile.name)
    if said is not None and said[0] <= low <= high <= said[1]:
        return said, True
    whole = profile.whole_share >= 0.99
    words = re.split(r"[\W_]+", profile.name.lower())
    for lowest, highest, name in ((0.0, 10.0, "nps"), (0.0, 100.0, "percent"), (1.0, 5.0, "stars")):
        if name in words and lowest <= low and (lowest + highest) / 2 < high <= highest:
            return (lowest, highest), True
    if low < 0:
        return ((-1.0, 1.0), high > 0.5 and low < -0.5) if low >= -1 and high <= 1 else None
    if high <= 1:
        return (0.0, 1.0), not whole and high > 0.9 and low < 0.2
    return _scales(low, high, whole)


def _scales(low: float, high: float, whole: bool) -> tuple[tuple[float, float], bool] | None:
    """Scale of numbers from 0 upwards whose highest is above 1, and whether both ends were seen."""
    if high <= 5:
        lowest = 0.0 if low == 0 else 0.5 if low < 1 else 1.0
        return (lowest, 5.0), high == 5 and low <= 1.5 and low != 0
    if high <= 10:
        if high == 7 and low == 1 and whole:
            return (1.0, 7.0), False
        return (0.0 if low < 1 else 1.0, 10.0), high >= 9.5 and (low <= 1 or low == 2)
    if high <= 100:
        return (0.0, 100.0), high >= 90 and low <= 20
    return None


def share_within(values: Sequence[str], known: frozenset[str]) -> float:
    """Share of the distinct values that are among the known ones."""
    distinct = set(values)
    return len(distinct & known) / len(distinct) if distinct else 0.0
