"""What the commands of `nightloom label` do, and what they say."""

from __future__ import annotations

import csv
import getpass
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import ActRefused, writing
from analytics.identity import stage_seed
from analytics.insight.label_draw import draw_pairs
from analytics.settings import Settings
from analytics.store import theme_acts
from analytics.store.labels import read_labels, record_answers, record_draw
from flows.corrections import SHARE_WEEKS
from flows.people_commands import Told
from flows.theme_desk import Desk, open_desk

COLUMNS = ("pair_id", "theme", "criterion", "text", "says_it")
ANSWERS = {"yes": True, "y": True, "1": True, "no": False, "n": False, "0": False}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def tell_draw(settings: Settings, n: int, theme: str | None, out: Path | None) -> Told:
    """Draw pairs to label, and write those that have no answer yet to a file."""
    desk = open_desk(settings)
    documents, placed, themes = _population(desk, theme)
    state = desk.store.state
    drawn = read_labels(state)
    seed = stage_seed(settings.store.seed, f"labels {state.sequence()}")
    known = drawn.select("document_id", "theme_id")
    pairs = draw_pairs(documents, placed, themes["theme_id"], known, n=n, seed=seed)
    record_draw(state, pairs, who=getpass.getuser())
    waiting = _waiting(desk)
    content = {"n_drawn": pairs.height, "n_waiting": waiting.height, "file": str(out) if out else None}
    said = f"drew {pairs.height} pairs of a document and a theme; {waiting.height} wait for an answer"
    if out is None:
        return f"{said}; next: nightloom label, or write them to a file with --out FILE", content
    _write(out, waiting)
    return (
        f"{said} in {out}: write yes or no under says_it, then run nightloom label read {out}; the file "
        "holds what customers wrote: delete it afterwards",
        content,
    )


def _population(desk: Desk, theme: str | None) -> tuple[pl.Series, pl.DataFrame, pl.DataFrame]:
    """Documents that may be shown, of the weeks whose shares are corrected; placements; themes."""
    themes = desk.query("SELECT theme_id, name FROM theme WHERE is_shown AND level = 'theme'")
    if theme is not None:
        meant = theme_acts.find_theme(desk.registry, theme)
        themes = themes.filter(pl.col("theme_id") == meant["theme_id"])
        if themes.is_empty():
            raise ActRefused(
                f"{meant['name']!r} is not shown tonight, so no share of it is published; `nightloom show "
                "themes` lists those that are"
            )
    first = desk.night.as_of - timedelta(days=7 * SHARE_WEEKS - 1)
    may_be_shown = desk.query(
        "SELECT document_id FROM document WHERE is_covered AND may_quote AND day BETWEEN $first AND $last",
        first=first,
        last=desk.night.as_of,
    )
    if may_be_shown.is_empty() or themes.is_empty():
        raise ActRefused(
            f"nothing can be drawn: no theme is shown, or no source with a document of the last "
            f'{SHARE_WEEKS} weeks grants quote; add "quote" to uses of a source in nightloom.toml'
        )
    placed = desk.query(
        "SELECT DISTINCT document_id, theme_id FROM opinion_theme JOIN opinion USING (opinion_id)"
    )
    return may_be_shown["document_id"], placed, themes


def _waiting(desk: Desk) -> pl.DataFrame:
    """Drawn pairs without an answer whose document may be shown: pair_id, theme, criterion, text."""
    drawn = read_labels(desk.store.state).filter(pl.col("says_it").is_null())
    themes = desk.query("SELECT theme_id, name AS theme, criterion FROM theme WHERE is_shown")
    texts = desk.query(
        """SELECT document_id, text FROM document WHERE is_covered AND may_quote
        AND document_id IN (SELECT unnest($ids))""",
        ids=drawn["document_id"].to_list(),
    )
    return (
        drawn.join(themes, on="theme_id", maintain_order="left")
        .join(texts, on="document_id", maintain_order="left")
        .select("pair_id", "theme", "criterion", "text")
    )


