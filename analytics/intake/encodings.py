"""Encodings of text files: found out from a sample, and turned into UTF-8 while a file is read."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from analytics.intake.files import SourceFile
from analytics.intake.lines import Lines, is_utf8

SAMPLE_BYTES = 1_048_576
_SCANNED_BYTES = 268_435_456
"""A file that is plain ASCII this far is taken for UTF-8."""
_EVIDENCE_BYTES = 65_536
_PIECE_BYTES = 262_144
_LEAST_SCORE = 0.6

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SIGNS = "’‘“”„–—…«»€£°·•©®™§º½¼¾²³×´ \u00ad"
_EXPECTED = {
    "cp1252": "äöüßéèàçêâîôûëïñáíóúìòùãõåæøœÿ¿¡ÄÖÜÉÈÀÇÊÂÑÁÓÚÅÆØŒ" + _SIGNS,
    "cp1250": "ąćęłńóśźżáčďéěíňřšťúůýžöőüűăâîşţđäßôľĺŕĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽÖŐÜŰĐĽÂÎŞŢÄ" + _SIGNS,
    "cp1254": "çğıöşüâîûÇĞİÖŞÜ" + _SIGNS,
    "cp1251": "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЭЮЯЁІЇЄ№" + _SIGNS,
    "koi8-r": "абвгдежзийклмнопрстуфхцчшщъыьэюяёАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЭЮЯЁ©°·²",
    "cp1253": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏ" + _SIGNS,
}
_EXPECTED |= {
    "iso8859-2": _EXPECTED["cp1250"],
    "cp850": _EXPECTED["cp1252"],
    "mac-roman": _EXPECTED["cp1252"],
}
"""Letters and signs that people often write in a single-byte encoding; the first of two equals wins."""
_LATIN = ("cp1252", "cp1250", "cp1254", "iso8859-2", "cp850", "mac-roman")
_LATIN_RUN = re.compile(r"[^\W\d_a-zA-Z]{3,}")
_INNER_LETTER = re.compile(r"(?<=[a-z])[^\W\d_a-zA-Z]")
_MIXED_WORD = re.compile(r"(?<=[а-яёα-ώ])[А-ЯЁΆ-Ω]|(?<=[a-z])[^\W\d_a-zA-Z]|[^\W\d_a-zA-Z](?=[a-z])")
_KANA = re.compile("[\u3041-\u30ff\uff66-\uff9f]")
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff9f]")
_WIDE_SIGNS = re.compile("[\u3000-\u3011\u3131-\u318e\uff01-\uff5e\u2010-\u2026]")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def find_encoding(stream: BinaryIO) -> str | None:
    """Name of the encoding of a text, read from where the stream stands; None where no known one fits.

    A byte order mark decides; else UTF-16 shows by its zero bytes, UTF-8 by decoding; other encodings are
    scored by how common the letters are that they give.
    """
    piece = stream.read(SAMPLE_BYTES)
    for mark, name in _MARKS:
        if piece.startswith(mark):
            return name
    wide = _wide_encoding(piece)
    if wide is not None:
        return wide
    n_scanned = len(piece)
    evidence = _telling_lines(piece)
    while piece and not evidence and n_scanned < _SCANNED_BYTES:
        piece = stream.read(SAMPLE_BYTES)
        n_scanned += len(piece)
        evidence = _telling_lines(piece)
    if not evidence or is_utf8(evidence):
        return "utf-8"
    # A few lines of rubbish in much plain text are rejected as such; they do not make it another encoding.
    fallback = "utf-8" if len(evidence) * 10 < n_scanned else None
    if len(_CONTROL.findall(evidence)) * 100 > len(evidence):
        return fallback
    whole_lines = evidence[:_EVIDENCE_BYTES].rpartition(b"\n")[0]
    return _legacy_encoding(whole_lines or evidence[:_EVIDENCE_BYTES]) or fallback


def _telling_lines(piece: bytes) -> bytes:
    """The lines of a piece that are not plain ASCII; without the last where it may end inside a character."""
    if piece.isascii():
        return b""
    lines = piece.replace(b"\r", b"\n").split(b"\n")
    whole = lines[:-1] if len(piece) == SAMPLE_BYTES and len(lines) > 1 else lines
    return b"".join(line + b"\n" for line in whole if not line.isascii())


def _wide_encoding(sample: bytes) -> str | None:
    """UTF-16 without a mark: text with zero bytes that has none when it is decoded so."""
    if sample.count(0) < max(2, len(sample) // 400):
        return None
    found = {name: _n_plain(sample, name) for name in ("utf-16-le", "utf-16-be")}
    best = max(found, key=lambda name: found[name])
    return best if found[best] * 100 > len(sample) else None


def _n_plain(sample: bytes, name: str) -> int:
    """How many plain ASCII characters a sample gives when decoded; 0 where it cannot be."""
    whole = sample[: len(sample) // 2 * 2]
    try:
        text = whole.decode(name)
    except UnicodeDecodeError as error:
        # The sample may end between two surrogates.
        if error.start < len(whole) - 2:
            return 0
        text = whole[: error.start].decode(name)
    # Other text with zero bytes in it loses its line ends in such a decoding.
    is_lined = text.count("\n") * 2 >= sample.count(b"\n")
    return len(text) - len(_NOT_ASCII.findall(text)) if is_lined and "\0" not in text else 0


def _legacy_encoding(evidence: bytes) -> str | None:
    scores = {name: score(evidence) for name, score in _SCORES.items()}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= _LEAST_SCORE:
        return best
    import charset_normalizer

    match = charset_normalizer.from_bytes(evidence).best()
    return match.encoding if match is not None and _holds_ascii(match.encoding) else None


def _holds_ascii(encoding: str) -> bool:
    """Whether plain text is the same in an encoding, as in those of files and unlike those of mainframes."""
    plain = "".join(map(chr, range(32, 127)))
    try:
        return plain.encode().decode(encoding) == plain
    except UnicodeDecodeError:
        return False


def _foreign(evidence: bytes, name: str) -> str:
    return "".join(_NOT_ASCII.findall(evidence.decode(name, "replace")))


def _single_byte(name: str) -> Callable[[bytes], float]:
    expected = frozenset(_EXPECTED[name])

    def score(evidence: bytes) -> float:
        text = evidence.decode(name, "replace")
        foreign = _NOT_ASCII.findall(text)
        n_odd = sum(letter not in expected for letter in foreign)
        # Latin words seldom hold three accented letters in a row or a capital inside; words of other scripts
        # hold no capital inside and no Latin letter.
        if name in _LATIN:
            n_odd += sum(len(run) for run in _LATIN_RUN.findall(text))
            n_odd += sum(letter.isupper() for letter in _INNER_LETTER.findall(text))
        else:
            n_odd += len(_MIXED_WORD.findall(text))
        return 1 - n_odd / max(1, len(foreign))

    return score


def _japanese(name: str) -> Callable[[bytes], float]:
    def score(evidence: bytes) -> float:
        foreign = _foreign(evidence, name)
        n_kana = len(_KANA.findall(foreign.translate(_HALF_WIDTH)))
        return len(_JAPANESE.findall(foreign)) / max(1, len(foreign)) if n_kana * 8 > len(foreign) else 0.0

    return score


_HALF_WIDTH = dict.fromkeys(range(0xFF61, 0xFFA0))
"""Half-width kana are what other encodings look like in Shift-JIS."""


def _common_rows(name: str, plain: str, first: int, last: int) -> Callable[[bytes], float]:
    """Share of signs and of characters from the rows of a character set that hold the common ones."""

    def score(evidence: bytes) -> float:
        foreign = _foreign(evidence, name)
        codes = [letter.encode(plain, "ignore") for letter in foreign]
        n_common = sum(len(code) == 2 and first <= code[0] <= last for code in codes)
        return (n_common + len(_WIDE_SIGNS.findall(foreign))) / max(1, len(foreign))

    return score


_SCORES: dict[str, Callable[[bytes], float]] = {
    **{name: _single_byte(name) for name in _EXPECTED},
    "cp932": _japanese("cp932"),
    "euc_jp": _japanese("euc_jp"),
    "cp949": _common_rows("cp949", "euc_kr", 0xB0, 0xC8),
    "gb18030": _common_rows("gb18030", "gb2312", 0xB0, 0xD7),
    "big5": _common_rows("big5", "big5", 0xA4, 0xC6),
}


def _mark_undecodable(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


codecs.register_error("nightloom-mark", _mark_undecodable)


@dataclass(frozen=True)
class TextForm:
    """How a text file is written."""

    encoding: str
    has_bare_returns: bool = False
    """Whether its lines end in a carriage return alone."""


class _Utf8Stream(io.RawIOBase):
    """A text stream as UTF-8 bytes with line feeds; what cannot be decoded becomes the byte 0xFF.

    That byte is no UTF-8, so the line that holds it is rejected, and no other.
    """

    def __init__(self, stream: BinaryIO, form: TextForm) -> None:
        self._stream = stream
        self._form = form
        is_plain = form.encoding == "utf-8"
        self._decoder = None if is_plain else codecs.getincrementaldecoder(form.encoding)("nightloom-mark")
        self._ready = memoryview(b"")
        self._is_first = True
        self._is_over = False

    def readable(self) -> bool:
        """A stream for reading."""
        return True

    def readinto(self, target: object) -> int:
        """Fill `target`; 0 at the end."""
        view = memoryview(target).cast("B")  # type: ignore[arg-type]
        while not self._ready and not self._is_over:
            piece = self._stream.read(_PIECE_BYTES)
            self._is_over = not piece
            self._ready = memoryview(self._turned(piece))
        n_bytes = min(len(view), len(self._ready))
        view[:n_bytes] = self._ready[:n_bytes]
        self._ready = self._ready[n_bytes:]
        return n_bytes

    def _turned(self, piece: bytes) -> bytes:
        if self._decoder is not None:
            text = self._decoder.decode(piece, self._is_over)
            if self._is_first and text:
                text = text.removeprefix("\ufeff")
                self._is_first = False
            piece = text.encode("utf-8", "nightloom-mark")
        return piece.replace(b"\r", b"\n") if self._form.has_bare_returns else piece


def find_form(file: SourceFile) -> TextForm:
    """How a text file is written; its settings decide before what its first bytes show.

    Raises:
        SourceError: it is not text, or in an encoding that is not known.
    """
    encoding = _given(file)
    if encoding is None:
        with file.opened() as stream:
            encoding = find_encoding(stream)
    if encoding is None:
        raise file.error(
            "not text in an encoding that can be told; save it as UTF-8, or set the source's encoding "
            "or format"
        )
    with file.opened() as stream:
        sample = io.BufferedReader(_Utf8Stream(stream, TextForm(encoding))).read(SAMPLE_BYTES)
    return TextForm(encoding, b"\r" in sample.removesuffix(b"\r") and b"\n" not in sample)


def _given(file: SourceFile) -> str | None:
    if file.encoding is None:
        return None
    unknown = f"encoding {file.encoding!r} is not known; write a name such as 'utf-8' or 'cp1252'"
    try:
        info = codecs.lookup(file.encoding)
        b"a".decode(file.encoding)
    except (LookupError, UnicodeError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            return file.encoding
        raise file.error(unknown) from None
    if info.name in _NO_ENCODINGS:
        raise file.error(unknown)
    return "utf-8" if info.name == "utf-8-sig" else info.name


_NO_ENCODINGS = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined")


@contextmanager
def open_text(file: SourceFile, form: TextForm) -> Iterator[io.BufferedReader]:
    """A text file as UTF-8 with line feeds."""
    with file.opened() as stream:
        if form == TextForm("utf-8"):
            yield stream  # type: ignore[misc]
        else:
            yield io.BufferedReader(_Utf8Stream(stream, form), _PIECE_BYTES)


@contextmanager
def open_lines(file: SourceFile, form: TextForm) -> Iterator[Lines]:
    """The lines of a text file."""
    with open_text(file, form) as stream:
        yield Lines(stream, form.encoding)
