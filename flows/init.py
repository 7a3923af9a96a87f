"""From files that nobody has described to a settings file: what each seems to be, with reasons."""

from __future__ import annotations

import os
import re
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import SettingsError, SourceError
from analytics.intake.guess import Guess, SourceGuess, guess_source
from analytics.intake.guess_join import KINDS, Joined, join_guess
from analytics.intake.peek import Peeked, peek
from analytics.intake.sources import read_blocks
from analytics.settings import ColumnSettings, SourceSettings, load_settings
from analytics.settings_file import Remark, SourceDraft, drafted_file, write_settings

_READ = (".parquet", ".pq", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")
_DATABASES = (".db", ".duckdb", ".sqlite", ".sqlite3")
_PACKED = (".gz", ".zip")
_N_PEEKED = 2_000
_SEE_IDS = 1_000_000
"""As many rows of a file of items or users are read to see which columns hold their ids."""


@dataclass(frozen=True)
class _Seen:
    """A file, or files of the same columns, and what it seems to be."""

    path: Path
    """A file, or a pattern."""
    first: Path
    peeked: Peeked
    guess: SourceGuess


def draft_settings(paths: Sequence[Path], config: Path, *, overwrite: bool = False) -> Iterator[str]:
    """Guess what the files are, write the settings file, and say in lines what it holds.

    Raises:
        SettingsError: the settings file is there already, or no file can be a source of documents.
        SourceError: a file is missing or cannot be read.
    """
    if config.exists() and not overwrite:
        raise SettingsError(
            f"{config} exists already; pass --force to overwrite it, or --config for another place"
        )
    seen = _joined(_seen(paths))
    _check_documents(seen)
    folder = config.expanduser().resolve().parent
    drafts = [_draft(one, folder) for one in seen]
    store, remarks = _store(next(one.guess for one in seen if _can_be(one, "documents")))
    text = drafted_file(drafts, store, remarks)
    _check_loads(text, config)
    write_settings(config, text, overwrite=overwrite)
    yield f"wrote {config}"
    for one, draft in zip(seen, drafts, strict=True):
        yield from _summary(one.guess, draft.values["path"])
    n_unsure = sum(len(one.guess.unsure) for one in seen if one.guess.problem is None)
    yield ""
    yield f"guessed from the first {_N_PEEKED:,} rows of each file"
    if n_unsure:
        what = "1 guess is" if n_unsure == 1 else f"{n_unsure} guesses are"
        yield f"{what} unsure (?): look for `# unsure` in {config} and correct what is wrong"
    option = "" if config == Path("nightloom.toml") else f" --config {config}"
    yield f"next: nightloom check{option}"


def _seen(paths: Sequence[Path]) -> list[_Seen]:
    seen: list[_Seen] = []
    names: set[str] = set()
    for pattern, first, peeked in _once(found for path in paths for found in _found(path)):
        stem = _stem(first) if pattern == first else _stem(pattern).strip("*-_. ") or pattern.parent.name
        name = stem = re.sub(r"[^\w-]+", "-", stem).strip("-") or "source"
        nth = 2
        while name in names:
            name, nth = f"{stem}-{nth}", nth + 1
        names.add(name)
        guess = guess_source(stem, peeked.frame)
        notes = (*guess.notes, *_left_out(peeked))
        seen.append(_Seen(pattern, first, peeked, replace(guess, name=name, notes=notes)))
    return seen


def _once(found: Iterator[tuple[Path, Path, Peeked]]) -> Iterator[tuple[Path, Path, Peeked]]:
    """Each file or pattern once, where several arguments name it."""
    named: set[Path] = set()
    for pattern, first, peeked in found:
        if pattern.resolve() not in named:
            named.add(pattern.resolve())
            yield pattern, first, peeked


def _found(path: Path) -> Iterator[tuple[Path, Path, Peeked]]:
    """Files behind an argument: itself, or of a folder each group of files with the same columns."""
    if path.suffix.lower() in _DATABASES:
        raise SourceError(
            f"{path}: a database; run `nightloom init` without it, and set path and query of a source by hand"
        )
    if not path.is_dir():
        if not path.exists() and not (set("*?[") & set(str(path)) and any(path.parent.glob(path.name))):
            raise SourceError(f"{path.absolute()}: no such file; check the path and the folder you are in")
        yield path, path, peek(path, _N_PEEKED)
        return
    files = [file for file in sorted(path.iterdir()) if file.is_file() and _ending(file)]
    if not files:
        raise SourceError(
            f"{path}: no file in it is CSV, TSV, JSON Lines or Parquet; name the files one by one"
        )
    groups: dict[tuple[str, ...], list[Path]] = {}
    peeked = {}
    for file in files:
        peeked[file] = peek(file, _N_PEEKED)
        groups.setdefault((_ending(file), *peeked[file].frame.columns), []).append(file)
    for members in groups.values():
        pattern = _pattern(members, files)
        if pattern is not None:
            yield pattern, members[0], peeked[members[0]]
        else:
            yield from ((file, file, peeked[file]) for file in members)


def _pattern(members: list[Path], files: list[Path]) -> Path | None:
    """A pattern that only the members of a group match, where there are several."""
    if len(members) < 2:
        return None
    ending = _ending(members[0])
    shared = _common_beginning([file.name.removesuffix(ending) for file in members])
    # Next year's file belongs to it too, so a date that all share so far is no part of the pattern.
    for stem in (re.sub(r"[\d._-]+$", "", shared), shared):
        pattern = members[0].with_name(f"{stem}*{ending}")
        if [file for file in files if file.match(pattern.name)] == members:
            return pattern
    return None


def _common_beginning(names: list[str]) -> str:
    first, last = min(names), max(names)
    return next((first[:nth] for nth, char in enumerate(first) if last[nth : nth + 1] != char), first)


def _ending(path: Path) -> str:
    packed = path.suffix if path.suffix.lower() in _PACKED else ""
    inner = Path(path.stem).suffix if packed else path.suffix
    return inner + packed if inner.lower() in _READ else ""


def _stem(path: Path) -> str:
    return path.name.removesuffix(_ending(path)) if _ending(path) else path.stem


def _can_be(one: _Seen, kind: str) -> bool:
    return one.guess.kind.value == kind and one.guess.problem is None


def _joined(seen: list[_Seen]) -> list[_Seen]:
    """The guesses after the ids of items and users were looked up in the other files."""
    known: dict[Joined, dict[str, frozenset[str]]] = {
        role: {one.guess.name: _ids(one) for one in seen if _can_be(one, kind)}
        for role, kind in KINDS.items()
    }
    return [
        _Seen(one.path, one.first, one.peeked, join_guess(one.guess, one.peeked.frame, known)) for one in seen
    ]


def _ids(one: _Seen) -> frozenset[str]:
    columns = ColumnSettings(id=one.guess.columns["id"].value)
    source = SourceSettings(
        name=one.guess.name, kind=one.guess.kind.value, path=str(one.path), columns=columns, **_form(one)
    )
    blocks = islice(read_blocks(source, one.path.resolve()), _SEE_IDS // 10_000)
    return frozenset(pl.concat([block.rows["source_id"] for block in blocks]))


def _form(one: _Seen) -> dict[str, Any]:
    """What the ending of a file does not say of its form."""
    return {} if _ending(one.first) else {"format": one.peeked.format}


def _check_documents(seen: list[_Seen]) -> None:
    if any(_can_be(one, "documents") for one in seen):
        return
    almost = [one for one in seen if one.guess.kind.value == "documents"]
    told = "; ".join(f"{one.path}: {one.guess.problem or one.guess.kind.value}" for one in almost or seen)
    raise SettingsError(
        f"no file can be a source of documents, which a night needs ({told}); nothing was written: add a "
        "file with a text in each row, or run `nightloom init` without files and map by hand"
    )


def _draft(one: _Seen, folder: Path) -> SourceDraft:
    guess = one.guess
    path = os.path.relpath(one.path.resolve(), folder)
    values: dict[str, Any] = {"name": guess.name}
    if guess.kind.value is not None:
        values["kind"] = guess.kind.value
    values |= {"path": path, **_form(one)}
    values |= {key: setting.value for key, setting in guess.settings.items()}
    columns = {role: column.value for role, column in guess.columns.items()}
    everything: dict[str, Guess] = {"kind": guess.kind, **guess.settings}
    everything |= {f"columns.{role}": column for role, column in guess.columns.items()}
    remarks = {key: Remark(found.reason, found.is_sure) for key, found in everything.items()}
    return SourceDraft(values, columns, remarks, guess.notes, guess.problem)


def _left_out(peeked: Peeked) -> tuple[str, ...]:
    """What is said of columns that a mapping cannot name."""
    told = []
    n_unnamed = sum(not name for name in peeked.left_out)
    if n_unnamed:
        columns = (
            "a column without a name was" if n_unnamed == 1 else f"{n_unnamed} columns without names were"
        )
        told.append(f"{columns} left out; name it in the file's first line if it is wanted")
    doubled = sorted({name for name in peeked.left_out if name})
    if doubled:
        told.append(f"{', '.join(map(repr, doubled))} names several columns, which were left out")
    return tuple(told)


def _store(documents: SourceGuess) -> tuple[dict[str, Any], dict[str, Remark]]:
    """The zone in which the store's days are counted: that of its first texts."""
    zone = documents.settings.get("time_zone")
    if zone is None:
        return {}, {}
    reason = f"as the texts of {documents.name!r}: {zone.reason}"
    # Times that name their own offset do not say where the company is.
    return {"time_zone": zone.value}, {"time_zone": Remark(reason, zone.is_sure and zone.value != "UTC")}


def _check_loads(text: str, config: Path) -> None:
    """Load the file before it takes its place."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "nightloom.toml"
        trial.write_text(text, encoding="utf-8")
        try:
            load_settings(trial)
        except SettingsError as error:
            told = str(error).removeprefix(f"{trial.resolve()}: ")
            raise SettingsError(
                f"{config}: nothing was written, since the guesses do not fit together: {told}"
            ) from None


def _summary(guess: SourceGuess, path: str) -> Iterator[str]:
    yield ""
    if guess.problem is not None:
        yield from textwrap.wrap(f"{path}: not read. {guess.problem}", 100, subsequent_indent="    ")
        return
    yield f"{guess.name}: {guess.kind.value} in {path}"
    everything = {"kind": guess.kind, **{f"columns.{role}": column for role, column in guess.columns.items()}}
    for key, found in (everything | guess.settings).items():
        mark = " " if found.is_sure else "?"
        value = ", ".join(map(str, found.value)) if isinstance(found.value, tuple) else found.value
        line = f" {mark} {key.removeprefix('columns.'):<12} {value}"
        yield from textwrap.wrap(f"{line:<40}  {found.reason}", 100, subsequent_indent=" " * 42)
    for note in guess.notes:
        yield from textwrap.wrap(f" ! {note}", 100, subsequent_indent="   ")
