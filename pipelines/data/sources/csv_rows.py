"""CSV files: every value as text, row by row, or words for why the rows of a file cannot be told apart."""

from __future__ import annotations

import csv
import io
import json
from _csv import Reader  # csv itself does not name the class of its readers
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.contract import Table
from features.errors import DataError
from pipelines.data.sources.encoding import check_text, codec
from pipelines.data.sources.plain_lines import lines_query, plain_lines
from pipelines.data.sources.raw_rows import RawRows, positions, wanted_columns
from pipelines.data.sources.value_sql import text_reading, trimmed
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.settings.text_values import SPACES
from pipelines.foundation.storage.sql_text import identifier, parquet, quoted

_BLOCK_ROWS = 256  # looked at between two checks of how much is held: rows may be megabytes long
_HELD_ROWS, _HELD_BYTES = 32_768, 32 << 20
_LONGEST_VALUE = 16 << 20
_USUAL_DELIMITERS = ";,\t|"


@dataclass(frozen=True)
class CsvTable:
    """A CSV file as a table of texts. query: SQL of it: source_row, ragged, whole, and c0, c1, ... for its columns.

    unnumbered: SQL of the same rows in the same order, perhaps without source_row, and then read by all cores.
    opened: what the query reads: the file, or a copy. header: names as written; count: of data rows; ragged: how many
    of them have too few or too many values. spaced: the columns, by place, whose values may need trimming.
    """

    query: str
    unnumbered: str
    opened: Path
    header: tuple[str, ...]
    count: int
    ragged: int
    spaced: frozenset[int]

    def cell(self, place: int) -> str:
        """SQL of a column's values without surrounding spaces; nothing left is null."""
        return trimmed(f"c{place}") if place in self.spaced else f"nullif(c{place}, '')"


def csv_rows(path: Path, source: Source, contract: Table, *, scratch: Path) -> RawRows:
    """The rows of a CSV file, in bounded memory; where its lines are not plain, copied as text into `scratch`.

    Blank lines are no rows. A row with too few or too many values is kept, marked as ragged. What Python's csv module
    reads, strictly, is what counts: it is slower than others, but it refuses what they repair in silence.

    Raises: DataError where the file is no such text, its header does not fit, or a quote makes rows unreadable.
    """
    table = csv_table(path, source.dialect, scratch / "raw.parquet", look=lambda header: _fits(path, header, source))
    places = positions(path, table.header, source)
    cells = [f"{table.cell(place)} AS {identifier(f'raw {name}')}" for name, place in places.items()]
    names = [f"{quoted(name.strip(SPACES))}, c{place}" for place, name in enumerate(table.header)]
    return RawRows(
        count=table.count,
        headings=tuple(name.strip(SPACES) for name in table.header),
        cells=f"SELECT ragged, {', '.join(cells)} FROM ({table.unnumbered})",  # noqa: S608 - quoted
        texts=(
            f"SELECT source_row, coalesce(whole, json_object({', '.join(names)})::VARCHAR) AS raw_row "  # noqa: S608 - quoted
            f"FROM ({table.query})"
        ),
        readings={
            name: text_reading(column, identifier(f"raw {name}"), dialect=source.dialect)
            for name, column in wanted_columns(source, contract).items()
        },
    )


def csv_table(path: Path, dialect: Dialect, place: Path, *, look: Callable[[list[str]], object]) -> CsvTable:
    """A CSV file as text; what is not plain is copied to `place`. look: is shown the headings first, and may refuse.

    Raises: DataError where the file is no such text, or a quote makes rows unreadable.
    """
    check_text(path, dialect.encoding)
    with _reader(path, dialect) as (rows, file):
        try:
            header = _first_line(path, rows)
            look(header)
            if (plain := plain_lines(path, dialect, header)) is not None:
                query, unnumbered = (lines_query(path, dialect, len(header), numbered=each) for each in (True, False))
                return CsvTable(query, unnumbered, path, tuple(header), plain.count, ragged=0, spaced=plain.spaced)
            count, ragged = _copy(rows, file, place, _schema(len(header)))
        except csv.Error as error:
            raise _unreadable(path, dialect, error) from None
    query = f"SELECT * FROM {parquet(place)}"  # noqa: S608 - quoted
    return CsvTable(query, query, place, tuple(header), count, ragged, spaced=frozenset(range(len(header))))


def csv_header(path: Path, dialect: Dialect) -> list[str]:
    """The headings of a file. Raises: DataError where it has none, or they cannot be read as declared."""
    try:
        with _reader(path, dialect) as (rows, _):
            return _first_line(path, rows)
    except (csv.Error, UnicodeError):
        raise DataError(
            f"the first line of {path.name} cannot be read as dialect.encoding and dialect.quote of its source say; "
            "correct them in attrition.toml"
        ) from None


def check_csv_header(path: Path, source: Source) -> None:
    """Raise DataError where the first line of a file does not name the columns that its source maps."""
    _fits(path, csv_header(path, source.dialect), source)


