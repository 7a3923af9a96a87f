"""Records of a CSV file, read strictly, so that one open quote costs its own lines and not the file."""

from __future__ import annotations

from collections.abc import Callable, Collection

from analytics.intake.lines import LINE_LIMIT, Line, Lines

DELIMITERS = (",", ";", "\t", "|")


class BrokenRecord(ValueError):
    """A record that cannot be read; its message is the reason."""


def decode_line(raw: bytes) -> str:
    """The text of a line.

    Raises:
        BrokenRecord: not UTF-8.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BrokenRecord("line is not UTF-8") from None


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
        line = decode_line(raw)
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
            return decode_line(following[1])

        try:
            fields = split_record(line, self.delimiter, self.width, more)
        except BrokenRecord:
            self.lines.put_back(taken)
            raise
        return fields, b"\n".join([raw, *(following for _, following in taken)])


def read_header(lines: Lines, wanted: Collection[str]) -> tuple[list[str], str]:
    """Column names and delimiter: the one under which most wanted columns, then most columns, are found.

    Raises:
        BrokenRecord: there is no line, or it cannot be read as a header.
    """
    first = next(lines, None)
    if first is None:
        raise BrokenRecord("the file is empty")
    if len(first[1]) > LINE_LIMIT or b"\r" in first[1] or b"\0" in first[1]:
        raise BrokenRecord("it is not a line of text")
    line = decode_line(first[1])

    def n_found(delimiter: str) -> tuple[int, int]:
        names = {name.strip(' "') for name in line.split(delimiter)}
        return len(names.intersection(wanted)), line.count(delimiter)

    delimiter = max(DELIMITERS, key=n_found)
    names, _ = Reader(lines, delimiter, None).read(first[1])
    return [name.strip() for name in names], delimiter
