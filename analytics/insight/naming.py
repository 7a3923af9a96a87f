"""Names that a language model proposes for new themes; one is taken where the statements bear it out.

A name may hold only words that enough distinct authors of the theme use: it gives nobody away, and nobody can
put a word of his own into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import Field

from analytics.insight.sentences import count_words
from analytics.models.checker import THRESHOLD, Checker, Sentence, stem
from analytics.models.llm.protocol import LanguageModel, LanguageModelCard
from analytics.models.llm.structured import COST_ROWS, Form, ask_about, asked_recipe
from analytics.models.sentiment import LABEL_MARGIN, score_lexicon

NAMES_VERSION = 1
PROMPT = "name"
MAX_NEW_TOKENS = 30
MAX_READ = 8
"""Statements that a name is made of, at most."""
READ_WORDS = (4, 40)
"""A statement of so many words is given to the model."""
NAME_WORDS = (2, 6)
MAX_AGAINST = 0.15
"""A name in which there is praise or blame is none where so many statements say the opposite."""
MIN_TELLING = 2
"""So many words of a name say something."""


class NameForm(Form):
    """What the model answers."""

    name: Annotated[str, Field(min_length=3, max_length=60)]


NAME_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "name": pl.String,
    "support": pl.Float64,
    **COST_ROWS,
}


def name_recipe(model: LanguageModelCard, embedding: str) -> dict[str, Any]:
    """What decides a proposed name and its support.

    Args:
        model: The language model.
        embedding: Recipe of the vectors that the checker compares.
    """
    asked = asked_recipe("theme_name", NAMES_VERSION, PROMPT, NameForm, MAX_NEW_TOKENS, model)
    return asked | {"embedding": embedding}


def choose_read(vectors: np.ndarray, quotes: Sequence[str], authors: Sequence[object]) -> list[int]:
    """Rows of the statements that a name is made of: nearest to their mean, an author and a wording once.

    Args:
        vectors: Of a theme's statements, float32 unit rows (n, n_dims).
        quotes: Their words.
        authors: Who wrote each.
    """
    if not len(quotes):
        return []
    near = np.round(vectors.astype(np.float64) @ vectors.astype(np.float64).mean(axis=0), 6)
    chosen: list[int] = []
    seen: set[object] = set()
    for row in np.argsort(-near, kind="stable").tolist():
        same = {("author", authors[row]), ("quote", quotes[row].casefold())}
        if READ_WORDS[0] <= count_words(quotes[row]) <= READ_WORDS[1] and not same & seen:
            chosen.append(row)
            seen |= same
        if len(chosen) == MAX_READ:
            break
    return chosen


def propose_names(
    model: LanguageModel,
    evidence: Sequence[Sequence[str]],
    checker: Checker,
    redact: Callable[[list[str]], list[str]],
    advance: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Let a model name each theme, and measure how well its statements support the name.

    Args:
        model: The language model.
        evidence: For each theme what it is given to read.
        checker: Finds how well that supports the name.
        redact: Takes personal data out of answers, as out of everything that is read.
        advance: Called with the number of themes just answered.

    Returns:
        One row per theme, in order, with the columns of NAME_ROWS.
    """
    readings = ask_about(model, PROMPT, evidence, NameForm, max_new_tokens=MAX_NEW_TOKENS, advance=advance)
    names = redact([tidy(one.value.name) if one.value else "" for one in readings])
    support = checker.support(names, evidence)
    rows = [
        {"name": name or None, "support": round(float(level), 6), **one.cost}
        for name, level, one in zip(names, support, readings, strict=True)
    ]
    return pl.DataFrame(rows, schema=NAME_ROWS)


def tidy(name: str) -> str:
    """A name on one line, without marks around it, its first letter large."""
    bare = " ".join(name.split()).strip(" .,:;!?\"'“”*-{}[]()<>")
    return bare[:1].upper() + bare[1:]


def is_borne_out(
    name: str,
    support: float,
    said: Iterable[tuple[object, str]],
    taken: Iterable[str],
    *,
    min_authors: int,
) -> bool:
    """Whether a proposed name may be a theme's.

    Args:
        name: The name.
        support: What the checker found.
        said: Author and words of the theme's statements.
        taken: Names of other themes.
        min_authors: So many distinct authors must use each word of it that says something.
    """
    words = _stems(name)
    is_short = NAME_WORDS[0] <= count_words(name) <= NAME_WORDS[1]
    if support < THRESHOLD or not is_short or len(words) < MIN_TELLING:
        return False
    if Sentence(name).numbers or any(words == _stems(other) for other in taken):
        return False
    statements = list(said)
    if _is_contradicted(name, [quote for _, quote in statements]):
        return False
    users: dict[str, set[object]] = {word: set() for word in words}
    for author, quote in statements:
        for word in words & _stems(quote):
            users[word].add(author)
    return all(len(who) >= min_authors for who in users.values())


def _is_contradicted(name: str, quotes: Sequence[str]) -> bool:
    """Whether a name praises or blames what too many statements speak of the other way."""
    tone = float(score_lexicon([name])[0])
    if abs(tone) < LABEL_MARGIN:
        return False
    n_against = np.count_nonzero(score_lexicon(quotes) * np.sign(tone) <= -LABEL_MARGIN)
    return bool(n_against > MAX_AGAINST * len(quotes))


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word, _ in Sentence(text).words)
