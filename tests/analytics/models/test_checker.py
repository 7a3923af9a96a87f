"""The checker: what is said stands, what is turned round, miscounted or about something else does not."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.models.checker import SIGNS, THRESHOLD, Checker, Sentence
from analytics.models.embedding import describe_model, load_embedder
from analytics.settings import EmbeddingSettings

REVIEWS = (
    "The zip broke after two weeks and the shop never answered.",
    "Great colours, and the bag is light enough to carry all day.",
    "I use it for travelling to Lisbon every month.",
    "The strap is comfortable.",
)


@pytest.fixture(scope="module")
def checker() -> Checker:
    settings = EmbeddingSettings()
    return Checker(load_embedder(describe_model(settings), settings).embed)


@pytest.mark.parametrize(
    "said",
    [
        "The zip broke after two weeks.",
        "The bag is light and comes in great colours.",
        "The strap is comfortable.",
        "The zip broke and the shop never answered.",
    ],
)
def test_what_the_evidence_says_stands(checker: Checker, said: str) -> None:
    assert checker.support([said], [REVIEWS])[0] >= THRESHOLD


@pytest.mark.parametrize(
    "said",
    [
        "The strap is not comfortable.",
        "The zip broke after nine weeks.",
        "The zip broke after 14 weeks.",
        "The coffee machine is comfortable.",
        "The waiter was rude and the soup was cold.",
        "I use it for travelling to Madrid every month.",
    ],
)
def test_what_it_does_not_say_falls(checker: Checker, said: str) -> None:
    assert checker.support([said], [REVIEWS])[0] < THRESHOLD


def test_without_evidence_or_words_nothing_stands(checker: Checker) -> None:
    assert checker.support(["The strap is comfortable.", "It is."], [(), REVIEWS]).tolist() == [0.0, 0.0]
    assert checker.signs([], []).shape == (0, len(SIGNS))


def test_sentences_are_checked_together_as_they_are_alone(checker: Checker) -> None:
    said = ["The strap is comfortable.", "The bag is heavy."]
    both = checker.support(said, [REVIEWS, REVIEWS])
    assert np.allclose(both, [checker.support([one], [REVIEWS])[0] for one in said], atol=0.02)


def test_a_negation_denies_the_words_behind_it() -> None:
    read = Sentence("The strap isn’t comfortable, and nobody called in 3 days, at twelve.")
    assert ("comfortable", True) in read.words
    assert ("strap", False) in read.words
    assert read.is_negated
    assert read.numbers == {"3", "12"}
    assert Sentence("We met Anna in Lisbon").names == {"anna", "lisbon"}
