"""One way to find themes in a process of its own, in any peer's environment: JSON lines in, JSON lines out.

A command is {"do": "load", "vectors": …, "texts": …} or {"do": "discover", "rows": …, "seed": …, "found": …}.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Discover = Callable[[np.ndarray, Sequence[str], int], tuple[np.ndarray, np.ndarray]]
"""Vectors, texts and a seed in; the group of each and the upper group of each group out."""


def load_nightloom(granularity: str) -> tuple[Discover, dict[str, Any]]:
    from analytics.insight.grouping import find_groups

    def discover(vectors: np.ndarray, texts: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
        found = find_groups(vectors, granularity=granularity, seed=seed)
        return found.group, found.parent

    return discover, {"granularity": granularity}


def load_bertopic() -> tuple[Discover, dict[str, Any]]:
    import bertopic
    from bertopic.backend import BaseEmbedder
    from umap import UMAP

    def discover(vectors: np.ndarray, texts: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
        # The defaults of BERTopic, with a seed; vectors are given, so the embedder is never asked.
        reduction = UMAP(
            n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", low_memory=False, random_state=seed
        )
        model = bertopic.BERTopic(umap_model=reduction, embedding_model=BaseEmbedder())
        topics, _ = model.fit_transform(list(texts), vectors)
        # It has one level: every topic is its own group.
        return np.array(topics, dtype=np.int64), np.arange(max(topics) + 1)

    return discover, {"bertopic": bertopic.__version__}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["nightloom", "bertopic"])
    parser.add_argument("--granularity", default="medium")
    arguments = parser.parse_args()

    # Libraries print to stdout; the driver must read nothing but answers there.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: dict[str, Any]) -> None:
        print(json.dumps(value), file=answers, flush=True)

    is_ours = arguments.name == "nightloom"
    discover, about = load_nightloom(arguments.granularity) if is_ours else load_bertopic()
    answer(about)

    vectors, texts = np.empty((0, 0), dtype=np.float32), np.empty(0, dtype=object)
    while line := sys.stdin.readline():
        command = json.loads(line)
        if command["do"] == "load":
            vectors = np.load(command["vectors"])
            texts = np.array(json.loads(Path(command["texts"]).read_text(encoding="utf-8")), dtype=object)
        else:
            rows = np.load(command["rows"])
            group, parent = discover(vectors[rows], texts[rows].tolist(), command["seed"])
            np.savez(command["found"], group=group, parent=parent)
        answer({})


if __name__ == "__main__":
    main()
