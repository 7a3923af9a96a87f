"""Language models on torch, on a GPU or where OpenVINO is absent: `generate` in length-sorted batches."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analytics.errors import ModelUnavailable
from analytics.models.llm.local import Generated
from analytics.models.weights import first_line

CPU_BATCH = 64
GPU_BATCH = 256


class TorchEngine:
    """A causal model, from a folder or a GGUF file, in transformers."""

    name = "torch"

    def __init__(self, place: Path, threads: int, device: str):
        import torch
        import transformers

        started = time.perf_counter()
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        logging.getLogger("transformers").setLevel(logging.ERROR)
        torch.set_num_threads(threads)
        native = (
            torch.cuda.is_bf16_supported()
            if device != "cpu"
            else torch.ops.mkldnn._is_mkldnn_bf16_supported()
        )
        dtype = torch.bfloat16 if native else torch.float16 if device != "cpu" else torch.float32
        folder, more = place, {}
        if place.suffix == ".gguf":
            folder, more = place.parent, {"gguf_file": place.name}
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(folder), padding_side="left", **more
            )
            if more:
                more = {**more, "quantization_config": transformers.GgufConfig(dequantize=True)}
            self._model = transformers.AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype, **more)
        except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
            raise ModelUnavailable(
                f"language model {place} cannot be loaded ({first_line(error)}); install or download it "
                "again, or set another model under [language_model]"
            ) from error
        self._model = self._model.eval().to(device)
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self.device = device
        self.precision = {torch.bfloat16: "bf16", torch.float16: "fp16", torch.float32: "fp32"}[dtype]
        self.context_tokens = int(getattr(self._model.config, "max_position_embeddings", 2_048))
        self.load_seconds = time.perf_counter() - started

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def template(self, instructions: str, message: str) -> str:
        """The conversation in the model's own template, or plainly where it has none."""
        turns = [{"role": "system", "content": instructions}, {"role": "user", "content": message}]
        if not self._tokenizer.chat_template:
            return f"{instructions}\n\n{message}\n\nAnswer:\n"
        return str(self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int,
        schema: dict[str, Any] | None,
        advance: Callable[[int], object],
    ) -> list[Generated]:
        """Answers in order."""
        import torch

        order = sorted(range(len(prompts)), key=lambda nth: len(prompts[nth]))
        made: list[Generated | None] = [None] * len(prompts)
        size = CPU_BATCH if self.device == "cpu" else GPU_BATCH
        ends = self._end_tokens()
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            inputs = self._tokenizer(
                [prompts[nth] for nth in rows], return_tensors="pt", padding=True, add_special_tokens=False
            ).to(self.device)
            width = inputs["input_ids"].shape[1]
            constraint = (
                [_Constraint(self._tokenizer, schema, width, len(rows))] if schema is not None else []
            )
            with torch.inference_mode():
                found = self._model.generate(
                    **inputs,
                    max_new_tokens=max_new_tokens,
                    do_sample=False,
                    temperature=None,
                    top_p=None,
                    top_k=None,
                    pad_token_id=self._tokenizer.pad_token_id,
                    logits_processor=constraint,
                )
            lengths = inputs["attention_mask"].sum(1).tolist()
            for nth, tokens, length in zip(rows, found[:, width:].tolist(), lengths, strict=True):
                end = next((place for place, token in enumerate(tokens) if token in ends), None)
                text = self._tokenizer.decode(tokens[:end], skip_special_tokens=True)
                n_new = len(tokens) if end is None else end + 1
                made[nth] = Generated(text, int(length), n_new, end is not None)
            advance(len(rows))
        return [one for one in made if one is not None]

    def _end_tokens(self) -> set[int]:
        declared = self._model.generation_config.eos_token_id
        ends = set(declared) if isinstance(declared, list) else {declared}
        return {one for one in {*ends, self._tokenizer.eos_token_id} if one is not None}


class _Constraint:
    """Bars every token that would leave the schema: an automaton a row (llguidance), a plain mask."""

    def __init__(self, tokenizer: Any, schema: dict[str, Any], width: int, n_rows: int):
        import llguidance
        import llguidance.hf

        self._width = width
        reader = llguidance.hf.from_tokenizer(tokenizer)
        compact = llguidance.JsonCompiler(separators=(",", ":"), whitespace_flexible=False)
        grammar = compact.compile(json.dumps(schema))
        self._rows = [llguidance.LLMatcher(reader, grammar) for _ in range(n_rows)]
        self._n_seen = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        import torch

        n_new = input_ids.shape[1] - self._width
        if n_new > self._n_seen:
            for row, tokens in zip(
                self._rows, input_ids[:, self._width + self._n_seen :].tolist(), strict=True
            ):
                if not row.is_stopped():
                    row.consume_tokens(tokens)
            self._n_seen = n_new
        allowed = np.zeros((len(self._rows), scores.shape[1]), dtype=bool)
        for nth, row in enumerate(self._rows):
            if row.is_stopped():
                allowed[nth] = True
                continue
            bits = np.unpackbits(np.frombuffer(row.compute_bitmask(), np.uint8), bitorder="little")
            allowed[nth, : len(bits)] = bits[: scores.shape[1]]
        return scores.masked_fill(~torch.from_numpy(allowed).to(scores.device), float("-inf"))
