"""How well themes are found in the texts of any one file, beside its labels where it has some."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tqdm import tqdm

from analytics.errors import SourceError
from analytics.insight.grouping import Groups, find_groups
from analytics.insight.theme_evaluation import evaluate_discovery
from analytics.intake.cleaning import clean_texts
from analytics.intake.languages import settle_languages
from analytics.intake.peek import peek
from analytics.intake.sources import read_blocks
from analytics.models.embedding import describe_model, load_embedder
from analytics.settings import Settings, SourceSettings
from flows.gather import reads

MIN_WORDINGS = 10
"""With fewer different texts there is nothing to find, and no halves to compare."""
_NAMES_SHOWN = 12


@dataclass(frozen=True)
class LabelledTexts:
    """The texts of a file as models see them, and what else lies in it."""

    texts: pl.DataFrame
    """Columns text, label (null: none), in file order; no text is empty."""
    wordings: list[str]
    """Each text once, in order of first appearance."""
    wording: np.ndarray
    """int64 (n_texts,): which of `wordings` each text is."""
    n_empty: int
    n_rejected: int
    """Rows that cannot be read."""
    n_other_languages: int
    """Texts in languages that the embedding model is not declared for; they are evaluated with the others."""


def evaluate_themes(
    settings: Settings,
    data: Path,
    text: str,
    label: str | None = None,
    *,
    granularity: str = "medium",
    seed: int | None = None,
) -> dict[str, Any]:
    """Find themes in the texts of a file, and measure them; nothing is stored.

    A text is cleaned and redacted as in a night and then read whole, as one statement. Themes are found
    among different wordings; every text counts, in the theme of its wording.

    Args:
        settings: Cleaning, redaction, embedding and the seed.
        data: File of any format that a source may have.
        text: Its column of texts.
        label: Its column of labels, which only the measures see.
        granularity: coarse, medium or fine.
        seed: Instead of the store's.

    Returns:
        What `evaluate_discovery` returns, and what was read: data, text, label, granularity, seed, model,
        n_texts, n_wordings, n_empty, n_rejected, n_other_languages, n_labelled and n_labels (null without
        labels), embed_seconds (loading of the model left out).

    Raises:
        SourceError: the file cannot be read, lacks a column, or holds too few texts or no label.
        ModelUnavailable: the embedding model is not there.
    """
    seed = settings.store.seed if seed is None else seed
    read = read_texts(settings, data, text, label)
    vectors, embed_seconds = embed_wordings(settings, read.wordings)

    def discover(rows: np.ndarray, seed: int) -> Groups:
        return find_groups(vectors[rows], granularity=granularity, seed=seed)

    labels = read.texts["label"]
    measured = evaluate_discovery(
        discover, vectors, read.wording, None if label is None else labels.to_list(), seed=seed
    )
    return {
        "data": str(data),
        "text": text,
        "label": label,
        "granularity": granularity,
        "seed": seed,
        "model": describe_model(settings.embedding).name,
        "n_texts": read.texts.height,
        "n_wordings": len(read.wordings),
        "n_empty": read.n_empty,
        "n_rejected": read.n_rejected,
        "n_other_languages": read.n_other_languages,
        "n_labelled": None if label is None else labels.len() - labels.null_count(),
        "n_labels": None if label is None else labels.drop_nulls().n_unique(),
        **measured,
        "embed_seconds": round(embed_seconds, 3),
    }


def read_texts(settings: Settings, data: Path, text: str, label: str | None) -> LabelledTexts:
    """The texts of a file, cleaned and redacted, with their labels.

    Raises:
        SourceError: the file cannot be read, lacks a column, or holds too few texts or no label.
    """
    data = data.expanduser()
    _check_columns(data, {"--text": text, "--label": label})
    columns = {"text": text, "segments": () if label is None else (label,)}
    source = SourceSettings.model_validate(
        {"name": data.name, "kind": "documents", "path": str(data), "columns": columns}
    )
    frames, n_rejected = [], 0
    for block in read_blocks(source, data.absolute()):
        rows = block.rows.with_columns(key=pl.int_range(pl.len()).cast(pl.String))
        cleaned = clean_texts(rows.select("key", "title", "text"), settings.cleaning, settings.redaction)
        labels = rows.select(label=pl.col("segments").list.first().struct.field("value"))
        frames.append(cleaned.hstack(labels))
        n_rejected += block.rejected.height
    if not frames:
        raise SourceError(f"{data}: holds no rows; give a file with texts")
    every = pl.concat(frames)
    written = every.filter(pl.col("text") != "")
    _check_enough(data, written, text, label)
    about = written.with_columns(source=pl.lit(""), language=pl.lit(None, pl.String))
    is_read = about.select(language=settle_languages(about, {})).select(reads(settings, pl.col("language")))
    wordings = written["text"].unique(maintain_order=True)
    numbers = pl.DataFrame({"text": wordings}).with_row_index("wording")
    joined = written.select("text").join(numbers, on="text", how="left", maintain_order="left")
    return LabelledTexts(
        written.select("text", "label"),
        wordings.to_list(),
        joined["wording"].to_numpy().astype(np.int64),
        n_empty=every.height - written.height,
        n_rejected=n_rejected,
        n_other_languages=written.height - int(is_read.to_series().sum()),
    )


def _check_columns(data: Path, wanted: dict[str, str | None]) -> None:
    """Refuse a column that the file does not have; one that it has twice is refused while reading."""
    peeked = peek(data, 1)
    names = [*peeked.frame.columns, *peeked.left_out]
    for option, column in wanted.items():
        if column is not None and column not in names:
            shown = ", ".join(" ".join(name.split())[:40] for name in names[:_NAMES_SHOWN] if name) or "none"
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            raise SourceError(
                f"{data}: no column {column!r} (given as {option}); it has: {shown}{more}; name one of these"
            )


def _check_enough(data: Path, written: pl.DataFrame, text: str, label: str | None) -> None:
    n_wordings = written["text"].n_unique()
    if n_wordings == 0:
        raise SourceError(f"{data}: column {text!r} holds no text; name another column with --text")
    if n_wordings < MIN_WORDINGS:
        raise SourceError(
            f"{data}: column {text!r} holds {n_wordings} different texts, and themes need at least "
            f"{MIN_WORDINGS}; give a file with more"
        )
    if label is not None and written["label"].null_count() == written.height:
        raise SourceError(
            f"{data}: column {label!r} is empty wherever there is a text; name another column with --label, "
            "or leave it out"
        )


def embed_wordings(settings: Settings, wordings: list[str]) -> tuple[np.ndarray, float]:
    """Vectors of texts, float32 unit rows (n_texts, n_dims), and the seconds that embedding them took."""
    embedder = load_embedder(describe_model(settings.embedding), settings.embedding)
    # A terminal gets a moving bar after three seconds, a log file a line now and then.
    every = 1.0 if sys.stderr.isatty() else 15.0
    bar = tqdm(desc="embedding", total=len(wordings), unit=" texts", mininterval=every, delay=3, ascii=True,
               leave=False)  # fmt: skip
    with bar:
        started = time.perf_counter()
        vectors = embedder.embed(wordings, bar.update)
    return vectors, time.perf_counter() - started


def as_lines(result: dict[str, Any]) -> list[str]:
    """What `evaluate_themes` found, for people."""
    lines = [
        f"{result['data']}: {result['n_texts']:,} texts, {result['n_wordings']:,} different, "
        f"read by {result['model']} in {result['embed_seconds']:.1f} s{_left_out(result)}",
        f"  themes: {result['n_themes']:,} in {result['n_groups']:,} groups ({result['granularity']}); the "
        f"largest holds {result['largest_share']:.1%} of the texts, {result['unplaced_share']:.1%} are "
        f"unplaced; found in {result['seconds']:.1f} s",
    ]
    if result["label"] is None:
        lines.append("  beside labels: none given (--label COLUMN)")
    else:
        lines.append(
            f"  beside {result['n_labels']:,} labels of {result['n_labelled']:,} texts: "
            f"ARI {result['ari']:.3f}, NMI {result['nmi']:.3f}, purity {result['purity']:.3f}; "
            f"groups of themes ARI {result['upper_ari']:.3f}"
        )
    halves = result["half_agreement_ari"]
    return [
        *lines,
        f"  with another seed and order of rows: ARI {result['seed_agreement_ari']:.3f}",
        f"  in two halves apart: {'nothing to compare' if halves is None else f'ARI {halves:.3f}'} "
        f"over {result['n_shared']:,} pairs of nearest neighbours",
        "next: --granularity coarse or fine for fewer or more themes, --json for every figure",
    ]


def _left_out(result: dict[str, Any]) -> str:
    told = [
        f"{result[name]:,} {what}"
        for name, what in (
            ("n_empty", "empty ones left out"),
            ("n_rejected", "rows that cannot be read left out"),
            ("n_other_languages", "in languages that the model is not declared for"),
        )
        if result[name]
    ]
    return "".join(f"; {one}" for one in told)
