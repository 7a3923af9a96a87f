from __future__ import annotations

import json

import polars as pl

from analytics.insight.extraction import (
    MAX_SENTENCES,
    Statements,
    extract_statements,
    extraction_recipe,
    find_words,
    locate,
)
from analytics.insight.kinds import statement_kind
from analytics.insight.sentences import split_sentences
from analytics.models.llm.grammar import grammar_of
from analytics.models.llm.protocol import LanguageModelCard
from analytics.models.llm.scripted import ScriptedModel
from analytics.models.llm.structured import schema_of

TEXT = "The Battery  life is poor. I love the screen and the keys. Where is my parcel?"


def statement(sentence, aspect="", opinion="", sentiment="negative", kind="problem"):
    return {
        "sentence": sentence,
        "aspect": aspect,
        "opinion": opinion,
        "sentiment": sentiment,
        "kind": kind,
    }


def answering(*statements):
    return ScriptedModel(lambda prompt: json.dumps({"statements": list(statements)}))


def test_statements_are_found_where_the_text_says_them():
    said = answering(
        statement(2, "keys", "love", "positive", "praise"),
        statement(1, "battery life", "is  POOR"),
        statement(2, "screen", "adore", "positive", "praise"),
        statement(3, "", "", "neutral", "question"),
    )
    row = extract_statements(said, [TEXT]).row(0, named=True)
    quotes = [TEXT[start:end] for start, end in zip(row["starts"], row["ends"], strict=True)]
    assert quotes[0] == "The Battery  life is poor."
    assert quotes[1] == quotes[2] == "I love the screen and the keys."
    assert row["aspects"] == ["Battery  life", "keys", "screen", None]
    assert row["said"] == ["is poor", "love", None, None]
    assert row["sentiments"] == [-1.0, 1.0, 1.0, 0.0]
    assert row["kinds"] == ["problem", "praise", "praise", "question"]
    assert (row["n_rejected"], row["n_unread"], row["failure"]) == (0, 0, None)


def test_what_the_text_does_not_hold_is_rejected_and_counted():
    said = answering(
        statement(4, "screen"),
        statement(1, "charger"),
        statement(1, "batter"),
        statement(1, "battery life"),
        statement(1, "Battery Life"),
    )
    row = extract_statements(said, [TEXT]).row(0, named=True)
    assert (len(row["starts"]), row["n_rejected"]) == (1, 3)


def test_an_unreadable_answer_is_asked_for_twice_and_fails():
    row = extract_statements(ScriptedModel(lambda prompt: "Sure! Here it is"), [TEXT]).row(0, named=True)
    assert row["starts"] == []
    assert row["n_calls"] == 2
    assert row["failure"].startswith("unreadable answer")


def test_one_document_is_one_prompt_of_numbered_sentences():
    seen = []

    def script(prompt):
        seen.append(prompt.pieces)
        return '{"statements": []}'

    extract_statements(ScriptedModel(script), [TEXT, "One two three. " * (MAX_SENTENCES + 5)])
    assert seen[0][0] == "1. The Battery life is poor."
    assert len(seen[1]) == MAX_SENTENCES
    frame = extract_statements(ScriptedModel(script), ["One two three. " * (MAX_SENTENCES + 5)])
    assert frame["n_unread"].to_list() == [5]


def test_sentences_that_the_model_was_not_given_cannot_be_named():
    model = ScriptedModel(
        lambda prompt: json.dumps({"statements": [statement(3, "", kind="question")]}), max_input_tokens=260
    )
    text = "The lid leaks. " + "word " * 300 + "here. Where is my parcel?"
    row = extract_statements(model, [text]).row(0, named=True)
    assert (row["starts"], row["n_rejected"], row["n_unread"] > 0) == ([], 1, True)


def test_an_answer_locates_nothing_without_a_text():
    assert locate("", [], Statements(statements=[])).spans == []
    assert find_words("a+b (c) works", "A+B (C)") == "a+b (c)"
    assert find_words("shipping", "ship") is None


def test_the_schema_is_one_that_every_engine_holds_a_model_to():
    assert "root ::=" in grammar_of(schema_of(Statements))


def test_the_recipe_follows_model_and_prompt():
    card = LanguageModelCard("m", "a" * 32, ("en",), 1_024)
    other = LanguageModelCard("m", "b" * 32, ("en",), 1_024)
    assert extraction_recipe(card) != extraction_recipe(other)
    assert "sentence" in extraction_recipe(card)["prompt"]


def test_kinds_of_sentences():
    rows = pl.DataFrame(
        {
            "quote": [
                "Why so slow?",
                "Please add a dark mode.",
                "It broke.",
                "It is lovely.",
                "It is a lid.",
            ],
            "label": ["negative", "neutral", "negative", "positive", "neutral"],
        }
    )
    kinds = rows.select(statement_kind("quote", "label")).to_series().to_list()
    assert kinds == ["question", "request", "problem", "praise", None]


def test_the_text_is_cut_as_everywhere():
    assert [TEXT[a:b] for a, b in split_sentences(TEXT)][2] == "Where is my parcel?"
