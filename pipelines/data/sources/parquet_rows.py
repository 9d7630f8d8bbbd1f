"""Parquet files: columns of a fitting type, or words for what a column would have to be."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from features.contract import Column, Table
from features.errors import DataError
from pipelines.data.sources.raw_rows import RawRows, positions, wanted_columns
from pipelines.data.sources.value_sql import (
    OUTSIDE_YEARS,
    Reading,
    bounded,
    code_reading,
    epoch_moment,
    text_reading,
    trimmed,
    utc,
    within_years,
)
from pipelines.foundation.settings.dialect import EPOCHS, Dialect
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.storage.sql_text import NUMBERED, identifier, parquet, quoted

_NEEDS = {
    "text": "text or whole numbers",
    "currency": "text",
    "integer": "whole numbers, or text that is written as dialect says",
    "number": "a number, or text that is written as dialect says",
    "money": "a number, or text that is written as dialect says",
    "boolean": "true or false, or text that says so",
    "timestamp": "a timestamp, a date, or text that is written as dialect.date_format says",
}
# From here on a float skips whole numbers: two ids could have become one.
_EXACT_BELOW = {16: 2**11, 32: 2**24, 64: 2**53}


def parquet_rows(path: Path, source: Source, contract: Table, *, spaced: Collection[str] | None = None) -> RawRows:
    """Read a Parquet file where it lies. spaced: the only columns in which texts may need trimming; None: all may.

    Text is read as the dialect says; whole numbers, dates and moments are taken exactly. Floats carry noise, so money
    and numbers from a float column are rounded to four decimals: 11.7699999 lands as 11.7700. A timestamp without zone
    is local clock time.

    Raises: DataError where the file is no whole Parquet file, or a column is missing or of a type that does not fit.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema, stored, count = file.schema_arrow, file.schema, int(file.metadata.num_rows)
            old_clocks = {
                column.path for column in map(stored.column, range(len(stored))) if column.physical_type == "INT96"
            }
    except (pa.ArrowException, OSError):
        raise damaged(path) from None
    places = positions(path, schema.names, source)
    readings: dict[str, Reading] = {}
    for name, column in wanted_columns(source, contract).items():
        field = schema.field(places[name])
        if field.name in old_clocks and source.dialect.time_zone is None:
            raise DataError(
                f"column '{field.name}' of {path.name} is INT96, which does not say whether it is UTC or local "
                'time; set dialect.time_zone ("UTC" if Spark wrote it)'
            )
        found = _reading(column, identifier(f"raw {name}"), field.type, source.dialect)
        if found is None:
            raise DataError(
                f"column '{field.name}' of {path.name} is {_type_words(field.type)}; {column.kind} needs "
                f"{_NEEDS[column.kind]}. Export it as such, or map another column"
            )
        readings[name] = found
    # By position: DuckDB takes names that differ only in case for one.
    columns = ", ".join([*(f"c{place}" for place in range(len(schema))), "file_row"])
    scan = f"{parquet(path, NUMBERED)} AS file({columns})"
    cells = [
        f"{_cell(f'c{place}', schema.field(place), spaced)} AS {identifier(f'raw {name}')}"
        for name, place in places.items()
    ]
    texts = [f"{quoted(name)}, c{place}::VARCHAR" for place, name in enumerate(schema.names)]
    return RawRows(
        count=count,
        headings=tuple(schema.names),
        cells=f"SELECT NULL::VARCHAR AS ragged, {', '.join(cells)} FROM {scan}",  # noqa: S608 - quoted
        texts=f"SELECT file_row + 1 AS source_row, json_object({', '.join(texts)})::VARCHAR AS raw_row FROM {scan}",  # noqa: S608 - quoted
        readings=readings,
    )


def damaged(path: Path) -> DataError:
    """Words for a file that does not read as Parquet, at its opening or in the middle.

    What a library says of it is looked at by nobody: it quotes the value at which it stopped.
    """
    try:
        found = _not_utf8(path)
    except (pa.ArrowException, OSError):
        found = None  # it does not get as far as to a text
    if found is None:
        return DataError(f"{path.name} is not a whole Parquet file; copy or export it again")
    column, row = found
    return DataError(
        f"column '{column}' of {path.name} holds text that is not UTF-8, as Parquet wants it (first: row {row}); have "
        "the system that wrote the file convert its texts to UTF-8, and export it again"
    )


def _not_utf8(path: Path) -> tuple[str, int] | None:
    """The first column with bytes that are no text, and the row in which they stand; None where all are text."""
    with pq.ParquetFile(path) as file:
        for place, field in enumerate(file.schema_arrow):
            if not _is_text(field.type):
                continue
            row = 0
            for batch in file.iter_batches(columns=[field.name]):
                for value in batch.column(0).cast(pa.binary()).to_pylist():
                    row += 1
                    if value is not None and not _is_utf8(value):
                        return file.schema_arrow.names[place], row
    return None


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _type_words(type_: pa.DataType) -> str:
    """A type, without the names of what is nested in it: systems make fields of keys."""
    return "nested (records)" if "struct<" in str(type_) else str(type_)


