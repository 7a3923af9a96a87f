"""Physical lines of a text file, numbered from 1, never more than a megabyte of one in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

LINE_LIMIT = 1_048_576
"""Bytes of the longest line, or record of several lines, that is read."""

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")

Line = tuple[int, bytes]


class Lines(Iterator[Line]):
    """Numbered lines of a binary stream, with those put back coming first.

    A line comes without its line end. Of a line over `LINE_LIMIT` only the first `LINE_LIMIT` + 1 bytes come,
    so its length tells; the rest is skipped.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: deque[Line] = deque()
        self._position = 0

    def __next__(self) -> Line:
        if self._waiting:
            return self._waiting.popleft()
        raw = self._stream.readline(LINE_LIMIT + 2)
        if not raw:
            raise StopIteration
        self._position += 1
        if self._position == 1:
            raw = raw.removeprefix(_BOM)
        content = raw.removesuffix(b"\n").removesuffix(b"\r")
        if len(content) <= LINE_LIMIT:
            return self._position, content
        while raw and not raw.endswith(b"\n"):
            raw = self._stream.readline(LINE_LIMIT)
        return self._position, content[: LINE_LIMIT + 1]

    def put_back(self, lines: list[Line]) -> None:
        """Let `lines`, the last ones taken, come again in the same order."""
        self._waiting.extendleft(reversed(lines))


def is_utf8(sample: bytes) -> bool:
    """Whether the first bytes of a file are UTF-8 text, a few broken lines aside.

    Text in another encoding fails on most of its lines that are not plain ASCII; a UTF-8 file with a damaged
    character fails on a few.
    """
    if sample.startswith(_WIDE_BOMS):
        return False
    n_read = n_failed = 0
    # The sample may end inside a character.
    for line in sample.rpartition(b"\n")[0].split(b"\n"):
        if line.isascii():
            continue
        try:
            line.decode()
            n_read += 1
        except UnicodeDecodeError:
            n_failed += 1
    return n_failed < 2 or n_failed <= n_read
