from __future__ import annotations

import numpy as np
import polars as pl

from analytics.identity import hash_of
from analytics.insight.aspects import (
    ASPECTS_VERSION,
    aspects_recipe,
    find_terms,
    learn_vocabulary,
    propose_aspects,
)

TEXTS = [
    "The battery life is great but the charging cable broke.",
    "I love the battery life!",
    "The battery life was poor, and delivery took three weeks.",
    "Great service and friendly staff.",
    "It works.",
    "The staff was rude.",
]


def vectors_of(texts):
    words = ("battery", "cable", "delivery", "service", "staff", "works")
    rows = np.array([[word in text.lower() for word in words] for text in texts], np.float32) + 0.1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def proposed(texts, **options):
    terms = find_terms(texts)
    vocabulary = learn_vocabulary(terms, vectors_of(texts), None, 2)
    return propose_aspects(terms, vectors_of(texts), vocabulary, is_learned=True)


def test_candidates_are_runs_of_nouns_where_the_text_has_them():
    terms = find_terms(TEXTS)
    found = {text: [] for text in TEXTS}
    for row, start, end, term in terms.select("row", "start", "end", "term").iter_rows():
        assert TEXTS[row][start:end].lower() == term
        found[TEXTS[row]].append(term)
    assert found[TEXTS[0]] == ["battery life", "cable"]
    assert "staff" in found[TEXTS[5]]


def test_what_a_sentence_judges_comes_first():
    first = proposed(TEXTS).unique("row", keep="first", maintain_order=True)
    named = dict(first.select("row", "term").iter_rows())
    assert named[1] == "battery life"
    assert named[5] == "staff"
    assert 4 not in named, "a sentence that names nothing has no aspect"


def test_a_word_that_the_store_often_writes_is_likelier():
    alone = proposed([TEXTS[2], "It works.", "The staff was rude."])
    often = proposed(TEXTS)

    def likelihood(frame, row):
        return frame.filter((pl.col("row") == row) & (pl.col("term") == "battery life"))["likelihood"][0]

    assert likelihood(often, 2) > likelihood(alone, 0)


def test_a_vocabulary_holds_what_enough_authors_write():
    terms = find_terms(TEXTS)
    authors = pl.Series(["ann", "ann", "ann", "bob", "cat", "dan"])
    learned = learn_vocabulary(terms, vectors_of(TEXTS), authors, 2)
    assert "staff" in learned["term"]
    assert "battery life" not in learned["term"]
    assert learned.filter(term="staff")["share"].to_list() == [2 / 6]


def test_nothing_and_odd_words_are_no_trouble():
    assert find_terms([]).is_empty()
    assert find_terms(["", "…", "👍 !!", "a/b c_d"]).height >= 0
    assert learn_vocabulary(find_terms([]), np.zeros((0, 1), np.float32), None, 2).is_empty()
    empty = find_terms(["It works."]).head(0)
    assert propose_aspects(
        empty, vectors_of(["x"]), learn_vocabulary(empty, vectors_of(["x"]), None, 2)
    ).is_empty()


def test_a_change_of_output_needs_a_new_version():
    golden = (1, "e6ef45bc5c7bb9dfe0c1ec6218dd88f3")
    told = [(row, term, round(value, 4)) for row, _, _, term, value in proposed(TEXTS).iter_rows()]
    assert (ASPECTS_VERSION, hash_of([told, aspects_recipe()])) == golden
