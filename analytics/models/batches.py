"""From texts to batches of equal cost and back to rows: what both embedding engines share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Token ids of some texts, padded at the right to one length."""

    rows: list[int]
    ids: np.ndarray  # int64 (n_rows, n_tokens)
    mask: np.ndarray  # int64 (n_rows, n_tokens); 1 where a token stands, 0 where padding does


class Runner(Protocol):
    """The model itself: batches in, one vector per row out."""

    n_dims: int

    def run(self, batches: Iterable[Batch], done: Callable[[Batch, np.ndarray], None]) -> None:
        """Compute every batch and hand each to `done` with its vectors, in any order, from this thread."""
        ...


class TextTokenizer:
    """A model's fast tokenizer, cutting at `max_tokens`, special tokens included."""

    def __init__(self, tokenizer: Any, max_tokens: int, pad_id: int, prompt: str = "") -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._prompt = prompt
        self.pad_id = pad_id

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text; never an empty list."""
        encoded = self._tokenizer.encode_batch_fast([self._prompt + text for text in texts])
        return [one.ids or [self.pad_id] for one in encoded]

    def to_json(self) -> str:
        """The tokenizer as the content of a tokenizer.json."""
        return str(self._tokenizer.to_str())


def plan_batches(lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Rows of each batch: longest first, so that a batch pads little; at most `max_tokens` tokens, padding included.

    The plan depends on the lengths and their order alone. A text longer than `max_tokens` is a batch of its own.
    """
    batches: list[list[int]] = []
    width = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if batches and (len(batches[-1]) + 1) * width <= max_tokens:
            batches[-1].append(row)
        else:
            batches.append([row])
            width = lengths[row]
    return batches


class BatchedEmbedder:
    """An embedder over any runner: identical texts once, batches of similar length, unit rows in input order."""

    BLOCK = 16_384
    """Distinct texts tokenized at a time, which bounds memory; long lists are cut into blocks of similar length."""

    def __init__(
        self,
        runner: Runner,
        tokenizer: TextTokenizer,
        *,
        engine: Literal["openvino", "torch"],
        device: str,
        precision: str,
        load_seconds: float,
        tokens_per_batch: int,
    ) -> None:
        self._runner = runner
        self._tokenizer = tokenizer
        self._tokens_per_batch = tokens_per_batch
        self.engine: Literal["openvino", "torch"] = engine
        self.device = device
        self.precision = precision
        self.load_seconds = load_seconds
        self.n_dims = runner.n_dims

    def embed(self, texts: Sequence[str], advance: Callable[[int], None] | None = None) -> np.ndarray:
        """Embed texts; see `Embedder.embed`."""
        distinct, row_of_text, copies = np.unique(
            np.array(texts, dtype=object), return_inverse=True, return_counts=True
        )
        vectors = np.zeros((len(distinct), self.n_dims), np.float32)  # (n_distinct, n_dims)

        def done(batch: Batch, outputs: np.ndarray) -> None:
            norms = np.linalg.norm(outputs, axis=1, keepdims=True)
            vectors[batch.rows] = outputs / np.maximum(norms, 1e-12)
            if advance is not None:
                advance(int(copies[batch.rows].sum()))

        # By number of characters, so that a block holds texts of similar length; np.unique has settled ties.
        order = sorted(range(len(distinct)), key=lambda row: -len(distinct[row]))
        for start in range(0, len(order), self.BLOCK):
            self._runner.run(self._batches(distinct, order[start : start + self.BLOCK]), done)
        return vectors[row_of_text]

    def _batches(self, texts: np.ndarray, rows: list[int]) -> Iterator[Batch]:
        tokens = self._tokenizer.tokenize([texts[row] for row in rows])
        for plan in plan_batches([len(ids) for ids in tokens], self._tokens_per_batch):
            width = len(tokens[plan[0]])
            ids = np.full((len(plan), width), self._tokenizer.pad_id, np.int64)
            mask = np.zeros((len(plan), width), np.int64)
            for line, place in enumerate(plan):
                ids[line, : len(tokens[place])] = tokens[place]
                mask[line, : len(tokens[place])] = 1
            yield Batch([rows[place] for place in plan], ids, mask)
