"""One night's attempt: what it is called, what it covers, and what travels between its steps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import ValidationError

from analytics.errors import PlanNotAccepted, SettingsError
from analytics.identity import canonical_json, run_id
from analytics.settings import Settings, load_settings
from analytics.store.files import sweep_unfinished
from analytics.store.generation import prune
from analytics.store.journal import Attempt
from analytics.store.lake import Engine, Stage
from analytics.store.layout import Store
from analytics.store.lock import hold
from analytics.store.pointer import Pointer, read_pointer

SETTINGS = "settings"
"""Row of the journal's manifest that holds the settings which a run was made with."""

DEAR = 3
"""A change of recipe that costs more than so many median nights waits until it is accepted."""


@dataclass(frozen=True)
class Handle:
    """What travels between steps: which stage, under which recipe; never texts.

    The keys need not travel: those that are live follow from the journal's arrivals and the recipe, and those
    that were owed stand in the plan that the lake keeps for the run.
    """

    stage: str
    recipe: str
    content: str
    """The recipe itself, as canonical JSON."""
    n: int
    facts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def of(cls, stage: Stage, n: int, facts: dict[str, int]) -> Handle:
        """The handle of a stage of the lake."""
        return cls(stage.name, stage.recipe_id, canonical_json(stage.recipe), n, facts)


@dataclass(frozen=True)
class Night:
    """An attempt at a run; small enough to be handed to every step."""

    settings: Settings
    made_by: Attempt
    as_of: date
    nth: int
    state_sequence: int
    earlier: tuple[Attempt, ...]
    """Attempts that count before this one, oldest first."""
    limit: int | None
    started_at: datetime
    accept_plan: bool = False
    """Whether a change of recipe may cost whatever it costs."""

    @property
    def run_id(self) -> str:
        """Identity of the run."""
        return self.made_by.run_id

    @property
    def counting(self) -> tuple[Attempt, ...]:
        """Attempts whose arrivals, events and placements this night sees: the earlier ones and itself."""
        return (*self.earlier, self.made_by)

    @property
    def store(self) -> Store:
        """The store, opened anew by each step."""
        return Store(self.settings.data_dir)


@contextmanager
def begin_night(
    config: Path, as_of: date | None = None, limit: int | None = None, accept_plan: bool = False
) -> Iterator[Night]:
    """Hold the store, prune it, and begin a run or the next attempt at an unfinished one.

    Args:
        config: The settings file.
        as_of: Last local day to cover; the last complete day when left out, or that of an unfinished run.
        limit: Take at most this many new documents; such a run is never published.
        accept_plan: Let a change of recipe cost whatever it costs.

    Raises:
        SettingsError: bad settings, or an `as_of` before the night that is published.
        StoreError: the store is busy, full, read-only or newer than this program.
    """
    settings = load_settings(config)
    with hold(settings.data_dir):
        store = Store(settings.data_dir)
        sequence = store.state.sequence()
        prune(store.published)
        sweep_unfinished(store.data_dir)
        pointer = read_pointer(store.published)
        night = next_attempt(settings, store, pointer, as_of, limit, sequence)
        night = replace(night, accept_plan=accept_plan)
        _journal_start(store, night)
        yield night


def next_attempt(
    settings: Settings, store: Store, pointer: Pointer, as_of: date | None, limit: int | None, sequence: int
) -> Night:
    """The attempt that a night would be now; writes nothing.

    Raises:
        SettingsError: an `as_of` before the night that is published.
    """
    earlier = tuple(entry.made_by for entry in pointer.counting)
    now = datetime.now(UTC)
    unfinished = _unfinished(store, pointer)
    if limit is None and unfinished is not None and as_of in (None, unfinished["as_of"]):
        made_by = Attempt(unfinished["run_id"], store.journal.last_attempt(unfinished["run_id"]) + 1)
        day, nth = unfinished["as_of"], unfinished["nth"]
        sequence = unfinished["state_sequence"]
    else:
        day = as_of or last_complete_day(settings)
        nth = store.journal.runs_of(day) + 1
        made_by = Attempt(run_id(day, nth), 1)
    if pointer.active is not None and day < pointer.active.as_of:
        raise SettingsError(
            f"--as-of {day} is before {pointer.active.as_of}, the night that is published; nights never go "
            "backwards in one data_dir: pass a later day, or roll back with `nightloom publish --rollback`"
        )
    return Night(settings, made_by, day, nth, sequence, earlier, limit, now)


def fill_stage(
    night: Night,
    stage: Stage,
    wanted: pl.DataFrame,
    engine: Callable[[], Engine],
    on_plan: Callable[[int], None] = lambda n_owed: None,
    max_keys: int | None = None,
    may_spend: Callable[[], bool] = lambda: True,
) -> Handle:
    """Answer what a stage owes, and the handle that says so; the arguments are those of `Lake.fill`.

    Raises:
        PlanNotAccepted: the stage's recipe changed, that costs far more than a usual night, and nobody has
            accepted it.
    """
    if stage.calls_model:
        _check_plan(night, stage, wanted)
    filled = night.store.lake.fill(
        stage,
        wanted,
        engine,
        run_id=night.run_id,
        as_of=night.as_of,
        newest_days=night.settings.schedule.newest_days,
        on_plan=on_plan,
        max_keys=max_keys,
        may_spend=may_spend,
    )
    facts = {
        "n_calls": filled.n_calls,
        "n_failed": filled.n_failed,
        "n_parked": filled.n_parked,
        "n_left": filled.n_left,
    }
    return Handle.of(stage, filled.n_wanted, facts)


