"""Answers of a form: read where they can be, asked for once more, then failed; never guessed."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field

from analytics.models.llm.grammar import grammar_of
from analytics.models.llm.protocol import Prompt
from analytics.models.llm.scripted import ScriptedModel
from analytics.models.llm.structured import Form, ask, parse_object, schema_of


class Point(Form):
    sentence: int = Field(ge=1, le=9)
    sentiment: Literal["positive", "negative"]


class Points(Form):
    points: list[Point] = Field(max_length=3)
    note: str = Field(max_length=20)


WHOLE = '{"points":[{"sentence":2,"sentiment":"negative"}],"note":"ok"}'


def read(*answers: str) -> tuple[object, int, str | None]:
    """What asking gives where the model answers so, one after the other."""
    left = list(answers)
    model = ScriptedModel(lambda _: left.pop(0))
    (reading,) = ask(model, [Prompt("List.", ("text",))], Points, max_new_tokens=50)
    assert not left or reading.value is not None
    return reading.value, reading.n_calls, reading.failure


def test_a_whole_answer_is_read_at_once() -> None:
    value, n_calls, failure = read(WHOLE)
    assert value == Points(points=[Point(sentence=2, sentiment="negative")], note="ok")
    assert (n_calls, failure) == (1, None)


@pytest.mark.parametrize("wrapped", [f"Here it is:\n```json\n{WHOLE}\n```\nDone.", f"  {WHOLE} "])
def test_words_and_fences_around_an_answer_are_no_trouble(wrapped: str) -> None:
    assert read(wrapped)[0] is not None


@pytest.mark.parametrize(
    "broken",
    [
        WHOLE[:-3],
        "no JSON at all",
        WHOLE.replace('"ok"', '"ok","more":1'),
        WHOLE.replace('"ok"', '"' + "o" * 21 + '"'),
        WHOLE.replace("2", "12"),
        WHOLE.replace("2", '"2"'),
        WHOLE.replace("negative", "terrible"),
        WHOLE + WHOLE,
        '{"points":[]}',
    ],
)
def test_what_breaks_the_form_is_asked_for_once_more_and_then_failed(broken: str) -> None:
    value, n_calls, failure = read(broken, WHOLE)
    assert (value is not None, n_calls, failure) == (True, 2, None)
    value, n_calls, failure = read(broken, broken)
    assert (value, n_calls) == (None, 2)
    assert failure
    assert failure.startswith("unreadable answer")


def test_asking_again_counts_the_tokens_of_both() -> None:
    left = ["nothing", WHOLE]
    model = ScriptedModel(lambda _: left.pop(0))
    (reading,) = ask(model, [Prompt("List.", ("text",))], Points, max_new_tokens=50)
    assert reading.answer.n_new_tokens == 2
    assert reading.answer.n_prompt_tokens == 4


def test_the_grammar_has_no_free_space_and_every_bound() -> None:
    grammar = grammar_of(schema_of(Points))
    assert "character{0,20}" in grammar
    assert "{0,2}" in grammar
    assert r'"\"positive\"" | "\"negative\""' in grammar
    with pytest.raises(ValueError, match="no grammar for"):
        grammar_of({"type": "number"})
    with pytest.raises(ValueError, match="without a bound"):
        grammar_of({"type": "string"})


def test_an_object_inside_words_is_found_and_two_are_one_too_many() -> None:
    assert parse_object('so {"a":1} there') == {"a": 1}
    with pytest.raises(ValueError, match="more than one"):
        parse_object('{"a":1} {"a":2}')
