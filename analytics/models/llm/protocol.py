"""What every language model answers to: prompts in, one answer each out, in order.

A backend is one method, `complete`. Which model answers, and what its answers are meant to be, is known
without loading it (`LanguageModelCard`); where it runs says only how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Status = Literal["stop", "length", "failed"]
"""Why an answer ended: by itself, at the limit of new tokens, or not at all."""


@dataclass(frozen=True)
class Prompt:
    """One question: what is asked, the same for all of a step, and what it is asked about."""

    instructions: str
    """Fixed text of a step; it comes first, so that a prefix cache serves."""
    pieces: tuple[str, ...]
    """Sentences of one document, or numbered lines: data, never instructions. Where they are too long
    together, the last ones are left out whole."""


@dataclass(frozen=True)
class Answer:
    """What came back for one prompt."""

    text: str
    status: Status
    n_prompt_tokens: int = 0
    n_new_tokens: int = 0
    n_pieces_read: int = 0
    """How many pieces the model was given; fewer than the prompt has where they were too long."""
    was_cut: bool = False
    """Whether pieces, or the end of a single long one, were left out."""
    failure: str | None = None
    """Why there is no answer."""


@dataclass(frozen=True)
class LanguageModelCard:
    """What a language model is, known without loading it."""

    name: str
    identity: str
    """Hash of its weights; of a server's model its name and the day that its settings declare."""
    languages: tuple[str, ...]
    max_input_tokens: int

    def recipe(self) -> dict[str, Any]:
        """What its answers are meant to be, as far as the model decides it."""
        return {"model": self.identity, "max_input_tokens": self.max_input_tokens, "decoding": "greedy"}


class LanguageModel(Protocol):
    """A model that is ready to answer."""

    engine: str
    device: str
    precision: str
    load_seconds: float

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        schema: dict[str, Any] | None = None,
        advance: Callable[[int], object] | None = None,
    ) -> list[Answer]:
        """Answer every prompt.

        Args:
            prompts: What is asked; none may be left out and none is asked twice.
            max_new_tokens: An answer ends there at the latest, and says so.
            schema: JSON schema that answers must follow; a backend that cannot constrain its decoding sends
                it or ignores it, so that answers are to be checked in any case.
            advance: Called with the number of prompts just answered.

        Returns:
            One answer per prompt, in the order of the prompts. One that could not be had has status `failed`
            and says why; the others stand.
        """
        ...
