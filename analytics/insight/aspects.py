"""Aspect terms without a language model: what a sentence is about, in its own words. English only.

Candidates are runs of nouns, told by a tagger. A logistic regression ranks them by the words around them, by
how often the store writes them and by how alike the statements are that hold them; its weights were fitted on
sentences with their aspects marked (`benchmarks/extraction.py --fit`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from analytics.models.sentiment import lexicon_words

ASPECTS_VERSION = 1
MAX_STATEMENTS = 20_000
"""A vocabulary is learned from at most so many statements."""
MAX_TERMS = 20_000
THRESHOLD = 0.4
"""A term that is less likely an aspect is not proposed."""

_TOKEN = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*|\d+(?:[.,]\d+)*|[^\w\s]")
_BREAKS = frozenset("but and although though however while which because , ; . ! ?".split())
_IS = frozenset(
    "is are was were be been isn't wasn't aren't weren't seems looks feels has have had comes came works "
    "tastes tasted arrived".split()
)
_LIKES = frozenset("like love loved recommend try enjoy liked hate".split())
_LIGHT = frozenset(
    "thing things lot lots bit time times way day days year years month months week weeks hour hours minute "
    "minutes reason kind sort people person place one ones everything anything nothing something everyone "
    "anyone someone nobody problem problems issue issues fact part love course job night evening today "
    "yesterday tomorrow morning friend friends husband wife family home house world".split()
)
"""Nouns that seldom say what a sentence is about."""
_PREPOSITIONS = ("for", "in", "with", "of", "at", "to", "on")

TERM_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "start": pl.Int32,
    "end": pl.Int32,
    "term": pl.String,  # lower case, one space between words
    "head": pl.String,  # its last word
    "signs": pl.Array(pl.Float32, 39),  # what the words around it say
}


def aspects_recipe() -> dict[str, Any]:
    """What decides the aspect terms of a sentence, beside the vocabulary."""
    return {"stage": "aspects", "version": ASPECTS_VERSION, "threshold": THRESHOLD}


def find_terms(texts: Sequence[str]) -> pl.DataFrame:
    """The candidates of each sentence: runs of nouns; see TERM_ROWS.

    Args:
        texts: English sentences.

    Returns:
        One row per candidate, `row` the index of its sentence, `start` and `end` its offsets there.
    """
    rows: list[tuple[Any, ...]] = []
    for row, text in enumerate(texts):
        spans = [found.span() for found in _TOKEN.finditer(text)]
        tokens = [text[start:end] for start, end in spans]
        tags = _tags(tokens)
        lower = [token.lower().replace("’", "'") for token in tokens]
        runs = _noun_runs(tokens, tags)
        for first, last in runs:
            signs = _signs(tags, lower, first, last, len(runs))
            term = " ".join(lower[first:last])
            rows.append((row, spans[first][0], spans[last - 1][1], term, lower[last - 1], signs))
    return pl.DataFrame(rows, schema=TERM_ROWS, orient="row")


@cache
def _tagger() -> Any:
    from textblob.en import tag

    return tag


def _tags(tokens: Sequence[str]) -> list[str]:
    """A part of speech for each token, by the Penn treebank's names."""
    tagged = [tag for _, tag in _tagger()(" ".join(tokens), tokenize=False)] if tokens else []
    # A token that the tagger cuts, or leaves out, would put every tag in the wrong place.
    return tagged if len(tagged) == len(tokens) else ["NN" if token[0].isalpha() else "." for token in tokens]


def _noun_runs(tokens: Sequence[str], tags: Sequence[str]) -> list[tuple[int, int]]:
    """Half-open ranges of tokens that are nouns, a gerund before one included."""
    is_noun = [tag.startswith("NN") and token[0].isalpha() for token, tag in zip(tokens, tags, strict=True)]
    runs: list[tuple[int, int]] = []
    first = 0
    while first < len(tokens):
        if not is_noun[first]:
            first += 1
            continue
        last = first
        while last < len(tokens) and (
            is_noun[last] or (tags[last] == "VBG" and last + 1 < len(tokens) and is_noun[last + 1])
        ):
            last += 1
        runs.append((first, last))
        first = last
    return runs


