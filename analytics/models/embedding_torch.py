"""Embedding with torch, on a GPU or a CPU; also the torch module that OpenVINO models are converted from."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.errors import ModelUnavailable
from analytics.models.batches import Batch, BatchedEmbedder, TextTokenizer
from analytics.models.embedding import EmbeddingModel
from analytics.models.weights import first_line

if TYPE_CHECKING:
    import torch

GPU_TOKENS_PER_BATCH = 32_768
CPU_TOKENS_PER_BATCH = 1_024


def load_sentence_transformer(model: EmbeddingModel) -> Any:
    """The model as a SentenceTransformer on the CPU in fp32, from local files only.

    Raises:
        ModelUnavailable: its files are incomplete, or it has no tokenizer that can be used here.
    """
    import transformers
    from sentence_transformers import SentenceTransformer

    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(action="ignore"):
            loaded = SentenceTransformer(str(model.folder), device="cpu", local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise ModelUnavailable(
            f"embedding model {model.name!r} cannot be loaded from {model.folder} ({first_line(error)}); "
            "install or download it again, or set another model under [embedding]"
        ) from error
    if not hasattr(_backend(loaded), "encode_batch_fast"):
        raise ModelUnavailable(
            f"embedding model {model.name!r} does not read text through a fast tokenizer; "
            "set another model under [embedding]"
        )
    return loaded.float().eval()


def _backend(loaded: Any) -> Any:
    tokenizer = getattr(loaded, "tokenizer", None)
    return getattr(tokenizer, "backend_tokenizer", tokenizer)


def fast_tokenizer(loaded: Any, model: EmbeddingModel) -> TextTokenizer:
    """Tokenizer of a loaded model, with the changes that its configuration makes to the file."""
    from tokenizers import Tokenizer

    return TextTokenizer(
        Tokenizer.from_str(_backend(loaded).to_str()),
        max_tokens=model.max_tokens,
        pad_id=getattr(loaded.tokenizer, "pad_token_id", None) or 0,
        add_special=not _is_static(loaded),
        prompt=model.prompt,
    )


def _is_static(loaded: Any) -> bool:
    return type(loaded[0]).__name__ == "StaticEmbedding"


def sentence_module(loaded: Any, model: EmbeddingModel) -> torch.nn.Module:
    """One torch module from token ids and mask to sentence embeddings, through all modules of the model."""
    import torch

    is_static = _is_static(loaded)
    prompt_length = fast_tokenizer(loaded, model).count_prompt()

    class SentenceModule(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.ModuleList(loaded)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            if is_static:
                n_tokens = attention_mask.sum(1)
                features["input_ids"] = input_ids[attention_mask.bool()]
                features["offsets"] = n_tokens.cumsum(0) - n_tokens
            if prompt_length:  # some models leave the prompt out of pooling
                features["prompt_length"] = prompt_length
            for step in self.steps:
                features = step(features)
            return features["sentence_embedding"]

    return SentenceModule().eval()


class TorchRunner:
    """Runs batches through a torch module on one device."""

    def __init__(self, module: torch.nn.Module, device: str, n_dims: int) -> None:
        self._module = module
        self._device = device
        self.n_dims = n_dims

    def run(self, batches: Iterable[Batch], done: Callable[[Batch, np.ndarray], None]) -> None:
        """Compute batches; each starts before the one before it is fetched, so that a GPU does not wait."""
        waiting: tuple[Batch, torch.Tensor] | None = None
        for batch in batches:
            started = (batch, self._start(batch.ids, batch.mask))
            if waiting is not None:
                done(waiting[0], waiting[1].float().cpu().numpy())
            waiting = started
        if waiting is not None:
            done(waiting[0], waiting[1].float().cpu().numpy())

    def _start(self, ids: np.ndarray, mask: np.ndarray) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            try:
                return self._module(
                    torch.from_numpy(ids).to(self._device, non_blocking=True),
                    torch.from_numpy(mask).to(self._device, non_blocking=True),
                )
            except torch.OutOfMemoryError:
                if len(ids) == 1:
                    raise
        half = len(ids) // 2
        return torch.cat([self._start(ids[:half], mask[:half]), self._start(ids[half:], mask[half:])])


def load_torch(model: EmbeddingModel, threads: int, device: str) -> BatchedEmbedder:
    """Load a model for torch, in bf16 where the device computes it natively.

    Args:
        model: The model.
        threads: CPU threads; in torch a setting of the whole process.
        device: "cuda" or "cpu".

    Raises:
        ModelUnavailable: its files cannot be loaded.
    """
    started = time.perf_counter()
    import torch

    torch.set_num_threads(threads)
    loaded = load_sentence_transformer(model)
    tokenizer = fast_tokenizer(loaded, model)
    on_gpu = device != "cpu"
    if on_gpu:
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    else:
        dtype = torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32
    module = sentence_module(loaded, model).to(device, dtype)
    one = torch.tensor([[tokenizer.pad_id]], device=device)
    with torch.inference_mode():
        n_dims = int(module(one, torch.ones_like(one)).shape[1])
    return BatchedEmbedder(
        TorchRunner(module, device, n_dims),
        tokenizer,
        engine="torch",
        device=device,
        precision={torch.bfloat16: "bf16", torch.float16: "fp16", torch.float32: "fp32"}[dtype],
        load_seconds=time.perf_counter() - started,
        tokens_per_batch=GPU_TOKENS_PER_BATCH if on_gpu else CPU_TOKENS_PER_BATCH,
    )
