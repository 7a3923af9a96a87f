"""Briefs: at most five sentences about a theme, an item or the night, each with the documents it rests on.

A brief is made of voices. A representative voice is a statement that covers much of what is said; a
dissenting one says the opposite where enough people do. A voice speaks in its own words, or in a sentence
that a language model made of it and of its neighbours; that one stands only where the checker finds it
supported by them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import Field

from analytics.insight.sentences import count_words, split_sentences
from analytics.insight.voices import choose_voices, group_by_voice
from analytics.models.checker import THRESHOLD, Checker, Sentence, stem
from analytics.models.llm.protocol import LanguageModel, LanguageModelCard
from analytics.models.llm.structured import COST_ROWS, Form, ask_about, asked_recipe

BRIEFS_VERSION = 2
PROMPT = "brief"
MAX_NEW_TOKENS = 60
MAX_SENTENCES = 5
N_VOICES = MAX_SENTENCES - 1
"""The figures are the fifth sentence."""
MAX_CITED = 6
"""Statements that a sentence is made of, at most."""
MIN_NEAR = 0.45
"""A neighbour of a voice is cited with it only where it is at least so near."""
VOICE_WORDS = (5, 40)
"""A voice has so many words."""
MIN_DISSENT_SHARE, MIN_DISSENT_AUTHORS = 0.1, 3
"""The other side is heard where it is at least so large."""
MIN_CARRIED = 0.6
"""Share of a sentence's telling words that one statement alone must have."""
REPEATED = 3
"""A sentence in which so many words in a row stand twice is no sentence of a brief."""
LONGEST = 120
"""Characters of a model's sentence, at most."""

REPRESENTATIVE, DISSENT = "representative", "dissent"
THEME, ITEM, NIGHT = "theme", "item", "night"


class SentenceForm(Form):
    """What the model answers."""

    sentence: Annotated[str, Field(min_length=10, max_length=LONGEST)]


@dataclass(frozen=True)
class Passage:
    """A sentence of a brief before it has words: who speaks, and who says so too."""

    voice: str
    rows: list[int]
    """Statements, the one that speaks first."""


def choose_passages(
    vectors: np.ndarray,
    quotes: Sequence[str],
    authors: Sequence[object],
    labels: Sequence[str | None],
    kept: Sequence[int] = (),
    may_speak: Sequence[bool] | None = None,
) -> list[Passage]:
    """Who speaks in a brief: voices that cover what is said, and the other side where it is large enough.

    Args:
        vectors: Of the statements, float32 unit rows (n, n_dims).
        quotes: Their words.
        authors: Who wrote each.
        labels: negative, neutral or positive; None unknown.
        kept: Rows that spoke when the brief was last made.
        may_speak: Which say it in words that others use too; no other speaks or is cited. All where left out.
    """
    heard = np.ones(len(quotes), dtype=bool) if may_speak is None else np.array(may_speak, dtype=bool)
    fits = [
        row
        for row, quote in enumerate(quotes)
        if heard[row] and VOICE_WORDS[0] <= count_words(quote) <= VOICE_WORDS[1]
    ]
    majority, minority = sides(labels, authors)
    of_majority = [row for row in fits if labels[row] == majority]
    if len({authors[row] for row in of_majority}) < N_VOICES:
        of_majority = [row for row in fits if labels[row] != minority]
    stay = [row for row in kept if row in of_majority]
    chosen = choose_voices(vectors, of_majority, authors, N_VOICES - (minority is not None), stay)
    agrees = heard & np.array([minority is None or label != minority for label in labels], dtype=bool)
    passages = [Passage(REPRESENTATIVE, rows) for rows in _cited(vectors, chosen, authors, agrees)]
    if minority is not None:
        other = [row for row in fits if labels[row] == minority]
        rows = np.array(other, dtype=np.int64)
        spoke = [int(np.flatnonzero(rows == row)[0]) for row in kept if row in other]
        picked = choose_voices(vectors[rows], range(len(rows)), [authors[row] for row in other], 1, spoke)
        for group in _cited(vectors[rows], picked, [authors[row] for row in other], heard[rows]):
            passages.append(Passage(DISSENT, [other[place] for place in group]))
    return passages


def sides(labels: Sequence[str | None], authors: Sequence[object]) -> tuple[str, str | None]:
    """The tone that most have, and the opposite one where enough people have it: negative or positive."""
    opposite = {"negative": "positive", "positive": "negative"}
    counts = {label: sum(one == label for one in labels) for label in opposite}
    majority = max(sorted(opposite), key=lambda label: counts[label])
    minority = opposite[majority]
    people = {author for author, label in zip(authors, labels, strict=True) if label == minority}
    is_large = counts[minority] >= MIN_DISSENT_SHARE * max(1, len(labels))
    return majority, minority if is_large and len(people) >= MIN_DISSENT_AUTHORS else None


