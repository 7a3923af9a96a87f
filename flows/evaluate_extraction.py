"""How well aspects are extracted from the sentences of a file in which they are marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import SourceError
from analytics.insight.extraction_evaluation import Pair, evaluate_extraction
from analytics.intake.redaction import redact_each
from analytics.models.embedding import describe_model, load_embedder
from analytics.models.llm.loading import describe_language_model, load_language_model
from analytics.settings import Settings

N_FOR_MODEL = 300
"""Sentences that the language model reads: on a CPU a whole file takes long."""


def evaluate_extraction_of(
    settings: Settings, data: Path, *, n_for_model: int = N_FOR_MODEL, seed: int | None = None
) -> dict[str, Any]:
    """Measure every path of extraction on a file; nothing is stored.

    Args:
        settings: Models and the seed.
        data: Parquet or JSON Lines with columns text and labels (list of aspect, polarity; an aspect that is
            null is implicit). Of a column `split` only "test" counts, of `language` only what the language
            model reads.
        n_for_model: The language model reads so many sentences; 0 leaves its path out.
        seed: Instead of the store's.

    Returns:
        data, n_sentences, n_pairs, n_implicit, models and `paths`; see `evaluate_extraction`.

    Raises:
        SourceError: the file cannot be read, or lacks a column.
        ModelUnavailable: a model is not there.
    """
    seed = settings.store.seed if seed is None else seed
    card = describe_language_model(settings.language_model)
    rows = _read(data, card.languages)
    marked: list[set[Pair]] = [
        {(mark["aspect"].lower(), mark["polarity"]) for mark in marks or () if mark["aspect"]}
        for marks in rows["labels"].to_list()
    ]
    n_implicit = sum(not mark["aspect"] for marks in rows["labels"].to_list() for mark in marks or ())
    embedding = describe_model(settings.embedding)
    embedder = load_embedder(embedding, settings.embedding)
    paths = evaluate_extraction(
        redact_each(rows["text"].to_list()),
        marked,
        embedder.embed,
        (lambda: load_language_model(settings.language_model)) if n_for_model else None,
        n_for_model=n_for_model,
        seed=seed,
    )
    return {
        "data": str(data),
        "n_sentences": rows.height,
        "n_pairs": sum(map(len, marked)),
        "n_implicit": n_implicit,
        "embedding_model": embedding.name,
        "language_model": card.name,
        "seed": seed,
        "paths": paths,
    }


def _read(data: Path, languages: tuple[str, ...]) -> pl.DataFrame:
    rows = read_marked(data, ("text", "labels"))
    marks = rows.schema["labels"]
    inner = getattr(marks, "inner", None)
    if not isinstance(inner, pl.Struct) or not {"aspect", "polarity"} <= {one.name for one in inner.fields}:
        raise SourceError(
            f"{data}: column 'labels' is {marks}; it must be a list of structs with aspect and polarity"
        )
    if "language" in rows.columns and "*" not in languages:
        rows = rows.filter(pl.col("language").is_in(languages))
    rows = rows.filter(pl.col("text").str.strip_chars() != "")
    if rows.is_empty():
        raise SourceError(f"{data}: no sentence in {', '.join(languages)}; give a file with some")
    return rows


def read_marked(data: Path, needed: tuple[str, ...]) -> pl.DataFrame:
    """Rows of a file with marks of people; of a column `split` only "test".

    Raises:
        SourceError: it cannot be read, lacks a column or has no row.
    """
    data = data.expanduser()
    try:
        rows = pl.read_ndjson(data) if data.suffix in (".jsonl", ".ndjson") else pl.read_parquet(data)
    except FileNotFoundError:
        raise SourceError(f"{data}: no such file; check --data") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(
            f"{data}: cannot be read ({str(error).splitlines()[0]}); give Parquet or JSON Lines"
        ) from error
    for column in needed:
        if column not in rows.columns:
            raise SourceError(f"{data}: no column {column!r}; it needs {' and '.join(needed)}")
    if "split" in rows.columns:
        rows = rows.filter(pl.col("split") == "test")
    if rows.is_empty():
        raise SourceError(f'{data}: no row to test on; where there is a column split, "test" counts')
    return rows


def as_lines(result: dict[str, Any]) -> list[str]:
    """What `evaluate_extraction_of` found, for people."""
    lines = [
        f"{result['data']}: {result['n_sentences']:,} sentences, {result['n_pairs']:,} pairs of aspect and "
        f"polarity; {result['n_implicit']:,} implicit aspects left out"
    ]
    for name, path in result["paths"].items():
        gain = (
            f"; F1 {path['f1_gain']:+.3f} ({path['f1_gain_low']:+.3f} to {path['f1_gain_high']:+.3f}) beside "
            "the baseline"
            if "f1_gain" in path
            else ""
        )
        lines.append(
            f"  {name}: precision {path['precision']:.3f}, recall {path['recall']:.3f}, F1 {path['f1']:.3f} "
            f"on {path['n']:,} sentences, {path['documents_per_second']:.0f} a second{gain}"
        )
    return [*lines, 'next: extraction = "model" under [[sources]] where the model\'s path is the better one']
