"""Embedding with OpenVINO on a CPU.

The converted model is kept in the user's cache, so that later loads import neither torch nor transformers.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from analytics.errors import ModelUnavailable
from analytics.identity import hash_of
from analytics.models.batches import Batch, BatchedEmbedder, TextTokenizer, pad_batch
from analytics.models.embedding import EmbeddingModel
from analytics.models.weights import first_line

CONVERSION_VERSION = 1
TOKENS_PER_BATCH = 768
MIN_COSINE_CONVERTED = 0.9999  # both in fp32
MIN_COSINE_BF16 = 0.9995


class NotConvertible(Exception):
    """OpenVINO cannot convert this model, or the converted one gives other vectors."""


@dataclass(frozen=True)
class Converted:
    """A model as OpenVINO reads it, with the tokenizer that goes with it."""

    network: Any
    tokenizer: TextTokenizer
    n_dims: int
    precision: Literal["bf16", "f32"]


def import_openvino() -> Any:
    """OpenVINO without its telemetry: where that package cannot be imported it uses a stub of its own."""
    modules: dict[str, Any] = sys.modules
    modules.setdefault("openvino_telemetry", None)
    import openvino

    return openvino


def load_openvino(model: EmbeddingModel, threads: int) -> BatchedEmbedder:
    """Load a model for OpenVINO, converting it the first time.

    Raises:
        NotConvertible: the model does not trace, or not faithfully.
        ModelUnavailable: its files cannot be loaded.
    """
    started = time.perf_counter()
    core = import_openvino().Core()
    converted = _load_converted(core, model)
    return BatchedEmbedder(
        OpenvinoRunner(_compile(core, converted, threads), converted.n_dims),
        converted.tokenizer,
        engine="openvino",
        device="cpu",
        precision="bf16" if converted.precision == "bf16" else "fp32",
        load_seconds=time.perf_counter() - started,
        tokens_per_batch=TOKENS_PER_BATCH,
    )


def _compile(core: Any, converted: Converted, threads: int) -> Any:
    options = {
        "INFERENCE_PRECISION_HINT": converted.precision,
        # A stream per thread: batches never wait for one another. Unpinned, because pinned streams of two
        # processes would sit on the same cores.
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,
        "ENABLE_CPU_PINNING": False,
    }
    if _attention_is_faster_unfused():
        try:
            return core.compile_model(converted.network, "CPU", {**options, "SNIPPETS_MODE": "DISABLE"})
        except RuntimeError:
            pass  # the option is not a documented one: another OpenVINO may not know it
    return core.compile_model(converted.network, "CPU", options)


def _attention_is_faster_unfused() -> bool:
    # Measured with avx512_bf16 and no AMX: fused bf16 attention costs up to 8 % of the whole at lengths that
    # are no multiples of 16 and gains at most 2 % at those that are. Others keep OpenVINO's choice.
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
    return "avx512_bf16" in flags and "amx_bf16" not in flags


class OpenvinoRunner:
    """Runs batches through a compiled model, as many at a time as it has streams."""

    def __init__(self, compiled: Any, n_dims: int) -> None:
        # One request more than streams, so that none of them waits while the next batch is laid out.
        n_requests = int(compiled.get_property("NUM_STREAMS")) + 1
        self._queue = import_openvino().AsyncInferQueue(compiled, n_requests)
        self.n_dims = n_dims

    def run(self, batches: Iterable[Batch], done: Callable[[Batch, np.ndarray], None]) -> None:
        """Compute batches; a result is fetched when its request is needed again, or at the end."""
        running: dict[int, Batch] = {}

        def fetch(request: int) -> None:
            if request in running:
                done(running.pop(request), self._queue[request].get_output_tensor(0).data)

        try:
            for batch in batches:
                request = self._queue.get_idle_request_id()
                fetch(request)
                running[request] = batch
                self._queue.start_async({0: batch.ids, 1: batch.mask})
        finally:
            self._queue.wait_all()
        for request in list(running):
            fetch(request)


def cache_folder(core: Any, model: EmbeddingModel) -> Path:
    """Where the converted model is kept; another OpenVINO, configuration or kind of CPU is another folder."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = import_openvino().__version__
    made_from = hash_of(
        [CONVERSION_VERSION, version, _has_bf16(core), model.configuration_hash, model.prompt]
    )
    return base / "nightloom" / "openvino" / f"{model.weights_hash[:32]}-{made_from[:16]}"


