"""A causal language model on this machine: on OpenVINO where it reads the weights, else on torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from analytics.errors import ModelUnavailable
from analytics.models.embedding import has_gpu, usable_cores
from analytics.models.llm import weights
from analytics.models.llm.prompting import fit, render_data
from analytics.models.llm.protocol import Answer, LanguageModelCard, Prompt
from analytics.settings import LanguageModelSettings


@dataclass(frozen=True)
class Generated:
    """What an engine made of one templated prompt."""

    text: str
    n_prompt_tokens: int
    n_new_tokens: int
    is_whole: bool
    """Whether it ended by itself, not at the limit of new tokens."""


class Engine(Protocol):
    """What runs a model: counts tokens, applies the model's own template, generates greedily."""

    name: str
    device: str
    precision: str
    load_seconds: float
    context_tokens: int

    def count(self, text: str) -> int:
        """Tokens of a text."""
        ...

    def template(self, instructions: str, message: str) -> str:
        """A conversation's first turn in the model's own template, ready for the answer."""
        ...

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        schema: dict[str, Any] | None,
        advance: Callable[[int], object],
    ) -> list[Generated]:
        """Answers in order, constrained by the schema where there is one; none for no prompts."""
        ...


class LocalModel:
    """A model of this machine behind the protocol of language models."""

    def __init__(self, engine: Engine, max_input_tokens: int):
        self._engine = engine
        self._max_input_tokens = max_input_tokens
        self.engine = engine.name
        self.device = engine.device
        self.precision = engine.precision
        self.load_seconds = engine.load_seconds

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        schema: dict[str, Any] | None = None,
        advance: Callable[[int], object] | None = None,
    ) -> list[Answer]:
        """Answer every prompt; see `LanguageModel.complete`."""
        if not prompts:
            return []
        rendered = [self.render(prompt, max_new_tokens) for prompt in prompts]
        texts = [text for text, _, _ in rendered]
        generated = self._engine.generate(texts, max_new_tokens, schema, advance or (lambda n: None))
        return [
            Answer(
                one.text.strip(),
                "stop" if one.is_whole else "length",
                one.n_prompt_tokens,
                one.n_new_tokens,
                n_pieces,
                was_cut,
            )
            for one, (_, n_pieces, was_cut) in zip(generated, rendered, strict=True)
        ]

    def render(self, prompt: Prompt, max_new_tokens: int) -> tuple[str, int, bool]:
        """What the engine is given for a prompt, how many pieces that holds, and whether any was cut."""
        room = min(self._max_input_tokens, self._engine.context_tokens - max_new_tokens)
        pieces, was_cut = fit(prompt, self._engine.count, room)
        return self._engine.template(prompt.instructions, render_data(pieces)), len(pieces), was_cut


def describe_local(settings: LanguageModelSettings) -> LanguageModelCard:
    """The local model that these settings name, without loading it.

    Raises:
        ModelUnavailable: its package, folder or weights are missing, and it cannot be fetched.
    """
    place = weights.find_weights(settings.model)
    embedded = settings.model == "embedded"
    return LanguageModelCard(
        name=weights.EMBEDDED_NAME if embedded else settings.model,
        identity=weights.hash_of_weights(place),
        languages=settings.languages or ("en",),
        max_input_tokens=settings.max_input_tokens,
    )


def load_local(settings: LanguageModelSettings) -> LocalModel:
    """Load the model on the engine that the settings ask for.

    Raises:
        ModelUnavailable: the engine is not installed, or the model's files cannot be loaded.
    """
    place = weights.find_weights(settings.model)
    threads = settings.threads or usable_cores()
    on_gpu = has_gpu()
    reads = weights.is_read_by_openvino(place) and importlib.util.find_spec("openvino_genai") is not None
    if settings.engine == "openvino" and not reads:
        raise ModelUnavailable(
            f'engine = "openvino" under [language_model] cannot run {settings.model!r}: it needs the package '
            'openvino-genai and a GGUF or OpenVINO model; install it, or set engine = "auto"'
        )
    if settings.engine == "openvino" or (settings.engine == "auto" and reads and not on_gpu):
        from analytics.models.llm.openvino_engine import OpenVinoEngine

        return LocalModel(OpenVinoEngine(place, threads), settings.max_input_tokens)
    from analytics.models.llm.torch_engine import TorchEngine

    engine = TorchEngine(place, threads, "cuda" if on_gpu else "cpu")
    return LocalModel(engine, settings.max_input_tokens)
