"""What `nightloom check` found, as text of at most 100 columns."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

WIDTH = 100
_WIDEST = {
    "text": 44,
    "title": 20,
    "question": 20,
    "created_at": 16,
    "rating": 6,
    "language": 8,
    "position": 8,
}
_USUAL = 14
_NARROWEST = {"text": 30, "created_at": 10, "position": 8}
_AT_LEAST = 7
_STALE_DAYS = 28


def as_lines(found: dict[str, Any], config: Path) -> Iterator[str]:
    """Everything found, source by source, then the price of the first night and the next step."""
    for source in found["sources"]:
        yield from _source(source)
        yield ""
    yield from _price(found["price"], found["as_of"])
    yield from _age(found["sources"], found["as_of"])
    option = "" if config == Path("nightloom.toml") else f" --config {config}"
    yield f"next: correct what is wrong in {config}, then nightloom run{option}"


def _source(source: dict[str, Any]) -> Iterator[str]:
    head = f"{source['name']} ({source['kind']}, {source['path']})"
    yield from _wrapped(f"{head}: {source['n_rows']:,} rows, {source['n_rejected']:,} rejected, "
                        f"{source['n_new']:,} new to the store")  # fmt: skip
    for one in source["rejected"]:
        lines = ", ".join(f"{line:,}" for line in one["first_lines"])
        more = ", …" if one["n"] > len(one["first_lines"]) else ""
        yield from _wrapped(f"  rejected {one['n']:,}: {one['reason']} (line {lines}{more})")
    yield from _rows(source["rows"])
    yield from _labelled("filled", [f"{name} {_percent(share)}" for name, share in source["fill"].items()])
    if source["first_at"] is not None:
        undated = f"; {source['n_undated']:,} without" if source["n_undated"] else ""
        waiting = f"; {source['n_waiting']:,} lie after the night" if source["n_waiting"] else ""
        yield f"  dates: {_day(source['first_at'])} to {_day(source['last_at'])}{undated}{waiting}"
    elif source["n_undated"]:
        yield "  dates: none can be read, so nothing of this source counts in trends"
    for role, share in source["joins"].items():
        yield (
            f"  {role}s that join: {_percent(share['rows'])} of rows, {_percent(share['values'])} of "
            f"different {role}s are in {', '.join(share['with'])}"
        )
    yield from _duplicates(source)
    yield from _texts(source)


def _duplicates(source: dict[str, Any]) -> Iterator[str]:
    found = source["duplicates"]
    told = [f"{found['same_id']:,} rows repeat an id"] if source["fill"].get("id") else []
    if "same_text_of_same_author" in found:
        told.append(f"{found['same_text_of_same_author']:,} repeat their author's text")
    yield from _labelled("repeats", told, "; ")
    out = [f"{reason} {n:,}" for reason, n in source.get("not_counted", {}).items()]
    yield from _labelled("would not count", out, suffix=f" (of {source.get('n_read', 0):,} texts read)")


def _texts(source: dict[str, Any]) -> Iterator[str]:
    if not source.get("n_read"):
        return
    read = f"of {source['n_read']:,} texts read"
    shown = [f"{one['language']} {_percent(one['share'])}" for one in source["languages"][:8]]
    yield from _labelled("languages", shown, suffix=f" ({read})")
    if source["not_analysed"]:
        unread = [f"{one['language']} {_percent(one['share'])}" for one in source["not_analysed"][:8]]
        yield from _labelled("not analysed", unread, suffix="; another model under [embedding] may read them")
    private = [f"{kind} {n:,}" for kind, n in source["personal_data"].items()] or ["none found"]
    yield from _labelled("personal data", private, suffix=f" ({read}; replaced before any model)")
    if source["cut_characters"]:
        cut = [f"{kind.replace('_', ' ')} {n:,}" for kind, n in source["cut_characters"].items()]
        yield from _labelled("cut characters that the customer did not write", cut)


def _price(price: dict[str, Any], day: object) -> Iterator[str]:
    yield f"the next night, up to {day}:"
    if price["trouble"] is not None:
        yield from _wrapped(f"  no price: {price['trouble']}")
        return
    about = "about " if price["is_estimated"] else ""
    yield from _wrapped(
        f"  {price['documents']:,} new documents, {about}{price['statements']:,} statements, "
        f"{about}{price['model_calls']:,} model calls ({price['of_items']:,} of them items)"
    )
    days = price["newest_days"]
    yield from _wrapped(
        f"  order: texts of the newest {days} days first ({price['of_newest_days']:,}), then those of "
        f"older or unknown days ({price['of_older_days']:,})"
    )
    if price["max_calls"] is None:
        yield "  in one night; set max_calls under [schedule] to spread it over several"
    else:
        yield f"  {price['max_calls']:,} calls a night at most (max_calls): {price['nights']:,} nights"
    if price["first_night_seconds"] is not None:
        yield from _wrapped(
            f"  about {_duration(price['first_night_seconds'])} of embedding in the first night: "
            f"{price['texts_per_second']:,} texts a second ({price['engine']}), measured just now"
        )
    elif price["model_calls"]:
        yield "  too few texts to measure the model's speed"


def _age(sources: Sequence[dict[str, Any]], day: date) -> Iterator[str]:
    """What to do where all texts are older than the windows that a night of today compares."""
    newest = [
        source["last_at"].date()
        for source in sources
        if source["kind"] == "documents" and source["last_at"] is not None and not source["n_waiting"]
    ]
    if newest and (day - max(newest)).days > _STALE_DAYS:
        yield from _wrapped(
            f"  the newest texts are of {max(newest)}, so this night has no recent ones to compare; for the "
            f"night of that day add --as-of {max(newest)} to nightloom run"
        )


def _rows(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Rows as a table whose columns share the width."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [
        min(_WIDEST.get(name, _USUAL), max(_width(text) for text in (name, *(row[nth] for row in cells))))
        for nth, name in enumerate(names)
    ]
    while names and sum(widths) + 2 * len(widths) > WIDTH:
        spare = [width - _NARROWEST.get(name, _AT_LEAST) for name, width in zip(names, widths, strict=True)]
        if max(spare) > 0:
            widths[spare.index(max(spare))] -= 1
        else:
            # More columns than fit: the last ones stay out of the table; their fill is told below it.
            names.pop()
            widths.pop()
    for nth, name in enumerate(names):
        if name == "created_at":
            # Cut at the minute or, where that does not fit, at the day.
            if widths[nth] < _WIDEST[name]:
                widths[nth] = min(widths[nth], _NARROWEST[name])
            for row in cells:
                row[nth] = row[nth][: widths[nth]]
    for row in [names, *cells]:
        yield "  " + "  ".join(_fit(text, width) for text, width in zip(row, widths, strict=False)).rstrip()


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).replace("T", " ").removesuffix(":00+00:00") if _is_time(value) else str(value)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 18 and value.endswith("+00:00")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _fit(text: str, width: int) -> str:
    if _width(text) > width:
        while text and _width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - _width(text))


def _labelled(label: str, parts: Sequence[str], between: str = ", ", suffix: str = "") -> Iterator[str]:
    if parts:
        yield from _wrapped(f"  {label}: {between.join(parts)}{suffix}")


def _wrapped(text: str) -> Iterator[str]:
    indent = " " * (len(text) - len(text.lstrip()))
    yield from textwrap.wrap(text, WIDTH, subsequent_indent=f"{indent}  ", break_on_hyphens=False)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share in (0, 1) or 0.005 <= share < 0.995 else f"{share:.2%}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
