"""What the command line prints: rows as readable text, generations, and the state of a store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from analytics.store.generation import KEPT
from analytics.store.journal import Journal
from analytics.store.lock import end_leftovers, is_held, last_holder
from analytics.store.pointer import read_pointer

_COLUMNS = {
    "shares": ["name", "share", "share_low", "share_high", "correction", "n_labels", "share_raw", "theme_id"],
    "groups": ["name", "n_themes", "n_documents", "n_authors", "negative_share", "theme_id"],
    "waiting": ["n_opinions", "n_documents", "n_authors", "share"],
    "proposals": ["proposal_id", "kind", "sentence"],
    "events": ["as_of", "kind", "name", "cause", "who", "about"],
    "changes": ["kind", "since", "ratio", "ratio_low", "ratio_high", "n_authors", "q_value", "sentence"],
    "drivers": [
        "name",
        "outcome",
        "effect",
        "effect_low",
        "effect_high",
        "q_value",
        "recoverable",
        "recoverable_plain",
        "n_authors",
    ],
    "themes": [
        "theme_id",
        "name",
        "n_documents",
        "n_authors",
        "share",
        "share_low",
        "share_high",
        "negative_share",
    ],
    "quality": ["metric", "value", "n", "about"],
    "ledger": [
        "stage",
        "n_calls",
        "n_failed",
        "n_input_tokens",
        "n_output_tokens",
        "usd",
        "engine",
        "seconds",
    ],
    "runs": [
        "as_of",
        "nth",
        "n_documents",
        "n_new",
        "n_changed",
        "n_quarantined",
        "n_not_analysed",
        "n_not_counted",
        "model_calls",
    ],
    "sources": ["source", "status", "since", "is_held", "n_documents", "n_covered", "last_day", "sentence"],
}


def as_text(what: str, rows: pl.DataFrame) -> str:
    """Rows for a terminal."""
    if rows.is_empty():
        return "none"
    if what == "decisions":
        return "\n".join(f"{row['rank']:>2}. {row['sentence']}" for row in rows.iter_rows(named=True))
    if what == "verdicts":
        return "\n".join(f"{row['decision_id'][:8]}  {row['sentence']}" for row in rows.iter_rows(named=True))
    if what == "recommendations":
        from flows.shown_lists import as_lines

        return as_lines(rows)
    if what == "brief":
        return "\n".join(f"{row['nth'] or '-':>2}  {row['text']}" for row in rows.iter_rows(named=True))
    width = shutil.get_terminal_size((120, 40)).columns
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, tbl_width_chars=width, tbl_hide_dataframe_shape=True, fmt_str_lengths=60,
        tbl_hide_column_data_types=True, tbl_formatting="NOTHING",
    ):  # fmt: skip
        cells = rows.select(_COLUMNS[what]).with_columns(
            cs.float().round(3), cs.by_name("theme_id", "proposal_id", require_all=False).str.slice(0, 8)
        )
        return str(cells.with_columns(pl.all().cast(pl.String).fill_null("–")))


def generations(published: Path) -> list[dict[str, Any]]:
    """Listed generations, newest first: state, generation, as_of, run_id, is_kept."""
    pointer = read_pointer(published)
    listed = [("active", pointer.active)] if pointer.active else []
    listed += [("earlier", entry) for entry in reversed(pointer.earlier)]
    listed += [("voided", entry) for entry in reversed(pointer.voided)]
    return [
        {
            "state": state,
            "generation": entry.generation,
            "as_of": entry.as_of,
            "run_id": entry.run_id,
            "is_kept": (published / entry.generation / "manifest.json").exists(),
        }
        for state, entry in listed
    ]


def status_of(data_dir: Path) -> dict[str, Any]:
    """What is published, running and unfinished; ends what a killed run left behind."""
    running = is_held(data_dir)
    ended = [] if running else end_leftovers(data_dir)
    pointer = read_pointer(data_dir / "published")
    attempts = Journal(data_dir / "journal").attempts().filter(~pl.col("is_limited"))
    listed = {entry.run_id for entry in pointer.listed}
    newest = attempts.row(-1, named=True) if attempts.height else None
    unfinished = newest is not None and newest["run_id"] not in listed and not running
    holder = last_holder(data_dir)
    return {
        "data_dir": str(data_dir),
        "published": pointer.active.generation if pointer.active else None,
        "as_of": pointer.active.as_of.isoformat() if pointer.active else None,
        "generations_kept": min(KEPT, len(pointer.counting)),
        "running": f"process {holder.pid} on {holder.host}" if running and holder else None,
        "unfinished": f"{newest['as_of']}; `nightloom run` goes on with it"
        if unfinished and newest
        else None,
        "ended_leftover_processes": ended,
    }
