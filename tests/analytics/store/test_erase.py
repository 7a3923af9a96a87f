from __future__ import annotations

from datetime import date

import duckdb
import polars as pl
import pytest

from analytics.store.erase import (
    GENERATION_OWNERS,
    Belongings,
    drop_from_generations,
    drop_from_journal,
    drop_from_lake,
    drop_from_placement,
    drop_from_state,
)
from analytics.store.generation import Content, digests, write_generation
from analytics.store.journal import Attempt
from analytics.store.lake import Stage
from analytics.store.layout import Store
from analytics.store.pointer import Entry, Pointer, move_pointer, read_pointer
from analytics.tables import ARRIVAL_ROWS, PLACEMENT_ROWS, TABLES

DAY = date(2026, 6, 30)
ANNA = Belongings(
    user_ids=frozenset({"anna"}),
    author_keys=frozenset({"key-of-anna"}),
    document_ids=frozenset({"d-anna"}),
    opinion_ids=frozenset({"o-anna"}),
    lake_keys={"clean": frozenset({"c-anna"})},
)
DOCUMENT = Stage("document", {"stage": "document"})
CLEAN = Stage("clean", {"stage": "clean"})


def rows_of(table):
    """One row of Anna's and one of Ben's for a published table."""
    schema = TABLES[table].columns
    rows = []
    for person in ("anna", "ben"):
        row = dict.fromkeys(schema)
        for name, dtype in schema.items():
            if dtype == pl.String:
                row[name] = f"{name}-{person}"
        row |= {name: value for name, value in (
            ("user_id", person), ("document_id", f"d-{person}"), ("opinion_id", f"o-{person}"),
            ("typical_opinion_id", f"o-{person}"),
        ) if name in schema}  # fmt: skip
        rows.append(row)
    return pl.DataFrame(rows, schema=schema)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    texts = {
        "key": ["d-anna-1", "d-ben-1"],
        "author_key": ["key-of-anna", "key-of-ben"],
        "text": ["mine", "his"],
    }
    store.lake.keep(DOCUMENT, pl.DataFrame(texts), "r1")
    store.lake.keep(CLEAN, pl.DataFrame({"key": ["c-anna", "c-shared"], "text": ["mine", "ours"]}), "r1")
    arrivals = [("documents", "reviews", f"d-{p}", f"d-{p}-1", "new") for p in ("anna", "ben")]
    store.journal.write(
        "arrival", Attempt("r1", 1), pl.DataFrame(arrivals, schema=ARRIVAL_ROWS, orient="row")
    )
    for table in ("decision_evidence", "recommendation", "recommendation_evidence"):
        store.journal.write(table, Attempt("r1", 1), rows_of(table))
    placed = [(f"o-{p}", "t1", 0.7, 1, "r1", "placed") for p in ("anna", "ben")]
    store.placement.append(Attempt("r1", 1), pl.DataFrame(placed, schema=PLACEMENT_ROWS, orient="row"))
    tables = {name: rows_of(name) for name in (*GENERATION_OWNERS, "theme")}
    content = Content({name: tables.get(name, table.empty()) for name, table in TABLES.items()}, {})
    entries = []
    for nth in (1, 2):
        write_generation(store.published / f"g{nth}", content, {"run_id": f"r{nth}"})
        entries.append(Entry(f"g{nth}", f"r{nth}", 1, DAY))
    move_pointer(store.published, Pointer(entries[1], (entries[0],)))
    yield store
    store.state.close()


def test_each_part_drops_the_person_and_keeps_everybody_else(store):
    assert drop_from_lake(store, ANNA) == 2
    assert store.lake.keys("document", DOCUMENT.recipe_id)["key"].to_list() == ["d-ben-1"]
    assert store.lake.keys("clean", CLEAN.recipe_id)["key"].to_list() == ["c-shared"]
    assert drop_from_journal(store, ANNA) == 4
    assert store.journal.live("documents", [Attempt("r1", 1)])["id"].to_list() == ["d-ben"]
    assert drop_from_placement(store, ANNA) == 1
    assert store.placement.read([Attempt("r1", 1)])["opinion_id"].to_list() == ["o-ben"]
    assert drop_from_state(store, ANNA) == 0


def test_every_kept_generation_is_rewritten_under_a_new_name_without_the_person(store):
    before = digests(store.published / "g2")
    names = drop_from_generations(store, ANNA)
    pointer = read_pointer(store.published)
    assert [entry.generation for entry in pointer.counting] == [names["g1"], names["g2"]]
    assert not (store.published / "g1").exists()
    assert not (store.published / "g2").exists()
    assert digests(store.published / names["g2"]) != before
    for name in names.values():
        for database in ("insights", "customers"):
            with duckdb.connect(
                str(store.published / name / f"{database}.duckdb"), read_only=True
            ) as connection:
                for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                    words = connection.sql(f'SELECT * FROM "{table}"').pl().write_json()
                    assert table == "theme" or "anna" not in words, table
                    if table in GENERATION_OWNERS:
                        assert "ben" in words, table


def test_the_erased_opinion_is_no_theme_s_typical_quote_any_more(store):
    names = drop_from_generations(store, ANNA)
    with duckdb.connect(str(store.published / names["g2"] / "insights.duckdb"), read_only=True) as connection:
        typical = connection.execute("SELECT typical_opinion_id FROM theme ORDER BY theme_id").fetchall()
    assert typical == [(None,), ("o-ben",)]


def test_nothing_of_the_person_is_left_in_any_byte_of_lake_journal_and_placement(store):
    drop_from_lake(store, ANNA)
    drop_from_journal(store, ANNA)
    drop_from_placement(store, ANNA)
    for folder in ("lake", "journal", "placement"):
        for path in (store.data_dir / folder).rglob("*.parquet"):
            assert "anna" not in pl.read_parquet(path).write_json(), path
