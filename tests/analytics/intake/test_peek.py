"""The first rows of a file that nobody has described."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from analytics.errors import SourceError
from analytics.intake.peek import peek


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(
        'id;text;;id 2;x;x\r\n1;"Größe; Farbe";a;b;c;d\r\n2;broken\r\n3;schön;a;b;c;d\r\n'.encode("cp1252")
    )
    found = peek(path)
    assert (found.format, found.encoding, found.delimiter) == ("csv", "cp1252", ";")
    assert found.frame.to_dict(as_series=False) == {
        "id": ["1", "3"],
        "text": ["Größe; Farbe", "schön"],
        "id 2": ["b", "b"],
    }
    assert found.left_out == ("", "x", "x")
    assert peek(path, n_rows=1).frame.height == 1


def test_json(tmp_path: Path) -> None:
    rows = [{"id": 1, "tags": ["a"], "n": None}, {"id": "2", "late": True}]
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(["{", *map(json.dumps, rows)]), encoding="utf-8")
    found = peek(path)
    assert (found.format, found.encoding, found.delimiter) == ("jsonl", "utf-8", None)
    assert found.frame.rows() == [("1", '["a"]', None, None), ("2", None, None, "true")]
    (tmp_path / "t.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    assert peek(tmp_path / "t.json").frame.equals(found.frame)
    assert peek(tmp_path / "t.json", n_rows=1).frame.columns == ["id", "tags", "n"]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2], "day": [date(2025, 1, 1), None], "tags": [["a"], []]})
    frame.write_parquet(tmp_path / "s.parquet")
    found = peek(tmp_path / "s.parquet")
    assert (found.format, found.encoding, found.delimiter) == ("parquet", None, None)
    assert found.frame.equals(frame)
    assert peek(tmp_path / "s.parquet", n_rows=1).frame.equals(frame.head(1))


def test_a_column_may_be_called_like_a_pattern(tmp_path: Path) -> None:
    frame = pl.DataFrame({"*": ["a"], "^.*$": [datetime(2026, 1, 1)], "x": ["b"]})
    frame.write_parquet(tmp_path / "s.parquet")
    assert peek(tmp_path / "s.parquet").frame.equals(frame)


def test_of_a_folder_the_first_file_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("b\n2\n", encoding="utf-8")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a\n1\n"))
    assert peek(tmp_path).frame.to_dict(as_series=False) == {"a": ["1"]}
    assert peek(tmp_path / "b*").frame.to_dict(as_series=False) == {"b": ["2"]}
    (tmp_path / "c.csv").write_text("c\n", encoding="utf-8")
    assert peek(tmp_path / "c.csv").frame.schema == pl.Schema({"c": pl.String})


def test_what_cannot_be_looked_at_is_a_stated_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv: no such file; check the path"):
        peek(tmp_path / "none.csv")
    (tmp_path / "s.csv").write_bytes(b"")
    with pytest.raises(SourceError, match="its header cannot be read: the file is empty"):
        peek(tmp_path / "s.csv")
    (tmp_path / "s.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        peek(tmp_path / "s.parquet")
