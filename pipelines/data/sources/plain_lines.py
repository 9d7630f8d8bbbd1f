"""CSV files whose rows are their lines: DuckDB splits them where they lie, just as the careful reader would.

That it does is not believed of it. Every byte is looked at first: what the two could read in two ways (a quote amidst a
value, a line end within quotes, a line with more or fewer values, a return alone) is not plain.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from pipelines.data.sources.encoding import codec
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.storage.sql_text import identifier, quoted

_BLOCK = 1 << 19  # fits a processor's cache; a line is at most two of them long, and DuckDB takes four
_DELIMITERS, _QUOTES = ",;\t|", "\"'"
_PATTERN_MARKS = set("*?[]{}\\")  # in a path they would name other files
_LINE_FEED, _RETURN = ord("\n"), ord("\r")


@dataclass(frozen=True)
class PlainLines:
    """What is known of plain lines. count: of them.

    spaced: the columns, by place, in which a value begins or ends with anything but a visible ASCII character.
    """

    count: int
    spaced: frozenset[int]


def plain_lines(path: Path, dialect: Dialect, header: list[str]) -> PlainLines | None:
    """The data rows of a file that was seen to be text; None where they may be other than its lines."""
    if (
        len(header) < 2
        or codec(dialect.encoding) != "utf-8-sig"
        or dialect.delimiter not in _DELIMITERS
        or dialect.quote not in _QUOTES
        or set(str(path)) & _PATTERN_MARKS
    ):
        return None
    with path.open("rb") as handle:
        first = handle.readline(_BLOCK).removeprefix(b"\xef\xbb\xbf")
        end = b"\r\n" if first.endswith(b"\r\n") else b"\n"
        first = first.removesuffix(end) + end
        if _plain(first, dialect, len(header), end) is None or _cells(first, dialect) != header:
            return None  # blank lines stand before it
        count, spaced = 0, frozenset[int]()
        for lines in _whole_lines(handle, end):
            found = _plain(lines, dialect, len(header), end)
            if found is None:
                return None
            count, spaced = count + found.count, spaced | found.spaced
    return PlainLines(count, spaced)


def lines_query(path: Path, dialect: Dialect, width: int, *, numbered: bool) -> str:
    """SQL of the rows of a plain file: ragged and whole (null), and c0, c1, ... as text; numbered: source_row, too.

    Numbered, all cores but one wait: lines are read one after the other, whatever else may be done with their order.
    """
    names = [f"c{place}" for place in range(width)]
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    options = (
        f"columns = {{{columns}}}, auto_detect = false, header = true, delim = {quoted(dialect.delimiter)}, "
        f"quote = {quoted(dialect.quote)}, escape = {quoted(dialect.quote)}, comment = '', compression = 'none', "
        f"force_not_null = [{', '.join(map(quoted, names))}], hive_partitioning = false"
    )
    lines = f"SELECT {', '.join(map(identifier, names))} FROM read_csv({quoted(str(path))}, {options})"  # noqa: S608 - quoted
    lines = f"SELECT row_number() OVER () AS source_row, * FROM ({lines})" if numbered else lines  # noqa: S608 - quoted
    return f"SELECT *, NULL::VARCHAR AS ragged, NULL::VARCHAR AS whole FROM ({lines})"  # noqa: S608 - quoted


def _cells(line: bytes, dialect: Dialect) -> list[str]:
    text = line.decode(errors="replace")
    return next(csv.reader([text], delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True), [])


def _whole_lines(handle: BinaryIO, end: bytes) -> Iterator[bytes]:
    """What follows of a file, in blocks of whole lines; a line that is too long comes without its end."""
    stop, held = _end_of_rows(handle, end), b""
    while block := handle.read(max(min(_BLOCK, stop - handle.tell()), 0)):
        held += block
        cut = held.rfind(b"\n") + 1
        if not cut and len(held) > _BLOCK:
            cut = len(held)
        if cut:
            yield held[:cut]
        held = held[cut:]
    if held:
        yield held + end


def _end_of_rows(handle: BinaryIO, end: bytes) -> int:
    """Where the last row ends: the blank lines after it are none."""
    here, size = handle.tell(), handle.seek(0, os.SEEK_END)
    handle.seek(max(here, size - _BLOCK))
    tail = handle.read()
    handle.seek(here)
    blank = tail[len(tail.rstrip(b"\r\n")) :]
    return size - len(blank) if blank == end * (len(blank) // len(end)) else size


def _plain(lines: bytes, dialect: Dialect, width: int, end: bytes) -> PlainLines | None:
    """What is known of whole lines, each of which must hold so many values, and end alike."""
    count = lines.count(b"\n")
    returns = count if end == b"\r\n" else 0
    if lines.count(b"\r") != returns or lines.count(end) != count or not lines.endswith(end):
        return None
    text: npt.NDArray[np.uint8] = np.frombuffer(lines, np.uint8)
    delimiter, quote = ord(dialect.delimiter), ord(dialect.quote)
    ends = np.flatnonzero((text == delimiter) | (text == _LINE_FEED))
    has_quotes = dialect.quote.encode() in lines
    if has_quotes:
        is_quote = text == quote
        if not _well_quoted(text, np.flatnonzero(is_quote), delimiter, quote):
            return None
        # Within quotes an odd number of them came before; uint8 wraps around, and remains odd.
        ends = ends[np.cumsum(is_quote, dtype=np.uint8)[ends] % 2 == 0]
    if len(ends) != count * width or not (text[ends[width - 1 :: width]] == _LINE_FEED).all():
        return None
    firsts = np.concatenate(([0], ends[:-1] + 1))
    lasts = ends - 1
    lasts[width - 1 :: width] -= len(end) - 1
    if has_quotes:
        within = text[firsts] == quote
        firsts, lasts = firsts + within, lasts - within
    visible = _visible(text[firsts]) & _visible(text[lasts]) | (lasts < firsts)
    return PlainLines(count, frozenset(np.flatnonzero(~visible.reshape(-1, width).all(axis=0)).tolist()))


def _well_quoted(text: npt.NDArray[np.uint8], places: npt.NDArray[np.int64], delimiter: int, quote: int) -> bool:
    """Whether quotes open where a value begins, close where it ends, and are doubled in between.

    Of the quotes every second one closes; one that opens right behind it makes with it the one that is meant.
    """
    if len(places) % 2:
        return False
    before = text[places[0::2] - 1]  # of the first byte: the last, which is a line feed, as before any line
    after = text[places[1::2] + 1]
    return bool(
        np.isin(before, (delimiter, _LINE_FEED, quote)).all()
        and np.isin(after, (delimiter, _LINE_FEED, _RETURN, quote)).all()
    )


def _visible(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    return (text >= ord("!")) & (text <= ord("~"))
