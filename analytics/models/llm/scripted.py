"""A language model for tests: its answers are a function of the prompt, the same every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from analytics.models.llm.prompting import fit
from analytics.models.llm.protocol import Answer, Prompt


class ScriptedModel:
    """Answers by a script; a word is a token."""

    engine = "scripted"
    device = "cpu"
    precision = "exact"
    load_seconds = 0.0

    def __init__(self, script: Callable[[Prompt], str], *, max_input_tokens: int = 1_024):
        self._script = script
        self._max_input_tokens = max_input_tokens

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        schema: dict[str, Any] | None = None,
        advance: Callable[[int], object] | None = None,
    ) -> list[Answer]:
        """Answer every prompt; a script that raises has failed for that prompt alone."""
        answers = []
        for prompt in prompts:
            pieces, was_cut = fit(prompt, _count, self._max_input_tokens)
            try:
                words = self._script(Prompt(prompt.instructions, tuple(pieces))).split(" ")
            except Exception as error:
                answers.append(Answer("", "failed", failure=str(error) or type(error).__name__))
                continue
            n_prompt = _count(prompt.instructions) + sum(map(_count, pieces))
            status = "stop" if len(words) <= max_new_tokens else "length"
            text = " ".join(words[:max_new_tokens])
            n_new = min(len(words), max_new_tokens)
            answers.append(Answer(text, status, n_prompt, n_new, len(pieces), was_cut))  # type: ignore[arg-type]
        if advance:
            advance(len(prompts))
        return answers


def _count(text: str) -> int:
    return len(text.split())