def _signs(tags: Sequence[str], lower: Sequence[str], first: int, last: int, n_runs: int) -> list[float]:
    """What the words of a candidate and around it say, as numbers."""
    judging = lexicon_words()
    head, before, after = lower[last - 1], _at(lower, first - 1), _at(lower, last)
    tag_before, tag_after = _at(tags, first - 1), _at(tags, last)
    prepositions = [_at(lower, first - 1) if tag_before == "IN" or before == "to" else ""]
    if tag_before in ("DT", "PRP$", "JJ") and (_at(tags, first - 2) == "IN" or _at(lower, first - 2) == "to"):
        prepositions.append(_at(lower, first - 2))
    preposition = next(filter(None, prepositions), "")
    begin = max((at + 1 for at in range(first) if lower[at] in _BREAKS), default=0)
    end = min((at for at in range(last, len(lower)) if lower[at] in _BREAKS), default=len(lower))
    judged = [at for at, word in enumerate(lower) if word in judging and not first <= at < last]
    far = len(lower) + 20
    anywhere = min((min(abs(at - first), abs(at - last + 1)) for at in judged), default=far)
    inside = [at for at in judged if begin <= at < end]
    nearest = min((min(abs(at - first), abs(at - last + 1)) for at in inside), default=far)
    return [
        float(sign)
        for sign in (
            head in _LIGHT,
            " ".join(lower[first:last]) in judging,
            last - first == 1,
            last - first > 2,
            tags[last - 1] == "NNS",
            tags[last - 1].startswith("NNP"),
            before in ("the", "their", "its"),
            before in ("my", "our", "your", "his", "her"),
            before in ("a", "an", "another"),
            before in ("this", "that", "these", "those"),
            before in ("any", "some", "no", "every", "each", "all"),
            tag_before.startswith("JJ"),
            before in judging,
            tag_before.startswith("VB"),
            first == 0,
            tag_before == "CD",
            tag_before == "PRP",
            before in ("and", ",", "or"),
            after in _IS,
            tag_after.startswith("VB"),
            after in ("", ".", "!", "?", ";"),
            after in ("and", ",", "or"),
            after == "of",
            *(preposition == one for one in _PREPOSITIONS),
            preposition not in ("", *_PREPOSITIONS),
            nearest <= 1,
            nearest <= 3,
            nearest <= 6,
            anywhere <= 10,
            np.log(n_runs),
            first / len(lower),
            len(head) <= 3,
            before in _LIKES,
        )
    ]


def _at(values: Sequence[str], place: int) -> str:
    return values[place] if 0 <= place < len(values) else ""


VOCABULARY_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "term": pl.String,
    "share": pl.Float64,  # of statements that hold it
}


def learn_vocabulary(
    terms: pl.DataFrame, vectors: np.ndarray, authors: pl.Series | None, min_authors: int
) -> pl.DataFrame:
    """How often terms are written, and what the statements that hold them are like.

    Args:
        terms: Columns row, term, head of `find_terms`.
        vectors: Vectors of the statements, float32 unit rows (n_statements, n_dims).
        authors: Who wrote each statement; None where each is another's.
        min_authors: A term is learned where so many distinct authors write it.

    Returns:
        Columns of VOCABULARY_ROWS and `vector` (sum of the statements' vectors), the most frequent terms.
    """
    held = pl.concat([terms.select("row", pl.col(name).alias("term")) for name in ("term", "head")]).unique()
    who = pl.Series("author", np.arange(len(vectors))) if authors is None else authors.alias("author")
    held = held.join(who.to_frame().with_row_index("row"), on="row")
    counted = (
        held.group_by("term")
        .agg(n=pl.len(), n_authors=pl.col("author").n_unique(), rows="row")
        .filter(pl.col("n_authors") >= max(2, min_authors))
        .sort(["n", "term"], descending=[True, False])
        .head(MAX_TERMS)
        .sort("term")
    )
    sums = [vectors[rows].sum(axis=0, dtype=np.float64) for rows in counted["rows"].to_list()]
    n_dims = vectors.shape[1] if vectors.ndim == 2 else 0
    return counted.select(
        "term",
        (pl.col("n") / max(1, len(vectors))).alias("share"),
        pl.Series(
            "vector",
            np.array(sums, np.float32).reshape(-1, max(1, n_dims)),
            pl.Array(pl.Float32, max(1, n_dims)),
        ),
    )


