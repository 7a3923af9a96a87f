from __future__ import annotations

from datetime import date

import duckdb
import polars as pl
import pytest

from analytics.rows import ARRIVAL_ROWS, PLACEMENT_ROWS, READING_ROWS
from analytics.store.erase import (
    GENERATION_OWNERS,
    Belongings,
    drop_from_generations,
    replace_in_lake,
    sweep,
)
from analytics.store.generation import Content, digests, write_generation
from analytics.store.journal import Attempt
from analytics.store.lake import Stage
from analytics.store.layout import Store
from analytics.store.pointer import Entry, Pointer, move_pointer, read_pointer
from analytics.tables import TABLES

DAY = date(2026, 6, 30)
ANNA = Belongings(
    user_ids=frozenset({"anna"}),
    document_ids=frozenset({"d-anna"}),
    replaced_ids=frozenset({"d-given-away"}),
    opinion_ids=frozenset({"o-anna"}),
    interaction_ids=frozenset({"i-anna"}),
    clean_keys=frozenset({"c-anna", "c-shared", "c-given-away-1"}),
    lake_keys={
        "clean": frozenset({"c-anna", "c-given-away-1"}),
        "document": frozenset({"d-anna-1", "d-given-away-1"}),
    },
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
            ("typical_opinion_id", f"o-{person}"), ("row_hash", f"d-{person}-1"),
            ("repeat_of", "d-anna"), ("rank", len(rows) + 1),
        ) if name in schema}  # fmt: skip
        row |= {"nth": 1} if table in ("brief", "brief_citation") else {}
        row |= {"n_citations": 1} if table == "brief" else {}
        rows.append(row)
    return pl.DataFrame(rows, schema=schema)


def frame(schema, *rows):
    return pl.DataFrame(list(rows), schema=schema, orient="row")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    texts = {
        "key": ["d-anna-1", "d-ben-1", "d-given-away-1", "d-given-away-2"],
        "text": ["anna's", "his", "anna's first", "his now"],
    }
    store.lake.keep(DOCUMENT, pl.DataFrame(texts), "r1")
    cleaned = {"key": ["c-anna", "c-shared", "c-given-away-1"], "text": ["anna's", "ours", "anna's first"]}
    store.lake.keep(CLEAN, pl.DataFrame(cleaned), "r1")
    run = Attempt("r1", 1)
    arrivals = [
        ("documents", "reviews", "d-anna", "d-anna-1", "new"),
        ("documents", "reviews", "d-ben", "d-ben-1", "new"),
        ("documents", "reviews", "d-given-away", "d-given-away-1", "new"),
        ("documents", "reviews", "d-given-away", "d-given-away-2", "changed"),
        ("users", "users", "anna", "u-anna-1", "new"),
        ("items", "items", "anna", "an item called so", "new"),
        ("interactions", "orders", "i-anna", None, "gone"),
        ("interactions", "orders", "i-ben", "i-ben-1", "new"),
    ]
    store.journal.write("arrival", run, frame(ARRIVAL_ROWS, *arrivals))
    read = [
        ("d-anna", "c-anna"),
        ("d-ben", "c-shared"),
        ("d-given-away", "c-given-away-1"),
        ("d-given-away", "c-given-away-2"),
    ]
    store.journal.write("reading", run, frame(READING_ROWS, *read))
    told = ("decision", "decision_evidence", "recommendation", "recommendation_evidence", "brief_citation")
    for table in told:
        store.journal.write(table, run, rows_of(table))
    rejected = [("reviews", 3, "the same id comes again at 9", key) for key in ("d-anna-1", "d-ben-1")]
    store.journal.write("quarantine", run, frame(TABLES["quarantine"].columns, *rejected))
    placed = [(f"o-{p}", "t1", 0.7, True, 1, "r1", "placed", None) for p in ("anna", "ben")]
    store.placement.append(run, frame(PLACEMENT_ROWS, *placed))
    tables = {name: rows_of(name) for name in (*GENERATION_OWNERS, "theme", "decision", "brief")}
    content = Content({name: tables.get(name, table.empty()) for name, table in TABLES.items()}, {})
    entries = []
    for nth in (1, 2):
        write_generation(store.published / f"g{nth}", content, {"run_id": f"r{nth}"})
        entries.append(Entry(f"g{nth}", f"r{nth}", 1, DAY))
    move_pointer(store.published, Pointer(entries[1], (entries[0],)))
    yield store
    store.state.close()


