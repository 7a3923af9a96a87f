"""Text files that know the line at which each record begins."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path


class TextFile:
    """Lines in the order in which they are added."""

    def __init__(self, name: str, prefix: str) -> None:
        self.name = name
        self._prefix = prefix
        self._parts: list[str] = []
        self._n_lines = 0
        self._n_ids = 0

    def next_id(self) -> str:
        """An id that no record has had."""
        self._n_ids += 1
        return f"{self._prefix}{self._n_ids:06d}"

    def add_line(self, text: str) -> int:
        """Add text as it is; gives the number of its first line, counted from 1."""
        first = self._n_lines + 1
        self._parts.append(text + "\n")
        self._n_lines += text.count("\n") + 1
        return first

    @property
    def n_records(self) -> int:
        """Records added, sound or not."""
        return len(self._parts)

    def write(self, folder: Path) -> None:
        """Write the file."""
        (folder / self.name).write_text("".join(self._parts), encoding="utf-8", newline="\n")


class CsvFile(TextFile):
    """A file of comma-separated fields with a header."""

    def __init__(self, name: str, prefix: str, columns: Sequence[str]) -> None:
        super().__init__(name, prefix)
        self.add(columns)

    def add(self, fields: Sequence[str]) -> int:
        """Add a sound record; gives the number of its first line."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow(fields)
        return self.add_line(out.getvalue().removesuffix("\n"))
