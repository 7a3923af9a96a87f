"""Physical lines of a text file, numbered from 1, never more than a megabyte of one in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

LINE_LIMIT = 1_048_576
"""Bytes of the longest line, or record of several lines, that is read."""

CHUNK_BYTES = 524_288

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")

Line = tuple[int, bytes]


class Lines(Iterator[Line]):
    """Numbered lines of a binary stream of UTF-8, with those put back coming first.

    A line comes without its line end. Of a line over `LINE_LIMIT` only the first `LINE_LIMIT` + 1 bytes come,
    so its length tells; the rest is skipped.
    """

    def __init__(self, stream: BinaryIO, encoding: str = "utf-8") -> None:
        self._stream = stream
        self._waiting: deque[Line] = deque()
        self._position = 0
        self._begun = b""
        self.encoding = encoding
        """What the stream was before it became UTF-8."""

    def __next__(self) -> Line:
        if self._waiting:
            return self._waiting.popleft()
        raw = self._stream.readline(LINE_LIMIT + 2)
        if not raw:
            raise StopIteration
        self._position += 1
        if self._position == 1:
            raw = raw.removeprefix(_BOM)
        return self._position, self._whole(raw)

    def _whole(self, raw: bytes) -> bytes:
        """The content of a line whose first bytes have been read; the stream stands at the next line then."""
        content = raw.removesuffix(b"\n").removesuffix(b"\r")
        if len(content) <= LINE_LIMIT:
            return content
        while raw and not raw.endswith(b"\n"):
            raw = self._stream.readline(LINE_LIMIT)
        return content[: LINE_LIMIT + 1]

    def put_back(self, lines: list[Line]) -> None:
        """Let `lines`, the last ones taken, come again in the same order."""
        self._waiting.extendleft(reversed(lines))

    def is_waiting(self) -> bool:
        """Whether lines that were put back are still to come."""
        return bool(self._waiting)

    def take_chunk(self) -> tuple[int, bytes]:
        """Some whole lines as they lie in the stream, and the position of the first; empty at its end.

        The lines come together to `LINE_LIMIT` bytes at most; where the next ones do not, they are put back
        one by one and the chunk is empty. Lines must not be waiting.
        """
        first = self._position + 1
        n_bytes = max(CHUNK_BYTES - len(self._begun), CHUNK_BYTES // 8, 1)
        chunk = self._begun + self._stream.read(n_bytes)
        self._begun = b""
        if first == 1:
            chunk = chunk.removeprefix(_BOM)
        tail = b""
        if chunk and not chunk.endswith(b"\n"):
            tail = self._stream.readline(LINE_LIMIT + 2)
        if len(chunk) + len(tail) <= LINE_LIMIT:
            chunk += tail
            self._position += chunk.count(b"\n") + (chunk != b"" and not chunk.endswith(b"\n"))
            return first, chunk
        before, _, last = chunk.rpartition(b"\n")
        if before or chunk.startswith(b"\n"):
            self.put_back_chunk(first, before + b"\n")
            self._position += len(self._waiting)
        self._position += 1
        self._waiting.append((self._position, self._whole(last + tail)))
        return first, b""

    def put_back_chunk(self, first: int, chunk: bytes) -> None:
        """Let the lines of a chunk come again one by one, the first of them at position `first`."""
        pieces = chunk.removesuffix(b"\n").split(b"\n")
        self._waiting.extend((first + nth, raw.removesuffix(b"\r")) for nth, raw in enumerate(pieces))

    def begin_with(self, first: int, rest: bytes) -> None:
        """Let the next chunk begin with the lines `rest`, the last ones of the chunk before."""
        self._begun = rest
        self._position = first - 1


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
    return n_failed <= n_read
