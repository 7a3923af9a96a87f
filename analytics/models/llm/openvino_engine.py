"""Language models on OpenVINO: continuous batching on the CPU, answers constrained by a grammar."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from analytics.errors import ModelUnavailable
from analytics.models.llm.grammar import grammar_of
from analytics.models.llm.local import Generated

MAX_SEQUENCES = 256
MAX_BATCHED_TOKENS = 4_096
CACHE_GB = 4
CONTEXT_TOKENS = 2_048
AT_ONCE = 2_048
"""Prompts handed to the engine in one call: it keeps its batch full by itself, and only ends are ragged."""


class OpenVinoEngine:
    """A GGUF file or an OpenVINO folder in `openvino-genai`."""

    name = "openvino"
    device = "cpu"
    context_tokens = CONTEXT_TOKENS

    def __init__(self, place: Path, threads: int):
        import openvino_genai as genai

        started = time.perf_counter()
        scheduler = genai.SchedulerConfig()
        scheduler.max_num_seqs = MAX_SEQUENCES
        scheduler.max_num_batched_tokens = MAX_BATCHED_TOKENS
        scheduler.cache_size = CACHE_GB
        scheduler.enable_prefix_caching = True
        try:
            self._pipeline = genai.LLMPipeline(
                str(place), "CPU", scheduler_config=scheduler, INFERENCE_NUM_THREADS=threads
            )
        except RuntimeError as error:
            raise ModelUnavailable(
                f"language model {place} cannot be loaded by OpenVINO ({str(error).splitlines()[0]}); "
                'install or download it again, or set engine = "torch" under [language_model]'
            ) from error
        self._tokenizer = self._pipeline.get_tokenizer()
        self.precision = "auto"
        self.load_seconds = time.perf_counter() - started

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return int(self._tokenizer.encode(text, add_special_tokens=False).input_ids.shape[1]) if text else 0

    def template(self, instructions: str, message: str) -> str:
        """The conversation in the model's own template."""
        turns = [{"role": "system", "content": instructions}, {"role": "user", "content": message}]
        return str(self._tokenizer.apply_chat_template(turns, True))

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        schema: dict[str, Any] | None,
        advance: Callable[[int], object],
    ) -> list[Generated]:
        """Answers in order."""
        import openvino_genai as genai

        config = self._pipeline.get_generation_config()
        config.max_new_tokens = max_new_tokens
        config.do_sample = False
        config.apply_chat_template = False
        if schema is not None:
            config.structured_output_config = genai.StructuredOutputConfig(grammar=grammar_of(schema))
        made: list[Generated] = []
        for start in range(0, len(prompts), AT_ONCE):
            some = list(prompts[start : start + AT_ONCE])
            inputs = self._tokenizer.encode(some, add_special_tokens=False)
            found = self._pipeline.generate(inputs, config)
            texts = self._tokenizer.decode(found.tokens)
            lengths = inputs.attention_mask.data.sum(axis=1).tolist()
            for text, tokens, reason, length in zip(
                texts, found.tokens, found.finish_reasons, lengths, strict=True
            ):
                is_whole = reason == genai.GenerationFinishReason.STOP
                made.append(Generated(text, int(length), len(tokens), is_whole))
            advance(len(some))
        return made