def _first_line(path: Path, rows: Iterable[list[str]]) -> list[str]:
    header = next((row for row in rows if not _blank(row)), None)
    if header is None:
        raise DataError(f"{path.name} is empty; it needs a header line that names its columns")
    return header


def _fits(path: Path, header: list[str], source: Source) -> None:
    _refuse_one_column(path, header, source)
    positions(path, header, source)


@contextmanager
def _reader(path: Path, dialect: Dialect) -> Iterator[tuple[Reader, io.RawIOBase]]:
    previous = csv.field_size_limit(_LONGEST_VALUE)
    try:
        with (
            path.open("rb", buffering=0) as file,
            io.TextIOWrapper(io.BufferedReader(file, 1 << 18), encoding=codec(dialect.encoding), newline="") as text,
        ):
            yield csv.reader(text, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True), file
    finally:
        csv.field_size_limit(previous)


def _schema(width: int) -> pa.Schema:
    names = ["source_row", "ragged", "whole", *(f"c{place}" for place in range(width))]
    return pa.schema([(name, pa.int64() if name == "source_row" else pa.string()) for name in names])


def _copy(rows: Reader, file: io.RawIOBase, copy: Path, schema: pa.Schema) -> tuple[int, int]:
    """How many rows were copied, and how many of them are ragged."""
    width = len(schema) - 3
    count, ragged, held, since = 0, 0, _Held(width), file.tell()
    with pq.ParquetWriter(copy, schema, compression="lz4", use_dictionary=False, write_statistics=False) as writer:
        while True:
            block = list(islice(rows, _BLOCK_ROWS))
            held.take(block)
            if not block or held.rows >= _HELD_ROWS or file.tell() - since >= _HELD_BYTES:
                writer.write_batch(held.batch(schema, first_row=count + 1))
                count, ragged = count + held.rows, ragged + held.ragged
                held, since = _Held(width), file.tell()
            if not block:
                return count, ragged


class _Held:
    """Rows read and not yet written, column by column: a list per row keeps the garbage collector busier than us."""

    def __init__(self, width: int) -> None:
        self._width, self.rows = width, 0
        self._cells: list[list[str | None]] = [[] for _ in range(width)]
        self._ragged: dict[int, list[str]] = {}

    @property
    def ragged(self) -> int:
        return len(self._ragged)

    def take(self, block: list[list[str]]) -> None:
        if set(map(len, block)) - {self._width}:
            block = [row for row in block if not _blank(row)]
            for index, row in enumerate(block, self.rows):
                if len(row) != self._width:
                    self._ragged[index] = row
        fitting = (row if len(row) == self._width else [None] * self._width for row in block)
        for held, values in zip(self._cells, zip(*fitting, strict=True), strict=False):
            held.extend(values)
        self.rows += len(block)

    def batch(self, schema: pa.Schema, *, first_row: int) -> pa.RecordBatch:
        numbers = pa.array(range(first_row, first_row + self.rows), pa.int64())
        ragged: list[str | None] = [None] * self.rows
        whole: list[str | None] = [None] * self.rows
        for index, row in self._ragged.items():
            ragged[index] = f"has {len(row)} values where the header names {self._width} columns"
            whole[index] = json.dumps(row, ensure_ascii=False)
        texts = [pa.array(column, pa.string()) for column in (ragged, whole, *self._cells)]
        return pa.record_batch([numbers, *texts], schema=schema)


def _blank(row: list[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip(SPACES))


def _refuse_one_column(path: Path, header: list[str], source: Source) -> None:
    if len(header) > 1 or len(set(source.columns.values())) == 1:
        return
    likely = next((mark for mark in _USUAL_DELIMITERS if mark in header[0] and mark != source.dialect.delimiter), None)
    hint = f" The header holds {likely!r}: set dialect.delimiter = {json.dumps(likely)}" if likely else ""
    # The first line may be a customer's, or no text at all: of it only what the settings name is repeated.
    line = header[0].casefold()
    found = [theirs for theirs in dict.fromkeys(source.columns.values()) if theirs.casefold() in line]
    shown = f" (it holds {', '.join(map(repr, found))})" if found else ""
    raise DataError(
        f"{path.name} has only one column{shown} where several are expected; is the delimiter really "
        f"{source.dialect.delimiter!r}?{hint}"
    )


def _unreadable(path: Path, dialect: Dialect, error: csv.Error) -> DataError:
    """Words for a file whose rows end nowhere, with the line in which the first such row begins."""
    line = 1
    with _reader(path, dialect) as (rows, _):
        try:
            for _ in rows:
                line = rows.line_num + 1
        except csv.Error:
            pass  # the error that the caller holds, met again: only its line was looked for
    words = str(error)
    if "unexpected end" in words:
        what = "a quote is opened and never closed"
    elif "field larger" in words:
        what = f"a value is longer than {_LONGEST_VALUE:,} characters: a quote is probably never closed"
    else:
        what = "text follows a closing quote, so where the value and its row end cannot be told"
    return DataError(
        f"{path.name}: in the row that starts in line {line}, {what}; inside a value a quote is written twice "
        f"({dialect.quote * 2}). Correct the row, or dialect.quote and dialect.delimiter"
    )
