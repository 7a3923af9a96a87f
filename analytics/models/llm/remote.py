"""A language model behind any server that speaks OpenAI's protocol: vLLM, Ollama, OpenAI, Gemini."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from analytics.errors import SERVER_GONE, ModelUnavailable
from analytics.identity import hash_of
from analytics.models.llm.prompting import fit, render_data
from analytics.models.llm.protocol import Answer, LanguageModelCard, Prompt, Status
from analytics.models.llm.rate import RateLimit
from analytics.models.weights import first_line
from analytics.settings import LanguageModelSettings

CHARACTERS_PER_TOKEN = 3
"""For limits before the server has counted: fewer than most tokenizers need, so that limits are kept."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 20.0

log = logging.getLogger(__name__)


def describe_remote(settings: LanguageModelSettings) -> LanguageModelCard:
    """The server's model, as the settings declare it."""
    declared = settings.model_date.isoformat() if settings.model_date else None
    return LanguageModelCard(
        name=settings.model,
        identity=hash_of([settings.model, declared]),
        languages=settings.languages or ("en",),
        max_input_tokens=settings.max_input_tokens,
    )


class RemoteModel:
    """A server's model behind the protocol of language models.

    Time-outs, refusals for being too many (429) and troubles of the server (5xx, no connection) are tried
    again, later and later, with jitter; what the server finds wrong in a request is not. When nothing has
    been answered for `give_up_seconds`, the server is given up: what is left has failed, and is owed.
    """

    engine = "remote"
    device = "server"
    precision = "unknown"
    load_seconds = 0.0

    def __init__(self, settings: LanguageModelSettings):
        import openai

        self._settings = settings
        key = os.environ.get(settings.api_key_env)
        self._client = openai.OpenAI(
            base_url=settings.url,
            api_key=key or "none",
            timeout=settings.timeout_seconds,
            max_retries=0,
        )
        self._rate = RateLimit(settings.requests_per_minute, settings.tokens_per_minute)
        self._takes_schema = True
        self._last_answer = time.monotonic()
        self._lock = threading.Lock()

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        schema: dict[str, Any] | None = None,
        advance: Callable[[int], object] | None = None,
    ) -> list[Answer]:
        """Answer every prompt; see `LanguageModel.complete`."""
        self._last_answer = time.monotonic()

        def answer(prompt: Prompt) -> Answer:
            given = self._answer(prompt, max_new_tokens, schema)
            if advance:
                with self._lock:
                    advance(1)
            return given

        with ThreadPoolExecutor(self._settings.concurrency) as threads:
            return list(threads.map(answer, prompts))

    def _answer(self, prompt: Prompt, max_new_tokens: int, schema: dict[str, Any] | None) -> Answer:
        pieces, was_cut = fit(prompt, _guess_tokens, self._settings.max_input_tokens)
        messages = [
            {"role": "system", "content": prompt.instructions},
            {"role": "user", "content": render_data(pieces)},
        ]
        expected = sum(_guess_tokens(turn["content"]) for turn in messages) + max_new_tokens
        wait = _FIRST_WAIT
        while True:
            self._rate.take(expected)
            try:
                return self._ask(messages, max_new_tokens, schema, expected, len(pieces), was_cut)
            except Exception as error:
                if schema is not None and self._takes_schema and _refuses_schema(error):
                    log.warning("the server refuses response_format; answers are checked instead")
                    self._takes_schema = False
                    continue
                if not _is_worth_retrying(error):
                    return Answer("", "failed", failure=f"the server refused: {first_line(error)}")
                if time.monotonic() - self._last_answer > self._settings.give_up_seconds:
                    return Answer("", "failed", failure=f"{SERVER_GONE}: {first_line(error)}")
                time.sleep(_asked_wait(error) or wait * random.uniform(0.5, 1.5))
                wait = min(2 * wait, _LONGEST_WAIT)

    def _ask(
        self,
        messages: list[dict[str, str]],
        max_new_tokens: int,
        schema: dict[str, Any] | None,
        expected: int,
        n_pieces: int,
        was_cut: bool,
    ) -> Answer:
        more: dict[str, Any] = {}
        if schema is not None and self._takes_schema:
            form = {"name": "answer", "schema": schema, "strict": True}
            more["response_format"] = {"type": "json_schema", "json_schema": form}
        found = self._client.chat.completions.create(
            model=self._settings.model,
            messages=messages,
            max_tokens=max_new_tokens,
            temperature=0.0,
            **more,
        )
        self._last_answer = time.monotonic()
        usage = found.usage
        n_prompt = usage.prompt_tokens if usage else expected - max_new_tokens
        text = (found.choices[0].message.content if found.choices else None) or ""
        n_new = usage.completion_tokens if usage else _guess_tokens(text)
        self._rate.settle(expected, n_prompt + n_new)
        if not text.strip():
            return Answer("", "failed", n_prompt, n_new, n_pieces, was_cut, "the server answered nothing")
        status: Status = "length" if found.choices[0].finish_reason == "length" else "stop"
        return Answer(text.strip(), status, n_prompt, n_new, n_pieces, was_cut)


def load_remote(settings: LanguageModelSettings) -> RemoteModel:
    """The server, asked once whether it is there.

    Raises:
        ModelUnavailable: nothing answers at its address, or it refuses the key.
    """
    import openai

    model = RemoteModel(settings)
    try:
        model._client.with_options(timeout=min(10.0, settings.timeout_seconds)).models.list()
    except openai.AuthenticationError as error:
        raise ModelUnavailable(
            f"{settings.url} refuses the key in {settings.api_key_env} ({first_line(error)}); set it"
        ) from error
    except openai.APIConnectionError as error:
        raise ModelUnavailable(
            f"no language model answers at {settings.url} ({first_line(error)}); start the server, or "
            "correct url under [language_model]"
        ) from error
    except openai.APIStatusError:
        pass  # Some servers list no models; the first question will tell.
    return model


def _guess_tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _refuses_schema(error: Exception) -> bool:
    import openai

    if not isinstance(
        error, openai.BadRequestError | openai.UnprocessableEntityError | openai.InternalServerError
    ):
        return False
    told = str(error).lower()
    return "response_format" in told or "json_schema" in told or "guided" in told


def _is_worth_retrying(error: Exception) -> bool:
    import openai

    transient = openai.APIConnectionError | openai.RateLimitError | openai.InternalServerError
    return isinstance(error, transient) or getattr(error, "status_code", None) in {408, 409, 425}


def _asked_wait(error: Exception) -> float | None:
    """Seconds that the server asks to wait."""
    response = getattr(error, "response", None)
    asked = response.headers.get("retry-after") if response is not None else None
    try:
        return min(float(asked), _LONGEST_WAIT) if asked else None
    except ValueError:
        return None
