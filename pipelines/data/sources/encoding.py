"""Whether a file is text in the declared encoding, all of it, before any of it is believed."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from features.errors import DataError

_BLOCK_BYTES = 1 << 20
_LONGEST_LINE = 64 << 20  # characters; a row is held whole, and so is what follows where lines never end
_NOT_TEXT = {
    b"PAR1": 'a Parquet file; set format = "parquet" for this source',
    b"\x1f\x8b": "a gzip archive; unpack it",
    b"BZh": "a bzip2 archive; unpack it",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it",
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
}
_CONTROLS = re.compile("[\x80-\x9f]")


def codec(encoding: str) -> str:
    """The codec to read with: UTF-8 may start with a mark, which is not part of the first name."""
    name = codecs.lookup(encoding).name
    return "utf-8-sig" if name == "utf-8" else name


def check_text(path: Path, encoding: str) -> None:
    """Read a file through once.

    Raises: DataError where it is no text, a byte does not decode (with its place), or what decodes is plainly text of
    another encoding: UTF-8 would read as cp1252 without an error.
    """
    _refuse_known(path, encoding)
    decoder, lines = codecs.getincrementaldecoder(codec(encoding))(), _Lines()
    unlike_utf8 = _UnlikeUtf8(encoding)
    offset = 0
    with path.open("rb") as handle:
        while True:
            block = handle.read(_BLOCK_BYTES)
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                lines.count(bytes(error.object[: error.start]).decode(codec(encoding), "replace"))
                raise DataError(
                    f"{path.name} is not {encoding} text: byte {offset - held + error.start}, in line {lines.line}, "
                    f"does not decode; declare its encoding in dialect.encoding{_guess(encoding)}"
                ) from None
            except UnicodeError:  # of UTF-16 and UTF-32 alone: the mark that tells in which order bytes come is missing
                raise DataError(
                    f"{path.name} is declared as {encoding}, but does not begin with its byte order mark; set "
                    f'dialect.encoding = "{codec(encoding)}-le" (as Windows writes it) or "{codec(encoding)}-be", or '
                    "the encoding that it really has"
                ) from None
            _refuse_controls(path, text, encoding, lines)
            lines.count(text)
            if lines.open > _LONGEST_LINE:
                raise DataError(
                    f"line {lines.line} of {path.name} has more than {_LONGEST_LINE:,} characters, so its line ends "
                    "are missing or other ones; export it again, a line for each row"
                )
            unlike_utf8.see(block)
            offset += len(block)
            if not block:
                break
    if not unlike_utf8.seen():
        raise DataError(
            f"{path.name} is declared as {encoding}, but it is UTF-8 from end to end and would be read wrongly; "
            'set dialect.encoding = "utf-8"'
        )


class _Lines:
    """Which line comes next, for line ends of all three kinds. open: characters of it that came so far."""

    def __init__(self) -> None:
        self.line, self.open = 1, 0
        self._after_return = False

    def count(self, text: str) -> None:
        if text:
            returns = text.count("\r")
            self.line += text.count("\n") + (returns - text.count("\r\n") if returns else 0)
            self.line -= self._after_return and text.startswith("\n")
            self._after_return = text.endswith("\r")
            ended = max(text.rfind("\n"), text.rfind("\r"))
            self.open = len(text) - ended - 1 if ended >= 0 else self.open + len(text)


class _UnlikeUtf8:
    """Whether a file declared as something else could not be UTF-8, or is so plain that it makes no difference."""

    def __init__(self, encoding: str) -> None:
        self._decoder = None if codec(encoding).startswith("utf") else codecs.getincrementaldecoder("utf-8")()
        self._plain = True

    def see(self, block: bytes) -> None:
        if self._decoder is not None:
            try:
                self._decoder.decode(block, final=not block)
            except UnicodeDecodeError:
                self._decoder = None
            self._plain = self._plain and block.isascii()

    def seen(self) -> bool:
        return self._decoder is None or self._plain


def _refuse_known(path: Path, encoding: str) -> None:
    with path.open("rb") as handle:
        start = handle.read(4)
    for mark, words in _NOT_TEXT.items():
        if start.startswith(mark):
            raise DataError(f"{path.name} is not a CSV file but {words}")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not codec(encoding).startswith("utf-16"):
        raise DataError(f'{path.name} is declared as {encoding}, but starts as UTF-16; set dialect.encoding = "utf-16"')


def _refuse_controls(path: Path, text: str, encoding: str, lines: _Lines) -> None:
    if "\0" in text:
        lines.count(text[: text.index("\0")])
        raise DataError(
            f"{path.name} holds a NUL character in line {lines.line}, so it is damaged or no plain text; "
            "export it again, or, if it is UTF-16, set dialect.encoding"
        )
    # ISO 8859 decodes every byte; these are characters to nobody, but quotes, dashes and the euro sign in cp1252.
    if codec(encoding).startswith("iso8859") and (control := _CONTROLS.search(text)):
        lines.count(text[: control.start()])
        raise DataError(
            f"{path.name} is not {encoding} text: line {lines.line} holds the control character "
            f"{control[0]!r}; is it cp1252? Declare it in dialect.encoding"
        )


def _guess(encoding: str) -> str:
    return " (is it cp1252?)" if codec(encoding) != "cp1252" else " (is it utf-8?)"
