"""Extraction by a language model: one document in, its statements out, each with the sentence that says it.

What the model answers is a claim. A statement stands only where its sentence exists and its aspect occurs in
that sentence; what cannot be located is rejected and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from pydantic import Field

from analytics.insight.sentences import MIN_WORDS, count_words, sentence_recipe, split_sentences
from analytics.models.llm.prompting import read_prompt
from analytics.models.llm.protocol import LanguageModel, LanguageModelCard, Prompt
from analytics.models.llm.structured import COST_ROWS, LONGER, Form, Reading, ask, asked_recipe

EXTRACTION_VERSION = 1
PROMPT = "extraction"
MAX_NEW_TOKENS = 400
MAX_SENTENCES = 40
"""Sentences of a document that are numbered for the model; what follows is not read."""


class Statement(Form):
    """One thing that a text says."""

    sentence: int = Field(ge=1, le=MAX_SENTENCES)
    aspect: str = Field(max_length=60)
    opinion: str = Field(max_length=80)
    sentiment: Literal["negative", "neutral", "positive"]
    kind: Literal["problem", "praise", "request", "question"]


class Statements(Form):
    """All that a text says."""

    statements: list[Statement] = Field(max_length=12)


SENTIMENT = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}
EXTRACTED: dict[str, pl.DataType | type[pl.DataType]] = {
    "starts": pl.List(pl.Int32),
    "ends": pl.List(pl.Int32),
    "aspects": pl.List(pl.String),  # as the sentence writes them; null where it names none
    "said": pl.List(pl.String),  # what is said of it, as the sentence writes it; null where not found there
    "sentiments": pl.List(pl.Float64),
    "kinds": pl.List(pl.String),
}
"""What the stage holds for each text; one element of each list per statement."""


def extraction_recipe(model: LanguageModelCard) -> dict[str, Any]:
    """What decides the statements that a model finds in a text."""
    asked = asked_recipe("extraction", EXTRACTION_VERSION, PROMPT, Statements, MAX_NEW_TOKENS, model)
    return asked | {"max_sentences": MAX_SENTENCES, "sentences": sentence_recipe()}


@dataclass(frozen=True)
class Located:
    """The statements of a text that were found in it."""

    spans: list[tuple[int, int]]
    statements: list[Statement]
    aspects: list[str | None]
    said: list[str | None]
    n_rejected: int


def extract_statements(
    model: LanguageModel,
    texts: Sequence[str],
    advance: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Ask a model what each text says: one document a prompt.

    Args:
        model: The language model.
        texts: Cleaned and redacted texts.
        advance: Called with the number of texts just answered.

    Returns:
        One row per text, in order: the columns of EXTRACTED, n_rejected (statements that could not be
        located), n_unread (sentences that the model was not given), and those of COST_ROWS.
    """
    sentences = [split_sentences(text) for text in texts]
    instructions = read_prompt(PROMPT)
    prompts = [
        Prompt(
            instructions,
            tuple(
                f"{nth}. {' '.join(text[start:end].split())}"
                for nth, (start, end) in enumerate(spans[:MAX_SENTENCES], start=1)
            ),
        )
        for text, spans in zip(texts, sentences, strict=True)
    ]
    readings = ask(model, prompts, Statements, max_new_tokens=MAX_NEW_TOKENS, advance=advance)
    rows = [
        _row(text, spans, reading) for text, spans, reading in zip(texts, sentences, readings, strict=True)
    ]
    counts = dict.fromkeys(("n_rejected", "n_unread"), pl.Int64)
    return pl.DataFrame(rows, schema={**EXTRACTED, **counts, **COST_ROWS})


def _row(text: str, spans: list[tuple[int, int]], reading: Reading[Statements]) -> dict[str, Any]:
    found = locate(text, spans[: reading.answer.n_pieces_read], reading.value)
    return {
        "starts": [start for start, _ in found.spans],
        "ends": [end for _, end in found.spans],
        "aspects": found.aspects,
        "said": found.said,
        "sentiments": [SENTIMENT[one.sentiment] for one in found.statements],
        "kinds": [one.kind for one in found.statements],
        "n_rejected": found.n_rejected,
        "n_unread": len(spans) - min(len(spans), reading.answer.n_pieces_read),
        **reading.cost,
    }


def locate(text: str, spans: Sequence[tuple[int, int]], answer: Statements | None) -> Located:
    """The statements of an answer whose sentence and aspect are in the text, each once, in order of place.

    Args:
        text: The document.
        spans: Its sentences that the model was given.
        answer: What the model said; None where it failed.
    """
    kept: dict[tuple[int, str], tuple[Statement, str | None, str | None]] = {}
    n_rejected = 0
    for one in answer.statements if answer else ():
        if one.sentence > len(spans):
            n_rejected += 1
            continue
        start, end = spans[one.sentence - 1]
        quote = text[start:end]
        aspect = find_words(quote, one.aspect)
        if count_words(quote) < MIN_WORDS or (one.aspect.strip() and aspect is None):
            n_rejected += 1
            continue
        kept.setdefault((one.sentence, (aspect or "").lower()), (one, aspect, find_words(quote, one.opinion)))
    ordered = [kept[place] for place in sorted(kept)]
    return Located(
        [spans[one.sentence - 1] for one, _, _ in ordered],
        [one for one, _, _ in ordered],
        [aspect for _, aspect, _ in ordered],
        [said for _, _, said in ordered],
        n_rejected,
    )


def find_words(quote: str, words: str) -> str | None:
    """Words as a quote writes them, whatever their case and the spaces between them; None: not in it."""
    parts = [re.escape(word) for word in words.split()]
    if not parts:
        return None
    found = re.search(r"(?<!\w)" + r"\s+".join(parts) + r"(?!\w)", quote, re.IGNORECASE)
    return found[0] if found else None


def most_tokens(model: LanguageModelCard) -> int:
    """The most that one document can cost in tokens, a second question included."""
    return 2 * model.max_input_tokens + (1 + LONGER) * MAX_NEW_TOKENS
