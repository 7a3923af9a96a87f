"""What every backend must hold, whichever answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from fake_server import Reply, chat, refusal, serve
from pydantic import Field

from analytics.models.llm.loading import load_language_model
from analytics.models.llm.protocol import LanguageModel, Prompt
from analytics.models.llm.scripted import ScriptedModel
from analytics.models.llm.structured import Form, ask, schema_of
from analytics.settings import LanguageModelSettings

ASKED = "Say in one short sentence what the customer says."
TEXTS = (
    "The charger broke after two weeks and nobody answers my mails.",
    "A great tablet for the money. My kids love it.",
    "Delivery took three weeks.",
    "The screen is bright and the battery lasts two days.",
    "I want my money back.",
)
LONG = tuple(f"This is sentence {n} of a very long letter about the charger." for n in range(400))
POISON = "POISON"


class Judgement(Form):
    """A small form."""

    sentiment: Literal["positive", "negative"]
    words: list[Annotated[str, Field(max_length=20)]] = Field(max_length=2)


Judgement.model_rebuild()
Load = Callable[[], LanguageModel]


def script(prompt: Prompt) -> str:
    if any(POISON in piece for piece in prompt.pieces):
        raise ValueError("poisoned")
    return f"{len(prompt.pieces)} pieces, first: {prompt.pieces[0]} " + "and so on " * 60


def answer_request(body: dict[str, Any]) -> Reply:
    message = body["messages"][1]["content"]
    if POISON in message:
        return refusal(400, "this text is refused")
    words = (f"echo {message} " + "and so on " * 60).split(" ")
    if len(words) > body["max_tokens"]:
        return chat(" ".join(words[: body["max_tokens"]]), reason="length")
    return chat(" ".join(words))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serve(answer_request) as (url, _):
        yield url


def settings(**given: Any) -> LanguageModelSettings:
    return LanguageModelSettings(threads=2, max_input_tokens=512, **given)


@pytest.fixture(
    scope="module",
    params=[
        "scripted",
        "remote",
        pytest.param("openvino", marks=pytest.mark.slow),
        pytest.param("torch", marks=pytest.mark.slow),
    ],
)
def model(request: pytest.FixtureRequest, server: str) -> LanguageModel:
    if request.param == "scripted":
        return ScriptedModel(script, max_input_tokens=512)
    if request.param == "remote":
        there = {"backend": "remote", "allow_remote": True, "url": server, "model": "m"}
        return load_language_model(settings(**there))
    return load_language_model(settings(engine=request.param))


def prompts(texts: tuple[str, ...] = TEXTS) -> list[Prompt]:
    return [Prompt(ASKED, (text,)) for text in texts]


def test_no_prompts_give_no_answers(model: LanguageModel) -> None:
    assert model.complete([], max_new_tokens=8) == []


def test_there_is_one_answer_per_prompt_and_the_order_is_kept(model: LanguageModel) -> None:
    told: list[int] = []
    once = model.complete(prompts(), max_new_tokens=24, advance=told.append)
    turned = model.complete(prompts(TEXTS[::-1]), max_new_tokens=24)[::-1]
    assert len(once) == len(turned) == len(TEXTS)
    assert sum(told) == len(TEXTS)
    assert all(answer.text and answer.status != "failed" for answer in once)
    # Batches round differently, so that words may differ; each answer is still most like its own.
    words = [set(answer.text.lower().split()) for answer in once]
    again = [set(answer.text.lower().split()) for answer in turned]
    likeness = np.array([[len(own & other) / len(own | other) for other in again] for own in words])
    shifted = [np.mean(np.diagonal(np.roll(likeness, shift, axis=1))) for shift in range(len(TEXTS))]
    assert shifted[0] > max(shifted[1:]), "another prompt's answer"


def test_equal_prompts_each_get_their_answer(model: LanguageModel) -> None:
    assert len(model.complete(prompts((TEXTS[0],) * 3), max_new_tokens=8)) == 3


def test_a_text_that_is_too_long_is_cut_at_a_sentence_and_says_so(model: LanguageModel) -> None:
    long, short = model.complete([Prompt(ASKED, LONG), Prompt(ASKED, LONG[:2])], max_new_tokens=8)
    assert long.was_cut
    assert 2 < long.n_pieces_read < len(LONG)
    assert not short.was_cut
    assert short.n_pieces_read == 2


def test_a_single_sentence_that_is_too_long_is_cut_at_a_word(model: LanguageModel) -> None:
    (answer,) = model.complete([Prompt(ASKED, (" ".join(LONG),))], max_new_tokens=8)
    assert answer.was_cut
    assert answer.status != "failed"


def test_an_answer_that_ends_at_the_limit_says_so(model: LanguageModel) -> None:
    (answer,) = model.complete(
        [Prompt("Count from one to one hundred in words.", ("Go.",))], max_new_tokens=5
    )
    assert answer.status == "length"
    assert 0 < answer.n_new_tokens <= 7


def test_one_prompt_that_fails_leaves_the_others_their_answers(model: LanguageModel) -> None:
    if model.engine in ("openvino", "torch"):
        pytest.skip("on this machine no single prompt fails: an engine answers or the night stops")
    answers = model.complete(prompts((TEXTS[0], POISON, TEXTS[1])), max_new_tokens=24)
    assert [answer.status == "failed" for answer in answers] == [False, True, False]
    assert answers[1].failure
    assert answers[1].text == ""


@pytest.mark.parametrize("engine", ["openvino", "torch"])
@pytest.mark.slow
def test_answers_under_a_schema_are_all_readable_and_equal_ones_are_told(engine: str) -> None:
    model = load_language_model(settings(engine=engine))
    readings = ask(model, prompts(TEXTS * 4), Judgement, max_new_tokens=64)
    assert all(reading.value is not None for reading in readings)
    assert schema_of(Judgement)["required"] == ["sentiment", "words"]
    again = ask(model, prompts(TEXTS * 4), Judgement, max_new_tokens=64)
    equal = sum(one.value == other.value for one, other in zip(readings, again, strict=True))
    assert equal >= len(readings) // 2


def test_the_scripted_model_is_wholly_repeatable() -> None:
    one, other = (ScriptedModel(script).complete(prompts(), max_new_tokens=24) for _ in range(2))
    assert one == other
    assert json.dumps([answer.text for answer in one])
