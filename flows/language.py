"""What a night asks the language model: each question paid once, within the budget, parts cut to fit it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from analytics.errors import SERVER_GONE, ModelUnavailable
from analytics.identity import hash_of, lake_key
from analytics.intake.redaction import redact_each
from analytics.models.checker import Checker
from analytics.models.embedding import Embedder, describe_model, load_embedder
from analytics.models.llm.loading import load_language_model
from analytics.models.llm.protocol import LanguageModel
from analytics.store.lake import FAILURE, TOKENS, Engine, Lake, Stage
from flows.night import Handle, Night, fill_stage
from flows.progress import progress

PART_SIZE = 512
LANGUAGE_STAGES = ("extraction", "theme_name", "brief_sentence")
"""Stages that the budget holds for."""
_SECONDS_PER_CALL = 1.0
"""Until a store has seen a model answer."""

Ask = Callable[[LanguageModel, pl.DataFrame, Callable[[int], object]], pl.DataFrame]
"""A model, rows of owed keys and a callback into their answers, each with TOKENS, n_calls and failure."""


def part_size(night: Night, stage: str, most_tokens: int) -> int:
    """Keys in a part: 512, or so few that what the part can cost is at most a tenth of each cap.

    Args:
        night: The night.
        stage: Name of the stage.
        most_tokens: The most that one key can cost.
    """
    budget = night.settings.budget
    model = night.settings.language_model
    sizes = [float(PART_SIZE)]
    if budget.tokens is not None:
        sizes.append(budget.tokens / 10 / most_tokens)
    dearest = max(model.usd(most_tokens, 0), model.usd(0, most_tokens))
    if budget.usd is not None and dearest:
        sizes.append(budget.usd / 10 / dearest)
    if budget.seconds is not None:
        runs = [attempt.run_id for attempt in night.earlier]
        known = seconds_per_call(night.store.lake, runs, stage)
        sizes.append(budget.seconds / 10 / (known or _SECONDS_PER_CALL))
    return max(1, int(min(sizes)))


def seconds_per_call(lake: Lake, runs: Sequence[str], stage: str) -> float | None:
    """What a call of a stage took in the last of these runs, oldest first, that made any."""
    for run in reversed(runs):
        paid = lake.ledger(run).filter(pl.col("stage") == stage, pl.col("n_calls") > 0)
        if paid.height:
            return max(1e-3, float(paid["seconds"].sum()) / float(paid["n_calls"].sum()))
    return None


def may_spend(night: Night) -> bool:
    """Whether what the run has spent on the language model, over all its attempts, is below every cap."""
    budget = night.settings.budget
    paid = night.store.lake.ledger(night.run_id).filter(pl.col("stage").is_in(LANGUAGE_STAGES))
    spent = {
        "tokens": int(paid.select(pl.sum_horizontal(TOKENS).sum()).item()),
        "usd": float(paid["usd"].sum()),
        "seconds": float(paid["seconds"].sum()),
    }
    caps = budget.model_dump()
    return all(caps[name] is None or spent[name] < caps[name] for name in caps)


Write = Callable[
    [LanguageModel, list[list[str]], Checker, Callable[[list[str]], list[str]], Callable[[int], object]],
    pl.DataFrame,
]
"""Makes something of each passage and checks it: a row each, with n_calls."""


def ask_checked(
    night: Night, stage: Stage, evidence: Sequence[Sequence[str]], write: Write, what: str
) -> Handle:
    """Let the language model make something of passages, each checked against what it was given.

    Args:
        night: The night.
        stage: What is asked; its lake rows keep hashes of the quotes they were made of, for an erasure.
        evidence: Quotes, by which each question is known.
        write: Asks and checks.
        what: What one question is, for the bar.
    """
    n_embedded = 0
    embedder: Embedder | None = None

    def embed(texts: Sequence[str]) -> np.ndarray:
        nonlocal n_embedded, embedder
        embedding = night.settings.embedding
        embedder = embedder or load_embedder(describe_model(embedding), embedding)
        n_embedded += len(texts)
        return embedder.embed(texts)

    def ask(model: LanguageModel, rows: pl.DataFrame, advance: Callable[[int], object]) -> pl.DataFrame:
        nonlocal n_embedded
        given = rows["evidence"].to_list()
        # A checker a part: one that remembered earlier parts would make fewer calls than after a kill.
        answers = write(model, given, Checker(embed), redact_each, advance)
        # What the checker gives the embedding model to read are calls too.
        first = pl.int_range(pl.len()) == 0
        calls = pl.when(first).then(pl.col("n_calls") + n_embedded).otherwise("n_calls")
        n_embedded = 0
        hashes = [[hash_of(quote) for quote in some] for some in given]
        return rows.select("key", pl.Series("quotes", hashes, pl.List(pl.String))).hstack(
            answers.with_columns(n_calls=calls)
        )

    wanted = pl.DataFrame(
        {
            "key": [lake_key(stage.recipe_id, list(some)) for some in evidence],
            "evidence": [list(some) for some in evidence],
            "day": [night.as_of] * len(evidence),
        },
        schema={"key": pl.String, "evidence": pl.List(pl.String), "day": pl.Date},
    )
    return ask_stage(night, stage, wanted, ask, what)


def ask_stage(night: Night, stage: Stage, wanted: pl.DataFrame, ask: Ask, what: str) -> Handle:
    """Answer what a stage of the language model owes, as far as the budget goes.

    A server that cannot be reached stops the stage, not the night: what it owes stays owed.

    Args:
        night: The night.
        stage: What is asked.
        wanted: Column `key`, what `ask` needs, and `day` where the input has one.
        ask: Puts the questions.
        what: What one key is, for the bar.
    """
    settings = night.settings.language_model
    is_gone = False

    def make_engine() -> Engine:
        model = load_language_model(settings)

        def answer(rows: pl.DataFrame) -> pl.DataFrame:
            nonlocal is_gone
            answers = ask(model, rows, bar.advance).with_columns(
                engine=pl.lit(model.engine), device=pl.lit(model.device), precision=pl.lit(model.precision)
            )
            is_gone |= bool(answers[FAILURE].str.starts_with(SERVER_GONE).any())
            return answers

        name = f"{model.engine} {model.device} {model.precision}"
        return Engine(answer, name, model.load_seconds, settings.usd)

    with progress(stage.name.replace("_", " "), what) as bar:
        try:
            return fill_stage(
                night,
                stage,
                wanted,
                make_engine,
                bar.start,
                may_spend=lambda: not is_gone and may_spend(night),
            )
        except ModelUnavailable:
            if settings.backend != "remote":
                raise
    owed, n_parked = night.store.lake.owed(stage, wanted, night.run_id)
    facts = {"n_calls": 0, "n_failed": owed.height, "n_parked": n_parked, "n_left": 0}
    return Handle.of(stage, wanted.height, facts)
