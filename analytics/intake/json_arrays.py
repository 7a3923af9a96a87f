"""Elements of one JSON array, cut out while it is read, so that an array of any length fits into memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from analytics.intake.lines import LINE_LIMIT

_PIECE_BYTES = 1_048_576
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_NEXT_OBJECT = re.compile(r"\}[ \t]*,[ \t]*(?=\{)|\n[ \t]*(?=\{)")
_LONGEST_GAP = 4_096
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*(?:[{\]]|$)")


def is_array(beginning: bytes) -> bool:
    """Whether a file that begins so is one array of objects, not a line per row."""
    return _BEGINNING.match(beginning) is not None


def elements(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each element's number, from 1, and its bytes.

    What is no JSON comes as one element; reading goes on where the next object seems to begin. Of an element
    over `LINE_LIMIT` bytes more than `LINE_LIMIT` come, so its length tells.
    """
    window = _Window(stream)
    scan = json.JSONDecoder().raw_decode
    number = 0
    while True:
        window.fill()
        window.at = _BETWEEN.match(window.text, window.at).end()  # type: ignore[union-attr]
        if window.at == len(window.text):
            if window.is_over:
                return
            continue
        number += 1
        start = window.at
        try:
            _, window.at = scan(window.text, start)
            yield number, window.text[start : window.at].encode("utf-8", "surrogateescape")
        except (ValueError, RecursionError):
            raw = window.text[start : start + LINE_LIMIT + 1]
            window.at = start + 1
            n_skipped = 1 + _skip_to_object(window)
            yield number, raw[:n_skipped].encode("utf-8", "surrogateescape")


def _skip_to_object(window: _Window) -> int:
    """Go on to where the next object seems to begin, or to the end; how many characters that is."""
    n_skipped = 0
    while (found := _NEXT_OBJECT.search(window.text, window.at)) is None:
        # What separates two objects may begin in one piece and end in the next.
        end = len(window.text)
        gap = 0 if window.is_over else min(_LONGEST_GAP, end - len(window.text.rstrip(" \t\r\n,}")))
        searched = max(window.at, end - gap)
        n_skipped += searched - window.at
        window.at = searched
        if window.is_over:
            return n_skipped
        window.fill()
    n_skipped += found.end() - window.at
    window.at = found.end()
    return n_skipped


class _Window:
    """A stretch of a stream of UTF-8, always with more than the longest element ahead."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.text = ""
        self.at = 0
        self.is_over = False

    def fill(self) -> None:
        """Read until more than `LINE_LIMIT` characters are ahead, or the stream is over."""
        while not self.is_over and len(self.text) - self.at <= LINE_LIMIT:
            piece = self._stream.read(_PIECE_BYTES)
            self.is_over = not piece
            self.text = self.text[self.at :] + self._decoder.decode(piece, self.is_over)
            self.at = 0
