"""How well aspects and what is said of them are found, beside marked sentences and a plain baseline."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.insight.aspects import find_terms, learn_vocabulary, propose_aspects
from analytics.insight.extraction import extract_statements
from analytics.models.checker import STOP_WORDS, Embed
from analytics.models.llm.protocol import LanguageModel
from analytics.models.sentiment import LABEL_MARGIN, score_lexicon

Pair = tuple[str, str]
"""An aspect term in lower case, and negative, neutral or positive."""
MIN_TOKEN_F1 = 0.5
"""A term is found where its words and a marked term's agree so far."""
_N_RESAMPLED = 2_000
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,]\d+)*|[^\w\s]")


@dataclass(frozen=True)
class Found:
    """What one path found."""

    pairs: list[set[Pair]]
    """For each sentence."""
    seconds: float


def by_word_runs(texts: Sequence[str]) -> Found:
    """The baseline: runs of at most three words between stop words, the sentence's tone by the lexicon."""
    started = time.perf_counter()
    tones = _tones(texts)
    pairs = [{(run, tone) for run in _word_runs(text)} for text, tone in zip(texts, tones, strict=True)]
    return Found(pairs, time.perf_counter() - started)


def _word_runs(text: str, longest: int = 3) -> list[str]:
    words = [found[0].lower() for found in _WORD.finditer(text)]
    content = [word[0].isalpha() and word.replace("'", "") not in STOP_WORDS for word in words]
    runs = [
        [word for word, _ in group]
        for is_content, group in itertools.groupby(zip(words, content, strict=True), lambda pair: pair[1])
        if is_content
    ]
    return [" ".join(run) for run in runs if len(run) <= longest]


def by_aspects(texts: Sequence[str], embed: Embed) -> Found:
    """The encoder's path: aspect terms proposed, and the lexicon's tone, as in a store without ratings."""
    started = time.perf_counter()
    terms = find_terms(texts)
    vectors = embed(texts)
    vocabulary = learn_vocabulary(terms, vectors, None, 2)
    proposed = propose_aspects(terms, vectors, vocabulary, is_learned=True)
    tones = _tones(texts)
    pairs: list[set[Pair]] = [set() for _ in texts]
    for row, term in proposed.select("row", "term").iter_rows():
        pairs[row].add((term, tones[row]))
    return Found(pairs, time.perf_counter() - started)


def by_model(texts: Sequence[str], model: LanguageModel) -> Found:
    """The language model's path: what it extracts, where the text holds it."""
    started = time.perf_counter()
    said = extract_statements(model, texts)
    names = {-1.0: "negative", 0.0: "neutral", 1.0: "positive"}
    pairs = [
        {(aspect.lower(), names[tone]) for aspect, tone in zip(aspects, tones, strict=True) if aspect}
        for aspects, tones in said.select("aspects", "sentiments").iter_rows()
    ]
    return Found(pairs, time.perf_counter() - started)


def _tones(texts: Sequence[str]) -> list[str]:
    scores = score_lexicon(texts)
    return np.select(
        [scores >= LABEL_MARGIN, scores <= -LABEL_MARGIN], ["positive", "negative"], "neutral"
    ).tolist()


def count_matches(found: Iterable[Pair], marked: Iterable[Pair]) -> int:
    """How many marked pairs are found, each by one pair of the same tone whose words agree."""
    left = list(marked)
    n_matches = 0
    for term, tone in sorted(found):
        agreed = [token_f1(term, other) if tone == its else 0.0 for other, its in left]
        if agreed and max(agreed) >= MIN_TOKEN_F1:
            left.pop(int(np.argmax(agreed)))
            n_matches += 1
    return n_matches


def token_f1(one: str, other: str) -> float:
    """Agreement of the words of two terms: twice the shared ones by all of them."""
    words, others = (Counter(_WORD.findall(term)) for term in (one, other))
    n_shared = (words & others).total()
    return 2 * n_shared / (words.total() + others.total()) if n_shared else 0.0


def measure(found: Found, marked: Sequence[set[Pair]]) -> dict[str, float]:
    """Precision, recall and F1 of pairs over all sentences, and sentences a second."""
    n_matches, n_found, n_marked = _counts(found.pairs, marked).sum(axis=0)
    return {
        "precision": round(float(n_matches / max(1, n_found)), 6),
        "recall": round(float(n_matches / max(1, n_marked)), 6),
        "f1": round(_f1(np.array([n_matches, n_found, n_marked])), 6),
        "documents_per_second": round(len(marked) / max(found.seconds, 1e-9), 3),
    }


def _counts(pairs: Sequence[set[Pair]], marked: Sequence[set[Pair]]) -> np.ndarray:
    rows = [
        (count_matches(one, other), len(one), len(other)) for one, other in zip(pairs, marked, strict=True)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _f1(counts: np.ndarray) -> float:
    return float(2 * counts[0] / max(1, counts[1] + counts[2]))


def f1_gain(
    found: Found, other: Found, marked: Sequence[set[Pair]], *, seed: int
) -> tuple[float, float, float]:
    """How much higher the F1 of one path is than another's, with a 95 % interval (paired bootstrap)."""
    ours, theirs = _counts(found.pairs, marked), _counts(other.pairs, marked)
    draw = np.random.default_rng(seed)
    gains = []
    for _ in range(_N_RESAMPLED):
        rows = draw.integers(0, len(marked), len(marked))
        gains.append(_f1(ours[rows].sum(axis=0)) - _f1(theirs[rows].sum(axis=0)))
    low, high = np.quantile(gains, [0.025, 0.975])
    return _f1(ours.sum(axis=0)) - _f1(theirs.sum(axis=0)), float(low), float(high)


def evaluate_extraction(
    texts: Sequence[str],
    marked: Sequence[set[Pair]],
    embed: Embed,
    load_model: Callable[[], LanguageModel] | None,
    *,
    n_for_model: int,
    seed: int,
) -> dict[str, Any]:
    """Every path beside the marks and the baseline.

    Args:
        texts: Sentences.
        marked: Their aspect terms and what is said of them; implicit aspects left out.
        embed: The embedding model.
        load_model: The language model; None leaves its path out.
        n_for_model: The language model reads so many of the sentences, drawn by chance.
        seed: Of the draws.

    Returns:
        For each path (baseline, encoder, model): precision, recall, f1, documents_per_second and n; and
        f1_gain, f1_gain_low, f1_gain_high over the baseline on the same sentences.
    """
    baseline = by_word_runs(texts)
    encoder = by_aspects(texts, embed)
    paths = {"baseline": {**measure(baseline, marked), "n": len(texts)}}
    paths["encoder"] = {**measure(encoder, marked), "n": len(texts)}
    _add_gain(paths["encoder"], f1_gain(encoder, baseline, marked, seed=seed))
    if load_model is not None:
        rows = np.random.default_rng(seed).permutation(len(texts))[:n_for_model].tolist()
        model = load_model()
        some, their = [texts[row] for row in rows], [marked[row] for row in rows]
        found = by_model(some, model)
        paths["model"] = {**measure(found, their), "n": len(rows)}
        _add_gain(paths["model"], f1_gain(found, by_word_runs(some), their, seed=seed))
    return paths


def _add_gain(path: dict[str, float], gain: tuple[float, float, float]) -> None:
    names = ("f1_gain", "f1_gain_low", "f1_gain_high")
    path.update({name: round(value, 6) for name, value in zip(names, gain, strict=True)})