def aspect_signs(
    terms: pl.DataFrame, vectors: np.ndarray, vocabulary: pl.DataFrame, *, is_learned: bool
) -> np.ndarray:
    """What is known of each candidate: float64 (n_terms, n_signs).

    Args:
        terms: Candidates of `find_terms`.
        vectors: Vectors of the statements that `row` counts.
        vocabulary: What `learn_vocabulary` learned.
        is_learned: Whether it learned from these very statements, which then say nothing of themselves.
    """
    row_of = {term: row for row, term in enumerate(vocabulary["term"])}
    nobody = len(row_of)
    shares = np.append(vocabulary["share"].to_numpy(), 0.0)
    sums = np.zeros((nobody + 1, vectors.shape[1]))
    if nobody:
        sums[:nobody] = vocabulary["vector"].to_numpy()
    said = vectors[terms["row"].to_numpy()].astype(np.float64)
    columns = [np.array(terms["signs"].to_numpy(), np.float64).reshape(terms.height, -1)]
    for name in ("term", "head"):
        places = np.array([row_of.get(one, nobody) for one in terms[name]], np.int64)
        columns.append(np.log(shares[places] * 1e4 + 1)[:, None])
        others = sums[places] - (said if is_learned else 0.0)
        length = np.linalg.norm(others, axis=1)
        known = (places < nobody) & (length > 1e-6)
        alike = np.where(known, (others * said).sum(axis=1) / np.maximum(length, 1e-6), _USUAL_LIKENESS)
        columns += [alike[:, None], known[:, None].astype(np.float64)]
    return np.hstack(columns)


_USUAL_LIKENESS = 0.45


def propose_aspects(
    terms: pl.DataFrame, vectors: np.ndarray, vocabulary: pl.DataFrame, *, is_learned: bool = False
) -> pl.DataFrame:
    """The candidates that are likely aspects, the likeliest of each statement first.

    Args and errors as `aspect_signs`.

    Returns:
        Columns row, start, end, term, likelihood (0 to 1, at least THRESHOLD).
    """
    if terms.is_empty():
        return terms.select("row", "start", "end", "term", likelihood=pl.lit(None, pl.Float64))
    signs = aspect_signs(terms, vectors, vocabulary, is_learned=is_learned)
    likelihood = 1 / (1 + np.exp(-(signs @ np.array(_WEIGHTS) + _INTERCEPT)))
    return (
        terms.select("row", "start", "end", "term", pl.Series("likelihood", likelihood))
        .filter(pl.col("likelihood") >= THRESHOLD)
        .sort(["row", "likelihood", "start"], descending=[False, True, False])
    )


# fmt: off
_WEIGHTS = [
    -2.2585, -1.4507, -1.3058, 0.3758, 0.1053, 0.0155, 1.491, -0.116, 0.3484, 1.2329,
    -0.2486, 1.1058, 0.5026, 0.4666, 0.6339, -0.0483, -0.9807, 1.2113, 0.8023, 0.3869,
    0.2204, 0.446, -0.9403, -1.0068, -1.5553, 0.0617, 0.1795, -1.0243, -0.5803, -1.1006,
    -0.2023, -0.355, 0.2248, 0.121, -0.0008, -0.673, -0.96, -1.2442, 0.1819, 0.2174,
    0.4543, -0.6419, 0.2907, 2.2326, -0.8059,
]
# fmt: on
"""In order: of `_signs`; then frequency, likeness and whether that is known, of the term and of its head."""
_INTERCEPT = -1.1762
