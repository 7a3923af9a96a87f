from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date

import polars as pl
import pytest

from analytics.errors import CheckFailed, NotPublished, StoreError
from analytics.store import generation
from analytics.store.files import UNFINISHED, put_json, sweep_unfinished
from analytics.store.generation import (
    Content,
    check_generation,
    digests,
    new_name,
    prune,
    roll_back,
    write_generation,
)
from analytics.store.pointer import Entry, Pointer, move_pointer, read_pointer
from analytics.store.read import open_published
from analytics.tables import TABLES

DAY = date(2026, 6, 30)


def document(document_id="d1", text="Great kettle. It leaks."):
    row = dict.fromkeys(TABLES["document"].columns) | {
        "document_id": document_id,
        "text": text,
        "source": "reviews",
    }
    return pl.DataFrame([row], schema=TABLES["document"].columns)


def opinion(opinion_id="o1", quote="It leaks.", start=14, end=23):
    row = dict.fromkeys(TABLES["opinion"].columns) | {
        "opinion_id": opinion_id, "document_id": "d1", "quote": quote, "start": start, "end": end, "nth": 0,
    }  # fmt: skip
    return pl.DataFrame([row], schema=TABLES["opinion"].columns)


def content(**tables):
    return Content({name: tables.get(name, table.empty()) for name, table in TABLES.items()}, {})


def publish(published, name, as_of=DAY, run_id="r1", **tables):
    manifest = write_generation(published / name, content(**tables), {})
    check_generation(published / name, manifest)
    move_pointer(published, read_pointer(published).advanced_to(Entry(name, run_id, 1, as_of)))


def test_what_is_written_is_read_back(tmp_path):
    publish(tmp_path / "published", "g1", document=document(), opinion=opinion())
    published = open_published(tmp_path)
    assert published.generation == "g1"
    assert published.query("SELECT quote FROM opinion WHERE opinion_id = $id", id="o1")[
        "quote"
    ].to_list() == ["It leaks."]
    with pytest.raises(Exception, match=r"(?i)read-only|permission|disabled|cannot"):
        published.query("COPY opinion TO 'stolen.csv'")
    published.close()


def test_a_quote_that_differs_from_its_offsets_is_not_published(tmp_path):
    with pytest.raises(CheckFailed, match="a quote differs from the text at its offsets"):
        publish(tmp_path, "g1", document=document(), opinion=opinion(start=13, end=22))
    assert read_pointer(tmp_path).active is None


def test_offsets_count_code_points(tmp_path):
    text = "Schön 👍🏽 war's. It leaks."
    start = text.index("It leaks.")
    publish(tmp_path, "g1", document=document(text=text), opinion=opinion(start=start, end=len(text)))


def test_a_repeated_key_is_not_published(tmp_path):
    with pytest.raises(CheckFailed, match="repeated key"):
        publish(tmp_path, "g1", document=pl.concat([document(), document()]))


def test_the_digest_leaves_run_facts_out_and_rounds_floats(tmp_path):
    def run(seconds, model_calls=3):
        row = dict.fromkeys(TABLES["run"].columns) | {
            "run_id": "r1",
            "seconds": seconds,
            "model_calls": model_calls,
        }
        return pl.DataFrame([row], schema=TABLES["run"].columns)

    for name, table in {"a": run(1.0), "b": run(2.0), "c": run(1.0, model_calls=4)}.items():
        write_generation(tmp_path / name, content(run=table), {})
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a") != digests(tmp_path / "c")


def test_a_name_is_never_used_twice(tmp_path):
    names = set()
    for _ in range(3):
        name = new_name(tmp_path, DAY, "abcdef0123", 1)
        publish(tmp_path, name)
        names.add(name)
    assert len(names) == 3


def test_rollback_voids_the_active_run_and_cannot_go_below_the_first(tmp_path):
    publish(tmp_path, "g1", run_id="r1")
    publish(tmp_path, "g2", run_id="r2")
    pointer = roll_back(tmp_path)
    assert [entry.run_id for entry in pointer.counting] == ["r1"]
    assert [entry.run_id for entry in pointer.voided] == ["r2"]
    with pytest.raises(NotPublished, match="no earlier generation"):
        roll_back(tmp_path)
    assert read_pointer(tmp_path) == pointer


def test_a_pointer_survives_being_written_and_read(tmp_path):
    entries = [Entry(f"g{n}", f"r{n}", n, DAY) for n in range(4)]
    pointer = Pointer(entries[0], (entries[1],), (entries[2], entries[3]))
    move_pointer(tmp_path, pointer)
    assert read_pointer(tmp_path) == pointer


def test_a_damaged_pointer_is_one_clear_line(tmp_path):
    (tmp_path / "CURRENT").write_text("{")
    with pytest.raises(StoreError, match="CURRENT cannot be read"):
        read_pointer(tmp_path)


def test_pruning_keeps_the_last_generations_and_whatever_is_younger_than_a_day(tmp_path):
    for n in range(generation.KEPT + 2):
        publish(tmp_path, f"g{n}", run_id=f"r{n}")
    (tmp_path / "unlisted").mkdir()
    assert prune(tmp_path) == []
    old = time.time() - generation.KEPT_SECONDS - 60
    for folder in tmp_path.iterdir():
        os.utime(folder, (old, old))
    assert prune(tmp_path) == ["g0", "g1", "unlisted"]
    assert read_pointer(tmp_path).active.generation == f"g{generation.KEPT + 1}"


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    broken = content(document=document().drop("text"))
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        write_generation(tmp_path / "g1", broken, {})
    assert not (tmp_path / "g1").exists()


def test_reading_an_empty_store_says_what_to_run(tmp_path):
    with pytest.raises(NotPublished, match="run `nightloom run` first"):
        open_published(tmp_path)


def test_insight_tables_hold_no_user_id():
    for table in TABLES.values():
        if table.database == "insights":
            assert not {"user_id", "author_key"} & set(table.columns), table.name


READER = """
import sys
from pathlib import Path
from analytics.store.read import open_published
seen = set()
print("ready", flush=True)
while True:
    published = open_published(Path(sys.argv[1]))
    ids = published.query("SELECT document_id FROM document")["document_id"].to_list()
    assert ids == [published.generation], (ids, published.generation)
    seen.add(published.generation)
    published.close()
    if published.generation == "last":
        break
print(len(seen), flush=True)
"""


def test_a_second_process_reads_through_ten_publishes_without_an_error(tmp_path):
    published = tmp_path / "published"
    publish(published, "first", document=document("first"))
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "ready\n"
    for name in [f"g{nth}" for nth in range(9)] + ["last"]:
        publish(published, name, run_id=name, document=document(name))
        old = time.time() - generation.KEPT_SECONDS - 60
        for folder in published.glob("g*"):
            os.utime(folder, (old, old))
        prune(published)
    out, errors = reader.communicate(timeout=60)
    assert (reader.returncode, errors) == (0, "")
    assert int(out) > 1


def test_unfinished_files_are_swept_and_whole_ones_stay(tmp_path):
    (tmp_path / "lake").mkdir()
    put_json(tmp_path / "lake" / "whole.json", {})
    (tmp_path / "lake" / f".part.parquet.abcd{UNFINISHED}").write_text("half")
    assert sweep_unfinished(tmp_path) == 1
    assert [path.name for path in (tmp_path / "lake").iterdir()] == ["whole.json"]
