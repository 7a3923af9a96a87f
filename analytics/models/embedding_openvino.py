"""Embedding with OpenVINO on a CPU; the converted model is kept, so that later loads need neither torch nor transformers."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from analytics.errors import NightloomError
from analytics.identity import hash_of
from analytics.models.batches import Batch, BatchedEmbedder, TextTokenizer
from analytics.models.embedding import EmbeddingModel

CONVERSION_VERSION = 1
TOKENS_PER_BATCH = 2_048
MIN_PROBE_COSINE = 0.9999


class NotConvertible(NightloomError):
    """OpenVINO cannot convert this model, or the converted one gives other vectors."""


def import_openvino() -> Any:
    """OpenVINO without its telemetry: it has a stub of its own for where that package is missing."""
    if "openvino" not in sys.modules:
        blocked: dict[str, Any] = {"openvino_telemetry": None}
        sys.modules.update(blocked)
    import openvino

    return openvino


def cache_folder(model: EmbeddingModel) -> Path:
    """Where the converted model is kept; another OpenVINO or another configuration is another folder."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    openvino = import_openvino()
    made_by = hash_of([CONVERSION_VERSION, openvino.__version__, model.configuration_hash])
    return base / "nightloom" / "openvino" / f"{model.weights_hash[:32]}-{made_by[:16]}"


class OpenvinoRunner:
    """Runs batches through a compiled model, several at a time."""

    def __init__(self, compiled: Any, n_dims: int) -> None:
        openvino = import_openvino()
        streams = int(compiled.get_property("NUM_STREAMS"))
        # One more than are computed, so that no stream waits for the next batch to be laid out.
        self._queue = openvino.AsyncInferQueue(compiled, streams + 1)
        self.n_dims = n_dims

    def run(self, batches: Iterable[Batch], done: Callable[[Batch, np.ndarray], None]) -> None:
        """Compute batches; results are fetched when their request is needed again, in this thread."""
        running: dict[int, Batch] = {}

        def fetch(request: int) -> None:
            if request in running:
                done(running.pop(request), self._queue[request].get_output_tensor(0).data)

        for batch in batches:
            request = self._queue.get_idle_request_id()
            fetch(request)
            running[request] = batch
            self._queue.start_async({0: batch.ids, 1: batch.mask}, userdata=None)
        self._queue.wait_all()
        for request in list(running):
            fetch(request)


def load_openvino(model: EmbeddingModel, threads: int) -> BatchedEmbedder:
    """Load a model for OpenVINO, converting it the first time.

    Raises:
        NotConvertible: the model does not trace, or not faithfully.
        ModelUnavailable: its files cannot be loaded.
    """
    started = time.perf_counter()
    openvino = import_openvino()
    core = openvino.Core()
    folder = cache_folder(model)
    kept = _read(core, folder, model)
    if kept is None:
        converted, tokenizer, n_dims = _convert(model)
        _keep(folder, converted, tokenizer, n_dims)
    else:
        converted, tokenizer, n_dims = kept
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    compiled = core.compile_model(
        converted,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "bf16" if "BF16" in capabilities else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
        },
    )
    precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    return BatchedEmbedder(
        OpenvinoRunner(compiled, n_dims),
        tokenizer,
        engine="openvino",
        device="cpu",
        precision={"bf16": "bfloat16", "f32": "float32"}.get(precision, precision),
        load_seconds=time.perf_counter() - started,
        tokens_per_batch=TOKENS_PER_BATCH,
    )


def _read(core: Any, folder: Path, model: EmbeddingModel) -> tuple[Any, TextTokenizer, int] | None:
    """The kept model, or None where there is none or it cannot be read."""
    from tokenizers import Tokenizer

    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        converted = core.read_model(folder / "model.xml")
    except (OSError, ValueError, RuntimeError):
        return None
    return converted, TextTokenizer(tokenizer, model.max_tokens, about["pad_id"], model.prompt), about["n_dims"]


def _convert(model: EmbeddingModel) -> tuple[Any, TextTokenizer, int]:
    """The model converted from torch, checked against torch on a few token sequences."""
    import torch

    from analytics.models.embedding_torch import fast_tokenizer, load_sentence_transformer, sentence_module

    openvino = import_openvino()
    loaded = load_sentence_transformer(model)
    try:
        tokenizer = fast_tokenizer(loaded, model)
        module = sentence_module(loaded, model)
        tokens = tokenizer.tokenize(["A short text.", "A second text, which is somewhat longer than the first."])
        probes = [_padded(tokens, tokenizer.pad_id), _padded(tokens[1:], tokenizer.pad_id)]
        with torch.inference_mode():
            expected = [module(*map(torch.from_numpy, probe)).numpy() for probe in probes]
            converted = openvino.convert_model(module, example_input=tuple(map(torch.from_numpy, probes[0])))
        converted.reshape({0: [-1, -1], 1: [-1, -1]})
        compiled = openvino.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        for probe, vectors in zip(probes, expected, strict=True):
            _check_same(compiled(probe)[0], vectors)
    except Exception as error:
        raise NotConvertible(f"{model.name}: OpenVINO cannot run this model ({error})") from error
    return converted, tokenizer, int(expected[0].shape[1])


def _padded(tokens: list[list[int]], pad_id: int) -> tuple[np.ndarray, np.ndarray]:
    width = max(map(len, tokens))
    ids = np.array([row + [pad_id] * (width - len(row)) for row in tokens], np.int64)
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in tokens], np.int64)
    return ids, mask


def _check_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    if not (cosines >= MIN_PROBE_COSINE).all():
        raise ValueError(f"its vectors differ from torch: cosine {cosines.min():.4f}")


def _keep(folder: Path, converted: Any, tokenizer: TextTokenizer, n_dims: int) -> None:
    """Write the converted model beside its place and rename it there; without a writable cache, go on without."""
    openvino = import_openvino()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as new:
            openvino.save_model(converted, Path(new) / "model.xml", compress_to_fp16=False)
            (Path(new) / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
            about = {"pad_id": tokenizer.pad_id, "n_dims": n_dims}
            (Path(new) / "about.json").write_text(json.dumps(about), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            Path(new).rename(folder)
            Path(new).mkdir()
    except (OSError, RuntimeError):
        return
