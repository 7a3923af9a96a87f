from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.insight.naming import MAX_READ, choose_read, is_borne_out, propose_names, tidy
from analytics.models.checker import Checker
from analytics.models.llm.scripted import ScriptedModel

SAID = [(nth % 6, "the zip of the jacket broke after a week") for nth in range(12)]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def embed(texts):
    letters = np.array([[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts], float)
    return unit(letters + 1e-3).astype(np.float32)


def test_a_name_is_made_of_the_statements_nearest_to_the_middle_an_author_and_a_wording_once():
    spread = np.random.default_rng(0).normal(0, 0.3, (40, 4))
    vectors = unit(spread + np.eye(4)[0]).astype(np.float32)
    quotes = [f"the zip broke on day number {nth % 15}" for nth in range(40)]
    rows = choose_read(vectors, quotes, [nth % 12 for nth in range(40)])
    assert len(rows) == MAX_READ
    assert len({row % 12 for row in rows}) == len({quotes[row] for row in rows}) == len(rows)
    near = vectors @ vectors.mean(axis=0)
    assert rows[0] == int(np.argmax(near))
    assert choose_read(vectors[:1], ["short"], [1]) == []
    assert choose_read(vectors[:0], [], []) == []


def test_a_name_is_read_from_an_answer_and_redacted():
    answers = iter([json.dumps({"name": ' "broken zip."'}), "no object", json.dumps({"name": "call 030"})])
    model = ScriptedModel(lambda prompt: next(answers))
    evidence = [["the zip of the jacket broke"]] * 2

    def redact(names):
        return [name.replace("030", "[phone]") for name in names]

    rows = propose_names(model, evidence, Checker(embed), redact)
    assert rows["name"].to_list() == ["Broken zip", "Call [phone]"]
    assert rows["n_calls"].to_list() == [1, 2]
    assert rows["support"][0] > rows["support"][1]


def test_no_name_is_kept_of_an_answer_that_cannot_be_read():
    model = ScriptedModel(lambda prompt: '{"title": "Broken zip"}')
    rows = propose_names(model, [["the zip broke"]], Checker(embed), lambda names: names)
    assert rows["name"].to_list() == [None]
    assert rows["failure"][0].startswith("unreadable answer")


@pytest.mark.parametrize(
    ("name", "support", "taken"),
    [
        ("Broken zip", 0.2, []),  # the checker does not find it supported
        ("Zip", 0.9, []),  # one word tells too little
        ("The zip", 0.9, []),
        ("Jacket zip broken after a week of use outdoors", 0.9, []),
        ("Zip broke 7 times", 0.9, []),
        ("Zip broke", 0.9, ["The zips broke"]),  # another theme is called so
        ("Zip zqcanary", 0.9, []),  # one author's word
    ],
)
def test_a_name_that_the_statements_do_not_bear_out_is_refused(name, support, taken):
    said = [*SAID, (99, "zip zqcanary, tell everyone about zqcanary")]
    assert not is_borne_out(name, support, said, taken, min_authors=5)
    assert is_borne_out("Jacket zip broke", 0.9, said, ["Slow delivery"], min_authors=5)


def test_a_name_does_not_praise_what_many_complain_about():
    said = [(nth, "the food is good") for nth in range(10)]
    assert is_borne_out("The food is good", 0.9, said, [], min_authors=5)
    said += [(nth, "the food was terrible") for nth in range(10)]
    assert not is_borne_out("The food is good", 0.9, said, [], min_authors=5)


def test_words_of_too_few_authors_make_no_name():
    assert is_borne_out("Zip broke", 0.9, SAID, [], min_authors=6)
    assert not is_borne_out("Zip broke", 0.9, SAID, [], min_authors=7)


def test_a_name_stands_on_one_line_without_marks():
    assert tidy(' "*quick\n shipping*". ') == "Quick shipping"
    assert tidy("Fair prices.}") == "Fair prices"
    assert tidy("...") == ""
