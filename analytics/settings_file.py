"""The settings file that `nightloom init` writes: every key with its explanation and default."""

from __future__ import annotations

import json
import textwrap
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


def default_file() -> str:
    """A complete settings file: sections in order, every key set or commented out."""
    lines = [
        "# Settings of one Nightloom store. Paths are relative to this file.",
        "# A key that is commented out shows its default. Secrets never stand here, only in the environment.",
    ]
    for name, info in Settings.model_fields.items():
        if info.exclude or name == "sources":
            continue
        section = info.annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        lines += ["", f"# {section.__doc__}", f"[{name}]"]
        lines += _keys(section, {})
    lines += ["", f"# {SourceSettings.__doc__} Repeat this part for every file.", "[[sources]]"]
    lines += _keys(SourceSettings, _EXAMPLE, leave_out={"columns"})
    lines += ["", f"# {ColumnSettings.__doc__}", "[sources.columns]"]
    lines += _keys(ColumnSettings, _EXAMPLE_COLUMNS)
    return "\n".join(lines) + "\n"


def _keys(
    section: type[BaseModel], values: dict[str, Any], leave_out: frozenset[str] | set[str] = frozenset()
) -> list[str]:
    lines = []
    for name, info in section.model_fields.items():
        if name in leave_out:
            continue
        lines += [f"# {line}" for line in textwrap.wrap(info.description or "", 100)]
        if name in values:
            lines.append(f"{name} = {_toml(values[name])}")
        else:
            lines.append(f"# {name} = {_toml(_default(info))}")
    return lines


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True)
    return "" if value is None else value


def _toml(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def write_default(path: Path, *, overwrite: bool = False) -> None:
    """Write the default settings file.

    Raises:
        SettingsError: the file is there and `overwrite` is not set.
        StoreError: it cannot be written.
    """
    if path.exists() and not overwrite:
        raise SettingsError(
            f"{path} exists already; pass --force to overwrite it, or --config for another place"
        )
    put_text(path, default_file())