def _check_plan(night: Night, stage: Stage, wanted: pl.DataFrame) -> None:
    """Stop where a change of recipe costs more than three times the median night, until it is accepted."""
    if night.accept_plan or not night.earlier or night.limit is not None:
        return
    lake = night.store.lake
    last = " ".join(str(row["recipe"]) for row in read_manifest_rows(night, night.earlier[-1]).values())
    if stage.recipe_id in last or lake.is_planned(stage, night.run_id):
        return
    usual = [
        int(paid["n_calls"].sum())
        for attempt in night.earlier
        if (paid := lake.ledger(attempt.run_id).filter(stage=stage.name)).height
    ]
    owed, _ = lake.owed(stage, wanted, night.run_id)
    middle = median([n for n in usual if n] or [0])
    if middle and owed.height > DEAR * middle:
        raise PlanNotAccepted(
            f"the recipe of stage {stage.name} has changed, and tonight would ask the model for "
            f"{owed.height:,} texts, {owed.height / middle:.0f} times the median night ({middle:,.0f}); pass "
            "--accept-plan to pay for it, or set the model and its limits back"
        )


def _unfinished(store: Store, pointer: Pointer) -> dict[str, Any] | None:
    """First attempt of the newest run, if that run was meant to be published and was not."""
    attempts = store.journal.attempts()
    if attempts.is_empty():
        return None
    newest = attempts.row(-1, named=True)
    listed = {entry.run_id for entry in pointer.listed}
    if newest["is_limited"] or newest["run_id"] in listed:
        return None
    return attempts.filter(pl.col("run_id") == newest["run_id"]).row(0, named=True)


def last_complete_day(settings: Settings) -> date:
    """Yesterday in the store's time zone."""
    return datetime.now(ZoneInfo(settings.store.time_zone)).date() - timedelta(days=1)


def _journal_start(store: Store, night: Night) -> None:
    row = {
        "run_id": night.run_id,
        "attempt": night.made_by.attempt,
        "as_of": night.as_of,
        "nth": night.nth,
        "state_sequence": night.state_sequence,
        "is_limited": night.limit is not None,
        "started_at": night.started_at,
    }
    store.journal.write("attempt", night.made_by, pl.DataFrame([row]))


def settings_row(settings: Settings) -> dict[str, str]:
    """The manifest row that keeps the settings of a run."""
    content = canonical_json(settings.model_dump(mode="json"))
    return {"stage": SETTINGS, "recipe": "", "content": content}


def note_recipes(night: Night, handles: Sequence[Handle]) -> None:
    """Journal which recipe each stage used and the settings they came from: what a rebuild needs."""
    rows = [{"stage": h.stage, "recipe": h.recipe, "content": h.content} for h in handles]
    night.store.journal.write("manifest", night.made_by, pl.DataFrame([*rows, settings_row(night.settings)]))


def past_night(settings: Settings, name: str) -> Night:
    """The night that made a listed generation, with the settings of that time.

    Raises:
        SettingsError: no generation of that name is listed.
    """
    store = Store(settings.data_dir)
    counting = read_pointer(store.published).counting
    names = [entry.generation for entry in counting]
    if name not in names:
        raise SettingsError(f"no generation {name!r} counts; `nightloom publish --list` shows them")
    place = names.index(name)
    made_by = counting[place].made_by
    start = store.journal.read("attempt", [made_by]).row(0, named=True)
    content = (
        store.journal.read("manifest", [made_by]).filter(pl.col("stage") == SETTINGS).select("content").item()
    )
    then = _settings_then(content)
    here = then.store.model_copy(update={"data_dir": settings.store.data_dir})
    then = then.model_copy(update={"file": settings.file, "store": here})
    earlier = tuple(entry.made_by for entry in counting[:place])
    return Night(
        then,
        made_by,
        start["as_of"],
        start["nth"],
        start["state_sequence"],
        earlier,
        None,
        start["started_at"],
    )


def _settings_then(content: str) -> Settings:
    """The settings of an earlier night, without keys that this program no longer knows."""
    settings = json.loads(content)
    try:
        return Settings.model_validate_json(content, strict=False)
    except ValidationError as error:
        for problem in error.errors():
            if problem["type"] == "extra_forbidden":
                *path, name = problem["loc"]
                section = reduce(lambda found, step: found[step], path, settings)
                del section[name]
    return Settings.model_validate_json(json.dumps(settings), strict=False)


def read_manifest_rows(night: Night, attempt: Attempt) -> dict[str, dict[str, object]]:
    """Recipe id and content by stage, as an attempt journaled them."""
    rows = night.store.journal.read("manifest", [attempt])
    return {
        row["stage"]: {"recipe": row["recipe"], **json.loads(row["content"])}
        for row in rows.iter_rows(named=True)
        if row["stage"] != SETTINGS
    }


def elapsed(night: Night) -> float:
    """Seconds since this attempt began."""
    return round(time.time() - night.started_at.timestamp(), 3)
