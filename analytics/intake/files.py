"""The files of a source: which they are, how they are opened, and what is read from them."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from analytics.errors import SourceError
from analytics.intake.archives import GZIP_ENDINGS, BadArchive, is_hidden, members_of, open_unpacked

BLOCK_BYTES = 33_554_432
"""A block ends about here even when it has fewer rows than asked for."""

EXACT_LIMIT = 2.0**53
"""Integers from here on are not told apart by a 64-bit float, so they identify nothing."""

EXACT_ROLES = ("id", "item", "user", "thread")
FREE_ROLES = ("created_at", "rating")
"""Roles whose values are parsed later; a value of any other role must be text or turn into text."""

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_BOOKS = (".xlsx", ".xls", ".xlsm", ".ods")
_NAMES_SHOWN = 12
_FILES_SHOWN = 5


@dataclass(frozen=True)
class Rejection:
    """A row that was not let in."""

    position: int
    reason: str
    row_hash: str


@dataclass(frozen=True)
class RawBlock:
    """Some consecutive rows of a file, as they lie in it."""

    positions: pl.Series
    values: pl.DataFrame
    """One column per role that is mapped; text in text files, any type in Parquet."""
    hash_row: Callable[[int], str]
    """Hash of the nth raw row of the block, for the rare row that is rejected."""
    rejected: list[Rejection]


@dataclass(frozen=True)
class SourceFile:
    """A file, whose it is, and which of its columns hold what."""

    source: str
    path: Path
    roles: dict[str, str]
    """Role (`id`, `text`, …, `segment <column>`) to column of the file."""
    member: str | None = None
    """Which file of a zip archive."""
    format: str | None = None
    encoding: str | None = None
    """Of a text file; None: it is found out."""
    delimiter: str | None = None
    label: str | None = None
    """What tells it from the other files of its source; None where it is the only one."""

    @property
    def is_packed(self) -> bool:
        """Whether its bytes are unpacked while it is read."""
        return self.member is not None or self.path.suffix.lower() in GZIP_ENDINGS

    def error(self, message: str) -> SourceError:
        """The stated error of this file: one line that begins with source and path."""
        whose = f"source {self.source!r}: " if self.source else ""
        place = self.path if self.member is None else self.path / self.member
        return SourceError(f"{whose}{' '.join(str(place).split())}: {' '.join(message.split())}")

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file's bytes, unpacked.

        Raises:
            SourceError: it is damaged, or unpacks to what no table is; raised while reading, too.
        """
        try:
            with open_unpacked(self.path, self.member) as stream:
                yield stream
        except BadArchive as error:
            raise self.error(str(error)) from error

    def faults(self, names: Sequence[str]) -> list[str]:
        """What is wrong with a mapping to columns of these names: each fault as a clause."""
        counted = Counter(names)
        faults = []
        for role, column in self.roles.items():
            if counted[column] == 0:
                faults.append(f"no column {column!r} (set as columns.{setting_of(role)})")
            elif counted[column] > 1:
                faults.append(f"column {column!r} (set as columns.{setting_of(role)}) occurs twice")
        return faults

    def check_columns(self, names: Sequence[str]) -> None:
        """Refuse a mapping that names a column which the file does not have, or has twice.

        Raises:
            SourceError: which column, and which columns the file has.
        """
        faults = self.faults(names)
        if not faults:
            return
        if faults[0].endswith("occurs twice"):
            raise self.error(f"{faults[0]}; rename one in the file")
        shown = ", ".join(" ".join(name.split())[:40] for name in names[:_NAMES_SHOWN]) or "none"
        more = len(names) - _NAMES_SHOWN
        shown += f" and {more} more" if more > 0 else ""
        raise self.error(f"{faults[0]}; it has: {shown}; correct the mapping in the settings")

    def role_of(self, column: str) -> str:
        """The first role that a column has."""
        return next(role for role, mapped in self.roles.items() if mapped == column)


@dataclass(frozen=True)
class Table:
    """A file whose columns are known and whose rows can be read."""

    file: SourceFile
    names: list[str] | None
    """Its columns; None where nothing tells, as in an empty JSON Lines file."""
    blocks: Callable[[int], Iterator[RawBlock]]
    """Reads its rows in blocks of at most so many."""
    encoding: str | None = None
    delimiter: str | None = None


def setting_of(role: str) -> str:
    """The key under `columns` that maps a role."""
    return "segments" if role.startswith("segment ") else role


