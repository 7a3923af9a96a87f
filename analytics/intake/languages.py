"""Which language a text is in: per document, with a confidence, and undecided where the text is too short."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import polars as pl

LANGUAGE_VERSION = 1
DECIDED = 0.6
"""Confidence from which a detection counts; below it the source's own language does."""
READ_CHARACTERS = 1_000
"""As much of a text is looked at."""
N_LIKELIEST = 10
USUAL_SHARE = 0.02
"""A source is written in the languages that have at least this share of its decided texts."""
UNKNOWN = "und"

_WRITTEN_ALIKE = {"yue": "zh", "wuu": "zh", "cmn": "zh", "zxx": UNKNOWN}
"""Chinese of every kind is one written language to the models; `zxx` is no language at all."""


def language_recipe() -> dict[str, Any]:
    """What decides a text's language."""
    return {
        "stage": "language",
        "version": LANGUAGE_VERSION,
        "detector": "py3langid 0.4",
        "characters": READ_CHARACTERS,
    }


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect_languages(texts: Sequence[str]) -> pl.DataFrame:
    """The likeliest language of each text (Lui and Baldwin 2012, naive Bayes over byte n-grams).

    Returns:
        Columns language (ISO 639 tag, `und` where a text has no letters), confidence (0 to 1) and likeliest
        (the ten likeliest languages in order where the confidence is below `DECIDED`, else none), in order.
    """
    rows = [_detect(text[:READ_CHARACTERS]) for text in texts]
    return pl.DataFrame(rows, schema=DETECTIONS, orient="row")


DETECTIONS: dict[str, pl.DataType | type[pl.DataType]] = {
    "language": pl.String,
    "confidence": pl.Float64,
    "likeliest": pl.List(pl.String),
}


def _detect(text: str) -> tuple[str, float, list[str]]:
    if not any(map(str.isalpha, text)):
        return UNKNOWN, 0.0, []
    language, confidence = _identifier().classify(text)
    likeliest: list[str] = []
    if confidence < DECIDED:
        likeliest = [_WRITTEN_ALIKE.get(name, name) for name, _ in _identifier().rank(text)[:N_LIKELIEST]]
    return _WRITTEN_ALIKE.get(language, language), round(float(confidence), 6), likeliest


def settle_languages(documents: pl.DataFrame, default: dict[str, str]) -> pl.Series:
    """One language for each document.

    What the row itself says counts first, then a detection that is sure enough. A text too short to tell by
    is taken to be in the likeliest of the languages that its source is mostly written in, else in the one
    that the settings give the source, else in the source's main language; `und` where nothing says.

    Args:
        documents: Columns source, language (of the row; null: not said), detected, confidence, likeliest.
        default: Source to the language that the settings give it.
    """
    sure = (pl.col("confidence") >= DECIDED) & (pl.col("detected") != UNKNOWN)
    decided = documents.filter(sure).group_by("source", "detected").len()
    shares = decided.with_columns(share=pl.col("len") / pl.col("len").sum().over("source"))
    usual: dict[str, list[str]] = {}
    for source, language, share in (
        shares.sort(["share", "detected"], descending=[True, False])
        .select("source", "detected", "share")
        .iter_rows()
    ):
        if share >= USUAL_SHARE:
            usual.setdefault(source, []).append(language)

    def guess(source: str, likeliest: Sequence[str] | None) -> str:
        of_source = usual.get(source, [])
        among = next((language for language in likeliest or () if language in of_source), None)
        return among or default.get(source) or next(iter(of_source), UNKNOWN)

    settled = documents.select(
        pl.coalesce("language", pl.when(sure).then("detected")).alias("language")
    ).to_series()
    guesses = [
        found if found is not None else guess(source, likeliest)
        for found, source, likeliest in zip(
            settled, documents["source"], documents["likeliest"].to_list(), strict=True
        )
    ]
    return pl.Series("language", guesses, dtype=pl.String)
