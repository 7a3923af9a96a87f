"""From texts to batches of similar length and back to rows: what every embedding engine shares."""

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

    def __init__(
        self, tokenizer: Any, *, max_tokens: int, pad_id: int, add_special: bool = True, prompt: str = ""
    ) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._prompt = prompt
        self.pad_id = pad_id
        self.add_special = add_special

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text; never an empty list."""
        encoded = self._tokenizer.encode_batch_fast(
            [self._prompt + text for text in texts], add_special_tokens=self.add_special
        )
        return [one.ids or [self.pad_id] for one in encoded]

    def count_prompt(self) -> int:
        """Tokens of the prompt, with what stands before it and without the special token after it."""
        if not self._prompt:
            return 0
        encoded = self._tokenizer.encode(self._prompt, add_special_tokens=self.add_special)
        return len(encoded.ids) - int(encoded.special_tokens_mask[-1])

    def to_json(self) -> str:
        """The tokenizer as the content of a tokenizer.json."""
        return str(self._tokenizer.to_str())


def plan_batches(lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Rows of each batch, longest first, so that a batch pads little.

    The plan depends on the lengths and their order alone. A batch has at most `max_tokens` tokens, padding
    included; a text longer than that is a batch of its own.
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


def pad_batch(rows: list[int], tokens: Sequence[list[int]], pad_id: int) -> Batch:
    """One batch of the given token ids, in order; `rows` says whose they are."""
    width = max(map(len, tokens))
    ids = np.full((len(tokens), width), pad_id, np.int64)
    mask = np.zeros((len(tokens), width), np.int64)
    for line, one in enumerate(tokens):
        ids[line, : len(one)] = one
        mask[line, : len(one)] = 1
    return Batch(rows, ids, mask)


class BatchedEmbedder:
    """An embedder over any runner: identical texts once, similar lengths together, rows in input order."""

    BLOCK = 16_384
    """Distinct texts tokenized at a time; it bounds memory."""

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
        """Embed texts; see `Embedder.embed`.

        Batches follow from the set of texts, so a vector has the same bits whatever their order.
        """
        # By number of characters, so that a block holds similar lengths; the text itself settles ties.
        distinct = sorted(set(texts), key=lambda text: (-len(text), text))
        place = {text: row for row, text in enumerate(distinct)}
        row_of_text = np.fromiter((place[text] for text in texts), np.int64, len(texts))
        copies = np.bincount(row_of_text, minlength=len(distinct))
        vectors = np.zeros((len(distinct), self.n_dims), np.float32)  # (n_distinct, n_dims)

        def done(batch: Batch, outputs: np.ndarray) -> None:
            norms = np.linalg.norm(outputs, axis=1, keepdims=True)
            vectors[batch.rows] = outputs / np.maximum(norms, 1e-12)
            if advance is not None:
                advance(int(copies[batch.rows].sum()))

        for start in range(0, len(distinct), self.BLOCK):
            self._runner.run(self._batches(distinct[start : start + self.BLOCK], start), done)
        return vectors[row_of_text]

    def _batches(self, texts: list[str], first_row: int) -> Iterator[Batch]:
        tokens = self._tokenizer.tokenize(texts)
        for plan in plan_batches([len(ids) for ids in tokens], self._tokens_per_batch):
            yield pad_batch(
                [first_row + row for row in plan], [tokens[row] for row in plan], self._tokenizer.pad_id
            )
