from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from analytics.insight.briefs import (
    DISSENT,
    MAX_CITED,
    MAX_SENTENCES,
    REPRESENTATIVE,
    Standing,
    choose_passages,
    first_sentence,
    has_moved,
    is_carried,
    sides,
    write_sentences,
)
from analytics.insight.voices import choose_voices, group_by_voice
from analytics.models.llm.scripted import ScriptedModel

AXES = np.eye(4, dtype=np.float32)


def around(axis, n, seed):
    rows = AXES[axis] + np.random.default_rng(seed).normal(0, 0.05, (n, 4)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_voices_cover_what_is_said_the_largest_part_first():
    vectors = np.vstack([around(0, 3, 1), around(1, 12, 2), around(2, 6, 3)])
    voices = choose_voices(vectors, range(len(vectors)), range(len(vectors)), 3)
    assert [np.argmax(vectors[row]) for row in voices] == [1, 2, 0]
    groups = group_by_voice(vectors, voices)
    assert [len(group) for group in groups] == [12, 6, 3]
    assert [group[0] for group in groups] == voices


def test_an_author_speaks_once_and_nobody_says_the_same_twice():
    vectors = np.vstack([around(0, 3, 1), around(1, 3, 2)])
    assert len(choose_voices(vectors, range(6), ["ann"] * 6, 3)) == 1
    same = np.repeat(AXES[:1], 5, axis=0)
    assert len(choose_voices(same, range(5), range(5), 3)) == 1
    assert choose_voices(same, [], range(5), 3) == []


def test_voices_stay_while_they_cover_nearly_as_much_as_the_best():
    vectors = np.vstack([around(0, 10, 1), around(1, 10, 2), around(2, 1, 3)])
    best = choose_voices(vectors, range(21), range(21), 2)
    other = next(row for row in range(10) if row not in best)
    assert other in choose_voices(vectors, range(21), range(21), 2, kept=[other])
    assert 20 not in choose_voices(vectors, range(21), range(21), 2, kept=[20])


def brief(n_bad, n_good, kept=()):
    quotes = [f"the lid of number {nth} leaks badly" for nth in range(n_bad)]
    quotes += [f"the lid of number {nth} is lovely" for nth in range(n_good)]
    vectors = np.vstack([around(0, n_bad, 1), around(1, n_good, 2)])
    labels = ["negative"] * n_bad + ["positive"] * n_good
    return choose_passages(vectors, quotes, list(range(len(quotes))), labels, kept), labels


def test_the_other_side_speaks_where_it_is_large_enough():
    passages, labels = brief(20, 5)
    assert len(passages) < MAX_SENTENCES
    assert {
        labels[row] for passage in passages if passage.voice == REPRESENTATIVE for row in passage.rows
    } == {"negative"}
    dissent = [passage for passage in passages if passage.voice == DISSENT]
    assert len(dissent) == 1
    assert {labels[row] for row in dissent[0].rows} == {"positive"}
    assert all(len(passage.rows) <= MAX_CITED for passage in passages)
    assert not [p for p in brief(40, 2)[0] if p.voice == DISSENT], "two people are too few"
    assert sides(["negative"] * 40 + ["positive"] * 3, range(43)) == ("negative", None)


def test_a_quote_too_short_or_too_long_does_not_speak():
    quotes = ["bad", "the lid leaks all over the table", "word " * 60]
    passages = choose_passages(around(0, 3, 1), quotes, [1, 2, 3], ["negative"] * 3)
    assert [passage.rows[0] for passage in passages] == [1]


def test_a_quote_in_words_of_its_own_neither_speaks_nor_is_cited():
    vectors = np.vstack([around(0, 10, 1), around(1, 10, 2)])
    quotes = [f"the lid of number {nth} is what it is" for nth in range(20)]
    labels = ["negative"] * 10 + ["positive"] * 10
    planted = {0, 3, 12}
    may_speak = [row not in planted for row in range(20)]
    passages = choose_passages(vectors, quotes, list(range(20)), labels, [0, 12], may_speak)
    cited = {row for passage in passages for row in passage.rows}
    assert len(cited) > 6
    assert not cited & planted
    everybody = choose_passages(vectors, quotes, list(range(20)), labels, [0, 12])
    assert {row for passage in everybody for row in passage.rows} & planted


def test_a_brief_is_made_anew_when_its_ground_has_moved():
    then = Standing(100, 0.02, 0.5)
    assert not has_moved(then, Standing(110, 0.021, 0.52), n_new=10)
    assert has_moved(then, Standing(120, 0.021, 0.5), n_new=20)
    assert has_moved(then, Standing(100, 0.02, 0.5), n_new=10), "ten came and ten went"
    assert has_moved(then, Standing(101, 0.026, 0.5), n_new=1)
    assert has_moved(then, Standing(101, 0.02, 0.61), n_new=1)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("The lid leaks badly.\nThe lid leaks.", "The lid leaks badly."),
        ('"The lid leaks badly."', "The lid leaks badly."),
        ("The lid leaks badly. It is not", "The lid leaks badly."),
        ("The lid of this leaks and", None),
        ("The lid", None),
        ("", None),
        ("word " * 100, None),
    ],
)
def test_of_an_answer_the_first_whole_sentence_counts(answer, sentence):
    assert first_sentence(answer) == sentence


