"""The lake: results keyed by (recipe, input), so that only new work costs.

A stage's rows for one recipe lie in `lake/<stage>/<recipe>/part-<run>-<nn>.parquet`, each with a `key` column
and, in its footer, the ledger facts of what it cost. Beside them `plan-<run>.parquet` says how a run cut its
owed keys into parts, and `failed-<run>-<nn>.parquet` which keys got no answer. A part lands whole, by rename,
or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from analytics.errors import SERVER_GONE
from analytics.identity import hash_of
from analytics.store.files import facts_of, put_json, put_parquet

PARKED_AFTER = 3
"""A key without an answer is owed again for this many runs per recipe, then parked."""

FAILURE = "failure"
"""Column of an answer that says why there is none; such a row is never kept as an answer."""

TOKENS = ("n_input_tokens", "n_output_tokens")
"""Columns of an answer, failed or not, that say what it cost a language model; the ledger sums them."""


@dataclass(frozen=True)
class Stage:
    """One kind of result: its name, what its answers are meant to be, and the size of its parts."""

    name: str
    recipe: dict[str, Any]
    part_size: int = 8_192
    calls_model: bool = False

    @property
    def recipe_id(self) -> str:
        """Hash of the recipe."""
        return hash_of(self.recipe)


@dataclass(frozen=True)
class Engine:
    """What answers a stage's keys.

    `answer` takes rows (`key` and inputs) and returns rows with `key` and outputs, in any order; a key it
    leaves out, or returns with a text in a `failure` column, has failed. It may depend on nothing but the
    rows it is given. TOKENS and `n_calls`, where it returns them, are what the ledger is told.
    """

    answer: Callable[[pl.DataFrame], pl.DataFrame]
    name: str = "python"
    load_seconds: float = 0.0
    usd: Callable[[int, int], float] = lambda n_input_tokens, n_output_tokens: 0.0
    """What tokens cost, in US dollars."""


@dataclass(frozen=True)
class Filled:
    """What a stage cost in this attempt and what it left open."""

    n_wanted: int
    n_calls: int
    n_failed: int
    n_parked: int
    n_left: int
    """Owed keys that a cap leaves to later nights."""


def order_owed(owed: pl.DataFrame, as_of: date, newest_days: int) -> pl.DataFrame:
    """Owed rows in the order in which they are worked.

    The newest days come first, then the rest (undated rows last); within a block one key per day in turn,
    newest day first, and within a day by draw, which is a hash: whatever is covered at any moment is a random
    sample of each day.

    Args:
        owed: Columns `key` and, where the input has a date, `day`; `draw` where several keys belong to one
            thing that is drawn whole (the key itself when left out).
        as_of: The night.
        newest_days: Length of the first block in days.
    """
    day = pl.col("day") if "day" in owed.columns else pl.lit(None, pl.Date)
    newest = day.is_not_null() & (day > as_of - timedelta(days=newest_days))
    return (
        owed.with_columns(_draw=pl.col("draw") if "draw" in owed.columns else pl.col("key"))
        .sort("_draw", "key")
        .with_columns(_day=day, _block=pl.when(newest).then(0).when(day.is_not_null()).then(1).otherwise(2))
        .with_columns(_turn=pl.int_range(pl.len()).over("_block", "_day"))
        .sort("_block", "_turn", "_day", "key", descending=[False, False, True, False], nulls_last=True)
        .drop("_day", "_block", "_turn", "_draw")
    )


class Lake:
    """All stages of one store, below one folder."""

    def __init__(self, root: Path):
        self.root = root

    def folder(self, stage: str, recipe: str) -> Path:
        """Where the parts of a stage lie for one recipe."""
        return self.root / stage / recipe

    def parts(self, stage: str, recipe: str) -> list[Path]:
        """Landed parts, in name order."""
        return sorted(self.folder(stage, recipe).glob("part-*.parquet"))

    def recipes(self, stage: str) -> list[str]:
        """Every recipe that has rows for a stage."""
        return sorted(path.name for path in (self.root / stage).glob("*") if path.is_dir())

    def keys(self, stage: str, recipe: str) -> pl.DataFrame:
        """Keys that have an answer: column `key`."""
        parts = self.parts(stage, recipe)
        if not parts:
            return pl.DataFrame(schema={"key": pl.String})
        return pl.scan_parquet(parts).select("key").unique().collect()

    def keys_where(self, stage: str, recipe: str, column: str, values: Iterable[str]) -> pl.DataFrame:
        """Keys of the rows whose column holds one of the values: column `key`."""
        parts = self.parts(stage, recipe)
        if not parts:
            return pl.DataFrame(schema={"key": pl.String})
        return pl.scan_parquet(parts).filter(pl.col(column).is_in(list(values))).select("key").collect()

    def read(
        self,
        stage: str,
        recipe: str,
        keys: pl.DataFrame,
        columns: Iterable[str] | None = None,
        schema: Mapping[str, pl.DataType | type[pl.DataType]] | None = None,
    ) -> pl.DataFrame:
        """Rows of the wanted keys, sorted by key; keys without an answer are missing.

        Args:
            stage: Name of the stage.
            recipe: Hash of its recipe.
            keys: Column `key`.
            columns: Columns to read; all when left out.
            schema: Columns beside `key` that the frame has where the stage holds nothing yet.
        """
        parts = self.parts(stage, recipe)
        if not parts:
            return pl.DataFrame(schema={"key": pl.String, **(schema or {})})
        rows = pl.scan_parquet(parts)
        if columns is not None:
            rows = rows.select("key", *(name for name in columns if name != "key"))
        wanted = keys.select("key").unique()
        return (
            rows.join(wanted.lazy(), on="key", how="semi")
            .collect()
            .unique("key", keep="first", maintain_order=True)
            .sort("key")
        )

    def read_all(self, stage: str, recipe: str) -> pl.DataFrame:
        """Every row of a stage under a recipe, which has some."""
        rows = pl.read_parquet(self.parts(stage, recipe))
        return rows.unique("key", keep="first", maintain_order=True).sort("key")

    def owed(self, stage: Stage, wanted: pl.DataFrame, run_id: str) -> tuple[pl.DataFrame, int]:
        """Wanted rows that have no answer yet, and how many more are parked after failing too often."""
        present = self.keys(stage.name, stage.recipe_id)
        owed = wanted.unique("key", keep="first", maintain_order=True).join(present, on="key", how="anti")
        failures = self.failures(stage.name, stage.recipe_id).filter(pl.col("run_id") != run_id)
        parked = (
            failures.filter(~pl.col(FAILURE).str.starts_with(SERVER_GONE))
            .group_by("key")
            .agg(pl.col("run_id").n_unique().alias("n_runs"))
            .filter(pl.col("n_runs") >= PARKED_AFTER)
        )
        left = owed.join(parked, on="key", how="anti")
        return left, owed.height - left.height

    def failures(self, stage: str, recipe: str) -> pl.DataFrame:
        """Every failed attempt at a key: key, run_id, failure."""
        files = sorted(self.folder(stage, recipe).glob("failed-*.parquet"))
        if not files:
            return pl.DataFrame(schema={"key": pl.String, "run_id": pl.String, FAILURE: pl.String})
        return pl.concat([pl.read_parquet(file) for file in files])

    def keep(self, stage: Stage, rows: pl.DataFrame, run_id: str) -> None:
        """Land rows that cost nothing to make (what a source says), unless they are there already."""
        self._describe(stage)
        new = rows.unique("key", keep="first", maintain_order=True).join(
            self.keys(stage.name, stage.recipe_id), on="key", how="anti"
        )
        if new.height or not self.parts(stage.name, stage.recipe_id):
            new = new.sort("key")
            name = f"part-{run_id}-{hash_of(new['key'].to_list())}.parquet"
            facts = {"run_id": run_id, "n_calls": 0, "n_answers": new.height, "n_failed": 0}
            put_parquet(self.folder(stage.name, stage.recipe_id) / name, new, facts)

    def fill(
        self,
        stage: Stage,
        wanted: pl.DataFrame,
        engine: Callable[[], Engine],
        *,
        run_id: str,
        as_of: date,
        newest_days: int,
        on_plan: Callable[[int], None] = lambda n_owed: None,
        max_keys: int | None = None,
        may_spend: Callable[[], bool] = lambda: True,
    ) -> Filled:
        """Answer every wanted key that has no answer yet: the only way in which a night spends.

        Args:
            stage: What is asked.
            wanted: Column `key`, the inputs that the engine needs, and `day` where the input has one.
            engine: Makes the engine; called only when something is owed, so that a quiet night loads no
            model.
            run_id: The run that pays.
            as_of: The night.
            newest_days: Length of the block that is worked first.
            on_plan: Told how many keys this attempt will answer, before it starts.
            max_keys: Most keys that the run answers, over all its attempts; parts are then at most a tenth of
                it.
            may_spend: Asked before each part; where it says no, that part and what follows are left.
        """
        self._describe(stage)
        owed, n_parked = self.owed(stage, wanted, run_id)
        plan = self._plan(stage, order_owed(owed, as_of, newest_days).select("key"), run_id, max_keys)
        n_left = owed.join(plan, on="key", how="anti").height
        folder = self.folder(stage.name, stage.recipe_id)
        landed = {path.name for path in self.parts(stage.name, stage.recipe_id)}
        missing = [nth for nth in plan["part"].unique().sort().to_list() if _part(run_id, nth) not in landed]
        rows = plan.filter(pl.col("part").is_in(missing)).join(
            wanted.unique("key", keep="first"), on="key", how="inner", maintain_order="left"
        )
        if rows.height == 0 or not may_spend():
            return Filled(wanted.height, 0, 0, n_parked, n_left + rows.height)
        on_plan(rows.height)
        ready = engine()
        n_asked = n_failed = 0
        for nth in missing:
            if not may_spend():
                break
            part = rows.filter(pl.col("part") == nth).drop("part")
            n_failed += self._land(stage, folder, run_id, nth, part, ready)
            n_asked += part.height
        n_left += rows.height - n_asked
        return Filled(wanted.height, n_asked if stage.calls_model else 0, n_failed, n_parked, n_left)

    def ledger(self, run_id: str) -> pl.DataFrame:
        """What a run paid, summed over all its attempts: one row per stage and recipe."""
        rows = []
        for path in sorted(self.root.glob(f"*/*/part-{run_id}-*.parquet")):
            rows.append({"stage": path.parent.parent.name, "recipe": path.parent.name, **facts_of(path)})
        schema = {
            "run_id": pl.String,
            "stage": pl.String,
            "recipe": pl.String,
            "n_calls": pl.Int64,
            "n_answers": pl.Int64,
            "n_failed": pl.Int64,
            **dict.fromkeys(TOKENS, pl.Int64),
            "usd": pl.Float64,
            "engine": pl.String,
            "seconds": pl.Float64,
            "load_seconds": pl.Float64,
        }
        return (
            pl.DataFrame(rows, schema=schema)
            .group_by("run_id", "stage", "recipe")
            .agg(
                pl.col("n_calls", "n_answers", "n_failed", *TOKENS, "usd").sum(),
                n_parts=pl.len(),
                engine=pl.col("engine").drop_nulls().unique().sort().str.join(", "),
                seconds=pl.col("seconds").sum(),
                load_seconds=pl.col("load_seconds").max(),
            )
            .sort("stage", "recipe")
        )

    def drop_keys(self, stage: str, recipe: str, keys: pl.DataFrame) -> int:
        """Rewrite the parts that hold any of the keys without them; returns how many rows went."""
        n_dropped = 0
        folder = self.folder(stage, recipe)
        for pattern in ("part-*.parquet", "failed-*.parquet", "plan-*.parquet"):
            for path in sorted(folder.glob(pattern)):
                rows = pl.read_parquet(path)
                left = rows.join(keys.select("key"), on="key", how="anti", maintain_order="left")
                if left.height < rows.height:
                    put_parquet(path, left, facts_of(path))
                    n_dropped += (rows.height - left.height) if pattern.startswith("part") else 0
        return n_dropped

    def is_planned(self, stage: Stage, run_id: str) -> bool:
        """Whether a run has begun to answer what it owes under the stage's recipe."""
        return self._plan_file(stage, run_id).exists()

    def _plan_file(self, stage: Stage, run_id: str) -> Path:
        return self.folder(stage.name, stage.recipe_id) / f"plan-{run_id}.parquet"

    def _describe(self, stage: Stage) -> None:
        path = self.folder(stage.name, stage.recipe_id) / "recipe.json"
        if not path.exists():
            put_json(path, stage.recipe)

    def _plan(self, stage: Stage, owed: pl.DataFrame, run_id: str, max_keys: int | None) -> pl.DataFrame:
        """The run's parts (part, key), cut by count alone and stored before anything is answered.

        What an earlier attempt planned stays as it is; keys that have come since are cut into further parts.
        """
        path = self._plan_file(stage, run_id)
        schema = {"part": pl.Int64, "key": pl.String}
        plan = pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=schema)
        new = owed.join(plan, on="key", how="anti", maintain_order="left")
        part_size = stage.part_size
        if max_keys is not None:
            new = new.head(max(0, max_keys - plan.height))
            part_size = max(1, min(part_size, max_keys // 10))
        if new.height:
            first = plan.select(pl.col("part").max().fill_null(-1) + 1).item()
            parts = new.select(part=first + pl.int_range(pl.len()) // part_size, key="key")
            parts = parts.cast(pl.Schema(schema))
            plan = pl.concat([plan, parts])
            put_parquet(path, plan)
        return plan

    def _land(
        self, stage: Stage, folder: Path, run_id: str, nth: int, rows: pl.DataFrame, engine: Engine
    ) -> int:
        started = time.monotonic()
        answers = engine.answer(rows)
        paid = {name: int(answers[name].sum()) for name in (*TOKENS, "n_calls") if name in answers.columns}
        tokens = {name: paid.get(name, 0) for name in TOKENS}
        if FAILURE in answers.columns:
            reasons = answers.filter(pl.col(FAILURE).is_not_null()).select("key", FAILURE)
            answers = answers.filter(pl.col(FAILURE).is_null()).drop(FAILURE)
        else:
            reasons = pl.DataFrame(schema={"key": pl.String, FAILURE: pl.String})
        failed = (
            rows.select("key")
            .join(answers, on="key", how="anti")
            .join(reasons, on="key", how="left")
            .select("key", pl.lit(run_id).alias("run_id"), pl.col(FAILURE).fill_null("no answer"))
            .sort("key")
        )
        if failed.height:
            put_parquet(folder / _part(run_id, nth).replace("part-", "failed-"), failed)
        facts = {
            "run_id": run_id,
            "n_calls": paid.get("n_calls", rows.height) if stage.calls_model else 0,
            "n_answers": answers.height,
            "n_failed": failed.height,
            **tokens,
            "usd": engine.usd(*tokens.values()),
            "engine": engine.name,
            "seconds": round(time.monotonic() - started, 3),
            "load_seconds": round(engine.load_seconds, 3),
        }
        put_parquet(folder / _part(run_id, nth), answers.sort("key"), facts)
        return failed.height


def _part(run_id: str, nth: int) -> str:
    return f"part-{run_id}-{nth:05d}.parquet"
