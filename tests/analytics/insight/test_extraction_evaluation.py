from __future__ import annotations

import pytest

from analytics.insight.extraction_evaluation import (
    Found,
    by_word_runs,
    count_matches,
    f1_gain,
    measure,
    token_f1,
)

MARKED = [{("battery life", "negative"), ("screen", "positive")}, {("staff", "positive")}, set()]


def test_terms_agree_by_their_words():
    assert token_f1("battery life", "the battery life") == pytest.approx(0.8)
    assert token_f1("battery", "battery life") == pytest.approx(2 / 3)
    assert token_f1("lifetime", "life") == 0.0


def test_a_pair_counts_once_and_only_with_its_tone():
    assert count_matches({("battery", "negative"), ("life", "negative")}, MARKED[0]) == 1
    assert count_matches({("battery life", "positive")}, MARKED[0]) == 0
    assert count_matches({("screen", "positive"), ("battery life", "negative")}, MARKED[0]) == 2


def test_precision_and_recall_count_pairs():
    found = Found([{("screen", "positive")}, {("food", "positive")}, {("lid", "neutral")}], 1.5)
    measured = measure(found, MARKED)
    assert measured["precision"] == pytest.approx(1 / 3, abs=1e-6)
    assert measured["recall"] == pytest.approx(1 / 3, abs=1e-6)
    assert measured["documents_per_second"] == 2.0


def test_the_gain_has_an_interval_around_it():
    marked = MARKED * 40
    right, wrong = Found(marked, 1.0), Found([set() for _ in marked], 1.0)
    gain, low, high = f1_gain(right, wrong, marked, seed=1)
    assert (gain, low, high) == (1.0, 1.0, 1.0)
    gain, low, high = f1_gain(right, right, marked, seed=1)
    assert low == gain == high == 0.0


def test_the_baseline_takes_words_between_stop_words():
    found = by_word_runs(["The screen is great, and the battery life lasts."])
    assert ("screen", "positive") in found.pairs[0]
    assert any("battery life" in term for term, _ in found.pairs[0])
