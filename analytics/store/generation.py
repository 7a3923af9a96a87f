"""Generations: built under a name never used before, checked, then reached by moving one pointer."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from analytics.errors import CheckFailed, NotPublished, writing
from analytics.identity import frame_digest
from analytics.store.files import flush_folder, put_json, put_parquet
from analytics.store.pointer import Pointer, move_pointer, read_pointer
from analytics.tables import TABLES

KEPT = 7
"""How many generations are kept; older ones are pruned when the next night starts."""

KEPT_SECONDS = 24 * 3600
"""A generation younger than this is never pruned: a page may still have it open."""

DATABASES = ("insights", "customers")


@dataclass(frozen=True)
class Content:
    """What goes into a generation."""

    tables: Mapping[str, pl.DataFrame]
    vectors: Mapping[str, pl.DataFrame]
    files: Mapping[str, str] = field(default_factory=dict)
    """What lies beside them to be read as it is: name to text."""


def new_name(published: Path, as_of: date, run_id: str, attempt: int) -> str:
    """A name for a generation that was never used before."""
    stem = f"{as_of.isoformat()}-{run_id[:8]}-{attempt}"
    used = {entry.generation for entry in read_pointer(published).listed}
    name, nth = stem, 1
    while name in used or (published / name).exists():
        nth += 1
        name = f"{stem}.{nth}"
    return name


def write_generation(folder: Path, content: Content, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write both databases, the vectors and, last, the manifest; returns the manifest.

    Args:
        folder: Where; must not exist.
        content: A frame for every table of `analytics.tables`, and named frames of vectors.
        facts: What else the manifest says (run, as_of, recipes, state sequence …).

    Raises:
        StoreFull, StoreError: the disk is full or read-only; the folder is removed again.
    """
    try:
        with writing(folder.parent):
            folder.mkdir(parents=True)
            for database in DATABASES:
                _write_database(folder / f"{database}.duckdb", database, content.tables)
            for name, text in content.files.items():
                (folder / name).write_text(text, encoding="utf-8")
        for name, frame in content.vectors.items():
            put_parquet(folder / "vectors" / f"{name}.parquet", frame)
        manifest = {
            **facts,
            "tables": {
                name: {
                    "rows": content.tables[name].height,
                    "digest": frame_digest(
                        table.conform(content.tables[name]), key=table.key, leave_out=table.run_facts
                    ),
                }
                for name, table in TABLES.items()
            },
        }
        put_json(folder / "manifest.json", manifest)
        flush_folder(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return manifest


def _write_database(path: Path, database: str, tables: Mapping[str, pl.DataFrame]) -> None:
    with duckdb.connect(str(path)) as connection:
        for table in TABLES.values():
            if table.database == database:
                connection.register("incoming", table.conform(tables[table.name]).to_arrow())
                connection.execute(f'CREATE TABLE "{table.name}" AS SELECT * FROM incoming')
                connection.execute(f"COMMENT ON TABLE \"{table.name}\" IS 'one row per {table.grain}'")
                connection.unregister("incoming")
        if database == "insights":
            for view in sorted(
                resources.files("analytics.store.views").iterdir(), key=lambda file: file.name
            ):
                if view.name.endswith(".sql"):
                    connection.execute(view.read_text(encoding="utf-8"))


_MUST_BE_EMPTY = {
    "a quote differs from the text at its offsets": """
        SELECT opinion_id FROM opinion AS o LEFT JOIN document AS d USING (document_id)
        WHERE d.text IS NULL OR substring(d.text, o."start" + 1, o."end" - o."start") <> o.quote""",
    "an opinion is placed under a theme that is not in the registry": """
        SELECT opinion_id FROM opinion_theme ANTI JOIN theme USING (theme_id)""",
    "a placement has no opinion": "SELECT opinion_id FROM opinion_theme ANTI JOIN opinion USING (opinion_id)",
    "a decision has no evidence": """
        SELECT decision_id FROM decision ANTI JOIN decision_evidence USING (decision_id)""",
    "evidence names an opinion that is not there": """
        SELECT opinion_id FROM decision_evidence ANTI JOIN opinion USING (opinion_id)""",
    "a decision stands on a theme with too few authors": """
        SELECT decision_id FROM decision JOIN theme USING (theme_id) WHERE NOT is_shown""",
    "a brief's sentence has lost what it cites": """
        SELECT brief_id FROM brief AS b WHERE n_citations <> (
            SELECT count(*) FROM brief_citation AS c JOIN opinion USING (opinion_id)
            WHERE c.brief_id = b.brief_id AND c.nth = b.nth)""",
    "a brief's quote is not what was written": """
        SELECT b.brief_id FROM brief AS b
        JOIN brief_citation AS c ON c.brief_id = b.brief_id AND c.nth = b.nth AND c."rank" = 1
        JOIN opinion USING (opinion_id) WHERE b.origin = 'quote' AND b.text <> quote""",
    "a brief quotes what may not be quoted": """
        SELECT brief_id FROM brief_citation JOIN document USING (document_id) WHERE NOT may_quote""",
    "a brief tells of a theme with too few authors": """
        SELECT brief_id FROM brief JOIN theme ON theme_id = subject_id WHERE subject_kind = 'theme'
        AND NOT is_shown""",
    "a share lies outside its interval": """
        SELECT theme_id FROM trend WHERE share IS NOT NULL
        AND NOT (share_low <= share + 1e-9 AND share <= share_high + 1e-9 AND share BETWEEN 0 AND 1)""",
    "a corrected share lies outside its interval, or is told of a theme with too few authors": """
        SELECT theme_id FROM share LEFT JOIN theme USING (theme_id) WHERE is_shown IS NOT true
        OR NOT (share_low <= share + 1e-9 AND share <= share_high + 1e-9 AND share BETWEEN 0 AND 1)""",
    "decisions are not ranked 1 to n": """
        SELECT rank FROM decision WHERE rank > (SELECT count(*) FROM decision) OR rank < 1""",
}


def check_generation(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Read a written generation back and check it.

    Raises:
        CheckFailed: a table is missing or changed, a key is not unique, or a rule between tables does not
        hold.
    """
    for database in DATABASES:
        with duckdb.connect(str(folder / f"{database}.duckdb"), read_only=True) as connection:
            for table in TABLES.values():
                if table.database != database:
                    continue
                names = ", ".join(f'"{column}"' for column in table.key)
                n_rows, n_keys = connection.execute(
                    f'SELECT count(*), count(DISTINCT ({names})) FROM "{table.name}"'
                ).fetchall()[0]
                if n_rows != manifest["tables"][table.name]["rows"]:
                    raise _failed(
                        folder, f"table {table.name} holds {n_rows} rows, and was given another count"
                    )
                if n_rows != n_keys:
                    raise _failed(
                        folder, f"table {table.name} has {n_rows - n_keys} rows with a repeated key"
                    )
            if database == "insights":
                for rule, query in _MUST_BE_EMPTY.items():
                    broken = connection.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]
                    if broken:
                        raise _failed(folder, f"{rule} ({broken} rows)")


def _failed(folder: Path, why: str) -> CheckFailed:
    return CheckFailed(
        f"generation {folder.name} was not published: {why}; "
        "the pages still show the night before, please report this with the log"
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a generation.

    Raises:
        NotPublished: the generation is not there, or was pruned.
    """
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except OSError:
        raise NotPublished(
            f"generation {folder.name} is not there any more; `nightloom publish --list` shows those kept"
        ) from None


def digests(folder: Path) -> dict[str, str]:
    """Digest of each table of a generation."""
    return {name: table["digest"] for name, table in read_manifest(folder)["tables"].items()}


def roll_back(published: Path) -> Pointer:
    """Move the pointer to the generation before and void the run of the active one.

    Raises:
        NotPublished: there is no generation before, or it was pruned.
    """
    pointer = read_pointer(published).rolled_back()
    assert pointer.active is not None
    read_manifest(published / pointer.active.generation)
    move_pointer(published, pointer)
    return pointer


def prune(published: Path) -> list[str]:
    """Remove generations beyond the last KEPT and unlisted ones, unless younger than a day."""
    pointer = read_pointer(published)
    kept = {entry.generation for entry in pointer.counting[-KEPT:]}
    removed = []
    for folder in sorted(published.glob("*")):
        if (
            folder.is_dir()
            and folder.name not in kept
            and time.time() - folder.stat().st_mtime > KEPT_SECONDS
        ):
            shutil.rmtree(folder)
            removed.append(folder.name)
    return removed
