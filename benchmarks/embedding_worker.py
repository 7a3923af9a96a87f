"""One embedding engine in a process of its own, in any peer's environment: JSON lines in, JSON lines out.

A command is {"do": "texts", "path": …}, {"do": "choose", "n_texts": …}, {"do": "round"} or
{"do": "save", "path": …}.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

BATCH_SIZES = (32, 64, 128)
Embed = Callable[[Sequence[str], int], np.ndarray]


def load_nightloom(engine: str, threads: int) -> tuple[Embed, dict[str, Any]]:
    from analytics.models.embedding import describe_model, load_embedder
    from analytics.settings import EmbeddingSettings

    settings = EmbeddingSettings.model_validate({"engine": engine, "threads": threads})
    embedder = load_embedder(describe_model(settings), settings)
    about = {"engine": embedder.engine, "device": embedder.device, "precision": embedder.precision}
    return lambda texts, _: embedder.embed(texts), about


def load_sentence_transformers(backend: str, model: str, threads: int) -> tuple[Embed, dict[str, Any]]:
    import sentence_transformers
    import torch

    torch.set_num_threads(threads)
    about = {"engine": backend, "device": "cpu", "sentence_transformers": sentence_transformers.__version__}
    if backend == "openvino":
        loaded = sentence_transformers.SentenceTransformer(
            model,
            backend="openvino",
            device="cpu",
            model_kwargs={"ov_config": {"INFERENCE_NUM_THREADS": threads}},
        )
        request = loaded[0].auto_model.request
        compiled = getattr(request, "get_compiled_model", lambda: request)()
        about["precision"] = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
    else:
        # Newer transformers keep the checkpoint's own type; the yardstick is fp32 whatever that is.
        loaded = sentence_transformers.SentenceTransformer(model, device="cpu").float()
        about["precision"] = "f32"

    def embed(texts: Sequence[str], batch_size: int) -> np.ndarray:
        return np.asarray(
            loaded.encode(
                list(texts), batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False
            )
        )

    return embed, about


def choose_batch_size(embed: Embed, texts: Sequence[str]) -> int:
    """The fastest batch size on a sample: best of two tries each, after a warm-up."""
    seconds: dict[int, list[float]] = {size: [] for size in BATCH_SIZES}
    for _ in ("warm-up", "first", "second"):
        for size in BATCH_SIZES:
            started = time.perf_counter()
            embed(texts, size)
            seconds[size].append(time.perf_counter() - started)
    return min(seconds, key=lambda size: min(seconds[size][1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["nightloom", "st_openvino", "st_default"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--engine", default="auto")
    arguments = parser.parse_args()

    # Libraries print to stdout; the driver must read nothing but answers there.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: dict[str, Any]) -> None:
        print(json.dumps(value), file=answers, flush=True)

    if arguments.name == "nightloom":
        embed, about = load_nightloom(arguments.engine, arguments.threads)
    else:
        backend = "openvino" if arguments.name == "st_openvino" else "torch"
        embed, about = load_sentence_transformers(backend, arguments.model, arguments.threads)
    answer(about)

    texts: list[str] = []
    batch_size = BATCH_SIZES[0]
    vectors = np.zeros((0, 0), np.float32)
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "texts":
                texts = json.loads(Path(command["path"]).read_text(encoding="utf-8"))
                answer({"n_texts": len(texts)})
            case "choose":
                batch_size = choose_batch_size(embed, texts[: command["n_texts"]])
                answer({"batch_size": batch_size})
            case "round":
                wall, busy = time.perf_counter(), time.process_time()
                vectors = embed(texts, batch_size)
                answer({"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - busy})
            case "save":
                np.save(command["path"], vectors)
                answer({"saved": list(vectors.shape)})


if __name__ == "__main__":
    main()
