"""Records of a CSV file, read strictly, so that one open quote costs its own lines and not the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from analytics.intake.lines import LINE_LIMIT, Line, Lines

DELIMITERS = (",", ";", "\t", "|")


class BrokenRecord(ValueError):
    """A record that cannot be read; its message is the reason."""


def decode_line(raw: bytes, encoding: str = "utf-8") -> str:
    """The text of a line.

    Args:
        raw: UTF-8, or what became of the line when it was turned into UTF-8.
        encoding: What it was before.

    Raises:
        BrokenRecord: it cannot be decoded.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        name = "UTF-8" if encoding == "utf-8" else encoding
        raise BrokenRecord(f"line is not {name}") from None


def split_record(line: str, delimiter: str, width: int | None, more: Callable[[], str]) -> list[str]:
    """Fields of the record that begins with `line`.

    It stops at the first field too many. Otherwise every record of a long file full of stray quotes would be
    searched to the size limit, and reading would take quadratic time.

    Args:
        line: First physical line, without its end.
        delimiter: What separates fields.
        width: Fields that a record must have; None for the header, which decides it.
        more: Gives the next physical line while a quote is open; raises where there is none.

    Raises:
        BrokenRecord: text after a closing quote, a quote that is not closed, or another number of fields.
    """
    fields: list[str] = []
    at = 0
    while True:
        if line.startswith('"', at):
            field, line, at = _quoted_field(line, at + 1, more)
            fields.append(field)
            ended = at == len(line)
            if not ended and not line.startswith(delimiter, at):
                raise BrokenRecord("text after a closing quote")
        else:
            end = line.find(delimiter, at)
            ended = end < 0
            fields.append(line[at:] if ended else line[at:end])
            at = end
        if ended:
            break
        if width is not None and len(fields) == width:
            raise BrokenRecord(_wrong_width(width + 1, width))
        at += 1
    if width is not None and len(fields) != width:
        raise BrokenRecord(_wrong_width(len(fields), width))
    return fields


def _quoted_field(line: str, at: int, more: Callable[[], str]) -> tuple[str, str, int]:
    """A quoted field from just after its opening quote, the line where it closes and the place behind."""
    pieces: list[str] = []
    while True:
        end = line.find('"', at)
        if end < 0:
            pieces += (line[at:], "\n")
            line, at = more(), 0
        elif line.startswith('"', end + 1):
            pieces += (line[at:end], '"')
            at = end + 2
        else:
            pieces.append(line[at:end])
            return "".join(pieces), line, end + 1


def _wrong_width(n_fields: int, width: int) -> str:
    if n_fields > width:
        return f"more than {width} field{'s' if width > 1 else ''}"
    return f"{n_fields} field{'s' if n_fields > 1 else ''} instead of {width}"


class Reader:
    """Reads records that may go on over several lines."""

    def __init__(self, lines: Lines, delimiter: str, width: int | None) -> None:
        self.lines = lines
        self.delimiter = delimiter
        self.width = width

    def read(self, raw: bytes) -> tuple[list[str], bytes]:
        """Fields of the record that begins with the line `raw`, and the record as it lies in the file.

        Raises:
            BrokenRecord: the record cannot be read; only its first line has been taken.
        """
        line = decode_line(raw, self.lines.encoding)
        if '"' in line:
            return self._read_quoted(line, raw)
        fields = line.split(self.delimiter)
        if self.width is not None and len(fields) != self.width:
            raise BrokenRecord(_wrong_width(len(fields), self.width))
        return fields, raw

    def _read_quoted(self, line: str, raw: bytes) -> tuple[list[str], bytes]:
        taken: list[Line] = []
        n_bytes = len(raw)

        def more() -> str:
            nonlocal n_bytes
            following = next(self.lines, None)
            if following is None:
                raise BrokenRecord("a quote is not closed")
            taken.append(following)
            n_bytes += len(following[1]) + 1
            if n_bytes > LINE_LIMIT:
                raise BrokenRecord("a quote is not closed within 1 MB")
            return decode_line(following[1], self.lines.encoding)

        try:
            fields = split_record(line, self.delimiter, self.width, more)
        except BrokenRecord:
            self.lines.put_back(taken)
            raise
        return fields, b"\n".join([raw, *(following for _, following in taken)])


def enclosed_rows(record: bytes, delimiter: str, width: int, id_index: int | None) -> list[int]:
    """Which lines of a record of several lines would be records themselves, counted from its first line.

    Two stray quotes that happen to make one record of all that lies between them look just like this, and so,
    sometimes, does a text of several lines. What would be the id of such a line tells most apart: it is
    neither empty nor of more words than the id of the whole record.

    Args:
        record: A record that was read, with line feeds.
        delimiter: What separates fields.
        width: Fields of a record.
        id_index: Which field holds the id, if one does.
    """
    if width < 2:
        return []
    lines = record.decode().split("\n")
    found = {nth: _record(line, delimiter, width) for nth, line in enumerate(lines[1:-1], 1)}
    # The last line closes a quote; a row of its own has only quotes that stand around whole fields.
    if len(lines) > 1 and _is_well_quoted(lines[-1], delimiter):
        found[len(lines) - 1] = _record(lines[-1], delimiter, width)
    rows = {nth: fields for nth, fields in found.items() if fields is not None}
    if not rows or id_index is None:
        return list(rows)
    rest = iter(lines[1:])
    own = split_record(lines[0], delimiter, width, lambda: next(rest))[id_index]
    most_words = max(1, len(own.split()))
    return [nth for nth, fields in rows.items() if 0 < len(fields[id_index].split()) <= most_words]


def _record(line: str, delimiter: str, width: int) -> list[str] | None:
    try:
        return split_record(line, delimiter, width, _no_more)
    except BrokenRecord:
        return None


def _is_well_quoted(line: str, delimiter: str) -> bool:
    field = rf'(?:"(?:[^"]|"")*"|[^"{re.escape(delimiter)}]*)'
    return re.fullmatch(rf"{field}(?:{re.escape(delimiter)}{field})*", line) is not None


def _no_more() -> str:
    raise BrokenRecord("a quote is not closed")


def read_header(lines: Lines, wanted: Collection[str], given: str | None = None) -> tuple[list[str], str]:
    """Column names and delimiter: the one under which most wanted columns, then most columns, are found.

    A line `sep=;` before the header, as spreadsheets write it, gives the delimiter.

    Args:
        lines: The lines of the file, from its first.
        wanted: Names that are mapped.
        given: The delimiter where it is known.

    Raises:
        BrokenRecord: there is no line, or it cannot be read as a header.
    """
    first = next((line for line in lines if line[1] and not line[1].isspace()), None)
    if first is not None and (told := _TOLD_DELIMITER.fullmatch(first[1])):
        given = given or told[1].decode()
        first = next(lines, None)
    if first is None:
        raise BrokenRecord("the file is empty")
    if len(first[1]) > LINE_LIMIT or b"\r" in first[1] or b"\0" in first[1]:
        raise BrokenRecord("it is not a line of text")
    line = decode_line(first[1], lines.encoding)

    def n_found(delimiter: str) -> tuple[int, int]:
        names = {name.strip(' "') for name in line.split(delimiter)}
        return len(names.intersection(wanted)), line.count(delimiter)

    delimiter = given or max(DELIMITERS, key=n_found)
    names, _ = Reader(lines, delimiter, None).read(first[1])
    return [name.strip() for name in names], delimiter


_TOLD_DELIMITER = re.compile(rb"sep=([,;\t|])", re.IGNORECASE)
