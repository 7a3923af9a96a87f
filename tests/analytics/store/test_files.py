from __future__ import annotations

import errno

import polars as pl
import pytest

from analytics.errors import StoreError, StoreFull, store_error
from analytics.store.files import facts_of, put, put_json, put_parquet


def test_a_file_is_whole_or_not_there(tmp_path):
    target = tmp_path / "folder" / "file.txt"
    target.parent.mkdir()
    target.write_text("before")

    def die_half_way(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put(target, die_half_way)
    assert target.read_text() == "before"
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]


def test_a_full_disk_is_one_clear_line_and_leaves_the_old_file(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("before")

    def fill_up(path):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreFull, match=r"disk full: cannot write to .* finished parts are kept"):
        put(target, fill_up)
    assert target.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_facts_travel_in_the_footer(tmp_path):
    put_parquet(tmp_path / "a.parquet", pl.DataFrame({"key": ["k"]}), {"n_calls": 3})
    assert facts_of(tmp_path / "a.parquet") == {"n_calls": 3}
    put_json(tmp_path / "b.json", {"a": 1})
    assert (tmp_path / "b.json").read_text().endswith("}\n")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "full"), StoreFull),
        (OSError(errno.EROFS, "read-only"), StoreError),
        (RuntimeError("IO Error: Could not write file: No space left on device"), StoreFull),
        (RuntimeError("(sqlite3.OperationalError) database or disk is full"), StoreFull),
        (RuntimeError("attempt to write a readonly database"), StoreError),
    ],
)
def test_the_same_trouble_is_told_however_a_library_says_it(tmp_path, error, kind):
    assert type(store_error(error, tmp_path)) is kind


def test_other_trouble_is_not_mistaken_for_a_full_disk(tmp_path):
    assert store_error(ValueError("no such column"), tmp_path) is None
