"""The nightly flow: read down to know how a night works."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import State, Task, flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun

from flows import aspects, briefs, decisions, ingest, publish, recommendations, steps, themes, words
from flows.night import Handle, begin_night
from flows.people_erasing import expire

P = ParamSpec("P")
R = TypeVar("R")


def _is_retryable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    error = state.result(raise_on_failure=False)
    return bool(getattr(error, "retryable", False))


def step(function: Callable[P, R]) -> Callable[P, R]:
    """A task: not cached by Prefect (the lake knows what is owed), retried where its error says so."""

    @wraps(function)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        started = time.monotonic()
        result = function(*args, **kwargs)
        if isinstance(result, Handle):
            return dataclasses.replace(result, seconds=round(time.monotonic() - started, 3))
        return result

    as_task = task(
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=1,
        retry_delay_seconds=2,
        retry_condition_fn=_is_retryable,
    )
    return as_task(timed)


read_sources = step(ingest.read_sources)
clean = step(words.clean)
find_opinions = step(steps.find_opinions)
embed = step(steps.embed)
judge = step(steps.judge)
name_aspects = step(aspects.name_aspects)
place_themes = step(themes.place_themes)
decide = step(decisions.decide)
write_briefs = step(briefs.write_briefs)
recommend_items = step(recommendations.recommend_items)
publish_generation = step(publish.publish)


@flow(name="nightly", persist_result=False)
def nightly(
    config: Path = Path("nightloom.toml"),
    as_of: date | None = None,
    limit: int | None = None,
    accept_plan: bool = False,
) -> dict[str, Any]:
    """One night: what is new in the store goes in, one published generation comes out."""
    with begin_night(config, as_of, limit, accept_plan) as night:
        expire(night)
        documents = read_sources(night)
        texts = clean(night)
        sentences = find_opinions(night, texts)
        vectors = embed(night, texts, sentences)
        sentiment = judge(night, texts, sentences, vectors)
        about = name_aspects(night, texts, sentences, vectors)
        registry = place_themes(night, texts, sentences, vectors)
        decided = decide(night, [documents, texts, sentences, vectors, sentiment, about, registry])
        told = write_briefs(night)
        lists = recommend_items(night, vectors)
        handles = [
            documents,
            texts,
            sentences,
            vectors,
            sentiment,
            about,
            registry,
            decided,
            told,
            lists,
        ]
        published = publish_generation(night, handles)
        show_artifacts(published["briefing"], handles)
        return published


def show_artifacts(briefing: str, handles: Sequence[Handle]) -> None:
    """Leave the briefing and the stage timings with the flow run."""
    timings = [{"stage": h.stage, "seconds": h.seconds, "keys": h.n, **h.facts} for h in handles]
    create_markdown_artifact(briefing, key="briefing", description="The night in short")
    create_table_artifact(timings, key="stage-timings", description="Seconds and keys by stage")