def _load_converted(core: Any, model: EmbeddingModel) -> Converted:
    """The kept model, else one converted now and kept where that is possible."""
    folder = cache_folder(core, model)
    kept = _read(core, folder, model)
    if kept is not None:
        return kept
    converted = _convert(core, model)
    # Read back even where it cannot be kept: writing changes last digits, and every load must give the same.
    for place in (folder.parent, Path(tempfile.gettempdir())):
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place, prefix=".new-", ignore_cleanup_errors=True) as new:
                written = Path(new) / "model"
                _write(converted, written)
                again = _read(core, written, model)
                if again is None:
                    continue
                if place == folder.parent:
                    _put(written, folder)
                return again
        except (OSError, RuntimeError):
            continue
    raise ModelUnavailable(
        f"the converted embedding model fits neither into {folder.parent} nor into {tempfile.gettempdir()}; "
        'free some space, set XDG_CACHE_HOME, or set engine = "torch" under [embedding]'
    )


def _read(core: Any, folder: Path, model: EmbeddingModel) -> Converted | None:
    """A written model, or None where there is none or it cannot be read."""
    from tokenizers import Tokenizer

    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        text = (folder / "tokenizer.json").read_text(encoding="utf-8")
        network = core.read_model(folder / "model.xml")
    except (OSError, ValueError, RuntimeError):
        return None
    tokenizer = TextTokenizer(
        Tokenizer.from_str(text),
        max_tokens=model.max_tokens,
        pad_id=about["pad_id"],
        add_special=about["add_special"],
        prompt=model.prompt,
    )
    return Converted(network, tokenizer, about["n_dims"], about["precision"])


def _write(converted: Converted, folder: Path) -> None:
    folder.mkdir()
    import_openvino().save_model(converted.network, folder / "model.xml", compress_to_fp16=False)
    (folder / "tokenizer.json").write_text(converted.tokenizer.to_json(), encoding="utf-8")
    about = {
        "pad_id": converted.tokenizer.pad_id,
        "add_special": converted.tokenizer.add_special,
        "n_dims": converted.n_dims,
        "precision": converted.precision,
    }
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _put(written: Path, folder: Path) -> None:
    """Move a written model to its place, over an unreadable one; another process may have been faster."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        written.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _convert(core: Any, model: EmbeddingModel) -> Converted:
    """The model converted from torch, compared with torch on a few texts; in bf16 where that does no harm."""
    import torch

    from analytics.models.embedding_torch import fast_tokenizer, load_sentence_transformer, sentence_module

    loaded = load_sentence_transformer(model)
    tokenizer = fast_tokenizer(loaded, model)
    tokens = tokenizer.tokenize(["A short text.", "A second text, which is somewhat longer than the first."])
    # The second probe has another shape than the example: a network with a fixed length would fail it.
    probes = [
        pad_batch(rows, [tokens[row] for row in rows], tokenizer.pad_id) for rows in ([0, 1], [1, 0, 1], [0])
    ]
    try:
        module = sentence_module(loaded, model)
        inputs = [(torch.from_numpy(probe.ids), torch.from_numpy(probe.mask)) for probe in probes]
        with torch.inference_mode(), warnings.catch_warnings(action="ignore"):
            expected = [module(*pair).numpy() for pair in inputs]
            network = import_openvino().convert_model(module, example_input=inputs[0])
        network.reshape({0: [-1, -1], 1: [-1, -1]})
        cosine = _cosine_min(core, network, "f32", probes, expected)
        if cosine < MIN_COSINE_CONVERTED:
            raise ValueError(f"its vectors differ from torch (cosine {cosine:.4f})")
    except Exception as error:
        raise NotConvertible(f"OpenVINO cannot run {model.name}: {first_line(error)}") from error
    precision: Literal["bf16", "f32"] = "f32"
    if _has_bf16(core) and _cosine_min(core, network, "bf16", probes, expected) >= MIN_COSINE_BF16:
        precision = "bf16"
    return Converted(network, tokenizer, int(expected[0].shape[1]), precision)


def _has_bf16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _cosine_min(
    core: Any, network: Any, precision: str, probes: Sequence[Batch], expected: Sequence[np.ndarray]
) -> float:
    """Smallest cosine between what OpenVINO answers and what is expected; -1 where it is not a number."""
    compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    ours = np.concatenate([compiled({0: probe.ids, 1: probe.mask})[0] for probe in probes])
    theirs = np.concatenate(expected)
    cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    return float(np.nan_to_num(cosines, nan=-1.0).min())
