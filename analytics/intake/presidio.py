"""Presidio's recognisers, an optional extra: people and places that have no form and are not known users."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from analytics.errors import ModelUnavailable
from analytics.intake.redaction import KINDS, redact

_KIND_OF = {
    "PERSON": "name",
    "LOCATION": "address",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "US_SSN": "national-id",
    "US_ITIN": "national-id",
    "US_PASSPORT": "national-id",
    "US_DRIVER_LICENSE": "national-id",
    "UK_NINO": "national-id",
    "UK_NHS": "national-id",
    "ES_NIF": "national-id",
    "ES_NIE": "national-id",
    "IT_FISCAL_CODE": "national-id",
}
_LOWEST_SCORE = 0.5
_NEWS_MODELS = "ca da de el es fi fr hr it ja ko lt mk nb nl pl pt ro ru sl sv uk".split()
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")


def redact_entities(texts: Sequence[str], language: str) -> list[tuple[str, dict[str, int]]]:
    """Redact texts by form and then replace what Presidio finds in them: people and places.

    Args:
        texts: In normal form C.
        language: Two-letter code; a spaCy model of that language must be installed.

    Returns:
        What `redact` returns for each text. Redacting again by form changes nothing; Presidio itself may find
        more in a text that it has changed.

    Raises:
        ModelUnavailable: Presidio or a spaCy model of the language is not installed.
    """
    analyzer = _analyzer(language)
    redacted = []
    for text in texts:
        by_form, counts = redact(text)
        spans = _spans(analyzer.analyze(text=by_form, language=language, entities=list(_KIND_OF)), by_form)
        pieces: list[str] = []
        at = 0
        for start, end, kind in spans:
            pieces += (by_form[at:start], f"[{kind}]")
            at = end
        total = Counter(counts) + Counter(kind for _, _, kind in spans)
        # What it replaced may free what stood too close to it.
        again, more = redact("".join((*pieces, by_form[at:])))
        redacted.append((again, dict(sorted((total + Counter(more)).items()))))
    return redacted


def _spans(results: Sequence[Any], text: str) -> list[tuple[int, int, str]]:
    """Start, end and kind of what was found, in order, outside placeholders; of an overlap the surer one."""
    taken = [placeholder.span() for placeholder in _PLACEHOLDER.finditer(text)]
    spans = []
    for result in sorted(results, key=lambda result: (-result.score, result.start, -result.end)):
        if result.score < _LOWEST_SCORE or result.entity_type not in _KIND_OF:
            continue
        if all(result.end <= start or end <= result.start for start, end in taken):
            taken.append((result.start, result.end))
            spans.append((result.start, result.end, _KIND_OF[result.entity_type]))
    return sorted(spans)


@cache
def _analyzer(language: str) -> Any:
    """Presidio's engine for one language, on the largest spaCy model that is installed."""
    model = _spacy_model(language)
    if importlib.util.find_spec("presidio_analyzer") is None or model is None:
        genre = "news" if language in _NEWS_MODELS else "web"
        missing = "a spaCy model" if importlib.util.find_spec("presidio_analyzer") else "presidio_analyzer"
        raise ModelUnavailable(
            f'redaction engine "presidio" cannot read language "{language}": {missing} is not installed; run '
            f"pip install presidio-analyzer && python -m spacy download {language}_core_{genre}_lg, "
            'or set engine = "patterns" under [redaction]'
        )
    presidio = importlib.import_module("presidio_analyzer")
    nlp = importlib.import_module("presidio_analyzer.nlp_engine")
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": language, "model_name": model}]}
    engine = nlp.NlpEngineProvider(nlp_configuration=configuration).create_engine()
    return presidio.AnalyzerEngine(nlp_engine=engine, supported_languages=[language])


def _spacy_model(language: str) -> str | None:
    names = (
        f"{language}_core_{genre}_{size}" for size in ("lg", "trf", "md", "sm") for genre in ("news", "web")
    )
    return next((name for name in names if importlib.util.find_spec(name) is not None), None)
