"""The settings file that `nightloom init` writes: every key with its explanation and default."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from analytics.errors import SettingsError
from analytics.settings import ColumnSettings, Settings, SourceSettings
from analytics.store.files import put_text

_EXAMPLE: dict[str, Any] = {"name": "reviews", "kind": "documents", "path": "reviews.csv", "language": "en"}
_EXAMPLE_COLUMNS = {"id": "id", "text": "text", "created_at": "created_at"}


@dataclass(frozen=True)
class Remark:
    """Why a key has its value; an unsure one is marked for a person's look."""

    reason: str
    is_sure: bool = True


@dataclass(frozen=True)
class SourceDraft:
    """One [[sources]] as it is to be written."""

    values: dict[str, Any]
    columns: dict[str, Any]
    remarks: dict[str, Remark] = field(default_factory=dict)
    """By key; of columns as `columns.text`."""
    notes: tuple[str, ...] = ()
    problem: str | None = None
    """Why it cannot be read as it is; it is then written commented out."""


def default_file() -> str:
    """A complete settings file: sections in order, every key set or commented out."""
    return drafted_file([SourceDraft(_EXAMPLE, _EXAMPLE_COLUMNS)])


def drafted_file(
    drafts: Sequence[SourceDraft],
    store: Mapping[str, Any] | None = None,
    store_remarks: Mapping[str, Remark] | None = None,
) -> str:
    """A complete settings file with the given sources: the first that can be read explains every key."""
    lines = [
        "# Settings of one Nightloom store. Paths are relative to this file.",
        "# A key that is commented out shows its default, or an example where it has none.",
        "# Secrets never stand here, only in the environment.",
    ]
    for name, info in Settings.model_fields.items():
        if info.exclude or name == "sources":
            continue
        section = info.annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        lines += ["", f"# {section.__doc__}", f"[{name}]"]
        lines += _keys(section, dict(store or {}) if name == "store" else {}, store_remarks or {})
    for draft in sorted(drafts, key=lambda draft: draft.problem is not None):
        lines += _explained(draft) if draft is _first_readable(drafts) else _short(draft)
    return "\n".join(lines) + "\n"


def _first_readable(drafts: Sequence[SourceDraft]) -> SourceDraft | None:
    return next((draft for draft in drafts if draft.problem is None), None)


def _explained(draft: SourceDraft) -> list[str]:
    """A source with every key and its explanation."""
    lines = ["", f"# {SourceSettings.__doc__} Repeat this part for every file."]
    lines += [line for note in draft.notes for line in _comment(f"note: {note}")]
    lines.append("[[sources]]")
    lines += _keys(SourceSettings, draft.values, draft.remarks, leave_out={"columns"})
    lines += ["", f"# {ColumnSettings.__doc__}", "[sources.columns]"]
    remarks = {key.removeprefix("columns."): remark for key, remark in draft.remarks.items() if "." in key}
    return lines + _keys(ColumnSettings, draft.columns, remarks)


def _short(draft: SourceDraft) -> list[str]:
    """A further source: the keys that are set, each with its reason."""
    lines: list[str] = []
    for key, value in draft.values.items():
        lines += [*_told(draft.remarks.get(key)), f"{key} = {_toml(value)}"]
    lines += ["", "[sources.columns]"] if draft.columns else []
    for key, value in draft.columns.items():
        lines += [*_told(draft.remarks.get(f"columns.{key}")), f"{key} = {_toml(value)}"]
    notes = [line for note in draft.notes for line in _comment(f"note: {note}")]
    if draft.problem is None:
        return ["", *notes, "[[sources]]", *lines]
    head = _comment(f"Not read as it is: {draft.problem}")
    return [
        "",
        *head,
        *notes,
        "# [[sources]]",
        *(line if line.startswith("#") else f"# {line}".rstrip() for line in lines),
    ]


def _told(remark: Remark | None) -> list[str]:
    if remark is None:
        return []
    return _comment(
        f"guessed: {remark.reason}" if remark.is_sure else f"unsure: {remark.reason}, please check"
    )


def _comment(text: str) -> list[str]:
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", text)
    return [f"# {line}" for line in textwrap.wrap(plain, 100)]


def _keys(
    section: type[BaseModel],
    values: Mapping[str, Any],
    remarks: Mapping[str, Remark],
    leave_out: frozenset[str] | set[str] = frozenset(),
) -> list[str]:
    lines = []
    for name, info in section.model_fields.items():
        if name in leave_out:
            continue
        lines += [f"# {line}" for line in textwrap.wrap(info.description or "", 100)]
        lines += _told(remarks.get(name))
        if name in values:
            lines.append(f"{name} = {_toml(values[name])}")
        else:
            lines.append(f"# {name} = {_toml(_default(info))}")
    return lines


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True)
    if value is not None:
        return value
    return info.examples[0] if info.examples else ""


def _toml(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def write_default(path: Path, *, overwrite: bool = False) -> None:
    """Write the default settings file.

    Raises:
        SettingsError: the file is there and `overwrite` is not set.
        StoreError: it cannot be written.
    """
    write_settings(path, default_file(), overwrite=overwrite)


def write_settings(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a settings file, whole or not at all.

    Raises:
        SettingsError: the file is there and `overwrite` is not set.
        StoreError: it cannot be written.
    """
    if path.exists() and not overwrite:
        raise SettingsError(
            f"{path} exists already; pass --force to overwrite it, or --config for another place"
        )
    put_text(path, text)
