"""Files of the workspace as the tables of a query: of text files every value as text, as a source of files has it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DataError
from pipelines.data.sources import containers
from pipelines.data.sources.containers import inner_name, split, unpacked
from pipelines.data.sources.csv_rows import csv_header, csv_table
from pipelines.data.sources.parquet_rows import damaged
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.text_values import SPACES
from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.storage.sql_text import NO_FOLDERS, NUMBERED, identifier, parquet, quoted

_TEXT = (".csv", ".tsv", ".txt")
_PARQUET = (".parquet", ".pq")
_JSON = (".json", ".jsonl", ".ndjson")
NUMBER = "source_row"
TRACE = ("source_file", NUMBER)  # stand beside the columns of each file
PLAIN = (*_TEXT, *_PARQUET, *_JSON)
ENDINGS = (*PLAIN, *containers.ENDINGS)
_USUAL_DELIMITERS = ",;\t|"
# With formats that no date has, dates stay the text that they are: which day "03-04-2024" is, nobody is to guess.
_JSON_AS = (
    "sample_size = -1, maximum_object_size = 67108864, convert_strings_to_integers = false, "
    f"dateformat = 'none', timestampformat = 'none', {NO_FOLDERS}"
)


@dataclass(frozen=True)
class InputFile:
    """A file that a query names. name: below the workspace, and the part of an archive or workbook that is meant."""

    path: Path
    name: str
    sha256: str

    @property
    def kind(self) -> str:
        return self.path.suffix.lower()

    def opened(self, scratch: Path, *, head: bool = False) -> InputFile:
        """The same file, without what it is packed in. head: the first part of it will do."""
        _, part = split(self.name)
        place = unpacked(self.path, part, scratch, head=head and self.inner in _TEXT)
        return replace(self, path=place)

    @property
    def inner(self) -> str:
        """The ending of the file that is meant."""
        return PurePosixPath(inner_name(self.path, split(self.name)[1])).suffix.lower()


@dataclass(frozen=True)
class FileTable:
    """One file, ready to be read. columns: its names; query: SQL of them, with source_file and source_row.

    unnumbered: SQL of the same without source_row, for who does not ask for it: to number lines takes longer.
    opened: the file that the query may open. count: its rows; ragged: SQL of those with too few or too many values
    (source_row, ragged, whole), which the query does not see; None: a file in which there are none. lost: how many.
    """

    name: str
    columns: tuple[str, ...]
    query: str
    unnumbered: str
    opened: Path
    count: int = 0
    lost: int = 0
    ragged: str | None = None


def headings(file: InputFile, dialect: Dialect, scratch: Path) -> FileTable:
    """A file's columns in their types, without a row. Raises: DataError where they cannot be read."""
    file = file.opened(scratch, head=True)
    if file.kind in _PARQUET:
        whole = _parquet(file, file.path)
        nothing = f"SELECT * FROM ({whole.query}) WHERE false"  # noqa: S608 - ours
        return replace(whole, query=nothing, unnumbered=nothing)
    if file.kind in _JSON:
        with spilling() as reader:
            types = _json_types(file, reader)
    else:
        types = dict.fromkeys(_names(csv_header(file.path, _fitting(file.path, dialect)), file.path), "VARCHAR")
    columns = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in types.items())
    nothing = f"SELECT {columns}, {_trace(file)}, {_numbered('NULL')} WHERE false"
    names = _once(tuple(types), file.path)
    return FileTable(name=file.name, columns=names, query=nothing, unnumbered=nothing, opened=file.path)


def as_table(file: InputFile, dialect: Dialect, scratch: Path) -> FileTable:
    """A file with all its rows; what is not Parquet is copied into `scratch`.

    Raises: DataError where it cannot be read.
    """
    file = file.opened(scratch)
    if file.kind in _TEXT:
        return _text(file, _fitting(file.path, dialect), scratch)
    if file.kind in _PARQUET:
        return _parquet(file, file.path)
    return _parquet(file, _json_copy(file, scratch))


def under_each_other(tables: Sequence[FileTable], *, named: Collection[str], stars: bool) -> str:
    """SQL of several files as one table, by the names of their columns.

    named: the columns that the query names, in small letters; stars: whether it takes others, too.
    Rows are numbered where it takes their numbers.
    Raises: DataError where one of them lacks a column that another has and the query takes.
    """
    everything = {name.casefold(): name for table in tables for name in table.columns}
    for table in tables:
        own = {name.casefold() for name in table.columns}
        for name in everything.keys() - own:
            if stars or name in named:
                other = next(each for each in tables if name in {column.casefold() for column in each.columns})
                raise DataError(
                    f"{table.name} has no column '{everything[name]}', which {other.name} has, and the query reads "
                    "them as one table; export it anew with the same columns, or name the files apart and say what is "
                    "to stand for it"
                )
    numbered = stars or NUMBER in named
    return " UNION ALL BY NAME ".join(f"({table.query if numbered else table.unnumbered})" for table in tables)