def test_each_part_drops_the_person_and_keeps_everybody_else(store):
    assert sweep(store, ANNA) == {
        "placement": 1,
        "journal/decision_evidence": 1,
        "journal/brief_citation": 1,
        "journal/recommendation": 1,
        "journal/recommendation_evidence": 1,
        "journal/quarantine": 1,
        "journal/decision": 1,
        "lake/clean": 2,
        "journal/reading": 2,
        "journal/arrival": 4,
        "lake/document": 2,
    }
    run = [Attempt("r1", 1)]
    assert store.lake.keys("document", DOCUMENT.recipe_id)["key"].sort().to_list() == [
        "d-ben-1",
        "d-given-away-2",
    ]
    assert store.lake.keys("clean", CLEAN.recipe_id)["key"].to_list() == ["c-shared"]
    live = store.journal.live("documents", run).select("id", "key").rows()
    assert live == [("d-ben", "d-ben-1"), ("d-given-away", "d-given-away-2")]
    assert store.journal.live("users", run).is_empty()
    assert store.journal.live("items", run)["id"].to_list() == ["anna"]
    assert store.journal.read("arrival", run).filter(pl.col("kind") == "interactions").height == 1
    assert store.journal.read("reading", run)["clean_key"].to_list() == ["c-shared", "c-given-away-2"]
    assert store.placement.read(run)["opinion_id"].to_list() == ["o-ben"]


def test_a_second_sweep_finds_nothing(store):
    sweep(store, ANNA)
    assert sweep(store, ANNA) == {}


def test_a_decision_that_lost_all_its_evidence_goes_and_the_ranks_close(store):
    assert store.journal.read("decision", [Attempt("r1", 1)])["rank"].to_list() == [1, 2]
    sweep(store, ANNA)
    left = store.journal.read("decision", [Attempt("r1", 1)])
    assert left.select("decision_id", "rank").rows() == [("decision_id-ben", 1)]


def test_rows_of_a_learned_part_are_replaced_under_the_same_recipe_or_go(store):
    stage = Stage("sentiment_head", {"stage": "head"})
    store.lake.keep(stage, pl.DataFrame({"key": ["0"], "bias": [1.0]}), "r1")
    replace_in_lake(store, stage.name, stage.recipe_id, pl.DataFrame({"key": ["0"], "bias": [2.0]}))
    keys = pl.DataFrame({"key": ["0"]})
    assert store.lake.read(stage.name, stage.recipe_id, keys)["bias"].to_list() == [2.0]
    replace_in_lake(store, stage.name, stage.recipe_id, pl.DataFrame())
    assert store.lake.recipes(stage.name) == []


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
                    if table in (*GENERATION_OWNERS, "brief"):
                        assert "ben" in words, table


def test_the_erased_opinion_is_no_theme_s_typical_quote_any_more(store):
    names = drop_from_generations(store, ANNA)
    with duckdb.connect(str(store.published / names["g2"] / "insights.duckdb"), read_only=True) as connection:
        typical = connection.execute("SELECT typical_opinion_id FROM theme ORDER BY theme_id").fetchall()
    assert typical == [(None,), ("o-ben",)]


def test_nothing_of_the_person_is_left_in_any_byte_of_lake_journal_and_placement(store):
    sweep(store, ANNA)
    for folder in ("lake", "journal", "placement"):
        for path in (store.data_dir / folder).rglob("*.parquet"):
            left = pl.read_parquet(path)
            if path.parent.name == "arrival":
                left = left.filter(pl.col("kind") != "items")
            assert "anna" not in left.write_json(), path


def test_another_s_row_does_not_name_the_erased_document(store):
    names = drop_from_generations(store, ANNA)
    repeats = rows_of("document").filter(pl.col("document_id") == "d-ben")
    assert repeats["repeat_of"].to_list() == ["d-anna"]
    with duckdb.connect(str(store.published / names["g2"] / "insights.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT document_id, repeat_of FROM document").fetchall() == [
            ("d-ben", None)
        ]


def test_a_generation_of_an_older_program_is_rewritten_too(store):
    with duckdb.connect(str(store.published / "g1" / "insights.duckdb")) as connection:
        connection.execute("ALTER TABLE document DROP COLUMN repeat_of")
        connection.execute("DROP TABLE document_edit")
    names = drop_from_generations(store, ANNA)
    with duckdb.connect(str(store.published / names["g1"] / "insights.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT document_id, repeat_of FROM document").fetchall() == [
            ("d-ben", None)
        ]
        assert connection.execute("SELECT count(*) FROM document_edit").fetchall() == [(0,)]