def _write(file: Path, waiting: pl.DataFrame) -> None:
    with writing(file), file.open("w", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(COLUMNS)
        for pair, *texts in waiting.iter_rows():
            rows.writerow([pair, *(_inert(text or "") for text in texts), ""])


def _inert(text: str) -> str:
    """Foreign text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def tell_read(settings: Settings, file: Path) -> Told:
    """Take in the answers of a file."""
    desk = open_desk(settings)
    drawn = set(read_labels(desk.store.state)["pair_id"])
    answers: dict[str, bool] = {}
    n_blank = 0
    for row, pair, word in _rows(file):
        if pair not in drawn:
            raise ActRefused(
                f"{file}, row {row}: pair_id {pair!r} was not drawn in this store, or its document was "
                "erased; nothing is recorded: leave pair_id as it was written, or remove the row"
            )
        if not word:
            n_blank += 1
        elif word.lower() in ANSWERS:
            answers[pair] = ANSWERS[word.lower()]
        else:
            raise ActRefused(
                f"{file}, row {row}: says_it is {word!r}; nothing is recorded: write yes or no, or leave it "
                "empty, and read the file again"
            )
    record_answers(desk.store.state, answers, who=getpass.getuser())
    n_yes = sum(answers.values())
    text = (
        f"recorded {len(answers)} answers ({n_yes} yes, {len(answers) - n_yes} no), left out {n_blank} empty "
        f"rows; the next night corrects shares by them: nightloom run; delete {file}"
    )
    return text, {"n_labels": len(answers), "n_yes": n_yes, "n_blank": n_blank}


def _rows(file: Path) -> Iterator[tuple[int, str, str]]:
    """Row, pair and answer of a file, the heading being row 1.

    Raises:
        ActRefused: the file cannot be read, or lacks a column.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened)
            lacking = [name for name in ("pair_id", "says_it") if name not in (rows.fieldnames or ())]
            if lacking:
                raise ActRefused(
                    f"{file}, row 1: no column {lacking[0]}; pass the file that `nightloom label draw --out` "
                    "wrote"
                )
            for number, row in enumerate(rows, start=2):
                yield number, (row["pair_id"] or "").strip(), (row["says_it"] or "").strip()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ActRefused(
            f"{file} cannot be read ({error}); pass the CSV file that `nightloom label draw --out` wrote"
        ) from error


def tell_asked(settings: Settings, ask: Callable[[str], str] = input) -> Told:
    """Ask for each drawn pair that has no answer, until none is left or the person quits."""
    desk = open_desk(settings)
    waiting = _waiting(desk)
    if waiting.is_empty():
        raise ActRefused("no drawn pair waits for an answer; draw some: nightloom label draw")
    if ask is input and not sys.stdin.isatty():
        raise ActRefused("this is no terminal to ask at; write a file: nightloom label draw --out FILE")
    n_asked = n_answered = 0
    for row in waiting.iter_rows(named=True):
        word = _answer(row, ask)
        if word == "quit":
            break
        n_asked += 1
        if word in ANSWERS:
            record_answers(desk.store.state, {row["pair_id"]: ANSWERS[word]}, who=getpass.getuser())
            n_answered += 1
    n_left = waiting.height - n_answered
    text = (
        f"recorded {n_answered} answers, {n_left} wait; the next night corrects shares by them: nightloom run"
    )
    return text, {
        "n_labels": n_answered,
        "n_skipped": n_asked - n_answered,
        "n_waiting": n_left,
    }


def _answer(row: dict[str, Any], ask: Callable[[str], str]) -> str:
    """One of ANSWERS, skip or quit."""
    words = {**{word: word for word in (*ANSWERS, "skip", "quit")}, "s": "skip", "q": "quit", "": "skip"}
    shown = "".join(letter for letter in row["text"] if letter == "\n" or letter.isprintable())
    question = f"\n{shown}\n\n  {row['theme']}: {row['criterion']}\n  does it say so? y/n/skip/quit: "
    while (word := words.get(ask(question).strip().lower())) is None:
        question = "  y, n, skip or quit: "
    return word
