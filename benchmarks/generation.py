"""Answers of the embedded language model per second: ours beside transformers and beside the bare engine.

On public reviews, the same templated prompts and limits for all: (a) the transformers pipeline, one at a
time, on a sample; (b) `generate` in length-sorted batches of 64, on some of them, evenly spread over the
lengths; (c) openvino-genai by itself; (d) ours from texts to checked answers; and (c) and (d) again under a
schema. Rounds are interleaved, figures are medians; loading is left out and printed. The reviews are not part
of this repository.

    python benchmarks/generation.py [--documents 1000] [--rounds 3] [--data FILE] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from embedding import machine
from pydantic import Field

from analytics.insight.sentences import split_sentences
from analytics.models.llm.local import load_local
from analytics.models.llm.openvino_engine import OpenVinoEngine
from analytics.models.llm.protocol import Prompt
from analytics.models.llm.structured import Form, ask, schema_of
from analytics.models.llm.torch_engine import CPU_BATCH, TorchEngine
from analytics.models.llm.weights import find_weights
from analytics.settings import LanguageModelSettings

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "reviews_datafiniti_electronics.parquet"
ASKED = "Say in one short sentence what the customer says about the product."
ASKED_FORM = "List what the customer says about the product, as JSON."
NEW_TOKENS, NEW_TOKENS_FORM = 40, 120
ONE_AT_A_TIME = 16
N_BATCHES = 2
"""Of the length-sorted batches so many are run, from the middle of as many equal parts."""
PIPELINE, BATCHED = "pipeline_one_at_a_time", f"generate_batch_{CPU_BATCH}"
SETTINGS = LanguageModelSettings(engine="openvino", max_input_tokens=768)


class Said(Form):
    """One thing that a review says."""

    aspect: Annotated[str, Field(max_length=30)]
    sentiment: Literal["positive", "neutral", "negative"]
    kind: Literal["problem", "praise", "request", "question"]


class SaidInReview(Form):
    """What a review says."""

    said: list[Said] = Field(max_length=3)


def read_prompts(file: Path, n: int, asked: str) -> list[Prompt]:
    """Prompts about so many reviews, drawn by their id."""
    rows = pl.read_parquet(file, columns=["doc_id", "text"]).drop_nulls("text")
    texts = (
        rows.filter(pl.col("text").str.len_chars() > 20).sort(pl.col("doc_id").hash(seed=1)).head(n)["text"]
    )
    return [Prompt(asked, tuple(text[a:b] for a, b in split_sentences(text))) for text in texts]


def bare(engine: OpenVinoEngine, texts: list[str], n_new: int, schema: dict[str, Any] | None) -> list[str]:
    """Answers of openvino-genai as its documentation shows it."""
    import openvino_genai as genai

    config = engine._pipeline.get_generation_config()
    config.max_new_tokens, config.do_sample, config.apply_chat_template = n_new, False, False
    if schema is not None:
        config.structured_output_config = genai.StructuredOutputConfig(json_schema=json.dumps(schema))
    return list(engine._pipeline.generate(texts, config).texts)


def one_at_a_time(engine: TorchEngine, texts: list[str]) -> None:
    """The transformers pipeline, a prompt a call."""
    import transformers

    pipeline = transformers.pipeline("text-generation", model=engine._model, tokenizer=engine._tokenizer)
    for text in texts:
        pipeline(text, max_new_tokens=NEW_TOKENS, do_sample=False, return_full_text=False)


def spread_batches(texts: list[str]) -> list[str]:
    """Whole batches of the length-sorted texts, evenly spread: they stand for all of them."""
    ordered = sorted(texts, key=len)
    batches = [ordered[start : start + CPU_BATCH] for start in range(0, len(ordered), CPU_BATCH)]
    places = [(2 * nth + 1) * len(batches) // (2 * N_BATCHES) for nth in range(N_BATCHES)]
    return [text for place in sorted(set(places)) for text in batches[place]]


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Interleaved rounds of every engine, each on reviews of its own, which no prefix cache knows."""
    model = load_local(SETTINGS)
    # Of its own, or the one would find in its cache what the other has read.
    openvino = OpenVinoEngine(find_weights("embedded"), given.threads)
    torch_engine = TorchEngine(find_weights("embedded"), given.threads, "cpu")
    schema = schema_of(SaidInReview)
    n_all = given.documents * given.rounds
    free, under_form = (read_prompts(given.data, n_all, asked) for asked in (ASKED, ASKED_FORM))
    warm_up = [Prompt(ASKED, (f"It is number {n}.",)) for n in range(32)]
    model.complete(warm_up, max_new_tokens=8)
    bare(openvino, [model.render(one, 8)[0] for one in warm_up], 8, None)
    speeds: dict[str, list[float]] = {}
    n_equal = n_alone = n_parsed = n_twice = 0
    for nth in range(given.rounds):
        mine = slice(nth * given.documents, (nth + 1) * given.documents)
        prompts, forms = free[mine], under_form[mine]
        texts = [model.render(one, NEW_TOKENS)[0] for one in prompts]
        form_texts = [model.render(one, NEW_TOKENS_FORM)[0] for one in forms]
        kept: dict[str, Any] = {}
        some, batched = texts[:ONE_AT_A_TIME], spread_batches(texts)
        runs: dict[str, tuple[int, Callable[[], object]]] = {
            PIPELINE: (len(some), partial(one_at_a_time, torch_engine, some)),
            BATCHED: (
                len(batched),
                partial(torch_engine.generate, batched, NEW_TOKENS, None, lambda n: None),
            ),
            "engine": (len(texts), partial(bare, openvino, texts, NEW_TOKENS, None)),
            "nightloom": (len(texts), partial(model.complete, prompts, max_new_tokens=NEW_TOKENS)),
            "engine_schema": (len(texts), partial(bare, openvino, form_texts, NEW_TOKENS_FORM, schema)),
            "nightloom_schema": (
                len(texts),
                partial(ask, model, forms, SaidInReview, max_new_tokens=NEW_TOKENS_FORM),
            ),
        }
        for name in list(runs) if nth % 2 == 0 else list(runs)[::-1]:
            n, run = runs[name]
            started = time.perf_counter()
            kept[name] = run()
            speeds.setdefault(name, []).append(n / (time.perf_counter() - started))
            print(f"round {nth + 1} {name}: {speeds[name][-1]:.2f} documents/s", file=sys.stderr)
        alone = [bare(openvino, [text], NEW_TOKENS, None)[0].strip() for text in some]
        n_equal += sum(ours.text == one for ours, one in zip(kept["nightloom"], alone, strict=False))
        n_alone += len(alone)
        n_parsed += sum(one.value is not None for one in kept["nightloom_schema"])
        n_twice += sum(one.n_calls > 1 for one in kept["nightloom_schema"])
    return {
        "documents_per_round": given.documents,
        "documents_per_second": {name: round(statistics.median(some), 2) for name, some in speeds.items()},
        "ratio_to_batched": _ratio(speeds, BATCHED, "nightloom"),
        "ratio_to_engine": _ratio(speeds, "engine", "nightloom"),
        "ratio_to_engine_schema": _ratio(speeds, "engine_schema", "nightloom_schema"),
        "equal_to_batch_1": round(n_equal / n_alone, 3),
        "parsed_share": n_parsed / n_all,
        "asked_twice": n_twice,
        "load_seconds": {
            "engine": round(openvino.load_seconds, 1),
            "transformers": round(torch_engine.load_seconds, 1),
        },
    }


def _ratio(speeds: dict[str, list[float]], peer: str, ours: str) -> float:
    """Median over the rounds of how many times as fast ours is."""
    return round(statistics.median(o / p for o, p in zip(speeds[ours], speeds[peer], strict=True)), 3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds, print one table or one object."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if not given.data.exists():
        print(f"no reviews at {given.data}; name the file with --data", file=sys.stderr)
        return 1
    found = {**measure(given), "machine": machine()}
    if given.json:
        print(json.dumps(found))
        return 0
    for name, speed in found.pop("documents_per_second").items():
        print(f"{name:24} {speed:8.2f} documents/s")
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
