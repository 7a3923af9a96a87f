"""A server that is slow, full, broken, gone or too old: what is retried, what is given up."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import pytest
from fake_server import Reply, chat, refusal, serve
from test_structured import WHOLE, Points

from analytics.errors import ModelUnavailable
from analytics.models.llm.loading import load_language_model
from analytics.models.llm.protocol import Prompt
from analytics.models.llm.rate import RateLimit
from analytics.models.llm.structured import ask
from analytics.settings import LanguageModelSettings

PROMPTS = [Prompt("Shorten.", (f"text {n}",)) for n in range(6)]


def remote(url: str, **more: Any) -> Any:
    given = {"give_up_seconds": 1.0, "timeout_seconds": 5.0, **more}
    return load_language_model(
        LanguageModelSettings(backend="remote", allow_remote=True, url=url, model="m", **given)
    )


@pytest.mark.parametrize("status", [429, 500, 503])
def test_transient_refusals_are_tried_again(status: int) -> None:
    counter = itertools.count()

    def answer(_: dict[str, Any]) -> Reply:
        return refusal(status, "later", retry_after="0.01") if next(counter) % 2 == 0 else chat("fine")

    with serve(answer) as (url, asked):
        answers = remote(url).complete(PROMPTS, max_new_tokens=8)
    assert [one.text for one in answers] == ["fine"] * 6
    assert len(asked) > len(PROMPTS)
    assert {(one.n_prompt_tokens, one.n_new_tokens) for one in answers} == {(11, 7)}


def test_what_the_server_finds_wrong_is_not_tried_again() -> None:
    with serve(lambda _: refusal(400, "context too long")) as (url, asked):
        answers = remote(url).complete(PROMPTS, max_new_tokens=8)
    assert len(asked) == len(PROMPTS)
    assert all("context too long" in (one.failure or "") for one in answers)


def test_a_server_that_refuses_a_schema_is_asked_without_one_and_the_answer_is_checked() -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if "response_format" in body:
            return refusal(422, "Unexpected keys in the request: {'response_format'}")
        return chat(f"Sure! ```json\n{WHOLE}\n```")

    with serve(answer) as (url, asked):
        model = remote(url, concurrency=1)
        readings = ask(model, PROMPTS, Points, max_new_tokens=50)
    assert all(reading.value is not None for reading in readings)
    assert sum("response_format" in body for body in asked) == 1


def test_a_server_that_takes_a_schema_is_sent_it() -> None:
    with serve(lambda _: chat(WHOLE)) as (url, asked):
        ask(remote(url), PROMPTS[:1], Points, max_new_tokens=50)
    sent = asked[0]["response_format"]["json_schema"]
    assert sent["schema"]["properties"]["note"]["maxLength"] == 20
    assert asked[0]["messages"][0] == {"role": "system", "content": "Shorten."}
    assert "text 0" in asked[0]["messages"][1]["content"]


def test_a_server_that_comes_back_is_waited_for_and_one_that_does_not_is_given_up() -> None:
    with serve(lambda _: chat("before")) as (url, _):
        model = remote(url, give_up_seconds=20.0)
        assert model.complete(PROMPTS[:1], max_new_tokens=8)[0].text == "before"
    port = int(url.rpartition(":")[2].partition("/")[0])
    back = threading.Event()

    def revive() -> None:
        time.sleep(1.0)
        with serve(lambda _: chat("after"), port):
            back.wait(30)

    reviving = threading.Thread(target=revive)
    reviving.start()
    try:
        answers = model.complete(PROMPTS, max_new_tokens=8)
    finally:
        back.set()
        reviving.join()
    assert [one.text for one in answers] == ["after"] * 6
    model._settings = model._settings.model_copy(update={"give_up_seconds": 0.5})
    started = time.monotonic()
    gone = model.complete(PROMPTS, max_new_tokens=8)
    assert time.monotonic() - started < 15
    assert all("does not answer" in (one.failure or "") for one in gone)


def test_no_server_at_all_is_one_clear_line() -> None:
    with pytest.raises(ModelUnavailable, match=r"no language model answers at http://127.0.0.1:9/v1"):
        remote("http://127.0.0.1:9/v1")


def test_a_refused_key_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    import openai

    def refuse(*_: Any, **__: Any) -> None:
        import httpx

        response = httpx.Response(401, request=httpx.Request("GET", "http://x"))
        raise openai.AuthenticationError("wrong key", response=response, body=None)

    monkeypatch.setattr(openai.resources.models.Models, "list", refuse)
    with pytest.raises(ModelUnavailable, match="NIGHTLOOM_API_KEY"):
        remote("http://127.0.0.1:9/v1")


def test_the_rate_keeps_requests_and_tokens_below_their_limits() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    rate = RateLimit(60, 600, clock=lambda: now[0], sleep=sleep)
    for _ in range(60):
        rate.take(5)
    assert now[0] == 0
    rate.take(5)
    assert now[0] == pytest.approx(1.0)
    rate.take(400)
    assert now[0] > 10
    before = now[0]
    rate.settle(400, 1_000)
    rate.take(1)
    assert now[0] - before > 50


def test_a_request_larger_than_the_bucket_is_let_through_when_it_is_full() -> None:
    now = [0.0]
    rate = RateLimit(None, 100, clock=lambda: now[0], sleep=lambda s: now.__setitem__(0, now[0] + s))
    rate.take(1_000)
    assert now[0] == 0
    rate.take(50)
    assert now[0] > 500


def test_texts_are_sent_away_only_when_that_is_allowed() -> None:
    with pytest.raises(ValueError, match="allow_remote"):
        LanguageModelSettings(backend="remote", url="http://x/v1", model="m")
    with pytest.raises(ValueError, match="needs url"):
        LanguageModelSettings(backend="remote", allow_remote=True, model="m")