def _cell(column: str, field: pa.Field, spaced: Collection[str] | None) -> str:
    if not _is_text(field.type):
        return column
    return trimmed(column) if spaced is None or field.name in spaced else f"nullif({column}, '')"


def _reading(column: Column, cell: str, type_: pa.DataType, dialect: Dialect) -> Reading | None:
    """How a column of this type is read; None where its kind cannot be."""
    if _is_text(type_):
        return _from_text(column, cell, dialect)
    shown, empty = f"{cell}::VARCHAR", f"{cell} IS NULL"
    if column.kind == "timestamp":
        if dialect.date_format in EPOCHS and (pt.is_integer(type_) or pt.is_floating(type_) or pt.is_decimal(type_)):
            moment: str | None = epoch_moment(cell, dialect.date_format)
        else:
            moment = _moment(cell, type_)
        clock: Literal["source", "workspace"] | None = None
        if pt.is_date(type_):
            clock = "workspace"
        elif pt.is_timestamp(type_) and type_.tz is None:
            clock = "source"
        return None if moment is None else Reading(shown, empty, moment, (("true", OUTSIDE_YEARS),), clock)
    if column.kind == "boolean":
        return Reading(shown, empty, cell) if pt.is_boolean(type_) else None
    if column.kind == "currency" or not (pt.is_integer(type_) or pt.is_floating(type_) or pt.is_decimal128(type_)):
        return None
    if column.kind in ("text", "integer"):
        return _whole(cell, type_, as_="VARCHAR" if column.kind == "text" else "BIGINT")
    return bounded(column, _number(cell, type_, divided=column.divided or dialect.round_numbers))


def _from_text(column: Column, cell: str, dialect: Dialect) -> Reading:
    if column.kind not in ("text", "currency"):
        return text_reading(column, cell, dialect=dialect)
    holds = f"contains({cell}, chr(0))"
    value = f"CASE WHEN NOT {holds} THEN {cell} END"
    found = Reading(f"replace({cell}, chr(0), '?')", f"{cell} IS NULL", value, ((holds, "holds a NUL character"),))
    return code_reading(column, found)


def _moment(cell: str, type_: pa.DataType) -> str | None:
    if pt.is_timestamp(type_) and type_.tz is not None:
        return within_years(utc(cell))
    if pt.is_timestamp(type_) or pt.is_date(type_):
        return within_years(f"TRY_CAST({cell} AS TIMESTAMP)")
    return None


def _whole(cell: str, type_: pa.DataType, *, as_: str) -> Reading:
    value, fits = f"TRY_CAST(TRY_CAST({cell} AS HUGEINT) AS {as_})", "true"
    faults: tuple[tuple[str, str], ...] = (("true", "is too large"),)
    if pt.is_floating(type_):
        fits = f"isfinite({cell}) AND {cell} = trunc({cell}) AND abs({cell}) < {_EXACT_BELOW[type_.bit_width]}"
        faults = (
            (
                f"isfinite({cell}) AND {cell} = trunc({cell})",
                "is too large for a float to be exact; export whole numbers or text",
            ),
            ("true", "is not a whole number"),
        )
    elif pt.is_decimal(type_):
        fits = f"{cell} = trunc({cell})"
        faults = ((f"{cell} <> trunc({cell})", "is not a whole number"), *faults)
    return Reading(f"{cell}::VARCHAR", f"{cell} IS NULL", f"CASE WHEN {fits} THEN {value} END", faults)


def _number(cell: str, type_: pa.DataType, *, divided: bool) -> Reading:
    value = f"TRY_CAST({cell} AS DECIMAL(18, 4))"
    faults: tuple[tuple[str, str], ...] = (("true", "has more than 14 digits before the decimal mark"),)
    if pt.is_floating(type_):
        value = f"CASE WHEN isfinite({cell}) THEN {value} END"
        faults = ((f"NOT isfinite({cell})", "is not a number"), *faults)
    elif pt.is_decimal(type_) and not divided:
        # Exact numbers have no noise to round away.
        same = f"TRY_CAST({value} AS DECIMAL({type_.precision}, {type_.scale})) = {cell}"
        faults = ((f"{value} IS NOT NULL", "has more than 4 decimals"), *faults)
        value = f"CASE WHEN {same} THEN {value} END"
    return Reading(f"{cell}::VARCHAR", f"{cell} IS NULL", value, faults)


def _is_text(type_: pa.DataType) -> bool:
    if pt.is_dictionary(type_):
        return _is_text(type_.value_type)
    return bool(pt.is_string(type_) or pt.is_large_string(type_) or pt.is_string_view(type_))