class Supporting:
    """A checker that finds what it is told to."""

    def __init__(self, level):
        self.level = level
        self.seen = []

    def support(self, sentences, evidence):
        self.seen += list(zip(sentences, evidence, strict=True))
        return np.full(len(sentences), self.level)


def written(answer, level=0.9, evidence=("The lid leaks after 3 days.",), redact=list):
    checker = Supporting(level)
    rows = write_sentences(
        ScriptedModel(lambda prompt: json.dumps({"sentence": answer})), [evidence], checker, redact
    )
    return rows.row(0, named=True)


def test_a_sentence_stands_only_where_it_is_supported():
    assert written("The lid of it leaks.")["is_supported"]
    assert not written("The lid of it leaks.", level=0.4)["is_supported"]
    assert not written("The lid leaks after 30 days.")["is_supported"], "a number that nobody wrote"
    assert written("The lid leaks after 3 days.")["is_supported"]
    assert not written("Hm")["is_supported"]


@pytest.mark.parametrize(
    ("sentence", "stands"),
    [
        ("Several customers say that the lid leaks on the table.", True),
        ("It leaked after 3 days and cost 40 euros.", False),  # of two customers
        ("It leaked after 3 days.", True),
        ("The kids wait weeks for a leaking kettle until Christmas.", False),  # nobody says so
        ("The lid leaks on the table, and the lid leaks again.", False),  # twice the same
        ("The lid leaks", True),
        ("Several customers say so.", False),  # nothing that anybody could have said
    ],
)
def test_a_sentence_is_carried_by_one_statement_alone(sentence, stands):
    said = [
        "The lid leaks all over my table.",
        "Mine leaked after 3 days.",
        "It cost 40 euros.",
        "I gave the kettle to the kids for Christmas.",
    ]
    assert is_carried(sentence, said) == stands
    assert not is_carried(sentence, [])


def test_answers_are_redacted_before_anything_is_done_with_them():
    row = written("Write to ann@example.org about it.", redact=lambda texts: ["Write to [email] about it."])
    assert row["sentence"] == "Write to [email] about it."


def test_what_failed_says_why():
    def broken(prompt):
        raise RuntimeError("out of memory")

    rows = write_sentences(ScriptedModel(broken), [["The lid leaks."]], Supporting(0.9), list)
    row = rows.row(0, named=True)
    assert (row["sentence"], row["is_supported"], row["failure"]) == (None, False, "out of memory")
    assert rows.schema["support"] == pl.Float64
