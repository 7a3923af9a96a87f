"""SmolLM2-135M-Instruct as a sentence-transformers model: its last hidden states, averaged over the tokens.

A language model was never trained to tell texts apart by such averages, so they make a poor embedding: the
one that a replay changes to, to show what a registry bears.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from analytics.models.llm.weights import find_weights


def build(folder: Path) -> Path:
    """The model's folder, written at the first call (a minute, 0.5 GB)."""
    if folder.exists():
        return folder
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from transformers import AutoModel, AutoTokenizer, GgufConfig

    weights = find_weights("embedded")
    plain = folder.with_suffix(f".plain-{os.getpid()}")
    model = AutoModel.from_pretrained(
        weights.parent, gguf_file=weights.name, quantization_config=GgufConfig(dequantize=True)
    )
    model.save_pretrained(plain)
    AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(plain)
    reader = Transformer(str(plain), max_seq_length=256)
    pooling = Pooling(reader.get_embedding_dimension(), pooling_mode="mean")
    made = folder.with_suffix(f".made-{os.getpid()}")
    SentenceTransformer(modules=[reader, pooling], device="cpu").save(str(made))
    shutil.rmtree(plain)
    made.rename(folder)
    return folder
