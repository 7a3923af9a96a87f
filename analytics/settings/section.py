"""What every section of the settings shares: strict types, no unknown keys, time zones that exist."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        example = "Europe/Berlin" if "Europe/Berlin" in available_timezones() else "UTC"
        raise ValueError(
            f"{name!r} is not a time zone; use an IANA name such as {example!r} or 'UTC'"
        ) from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Section(BaseModel):
    """One section of the settings."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
