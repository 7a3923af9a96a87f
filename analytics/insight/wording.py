"""Days, counts and shares in words, and text made inert."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~!&$])")
_MOST_LISTED = 6


def inert(text: str) -> str:
    """`text` on one line and with nothing that Markdown or HTML would act on."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def percent(share: float, decimals: int) -> str:
    """A share in percent, without the sign."""
    return f"{100 * share:.{decimals}f}"


def count(n: int, noun: str, plural: str | None = None) -> str:
    """A number and what it is a number of."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words with commas and an "and"; of many the first, and how many more there are."""
    shown = list(words[:_MOST_LISTED])
    if len(words) > _MOST_LISTED:
        shown.append(f"{len(words) - _MOST_LISTED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def spell_day(day: date) -> str:
    """A day as people write it."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
