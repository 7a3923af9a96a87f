from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import SERVER_GONE
from analytics.identity import lake_keys
from analytics.store.files import facts_of
from analytics.store.lake import PARKED_AFTER, Engine, Lake, Stage, order_owed

DAY = date(2026, 6, 30)
STAGE = Stage("shout", {"stage": "shout", "version": 1}, part_size=3, calls_model=True)


def wanted(*texts, stage=STAGE):
    return pl.DataFrame(
        {"key": lake_keys(stage.recipe_id, texts), "text": list(texts), "day": [DAY] * len(texts)}
    )


class Shouting:
    """An engine that counts what it is asked."""

    def __init__(self, fail_on=(), die_at_part=None):
        self.asked = []
        self.parts = []
        self.fail_on, self.die_at_part = fail_on, die_at_part

    def __call__(self):
        return Engine(self.answer, "shouting", 1.5)

    def answer(self, rows):
        if self.die_at_part == len(self.parts):
            raise KeyboardInterrupt
        self.parts.append(rows["text"].to_list())
        self.asked += rows["text"].to_list()
        answered = rows.filter(~pl.col("text").is_in(list(self.fail_on)))
        return answered.select("key", loud=pl.col("text").str.to_uppercase())


def fill(lake, rows, engine, run_id="run1", stage=STAGE):
    return lake.fill(stage, rows, engine, run_id=run_id, as_of=DAY, newest_days=90)


def test_every_wanted_key_is_answered_and_a_second_night_asks_nothing(tmp_path):
    lake, engine = Lake(tmp_path), Shouting()
    rows = wanted("a", "b", "c", "d", "a")
    assert fill(lake, rows, engine).n_calls == 4
    assert sorted(engine.asked) == ["a", "b", "c", "d"]
    assert lake.read("shout", STAGE.recipe_id, rows)["loud"].sort().to_list() == ["A", "B", "C", "D"]

    def never():
        raise AssertionError("a quiet night made an engine")

    assert fill(lake, rows, never, run_id="run2").n_calls == 0


def test_another_recipe_owes_everything_again(tmp_path):
    lake = Lake(tmp_path)
    fill(lake, wanted("a"), Shouting())
    other = Stage("shout", {"stage": "shout", "version": 2}, calls_model=True)
    engine = Shouting()
    fill(lake, wanted("a", stage=other), engine, stage=other)
    assert engine.asked == ["a"]


def test_a_killed_run_goes_on_with_the_missing_parts_only_and_cuts_them_the_same(tmp_path):
    texts = [f"text {n}" for n in range(10)]
    whole = Shouting()
    fill(Lake(tmp_path / "whole"), wanted(*texts), whole)

    lake, killed, resumed = Lake(tmp_path / "killed"), Shouting(die_at_part=2), Shouting()
    with pytest.raises(KeyboardInterrupt):
        fill(lake, wanted(*texts), killed)
    landed = {path: path.stat().st_ino for path in lake.parts("shout", STAGE.recipe_id)}
    assert len(landed) == 2
    fill(lake, wanted(*texts), resumed)

    assert killed.parts + resumed.parts == whole.parts
    assert {path: path.stat().st_ino for path in landed} == landed


def test_keys_that_come_between_attempts_get_parts_of_their_own(tmp_path):
    lake, killed, resumed = Lake(tmp_path), Shouting(die_at_part=1), Shouting()
    first = [f"text {n}" for n in range(6)]
    with pytest.raises(KeyboardInterrupt):
        fill(lake, wanted(*first), killed)
    fill(lake, wanted(*first, "late"), resumed)
    assert resumed.parts[-1] == ["late"]
    assert sorted(killed.asked + resumed.asked) == sorted([*first, "late"])


def test_a_failed_answer_is_never_kept_and_is_owed_again_until_it_is_parked(tmp_path):
    lake = Lake(tmp_path)
    for nth in range(PARKED_AFTER):
        engine = Shouting(fail_on=["b"])
        filled = fill(lake, wanted("a", "b"), engine, run_id=f"run{nth}")
        assert "b" in engine.asked
        assert filled.n_failed == 1
    assert lake.read("shout", STAGE.recipe_id, wanted("a", "b"))["loud"].to_list() == ["A"]
    filled = fill(lake, wanted("a", "b"), Shouting(), run_id="later")
    assert (filled.n_calls, filled.n_parked) == (0, 1)


def test_attempts_of_one_run_count_as_one_night_of_failing(tmp_path):
    lake = Lake(tmp_path)
    fill(lake, wanted("b"), Shouting(fail_on=["b"]))
    again = Shouting()
    fill(lake, wanted("b"), again)
    assert again.asked == []
    next_night = Shouting()
    fill(lake, wanted("b"), next_night, run_id="run2")
    assert next_night.asked == ["b"]


def test_the_reason_of_a_failure_is_kept_beside_the_parts(tmp_path):
    lake = Lake(tmp_path)

    def refuse(rows):
        return rows.select("key", loud=pl.lit(None, pl.String), failure=pl.lit("too long"))

    fill(lake, wanted("a"), lambda: Engine(refuse))
    assert lake.failures("shout", STAGE.recipe_id)["failure"].to_list() == ["too long"]
    assert lake.keys("shout", STAGE.recipe_id).is_empty()