def _text(file: InputFile, dialect: Dialect, scratch: Path) -> FileTable:
    table = csv_table(file.path, dialect, _free(scratch), look=lambda _: None)
    names = _names(list(table.header), file.path)
    cells = ", ".join(f"{table.cell(place)} AS {identifier(name)}" for place, name in enumerate(names))
    # A file without ragged rows is not searched for them: its statistics would not tell.
    whole = " WHERE ragged IS NULL" if table.ragged else ""
    ragged = f"SELECT source_row, ragged, whole FROM ({table.query}) WHERE ragged IS NOT NULL"  # noqa: S608 - quoted
    return FileTable(
        name=file.name,
        columns=names,
        query=f"SELECT {cells}, {_trace(file)}, {_numbered(NUMBER)} FROM ({table.query}){whole}",  # noqa: S608 - quoted
        unnumbered=f"SELECT {cells}, {_trace(file)} FROM ({table.unnumbered}){whole}",  # noqa: S608 - quoted
        opened=table.opened,
        count=table.count,
        lost=table.ragged,
        ragged=ragged if table.ragged else None,
    )


def _parquet(file: InputFile, place: Path) -> FileTable:
    try:
        with pq.ParquetFile(place) as opened:
            names, count = tuple(opened.schema_arrow.names), int(opened.metadata.num_rows)
    except (pa.ArrowException, OSError):
        raise damaged(file.path) from None
    columns = ", ".join(map(identifier, _once(names, file.path)))
    query = (
        f"SELECT {columns}, {_trace(file)}, {_numbered('file_row_number + 1')} "  # noqa: S608 - quoted
        f"FROM {parquet(place, NUMBERED)}"
    )
    return FileTable(name=file.name, columns=names, query=query, unnumbered=query, opened=place, count=count)


def _json_copy(file: InputFile, scratch: Path) -> Path:
    """JSON as Parquet: an object is a row, in a list of them or line by line."""
    place = _free(scratch)
    with spilling(scratch / "json") as reader:
        types = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in _json_types(file, reader).items())
        read = f"read_json({quoted(str(file.path))}, {_JSON_AS}, columns = {{{types}}})"
        try:
            reader.execute(f"COPY (FROM {read}) TO {quoted(str(place))} (FORMAT parquet)")
        except duckdb.Error:
            raise _no_json(file) from None
    return place


def _json_types(file: InputFile, reader: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The names in a file's objects, and their types as all of its rows have them."""
    try:
        found = reader.execute(f"DESCRIBE FROM read_json({quoted(str(file.path))}, {_JSON_AS})").fetchall()
    except duckdb.Error:
        raise _no_json(file) from None
    # A text that looks like a UUID would come back in small letters. A name within records is quoted where it is alike.
    return {name: re.sub(r'(?<!")\bUUID\b(?!")(?! (?:\w|"))', "VARCHAR", kind) for name, kind, *_ in found}


def _no_json(file: InputFile) -> DataError:
    return DataError(
        f"{file.path.name} cannot be read as JSON: it must be a list of objects, or an object in each line, with the "
        "same kind of value under the same name; export it anew"
    )


def _fitting(path: Path, dialect: Dialect) -> Dialect:
    """The dialect, with the delimiter that the headings have where they lack the declared one.

    One query may read files of several systems. What cannot be told from a line of names is left as declared.
    """
    header = csv_header(path, dialect)
    if len(header) > 1:
        return dialect
    marks = sorted(_USUAL_DELIMITERS, key=header[0].count, reverse=True)
    if not header[0].count(marks[0]) or marks[0] == dialect.quote:
        return dialect
    return dialect.model_copy(update={"delimiter": marks[0]})


def _names(header: list[str], path: Path) -> tuple[str, ...]:
    """Headings as names of columns: one without a name is called after its place."""
    return _once(tuple(name.strip(SPACES) or f"column_{place}" for place, name in enumerate(header, 1)), path)


def _once(names: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """The names back. Raises: DataError where two are one to SQL, which does not look at capitals."""
    seen: dict[str, str] = {}
    for name in (*names, *TRACE):
        if name.casefold() in seen:
            raise DataError(
                f"{path.name} has two columns that a query cannot tell apart, '{seen[name.casefold()]}' and '{name}' "
                "(source_file and source_row are added to every file); rename one of them in the file"
            )
        seen[name.casefold()] = name
    return names


def _trace(file: InputFile) -> str:
    return f"{quoted(file.name)} AS source_file"


def _numbered(row: str) -> str:
    return f"{row}::BIGINT AS {NUMBER}"


def _free(scratch: Path) -> Path:
    return scratch / f"input-{len(list(scratch.glob('input-*')))}.parquet"
