"""The pointer: `published/CURRENT`, the only record of what was published; moved by one rename."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from analytics.errors import NotPublished, StoreError
from analytics.store.files import put_json
from analytics.store.journal import Attempt


@dataclass(frozen=True)
class Entry:
    """One published generation and the attempt that made it."""

    generation: str
    run_id: str
    attempt: int
    as_of: date

    @property
    def made_by(self) -> Attempt:
        """The attempt whose journal and placement files count."""
        return Attempt(self.run_id, self.attempt)


@dataclass(frozen=True)
class Pointer:
    """What `CURRENT` says: the active generation, the earlier ones (oldest first) and the voided ones."""

    active: Entry | None = None
    earlier: tuple[Entry, ...] = ()
    voided: tuple[Entry, ...] = ()

    @property
    def counting(self) -> tuple[Entry, ...]:
        """Entries whose events, arrivals and placements count, oldest first."""
        return (*self.earlier, self.active) if self.active else self.earlier

    @property
    def listed(self) -> tuple[Entry, ...]:
        """Every entry, voided ones too."""
        return (*self.counting, *self.voided)

    def advanced_to(self, entry: Entry) -> Pointer:
        """The pointer after publishing `entry`."""
        return Pointer(entry, self.counting, self.voided)

    def rolled_back(self) -> Pointer:
        """The pointer after taking the active generation back and voiding its run.

        Raises:
            NotPublished: there is no generation to go back to.
        """
        if self.active is None or not self.earlier:
            raise NotPublished("there is no earlier generation to go back to; run `nightloom run` instead")
        return Pointer(self.earlier[-1], self.earlier[:-1], (*self.voided, self.active))

    def renamed(self, names: dict[str, str]) -> Pointer:
        """The pointer with generations under other names, as after an erasure."""

        def rename(entry: Entry) -> Entry:
            return replace(entry, generation=names.get(entry.generation, entry.generation))

        active = rename(self.active) if self.active else None
        return Pointer(active, tuple(map(rename, self.earlier)), tuple(map(rename, self.voided)))


def read_pointer(published: Path) -> Pointer:
    """What `published/CURRENT` says; an empty pointer where nothing was published yet.

    Raises:
        StoreError: the file is there and cannot be understood.
    """
    path = published / "CURRENT"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Pointer(
            _entry(content["active"]) if content["active"] else None,
            tuple(map(_entry, content["earlier"])),
            tuple(map(_entry, content["voided"])),
        )
    except FileNotFoundError:
        return Pointer()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read ({error}); restore it from a backup") from error


def move_pointer(published: Path, pointer: Pointer) -> None:
    """Replace `published/CURRENT` in one step: a reader sees the old or the new one, whole."""
    put_json(
        published / "CURRENT",
        {
            "active": _content(pointer.active) if pointer.active else None,
            "earlier": [_content(entry) for entry in pointer.earlier],
            "voided": [_content(entry) for entry in pointer.voided],
        },
    )


def _content(entry: Entry) -> dict[str, object]:
    return {**asdict(entry), "as_of": entry.as_of.isoformat()}


def _entry(content: dict[str, object]) -> Entry:
    return Entry(
        str(content["generation"]),
        str(content["run_id"]),
        int(str(content["attempt"])),
        date.fromisoformat(str(content["as_of"])),
    )