def test_the_ledger_sums_what_all_attempts_paid(tmp_path):
    lake = Lake(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fill(lake, wanted("a", "b", "c", "d"), Shouting(die_at_part=1))
    fill(lake, wanted("a", "b", "c", "d"), Shouting(fail_on=["d", "c", "b", "a"]))
    row = lake.ledger("run1").row(0, named=True)
    assert (row["n_calls"], row["n_answers"], row["n_failed"], row["n_parts"]) == (4, 3, 1, 2)
    assert (row["engine"], row["load_seconds"]) == ("shouting", 1.5)
    assert lake.ledger("run2").is_empty()


def test_what_sources_say_is_kept_once_and_costs_no_call(tmp_path):
    lake = Lake(tmp_path)
    stage = Stage("document", {"stage": "document"})
    rows = pl.DataFrame({"key": ["k1", "k2", "k1"], "text": ["one", "two", "one"]})
    lake.keep(stage, rows, "run1")
    lake.keep(stage, rows, "run1")
    assert lake.keys("document", stage.recipe_id).height == 2
    assert len(lake.parts("document", stage.recipe_id)) == 1
    assert lake.ledger("run1")["n_calls"].to_list() == [0]


def test_dropped_keys_are_gone_from_parts_and_plans_and_the_ledger_stays(tmp_path):
    lake = Lake(tmp_path)
    rows = wanted("a", "b", "c")
    fill(lake, rows, Shouting())
    before = lake.ledger("run1")
    assert lake.drop_keys("shout", STAGE.recipe_id, rows.filter(pl.col("text") == "b")) == 1
    assert lake.read("shout", STAGE.recipe_id, rows)["loud"].sort().to_list() == ["A", "C"]
    assert lake.ledger("run1").equals(before)
    plan = next(lake.folder("shout", STAGE.recipe_id).glob("plan-*"))
    assert pl.read_parquet(plan).height == 2
    assert facts_of(lake.parts("shout", STAGE.recipe_id)[0])["n_calls"] == 3


@given(st.lists(st.one_of(st.none(), st.integers(0, 200)), max_size=60))
def test_owed_work_takes_new_days_first_and_each_day_in_turn(ages):
    days = [None if age is None else DAY - timedelta(days=age) for age in ages]
    owed = pl.DataFrame(
        {"key": [f"{n:04d}" for n in range(len(days))], "day": days},
        schema={"key": pl.String, "day": pl.Date},
    )
    ordered = order_owed(owed, DAY, newest_days=90)
    assert sorted(ordered["key"]) == sorted(owed["key"])
    blocks = [2 if day is None else int((DAY - day).days >= 90) for day in ordered["day"]]
    assert blocks == sorted(blocks)
    for block in range(3):
        taken = [day for day, b in zip(ordered["day"], blocks, strict=True) if b == block]
        turns = [taken[:n].count(day) for n, day in enumerate(taken)]
        assert turns == sorted(turns)
    assert order_owed(owed.reverse(), DAY, newest_days=90).equals(ordered)


def test_what_a_language_model_read_and_wrote_is_in_the_ledger_failed_answers_too(tmp_path):
    def answer(rows):
        return rows.select(
            "key",
            n_input_tokens=pl.lit(100),
            n_output_tokens=pl.lit(10),
            n_calls=pl.lit(2),
            failure=pl.when(pl.col("text") == "b").then(pl.lit("unreadable")),
        )

    lake = Lake(tmp_path)
    fill(lake, wanted("a", "b"), lambda: Engine(answer, usd=lambda read, written: read + 2.0 * written))
    row = lake.ledger("run1").row(0, named=True)
    assert (row["n_input_tokens"], row["n_output_tokens"], row["n_calls"]) == (200, 20, 4)
    assert (row["n_answers"], row["n_failed"], row["usd"]) == (1, 1, 240.0)


def test_no_part_begins_once_the_budget_is_spent_and_the_rest_is_left(tmp_path):
    lake, engine = Lake(tmp_path), Shouting()
    rows = wanted(*"abcdefgh")
    filled = lake.fill(
        STAGE, rows, engine, run_id="run1", as_of=DAY, newest_days=90, may_spend=lambda: len(engine.asked) < 4
    )
    assert (filled.n_calls, filled.n_left, len(engine.asked)) == (6, 2, 6)
    assert fill(lake, rows, Shouting(), run_id="run2").n_calls == 2


def test_a_server_that_was_gone_parks_nothing(tmp_path):
    lake = Lake(tmp_path)

    def answer(rows):
        gone = pl.when(pl.col("text") == "a").then(pl.lit(f"{SERVER_GONE}: refused")).otherwise(pl.lit("bad"))
        return rows.select("key", failure=gone)

    for run in ("run1", "run2", "run3"):
        fill(lake, wanted("a", "b"), lambda: Engine(answer), run_id=run)
    owed, n_parked = lake.owed(STAGE, wanted("a", "b"), "run4")
    assert (owed["text"].to_list(), n_parked) == (["a"], 1)
