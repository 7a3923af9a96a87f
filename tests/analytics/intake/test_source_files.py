"""Which files a source means, packed or not, and what is said where they do not fit."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from reading import read, refusal, source

from analytics.intake.files import SourceFile, find_files
from analytics.intake.sources import read_blocks


def csv(*ids: str, extra: str = "") -> str:
    return "id,text\n" + "".join(f"{one},text of {one}\n" for one in ids) + extra


def pack(path: Path, members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def ids(path: Path, **settings: Any) -> list[str]:
    return read(source(**settings), path)[0]["source_id"].to_list()


def test_a_folder_is_its_files_of_a_known_ending_in_name_order(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(csv("2"), encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"id": "1", "text": "t"}', encoding="utf-8")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(csv("3").encode()))
    pl.DataFrame({"id": ["4"], "text": ["t"]}).write_parquet(tmp_path / "d.parquet")
    pack(tmp_path / "e.zip", {"y.csv": csv("6"), "x.tsv": "id\ttext\n5\tt\n", "__MACOSX/y.csv": b"\0"})
    for name in (".hidden.csv", "_SUCCESS", "_old.csv", "notes.txt"):
        (tmp_path / name).write_text("anything", encoding="utf-8")
    (tmp_path / "older").mkdir()
    assert ids(tmp_path) == ["1", "2", "3", "4", "5", "6"]
    files, ignored = find_files(SourceFile("s", tmp_path, {}))
    assert [file.label for file in files] == [
        "a.jsonl",
        "b.csv",
        "c.csv.gz",
        "d.parquet",
        "e.zip/x.tsv",
        "e.zip/y.csv",
    ]
    assert ignored == [".hidden.csv", "_SUCCESS", "_old.csv", "e.zip/__MACOSX/y.csv", "notes.txt", "older"]


def test_a_pattern_is_what_it_matches(tmp_path: Path) -> None:
    for place in ("2024/a.csv", "2025/a.csv", "2025/b.csv", "2025/.c.csv"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(csv(place), encoding="utf-8")
    assert ids(tmp_path / "2025/*.csv") == ["2025/a.csv", "2025/b.csv"]
    assert ids(tmp_path / "**/*.csv") == ["2024/a.csv", "2025/a.csv", "2025/b.csv"]
    assert [block.file for block in read_blocks(source(), tmp_path / "*/a.csv")] == [
        "2024/a.csv",
        "2025/a.csv",
    ]
    assert refusal(tmp_path / "2026/*.csv") == "no file matches this pattern; correct path in the settings"
    (tmp_path / "[1].csv").write_text(csv("odd name"), encoding="utf-8")
    assert ids(tmp_path / "[1].csv") == ["odd name"]


def test_rejected_rows_say_in_which_file_they_lie(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(csv("1", extra="x\n"), encoding="utf-8")
    blocks = list(read_blocks(source(), tmp_path))
    assert [(block.file, block.rejected["position"].to_list()) for block in blocks] == [
        ("a.csv", [3]),
        ("b.csv", [3]),
    ]
    _, rejected = read(source(), tmp_path)
    assert rejected["reason"].to_list() == ["a.csv: 1 field instead of 2", "b.csv: 1 field instead of 2"]
    alone = list(read_blocks(source(), tmp_path / "a.csv"))
    assert [(block.file, block.rejected["reason"].to_list()) for block in alone] == [
        (None, ["1 field instead of 2"])
    ]


def test_files_that_lack_a_column_are_named_in_one_line_before_any_row_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv("1"), encoding="utf-8")
    (tmp_path / "b.csv").write_text("id,body\n2,t\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("key,text,text\n3,t,t\n", encoding="utf-8")
    assert refusal(tmp_path) == (
        "2 of 3 files do not fit the mapping: b.csv: no column 'text' (set as columns.text); "
        "c.csv: no column 'id' (set as columns.id), column 'text' (set as columns.text) occurs twice; "
        "correct the mapping in the settings, or take them away"
    )
    (tmp_path / "b.csv").write_bytes(b"")
    assert "its header cannot be read: the file is empty" in refusal(tmp_path, place=tmp_path / "b.csv")
    (tmp_path / "b.csv").unlink()
    (tmp_path / "c.csv").unlink()
    (tmp_path / "z.parquet").write_bytes(b"no parquet")
    assert refusal(tmp_path, place=tmp_path / "z.parquet").startswith("cannot be read as Parquet")
    blocks = read_blocks(source(), tmp_path)
    with pytest.raises(Exception, match=r"z\.parquet: cannot be read"):
        next(blocks)


def test_a_folder_or_archive_without_a_table_is_a_stated_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    assert refusal(tmp_path).startswith("holds no file of a known ending (ignored: notes.txt); set path")
    assert refusal(pack(tmp_path / "s.zip", {"a.pdf": b"x"})).startswith(
        "holds no file of a known ending (ignored: a"
    )
    (tmp_path / "book.xlsx").write_bytes(b"PK")
    assert refusal(tmp_path / "book.xlsx") == "a spreadsheet is not read; save its table as CSV"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_packed_files(tmp_path: Path, form: str) -> None:
    frame = pl.DataFrame({"id": ["1", "2"], "text": ["é", "t"]})
    plain = tmp_path / f"s.{form}"
    {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[form](plain)
    (tmp_path / f"t.{form}.gz").write_bytes(
        gzip.compress(plain.read_bytes()[:10]) + gzip.compress(plain.read_bytes()[10:])
    )
    pack(tmp_path / "u.zip", {f"in/s.{form}": plain.read_bytes()})
    expected = read(source(), plain)[0]
    assert expected["text"].to_list() == ["é", "t"]
    assert read(source(), tmp_path / f"t.{form}.gz")[0].equals(expected)
    assert read(source(), tmp_path / "u.zip")[0].equals(expected)


def test_a_damaged_archive_is_a_stated_error(tmp_path: Path) -> None:
    packed = gzip.compress(csv(*map(str, range(9_000))).encode())
    for name, content in {
        "cut": packed[: len(packed) // 2],
        "turned": packed[:500] + bytes(100) + packed[600:],
        "plain": b"id,text\n",
    }.items():
        path = tmp_path / f"{name}.csv.gz"
        path.write_bytes(content)
        assert "is damaged after " in refusal(path)
    path = pack(tmp_path / "s.zip", {"s.csv": csv(*map(str, range(9_000)))})
    content = path.read_bytes()
    path.write_bytes(content[:500] + bytes(100) + content[600:])
    assert "is damaged after " in refusal(path, place=path / "s.csv")
    path.write_bytes(content[:900])
    assert refusal(path).startswith("cannot be read as zip")
    pack(path, {"s.csv": csv("1")}, zipfile.ZIP_LZMA)
    assert refusal(path, place=path / "s.csv").startswith("is packed by a method that is not read")
    content = bytearray(pack(path, {"s.csv": csv("1")}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert refusal(path, place=path / "s.csv") == "is encrypted; unpack it yourself"


def test_what_unpacks_to_far_more_than_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bomb: megabytes of one letter behind a good row."""
    monkeypatch.setattr("analytics.intake.archives.RATIO_FROM_BYTES", 1_000_000)
    bomb = csv("1") + "2," + "x" * 5_000_000
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(bomb.encode(), 6))
    assert (tmp_path / "s.csv.gz").stat().st_size * 200 < len(bomb)
    assert refusal(tmp_path / "s.csv.gz").startswith("unpacks to more than 200 times its size")
    pack(tmp_path / "s.zip", {"s.csv": bomb})
    assert refusal(tmp_path / "s.zip", place=tmp_path / "s.zip/s.csv").startswith(
        "unpacks to more than 200 times"
    )
    monkeypatch.setattr("analytics.intake.archives.UNPACKED_LIMIT", 10_000)
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(csv(*map(str, range(2_000))).encode()))
    assert refusal(tmp_path / "s.csv.gz").startswith("unpacks to more than 0 GB; split it")


def test_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("s.csv", csv("1"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("s.csv", csv("2"))
    assert refusal(tmp_path / "s.zip") == "holds 's.csv' twice; pack it again"
