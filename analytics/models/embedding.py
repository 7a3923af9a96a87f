"""Texts into unit vectors, with any sentence-transformers model, on OpenVINO or torch.

`describe_model` is cheap and says which model would answer; `load_embedder` loads it. Engine, device and precision
are how an answer is computed, not what it is meant to be: they are attributes of the embedder, never of the recipe.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from analytics.errors import ModelUnavailable
from analytics.models.weights import (
    EMBEDDED_NAME,
    find_folder,
    hash_configuration,
    hash_weights,
    read_json,
)
from analytics.settings import EmbeddingSettings

STAGE_VERSION = 1
"""Raise it when the same model and text would give another vector; a golden test notices."""


@dataclass(frozen=True)
class EmbeddingModel:
    """What an embedding model is, known without loading it."""

    name: str
    folder: Path
    weights_hash: str
    languages: tuple[str, ...]
    max_tokens: int
    configuration_hash: str = ""
    prompt: str = ""

    def recipe(self) -> dict[str, Any]:
        """What its vectors are meant to be; part of the key of every vector in the lake."""
        return {
            "stage": "embedding",
            "version": STAGE_VERSION,
            "weights": self.weights_hash,
            "configuration": self.configuration_hash,
            "prompt": self.prompt,
            "max_tokens": self.max_tokens,
            "normalised": True,
        }

    def reads(self, language: str) -> bool:
        """Whether the model is declared for a language tag; "en" covers "en-GB", "*" covers all."""
        tag = language.strip().replace("_", "-").lower()
        declared = {name.strip().replace("_", "-").lower() for name in self.languages}
        if "*" in declared:
            return True
        parts = tag.split("-")
        return any("-".join(parts[:n]) in declared for n in range(1, len(parts) + 1))


class Embedder(Protocol):
    """A loaded model."""

    engine: Literal["openvino", "torch"]
    device: str
    precision: str
    load_seconds: float
    n_dims: int

    def embed(self, texts: Sequence[str], advance: Callable[[int], None] | None = None) -> np.ndarray:
        """Embed texts, identical ones once.

        Args:
            texts: Cleaned texts.
            advance: Called with the number of texts just done; the numbers add up to `len(texts)`.

        Returns:
            float32 array (n_texts, n_dims) in input order; unit rows, so a dot product is a cosine.
        """
        ...


def describe_model(settings: EmbeddingSettings) -> EmbeddingModel:
    """The embedding model that these settings name, without loading it.

    Raises:
        ModelUnavailable: its package, folder or weights are missing, and it cannot be fetched.
    """
    folder = find_folder(settings.model)
    prompts = read_json(folder / "config_sentence_transformers.json")
    default = prompts.get("default_prompt_name")
    return EmbeddingModel(
        name=EMBEDDED_NAME if settings.model == "embedded" else settings.model,
        folder=folder,
        weights_hash=hash_weights(folder),
        languages=settings.languages,
        max_tokens=min(settings.max_tokens, _longest(folder)),
        configuration_hash=hash_configuration(folder),
        prompt=(prompts.get("prompts") or {}).get(default, "") if default else "",
    )


def _longest(folder: Path) -> int:
    """Tokens that the model reads at most, as it declares them; a million where it declares nothing."""
    declared = [
        read_json(folder / "sentence_bert_config.json").get("max_seq_length"),
        read_json(folder / "tokenizer_config.json").get("model_max_length"),
        read_json(folder / "config.json").get("max_position_embeddings"),
    ]
    return min((int(n) for n in declared if isinstance(n, int | float) and n > 0), default=1_000_000)


def load_embedder(model: EmbeddingModel, settings: EmbeddingSettings) -> Embedder:
    """Load a model on the engine that the settings ask for.

    A model that OpenVINO cannot convert faithfully is run by torch instead; `engine` says which one it became.

    Raises:
        ModelUnavailable: the engine is not installed, or the model's files cannot be loaded.
    """
    threads = settings.threads or len(os.sched_getaffinity(0))
    if settings.engine != "torch" and not (settings.engine == "auto" and _has_gpu()):
        if importlib.util.find_spec("openvino") is not None:
            from analytics.models.embedding_openvino import NotConvertible, load_openvino

            try:
                return load_openvino(model, threads)
            except NotConvertible:
                return _load_torch(model, threads, device="cpu")
        if settings.engine == "openvino":
            raise ModelUnavailable(
                'engine = "openvino" under [embedding], but the package openvino is not installed; '
                'run `pip install openvino`, or set engine = "auto"'
            )
    return _load_torch(model, threads, device="cuda" if _has_gpu() else "cpu")


def _load_torch(model: EmbeddingModel, threads: int, device: str) -> Embedder:
    for package in ("torch", "sentence_transformers"):
        if importlib.util.find_spec(package) is None:
            raise ModelUnavailable(
                f"embedding with torch needs the package {package}, which is not installed; "
                f"run `pip install {package}`"
            )
    from analytics.models.embedding_torch import load_torch

    return load_torch(model, threads, device)


def _has_gpu() -> bool:
    # Importing torch takes seconds, so it is asked only where a driver shows that there may be something to find.
    drivers = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in drivers):
        return False
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
