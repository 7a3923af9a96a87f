"""Texts into unit vectors, with any sentence-transformers model, on OpenVINO or torch.

`describe_model` is cheap and says which model would answer; `load_embedder` loads it. Engine, device and
precision say how an answer is computed, not what it is meant to be; they stand in the embedder alone.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from analytics.errors import ModelUnavailable
from analytics.models import weights
from analytics.settings import EmbeddingSettings

STAGE_VERSION = 1
"""Raise it when the same model and text would give another vector; a golden test notices."""

log = logging.getLogger(__name__)


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
            "configuration": self.configuration_hash,  # architecture, pooling, tokenizer
            "prompt": self.prompt,
            "max_tokens": self.max_tokens,
            "normalised": True,
        }

    def reads(self, language: str) -> bool:
        """Whether the model is declared for a language tag; "en" covers "en-GB", "*" covers all."""
        parts = _tag(language).split("-")
        declared = {_tag(name) for name in self.languages}
        return "*" in declared or any("-".join(parts[:n]) in declared for n in range(1, len(parts) + 1))


def _tag(language: str) -> str:
    return language.strip().replace("_", "-").lower()


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
    embedded = settings.model == "embedded"
    folder = weights.find_folder(settings.model)
    return EmbeddingModel(
        name=weights.EMBEDDED_NAME if embedded else settings.model,
        folder=folder,
        weights_hash=weights.hash_weights(folder),
        languages=weights.declared_languages(settings),
        max_tokens=min(settings.max_tokens, weights.declared_max_tokens(folder) or settings.max_tokens),
        configuration_hash=weights.hash_configuration(folder),
        prompt=weights.default_prompt(folder),
    )


def load_embedder(model: EmbeddingModel, settings: EmbeddingSettings) -> Embedder:
    """Load a model on the engine that the settings ask for.

    A model that OpenVINO cannot convert faithfully is run by torch instead; `engine` says which it became.

    Raises:
        ModelUnavailable: the engine is not installed, or the model's files cannot be loaded.
    """
    threads = settings.threads or usable_cores()
    if settings.engine == "torch" or (settings.engine == "auto" and has_gpu()):
        return _load_torch(model, threads, device="cuda" if has_gpu() else "cpu")
    if importlib.util.find_spec("openvino") is None:
        if settings.engine == "openvino":
            raise ModelUnavailable(
                'engine = "openvino" under [embedding], but the package openvino is not installed; '
                'run `pip install openvino`, or set engine = "auto"'
            )
        return _load_torch(model, threads, device="cpu")
    from analytics.models.embedding_openvino import NotConvertible, load_openvino

    try:
        return load_openvino(model, threads)
    except NotConvertible as error:
        log.warning("embedding runs on torch, more slowly: %s", error)
        return _load_torch(model, threads, device="cpu")


def _load_torch(model: EmbeddingModel, threads: int, device: str) -> Embedder:
    for package in ("torch", "sentence_transformers"):
        if importlib.util.find_spec(package) is None:
            raise ModelUnavailable(
                f"embedding with torch needs the package {package}, which is not installed; "
                f"run `pip install {package}`"
            )
    from analytics.models.embedding_torch import load_torch

    return load_torch(model, threads, device)


def usable_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether torch finds a GPU here."""
    # Importing torch takes seconds: it is asked only where a driver shows that there may be a GPU.
    drivers = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    if sys.platform == "linux" and not any(Path(driver).exists() for driver in drivers):
        return False
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
