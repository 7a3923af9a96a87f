"""Embedding with torch: on a GPU in bf16, else on the CPU in fp32. Also what OpenVINO models are converted from."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.errors import ModelUnavailable
from analytics.models.batches import Batch, BatchedEmbedder, TextTokenizer
from analytics.models.embedding import EmbeddingModel

if TYPE_CHECKING:
    import torch

GPU_TOKENS_PER_BATCH = 32_768
CPU_TOKENS_PER_BATCH = 2_048


def load_sentence_transformer(model: EmbeddingModel) -> Any:
    """The model as a SentenceTransformer on the CPU in fp32, from local files only.

    Raises:
        ModelUnavailable: its files are incomplete, or of an architecture that transformers does not know.
    """
    import transformers
    from sentence_transformers import SentenceTransformer

    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    transformers.utils.logging.disable_progress_bar()
    try:
        loaded = SentenceTransformer(str(model.folder), device="cpu", local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelUnavailable(
            f"embedding model {model.name!r} cannot be loaded from {model.folder} ({reason}); "
            "install or download it again, or set another model under [embedding]"
        ) from error
    return loaded.float().eval()


def fast_tokenizer(loaded: Any, model: EmbeddingModel) -> TextTokenizer:
    """Tokenizer of a loaded model with the changes that its configuration makes to the file."""
    from tokenizers import Tokenizer

    backend = getattr(loaded.tokenizer, "backend_tokenizer", loaded.tokenizer)
    copy = Tokenizer.from_str(backend.to_str())
    pad_id = getattr(loaded.tokenizer, "pad_token_id", None) or 0
    return TextTokenizer(copy, model.max_tokens, pad_id, model.prompt)


def sentence_module(loaded: Any, model: EmbeddingModel) -> torch.nn.Module:
    """One torch module from token ids and mask to the sentence embedding, pooling and normalisation included."""
    import torch

    class SentenceModule(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = loaded
            self.prompt_tokens = loaded[0]._get_prompt_length(model.prompt) if model.prompt else None

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            if self.prompt_tokens is not None:
                features["prompt_length"] = self.prompt_tokens
            for module in self.model:
                features = module(features)
            return features["sentence_embedding"]

    return SentenceModule().eval()


class TorchRunner:
    """Runs batches through a torch module on one device."""

    def __init__(self, module: torch.nn.Module, device: str, n_dims: int) -> None:
        self._module = module
        self._device = device
        self.n_dims = n_dims

    def run(self, batches: Iterable[Batch], done: Callable[[Batch, np.ndarray], None]) -> None:
        """Compute batches, starting each before the one before it is fetched, so that a GPU does not wait."""
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
    """Load a model for torch.

    Args:
        model: The model.
        threads: CPU threads; a setting of the whole process in torch.
        device: "cuda" or "cpu".

    Raises:
        ModelUnavailable: its files cannot be loaded.
    """
    started = time.perf_counter()
    import torch

    torch.set_num_threads(threads)
    loaded = load_sentence_transformer(model)
    tokenizer = fast_tokenizer(loaded, model)
    module = sentence_module(loaded, model)
    on_gpu = device != "cpu"
    if on_gpu:
        module = module.to(device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)
    one = torch.tensor([[tokenizer.pad_id]], device=device)
    with torch.inference_mode():
        n_dims = int(module(one, torch.ones_like(one)).shape[1])
    return BatchedEmbedder(
        TorchRunner(module, device, n_dims),
        tokenizer,
        engine="torch",
        device=device,
        precision=str(next(module.parameters()).dtype).removeprefix("torch."),
        load_seconds=time.perf_counter() - started,
        tokens_per_batch=GPU_TOKENS_PER_BATCH if on_gpu else CPU_TOKENS_PER_BATCH,
    )