def _cited(
    vectors: np.ndarray,
    voices: Sequence[int],
    authors: Sequence[object],
    may_be_cited: np.ndarray,
) -> list[list[int]]:
    """Each voice with those who say the same: near to it, among those that may be cited, an author once."""
    groups = []
    for group in group_by_voice(vectors, voices):
        voice, kept, spoke = group[0], [group[0]], {authors[group[0]]}
        for row in group[1:]:
            is_near = float(vectors[row] @ vectors[voice]) >= MIN_NEAR
            if len(kept) == MAX_CITED or not is_near:
                break
            if authors[row] not in spoke and may_be_cited[row]:
                kept.append(row)
                spoke.add(authors[row])
        groups.append(kept)
    return groups


def brief_recipe(model: LanguageModelCard, embedding: str) -> dict[str, Any]:
    """What decides a model's sentence and whether it stands.

    Args:
        model: The language model.
        embedding: Recipe of the vectors that the checker compares.
    """
    asked = asked_recipe("brief_sentence", BRIEFS_VERSION, PROMPT, SentenceForm, MAX_NEW_TOKENS, model)
    return asked | {"threshold": THRESHOLD, "embedding": embedding}


def write_sentences(
    model: LanguageModel,
    evidence: Sequence[Sequence[str]],
    checker: Checker,
    redact: Callable[[list[str]], list[str]],
    advance: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Let a model put each passage into one sentence, and check it against what it was given.

    Args:
        model: The language model.
        evidence: The statements of each passage.
        checker: Finds how well they support the sentence.
        redact: Takes personal data out of answers, as out of everything that is read.
        advance: Called with the number of passages just answered.

    Returns:
        One row per passage, in order: sentence (null: none was made), support (0 to 1), is_supported, and the
        columns of COST_ROWS.
    """
    readings = ask_about(
        model, PROMPT, evidence, SentenceForm, max_new_tokens=MAX_NEW_TOKENS, advance=advance
    )
    texts = redact([one.value.sentence if one.value else "" for one in readings])
    said = [first_sentence(text) for text in texts]
    read = [some[: max(1, one.answer.n_pieces_read)] for some, one in zip(evidence, readings, strict=True)]
    support = checker.support([one or "" for one in said], read)
    rows = []
    for one, sentence, some, level in zip(readings, said, read, support, strict=True):
        is_supported = sentence is not None and level >= THRESHOLD and is_carried(sentence, some)
        rows.append(
            {
                "sentence": sentence,
                "support": round(float(level), 6) if sentence is not None else 0.0,
                "is_supported": is_supported,
                **one.cost,
            }
        )
    schema = {
        "sentence": pl.String,
        "support": pl.Float64,
        "is_supported": pl.Boolean,
        **COST_ROWS,
    }
    return pl.DataFrame(rows, schema=schema)


def first_sentence(answer: str) -> str | None:
    """The first whole sentence of an answer, without marks around it; None: none."""
    text = answer.strip(" \"'“”\n*-")
    spans = split_sentences(text)
    if not spans:
        return None
    sentence = " ".join(text[spans[0][0] : spans[0][1]].split()).strip(" \"'“”*-")
    is_whole = sentence.endswith((".", "!", "?"))
    return sentence if is_whole and count_words(sentence) >= 3 else None


_REPORTING = frozenset(
    "agree complain enjoy feel find report mention note praise say several state think write".split()
)
"""What a sentence about what many say begins with; no customer need have written it."""


def is_carried(sentence: str, evidence: Sequence[str]) -> bool:
    """Whether one statement alone says nearly all of a sentence, its numbers too, and it repeats nothing.

    What a small model pieces together of several statements is often said by none of them.
    """
    said = Sentence(sentence)
    tokens = [token.lower() for token in said.tokens]
    runs = [tuple(tokens[place : place + REPEATED]) for place in range(len(tokens) - REPEATED + 1)]
    if len(runs) > len(set(runs)):
        return False
    stems = [stem(word) for word, _ in said.words if word not in _REPORTING]
    if not stems:
        return False
    for one in map(Sentence, evidence):
        known = {stem(word) for word, _ in one.words}
        n_known = sum(word in known for word in stems)
        if said.numbers <= one.numbers and n_known >= MIN_CARRIED * len(stems):
            return True
    return False


@dataclass(frozen=True)
class Standing:
    """What a brief stands on: compared between the night that made it and tonight."""

    n_opinions: int
    share: float
    negative_share: float


MOVED_EVIDENCE = 0.2
MOVED_SHARE = 0.25
MOVED_TONE = 0.1
"""A brief is made anew where so much of its evidence, of its share or of its tone has moved."""


def has_moved(then: Standing, now: Standing, n_new: int) -> bool:
    """Whether a brief says what is no longer so.

    Args:
        then: When it was made.
        now: Tonight.
        n_new: Statements of tonight that were not there then.
    """
    n_gone = max(0, then.n_opinions - (now.n_opinions - n_new))
    evidence = (n_new + n_gone) / max(1, then.n_opinions)
    share = abs(now.share - then.share) / max(then.share, 1e-9)
    return (
        evidence >= MOVED_EVIDENCE
        or share >= MOVED_SHARE
        or abs(now.negative_share - then.negative_share) >= MOVED_TONE
    )
