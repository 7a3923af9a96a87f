"""Packed files, unpacked while they are read: gzip and zip, with a stop at what can only be a bomb."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

RATIO_LIMIT = 200
"""A file that unpacks to more than this many times its size, beyond `RATIO_FROM_BYTES`, is refused."""
RATIO_FROM_BYTES = 100_000_000
UNPACKED_LIMIT = 100_000_000_000

GZIP_ENDINGS = (".gz", ".gzip")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGES = (zlib.error, EOFError, zipfile.BadZipFile, gzip.BadGzipFile)
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, KeyError)
_BUFFER_BYTES = 262_144


class BadArchive(Exception):
    """A packed file that cannot or must not be unpacked; its message is the reason and what to do."""


class _Unpacked(io.RawIOBase):
    """What a packed stream holds, counted."""

    def __init__(self, stream: BinaryIO, n_packed: int) -> None:
        self._stream = stream
        self._n_packed = n_packed
        self._n_bytes = 0

    def readable(self) -> bool:
        """A stream for reading."""
        return True

    def readinto(self, target: object) -> int:
        """Fill `target`; 0 at the end.

        Raises:
            BadArchive: the packed bytes are damaged, or too many bytes come out of them.
        """
        view = memoryview(target).cast("B")  # type: ignore[arg-type]
        try:
            piece = self._stream.read(len(view))
        except _DAMAGES as error:
            raise BadArchive(
                f"is damaged after {self._n_bytes:,} unpacked bytes ({error}); pack it again"
            ) from error
        self._n_bytes += len(piece)
        if self._n_bytes > max(RATIO_FROM_BYTES, RATIO_LIMIT * self._n_packed):
            raise BadArchive(
                f"unpacks to more than {RATIO_LIMIT} times its size, which real tables never do; "
                "unpack it yourself if it is right"
            )
        if self._n_bytes > UNPACKED_LIMIT:
            raise BadArchive(
                f"unpacks to more than {UNPACKED_LIMIT / 1e9:,.0f} GB; split it, or unpack it yourself"
            )
        view[: len(piece)] = piece
        return len(piece)


def members_of(path: Path) -> list[str]:
    """Names of the files in a zip archive, in name order.

    Raises:
        BadArchive: not a zip archive, or two members have one name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(member.filename for member in archive.infolist() if not member.is_dir())
    except _UNREADABLE as error:
        raise BadArchive(f"cannot be read as zip ({error}); pack it again") from error
    for name, following in pairwise(names):
        if name == following:
            raise BadArchive(f"holds {name!r} twice; pack it again")
    return names


@contextmanager
def open_unpacked(path: Path, member: str | None) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked where its ending says that it is packed.

    Args:
        path: The file.
        member: Which file of a zip archive.

    Raises:
        BadArchive: the archive cannot be opened; reading raises it as well.
    """
    with ExitStack() as stack:
        if member is not None:
            yield stack.enter_context(_open_member(path, member))
        elif path.suffix.lower() in GZIP_ENDINGS:
            packed = stack.enter_context(gzip.open(path, "rb"))
            yield _counted(packed, path.stat().st_size)  # type: ignore[arg-type]
        else:
            yield stack.enter_context(path.open("rb"))


def _counted(stream: BinaryIO, n_packed: int) -> BinaryIO:
    return io.BufferedReader(_Unpacked(stream, n_packed), _BUFFER_BYTES)


@contextmanager
def _open_member(path: Path, name: str) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            member = archive.getinfo(name)
            if member.flag_bits & 1:
                raise BadArchive("is encrypted; unpack it yourself")
            if member.compress_type not in _METHODS:
                raise BadArchive("is packed by a method that is not read; pack it as an ordinary zip")
            stream = stack.enter_context(archive.open(member))
        except _UNREADABLE as error:
            raise BadArchive(f"cannot be read as zip ({error}); pack it again") from error
        yield _counted(stream, min(member.compress_size, path.stat().st_size))  # type: ignore[arg-type]


def is_hidden(name: str) -> bool:
    """Whether a file name, or a folder above it, is one that programs keep for themselves."""
    return any(part.startswith((".", "_")) for part in name.split("/"))
