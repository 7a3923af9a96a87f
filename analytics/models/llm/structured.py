"""Answers of a stated form: asked for under a schema, checked, asked for once more, then failed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from analytics.models.llm.prompting import read_prompt
from analytics.models.llm.protocol import Answer, LanguageModel, LanguageModelCard, Prompt

LONGER = 2
"""How many times as many new tokens an unreadable answer gets when it is asked for again."""


class Form(BaseModel):
    """What an answer must look like; subclasses bound every text and list."""

    model_config = ConfigDict(extra="forbid", frozen=True)


F = TypeVar("F", bound=Form)


@dataclass(frozen=True)
class Reading(Generic[F]):
    """What one prompt gave: a value of the form, or why there is none."""

    value: F | None
    answer: Answer
    """The last answer; its tokens are those of all attempts."""
    n_calls: int
    failure: str | None = None

    @property
    def cost(self) -> dict[str, Any]:
        """What it cost, with the columns of COST_ROWS."""
        return {
            "n_input_tokens": self.answer.n_prompt_tokens,
            "n_output_tokens": self.answer.n_new_tokens,
            "n_calls": self.n_calls,
            "failure": self.failure,
        }


COST_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "n_input_tokens": pl.Int64,
    "n_output_tokens": pl.Int64,
    "n_calls": pl.Int64,
    "failure": pl.String,  # null: none
}


def ask_about(
    model: LanguageModel,
    prompt: str,
    passages: Sequence[Sequence[str]],
    form: type[F],
    *,
    max_new_tokens: int,
    advance: Callable[[int], object] | None = None,
) -> list[Reading[F]]:
    """Ask one step's question about each passage: `ask`, with a statement a line.

    Args:
        model: The language model.
        prompt: Name of the step's prompt.
        passages: Statements, in their own words.
        form: What the answer must look like.
        max_new_tokens: As for `ask`.
        advance: Called with the number of passages just answered.
    """
    instructions = read_prompt(prompt)
    prompts = [Prompt(instructions, tuple(" ".join(one.split()) for one in some)) for some in passages]
    return ask(model, prompts, form, max_new_tokens=max_new_tokens, advance=advance)


def asked_recipe(
    stage: str, version: int, prompt: str, form: type[Form], max_new_tokens: int, model: LanguageModelCard
) -> dict[str, Any]:
    """What decides the answers of a step: its prompt, the form, the limit and the model."""
    return {
        "stage": stage,
        "version": version,
        "prompt": read_prompt(prompt),
        "schema": schema_of(form),
        "max_new_tokens": max_new_tokens,
        **model.recipe(),
    }


def ask(
    model: LanguageModel,
    prompts: Sequence[Prompt],
    form: type[F],
    *,
    max_new_tokens: int,
    advance: Callable[[int], object] | None = None,
) -> list[Reading[F]]:
    """Ask every prompt for an answer of a form.

    An answer that cannot be read is asked for once more with a larger limit; then it has failed.

    Returns:
        One reading per prompt, in order.
    """
    schema = schema_of(form)
    first = model.complete(prompts, max_new_tokens=max_new_tokens, schema=schema, advance=advance)
    readings = [_read(answer, form, 1) for answer in first]
    unread = [nth for nth, reading in enumerate(readings) if _is_worth_asking(reading)]
    again = model.complete(
        [prompts[nth] for nth in unread], max_new_tokens=LONGER * max_new_tokens, schema=schema
    )
    for nth, answer in zip(unread, again, strict=True):
        was = readings[nth].answer
        both = replace(
            answer,
            n_prompt_tokens=answer.n_prompt_tokens + was.n_prompt_tokens,
            n_new_tokens=answer.n_new_tokens + was.n_new_tokens,
        )
        readings[nth] = _read(both, form, 2)
    return readings


def _is_worth_asking(reading: Reading[Any]) -> bool:
    return reading.value is None and reading.answer.status != "failed"


def _read(answer: Answer, form: type[F], n_calls: int) -> Reading[F]:
    if answer.status == "failed":
        return Reading(None, answer, n_calls, answer.failure or "no answer")
    try:
        return Reading(form.model_validate(parse_object(answer.text), strict=True), answer, n_calls)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "answer"
        return Reading(None, answer, n_calls, f"unreadable answer: {place}: {first['msg']}")
    except ValueError as error:
        cut = ", cut at the limit of new tokens" if answer.status == "length" else ""
        return Reading(None, answer, n_calls, f"unreadable answer: {error}{cut}")


_BEHIND_FENCE = re.compile(r"```(?:json)?\s*(\{.*)", re.DOTALL | re.IGNORECASE)


def parse_object(text: str) -> dict[str, Any]:
    """The one JSON object of an answer, also where words or a code fence stand around it.

    Raises:
        ValueError: there is none, it is not whole, or there are several.
    """
    fenced = _BEHIND_FENCE.search(text)
    inside = fenced[1] if fenced else text
    start = inside.find("{")
    if start < 0:
        raise ValueError("no JSON object in it")
    try:
        value, end = json.JSONDecoder().raw_decode(inside, start)
    except json.JSONDecodeError as error:
        raise ValueError(f"not whole JSON ({error.msg})") from None
    if "{" in inside[end:]:
        raise ValueError("more than one JSON object in it")
    return dict(value)


def schema_of(form: type[Form]) -> dict[str, Any]:
    """The JSON schema of a form, references resolved and every property required, as engines want it."""
    whole = form.model_json_schema()
    definitions = whole.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]])
        kept = {
            name: resolved(value)
            for name, value in part.items()
            if not (name in {"title", "description", "default"} and not isinstance(value, dict))
        }
        if kept.get("type") == "object":
            kept["required"] = list(kept.get("properties", {}))
        return kept

    return dict(resolved(whole))
