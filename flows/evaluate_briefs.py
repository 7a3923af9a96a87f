"""How near briefs come to the summaries that people wrote of the same reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import SourceError
from analytics.insight.brief_evaluation import evaluate_briefs, read_subject, with_common_words
from analytics.intake.redaction import redact_each
from analytics.models.embedding import describe_model, load_embedder
from analytics.models.llm.loading import describe_language_model, load_language_model
from analytics.settings import Settings
from flows.evaluate_extraction import read_marked


def evaluate_briefs_of(settings: Settings, data: Path, *, has_model: bool = True) -> dict[str, Any]:
    """Make a brief of the reviews of each row of a file, and measure them; nothing is stored.

    Args:
        settings: Models.
        data: Parquet or JSON Lines with columns reviews and summaries (lists of texts). Of a column `split`
            only "test" counts.
        has_model: Let the language model write too.

    Raises:
        SourceError: the file cannot be read, or lacks a column.
        ModelUnavailable: a model is not there.
    """
    card = describe_language_model(settings.language_model)
    rows = read_marked(data, ("reviews", "summaries"))
    for column in ("reviews", "summaries"):
        if rows.schema[column] != pl.List(pl.String):
            raise SourceError(
                f"{data}: column {column!r} is {rows.schema[column]}; it must be lists of texts"
            )
    embedding = describe_model(settings.embedding)
    embed = load_embedder(embedding, settings.embedding).embed
    subjects = [
        read_subject(redact_each(reviews), summaries, embed)
        for reviews, summaries in rows.select("reviews", "summaries").iter_rows()
    ]
    load = (lambda: load_language_model(settings.language_model)) if has_model else None
    return {
        "data": str(data),
        "embedding_model": embedding.name,
        "language_model": card.name,
        **evaluate_briefs(with_common_words(subjects), load, embed, redact_each),
    }


def as_lines(result: dict[str, Any]) -> list[str]:
    """What `evaluate_briefs_of` found, for people."""
    lines = [f"{result['data']}: {result['n_subjects']:,} subjects with summaries that people wrote"]
    for name, way in result["ways"].items():
        line = f"  {name.replace('_', ' ')}: ROUGE-1 {way['rouge_1']:.3f}, ROUGE-L {way['rouge_l']:.3f}, "
        line += f"{way['n_words']:.0f} words"
        if "rejected_share" in way:
            line += f"; the checker rejects {way['rejected_share']:.0%} of {way['n_sentences']:,} sentences"
        lines.append(line)
    return [*lines, 'next: prose = "model" under [briefs] where the checked model is the better one']
