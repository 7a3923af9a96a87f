"""Does a text support a sentence: likeness of sentences and words, negation, tone, numbers and names.

The signs are measured for a sentence and its evidence and weighed by a logistic regression whose weights were
fitted on true and corrupted pairs (`benchmarks/checking.py --fit`); nothing is generated. English only: the
words that negate are known for no other language.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analytics.models.sentiment import score_lexicon

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts into float32 unit rows (n_texts, n_dims)."""

_TOKEN = re.compile(r"[A-Za-z]+(?:[’'][A-Za-z]+)?|\d+(?:[.,:/]\d+)*")
_NEGATIONS = frozenset(
    "not no never none nobody nothing neither nor without cannot cant dont doesnt didnt isnt wasnt "
    "arent werent wont wouldnt couldnt shouldnt hasnt havent hadnt aint hardly barely lacks lack "
    "lacking fails fail failed unable".split()
)
STOP_WORDS = frozenset(
    "a about above after again all also am an and any are as at be because been before being below "
    "between both but by can could did do does doing down during each even few for from further get "
    "gets got had has have having he her here hers him his how i if in into is it its itself just "
    "like made make makes many may me might more most much must my of off on once one ones only or "
    "other our ours out over own really s same shall she should so some such t than that the their "
    "theirs them then there these they thing things this those through to too under until up upon us "
    "use used very was way we well were what when where which while who will with would you your "
    "yours overall product products place item items people customer customers reviewer reviewers "
    "review reviews".split()
)
_FIGURES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split()
_NUMBERS = {word: str(n) for n, word in enumerate(_FIGURES)}
_SCOPE = 4
"""Content words behind a negation that it denies, and as many in the same sentence of the evidence."""
_ALIKE = 0.72
"""Words are taken for the same where their vectors are at least so near."""
_NEAREST = 3
_NEAR = 0.5


@dataclass(frozen=True)
class Sentence:
    """A sentence taken apart."""

    text: str

    @cached_property
    def tokens(self) -> list[str]:
        """Words and numbers, as they are written."""
        return _TOKEN.findall(self.text)

    @cached_property
    def words(self) -> list[tuple[str, bool]]:
        """Content words in lower case, with whether a negation before them denies them."""
        found: list[tuple[str, bool]] = []
        left = 0
        for token in self.tokens:
            word = token.lower().replace("’", "'")
            if _denies(token):
                left = _SCOPE
            elif (
                word not in STOP_WORDS
                and word.replace("'", "") not in STOP_WORDS
                and not word[0].isdigit()
                and len(word) > 1
            ):
                found.append((word.removesuffix("'s"), left > 0))
                left -= 1
        return found

    @cached_property
    def is_negated(self) -> bool:
        """Whether anything in it is denied."""
        return any(map(_denies, self.tokens))

    @cached_property
    def numbers(self) -> set[str]:
        """Numbers in figures; words up to fourteen are figures too, but for "one", which seldom counts."""
        figures = {token.rstrip(".,:/") for token in self.tokens if token[0].isdigit()}
        words = {_NUMBERS[token.lower()] for token in self.tokens if token.lower() in _NUMBERS} - {"1", "0"}
        return figures | words

    @cached_property
    def names(self) -> set[str]:
        """Capitalised words that do not begin the sentence."""
        return {
            token.lower()
            for token in self.tokens[1:]
            if token[0].isupper() and token.lower() not in STOP_WORDS and token.upper() != "I"
        }


def _denies(token: str) -> bool:
    bare = token.lower().replace("’", "'")
    return bare.endswith("n't") or bare.replace("'", "") in _NEGATIONS


_WEIGHTS = {
    "nearest": 2.6639,
    "nearest_few": 5.7491,
    "words_found": -2.8054,
    "words_alike": 11.5877,
    "least_alike": 0.8129,
    "second_least_alike": -2.9914,
    "first_alike": 0.4139,
    "together": -6.5553,
    "first_with_rest": 4.1223,
    "first_share": -0.519,
    "near_share": -2.4758,
    "denied_otherwise": -2.1038,
    "denied_at_most": -1.8779,
    "nearest_denied_otherwise": -1.0308,
    "tone_apart": -0.7035,
    "numbers_missing": -6.4145,
    "names_missing": -1.0344,
    "n_words": -0.4602,
}
SIGNS = tuple(_WEIGHTS)
"""What is measured, in the order of columns."""
_INTERCEPT = -5.4845
THRESHOLD = 0.6
"""A sentence with less support does not stand: nine of ten corrupted pairs of the fit lie below."""


def support_of(signs: np.ndarray) -> np.ndarray:
    """How likely sentences are supported, 0 to 1: float64 (n,)."""
    return np.asarray(1 / (1 + np.exp(-(signs @ np.array(list(_WEIGHTS.values())) + _INTERCEPT))))