def check_tables(whole: SourceFile, tables: Sequence[Table]) -> None:
    """Refuse files that lack a mapped column.

    Raises:
        SourceError: which file lacks which column, in one line.
    """
    if len(tables) == 1:
        if tables[0].names is not None:
            tables[0].file.check_columns(tables[0].names)
        return
    faults = [
        f"{table.file.label}: {', '.join(found)}"
        for table in tables
        if table.names is not None and (found := table.file.faults(table.names))
    ]
    if faults:
        more = f"; and {len(faults) - _FILES_SHOWN} more files" if len(faults) > _FILES_SHOWN else ""
        raise whole.error(
            f"{len(faults)} of {len(tables)} files do not fit the mapping: {'; '.join(faults[:_FILES_SHOWN])}"
            f"{more}; correct the mapping in the settings, or take them away"
        )


def find_files(whole: SourceFile) -> tuple[list[SourceFile], list[str]]:
    """The files that a path means, in name order, and the names of those that are ignored.

    A folder means its files of a known ending, a pattern what it matches, a zip archive its members; hidden
    files (`.x`, `_x`) are ignored.

    Args:
        whole: Its path is a file, a folder or a pattern.

    Raises:
        SourceError: there is none, or a file is of no known format.
    """
    path = whole.path
    ignored: list[str] = []
    if path.is_file():
        found = _parts(whole, path.name, ignored, is_only=True)
    elif path.is_dir():
        found = []
        for one in sorted(path.iterdir()):
            if not one.is_file() or is_hidden(one.name) or not _is_known(one):
                ignored.append(one.name)
            else:
                found += _parts(replace(whole, path=one), one.name, ignored)
    else:
        found = _matches(whole, ignored)
    if not found:
        left_out = f" (ignored: {', '.join(ignored[:_FILES_SHOWN])})" if ignored else ""
        raise whole.error(
            f"holds no file of a known ending{left_out}; set path to a file, or to a pattern such as *.csv"
        )
    if len(found) == 1:
        return [replace(found[0], label=None)], ignored
    return found, ignored


def _matches(whole: SourceFile, ignored: list[str]) -> list[SourceFile]:
    if whole.path.exists():
        raise whole.error("neither a file nor a folder; set path to one of them")
    if not glob.has_magic(str(whole.path)):
        raise whole.error(
            "no such file; correct path in the settings, which is relative to the settings file"
            if whole.source
            else "no such file; check the path"
        )
    fixed = Path(*_until_magic(whole.path))
    pattern = str(whole.path.relative_to(fixed))
    names = sorted(match.relative_to(fixed).as_posix() for match in fixed.glob(pattern))
    found: list[SourceFile] = []
    for name in dict.fromkeys(names):
        if not (fixed / name).is_file() or is_hidden(name):
            ignored.append(name)
        else:
            found += _parts(replace(whole, path=fixed / name), name, ignored)
    if not found and not ignored:
        raise whole.error("no file matches this pattern; correct path in the settings")
    return found


def _until_magic(path: Path) -> Iterator[str]:
    for part in path.parts:
        if glob.has_magic(part):
            return
        yield part


def _is_known(path: Path) -> bool:
    packed = path.suffix.lower() in GZIP_ENDINGS
    return path.suffix.lower() == ".zip" or _ending(path.stem if packed else path.name) in FORMATS


def _ending(name: str) -> str:
    return Path(name).suffix.lower()


def _parts(whole: SourceFile, label: str, ignored: list[str], is_only: bool = False) -> list[SourceFile]:
    """The file itself, or the members of a zip archive."""
    path = whole.path
    if path.suffix.lower() != ".zip":
        inner = path.stem if path.suffix.lower() in GZIP_ENDINGS else path.name
        return [replace(whole, format=_format(whole, inner), label=_printable(label))]
    try:
        members = members_of(path)
    except BadArchive as error:
        raise whole.error(str(error)) from error
    found = []
    for member in members:
        name = member if is_only else f"{label}/{member}"
        if is_hidden(member) or (_ending(member) not in FORMATS and whole.format is None):
            ignored.append(name)
        else:
            one = replace(whole, member=member, label=_printable(name))
            found.append(replace(one, format=_format(one, member)))
    return found


def _format(file: SourceFile, name: str) -> str:
    ending = _ending(name)
    form = file.format or FORMATS.get(ending)
    if form is not None:
        return form
    if ending in _BOOKS:
        raise file.error("a spreadsheet is not read; save its table as CSV")
    raise file.error(
        f'cannot tell its format from the ending {ending!r}; set format = "parquet", "csv" or "jsonl"'
    )


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)[1:-1]