class Checker:
    """Measures how well evidence supports sentences.

    Args:
        embed: Turns sentences and words into vectors.
    """

    def __init__(self, embed: Embed):
        self._embed = embed
        self._known: dict[str, np.ndarray] = {}
        self._tones: dict[str, float] = {}

    def support(self, sentences: Sequence[str], evidence: Sequence[Sequence[str]]) -> np.ndarray:
        """How likely each sentence is supported by its evidence, 0 to 1: float64 (n,); see `signs`.

        A sentence without a word to check, or without evidence, is not supported.
        """
        signs = self.signs(sentences, evidence)
        return np.where(signs.any(axis=1), support_of(signs), 0.0)

    def signs(self, sentences: Sequence[str], evidence: Sequence[Sequence[str]]) -> np.ndarray:
        """What is measured for each sentence against its evidence: float64 (n, len(SIGNS)).

        Args:
            sentences: What is said.
            evidence: For each, the sentences that are to support it.
        """
        read = {text: Sentence(text) for text in {*sentences, *(one for some in evidence for one in some)}}
        words = {word for one in read.values() for word, _ in one.words}
        self._know([*read, *words])
        return np.array(
            [
                self._measure(read[said], [read[one] for one in some])
                for said, some in zip(sentences, evidence, strict=True)
            ],
            dtype=np.float64,
        ).reshape(-1, len(SIGNS))

    def _know(self, texts: Sequence[str]) -> None:
        new = sorted(set(texts) - self._known.keys())
        if new:
            self._known.update(zip(new, self._embed(new), strict=True))

    def _tone(self, text: str) -> float:
        if text not in self._tones:
            self._tones[text] = float(score_lexicon([text])[0])
        return self._tones[text]

    def _measure(self, said: Sentence, evidence: list[Sentence]) -> list[float]:
        """The signs of one sentence; all zero where there is nothing to compare."""
        if not evidence or not said.words:
            return [0.0] * len(SIGNS)
        near = np.stack([self._known[one.text] for one in evidence]) @ self._known[said.text]
        order = np.argsort(-near, kind="stable")[:_NEAREST]
        told = [(word, denied) for one in evidence for word, denied in one.words]
        spans = np.cumsum([0, *(len(one.words) for one in evidence)])
        if not told:
            return [0.0] * len(SIGNS)
        own = np.stack([self._known[word] for word, _ in said.words])
        likeness = own @ np.stack([self._known[word] for word, _ in told]).T
        stems = np.array([stem(word) for word, _ in said.words])
        is_same = stems[:, None] == np.array([stem(word) for word, _ in told])
        likeness[is_same] = 1.0
        best = likeness.max(axis=1)
        by_sentence = np.stack(
            [likeness[:, a:b].max(axis=1) for a, b in itertools.pairwise(spans) if b > a], axis=1
        )
        together = by_sentence.mean(axis=0)
        has_first = by_sentence[0] >= _ALIKE
        rest = by_sentence[1:].mean(axis=0) if len(said.words) > 1 else by_sentence[0]
        apart = _denied_otherwise(said, told, likeness)
        worst = np.sort(best)
        numbers = {number for one in evidence for number in one.numbers}
        names = {token.lower() for one in evidence for token in one.tokens}
        otherwise = [evidence[nth].is_negated != said.is_negated for nth in order]
        tones = [self._tone(evidence[nth].text) for nth in order]
        return [
            float(near[order[0]]),
            float(near[order].mean()),
            float(is_same.any(axis=1).mean()),
            float(best.mean()),
            float(worst[0]),
            float(worst[min(1, len(worst) - 1)]),
            float(best[0]),
            float(together.max()),
            float(rest[has_first].max()) if has_first.any() else 0.0,
            float(has_first.mean()),
            float((near > _NEAR).mean()),
            float(np.mean(apart)),
            float(np.max(apart)),
            float(np.mean(otherwise)),
            abs(self._tone(said.text) - float(np.mean(tones))),
            float(bool(said.numbers - numbers)),
            float(bool(said.names - names)),
            float(np.log(len(said.words))),
        ]


def _denied_otherwise(said: Sentence, told: list[tuple[str, bool]], likeness: np.ndarray) -> list[float]:
    """For each word of a sentence that the evidence has, the share of its places that deny it otherwise."""
    denied = np.array([is_denied for _, is_denied in told], dtype=float)
    same = likeness >= _ALIKE
    return [
        abs(float(is_denied) - float(denied[same[nth]].mean()))
        for nth, (_, is_denied) in enumerate(said.words)
        if same[nth].any()
    ] or [0.0]


_ENDINGS = ("ingly", "edly", "ing", "ies", "ied", "est", "ed", "ly", "er", "es", "s", "y", "e")


def stem(word: str) -> str:
    """A word in lower case without its ending."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
