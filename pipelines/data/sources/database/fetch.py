"""What a database answers, streamed into one Parquet file in an order that the rows themselves decide."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from features.errors import DataError
from pipelines.data.sources.database.columns import TEXT, WHOLE, typed
from pipelines.data.sources.database.connect import connected
from pipelines.data.sources.database.described import Described, described
from pipelines.data.sources.database.statement import Statement
from pipelines.foundation.settings.sources import DatabaseSource
from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.storage.sql_text import parquet

ROW_NUMBER = "source_row"  # the column by which a query tells in which order rows were entered

_BATCH_ROWS = 50_000
_WRITTEN_ROWS = 1 << 17
_AHEAD = timedelta(days=1)  # how far a server's clock, or its zone, may be ahead of ours


@dataclass(frozen=True)
class Answer:
    """Where the rows lie. sha256: of them and their columns. newest: the last value of the cursor that is believed."""

    place: Path
    columns: tuple[str, ...]
    sha256: str
    newest: datetime | None


@dataclass
class _Parts:
    """Parquet files that follow each other, each with its own types: a column that widens begins a new one."""

    folder: Path
    where: str
    columns: list[Described]
    types: list[pa.DataType] = field(default_factory=list)
    places: list[Path] = field(default_factory=list)
    writer: pq.ParquetWriter | None = None

    def __post_init__(self) -> None:
        self.types = [pa.null() for _ in self.columns]

    def add(self, rows: list[Any]) -> None:
        cells = zip(*rows, strict=True) if rows else [()] * len(self.columns)
        arrays = [self._array(place, values) for place, values in enumerate(cells)]
        types = [array.type for array in arrays]
        if types != self.types or self.writer is None:
            self.close()
            self.types = types
            self.places.append(self.folder / f"part-{len(self.places)}.parquet")
            self.writer = pq.ParquetWriter(self.places[-1], self._schema(), compression="lz4")
        self.writer.write_batch(pa.record_batch(arrays, schema=self._schema()))

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()

    def _schema(self) -> pa.Schema:
        return pa.schema([(f"c{place}", type_) for place, type_ in enumerate(self.types)])

    def _array(self, place: int, values: Any) -> pa.Array:
        column = self.columns[place]
        made = values if column.made is None else column.made(values)
        return typed(made, self.types[place], name=column.name, where=self.where)


def columns_of(root: Path, source: DatabaseSource, statement: Statement, since: datetime) -> list[Described]:
    """The columns that the database would give; no row is asked for. Raises: SettingsError, DataError."""
    with connected(root, source) as connection, closing(connection.execute(statement.headings(since))) as result:
        return described(result.cursor.description, statement.system)


def fetch(
    root: Path, source: DatabaseSource, statement: Statement, *, since: datetime, folder: Path, flags: Collection[str]
) -> Answer:
    """All rows of the answer. flags: columns that are to be true or false, of which some databases make numbers.

    Raises: SettingsError, DataError where they cannot be had whole.
    """
    # Closed whatever happens: a cursor of the server's that is left to itself is told of much later, and elsewhere.
    with (
        connected(root, source) as connection,
        closing(connection.execution_options(yield_per=_BATCH_ROWS).execute(statement.rows(since))) as result,
    ):
        parts = _Parts(folder, source.name, described(result.cursor.description, statement.system))
        try:
            for rows in result.partitions(_BATCH_ROWS):
                parts.add(list(rows))
            if not parts.places:
                parts.add([])
        finally:
            parts.close()
    names = tuple(column.name for column in parts.columns)
    types = [
        TEXT if pt.is_null(type_) or (type_ == WHOLE and name in flags) else type_
        for name, type_ in zip(names, parts.types, strict=True)
    ]
    place = folder / Path(source.name).name  # as messages call it
    with spilling(folder) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        sha256 = _settle(duck, parts.places, place, pa.schema(list(zip(names, types, strict=True))), source.name)
        newest = None if source.cursor is None else _newest(duck, place, names, source)
    for part in parts.places:
        part.unlink()
    return Answer(place=place, columns=names, sha256=sha256, newest=newest)


def _settle(connection: duckdb.DuckDBPyConnection, parts: list[Path], place: Path, schema: pa.Schema, name: str) -> str:
    """Write the rows of all parts in one order; their hash."""
    casts = ", ".join(f"c{n}::{_duckdb(field.type)} AS c{n}" for n, field in enumerate(schema))
    rows = " UNION ALL ".join(f"SELECT {casts} FROM {parquet(part)}" for part in parts)  # noqa: S608 - ours
    line = ", ".join(f"c{n}::VARCHAR" for n in range(len(schema)))
    # A database keeps no order of rows: theirs is that of their number, where the query gives one, and of their values.
    order = sorted(range(len(schema)), key=lambda n: schema.field(n).name != ROW_NUMBER)
    by = ", ".join(f"c{n}" for n in order)
    query = f"SELECT *, json_array({line})::VARCHAR AS line FROM ({rows}) ORDER BY {by}"  # noqa: S608 - ours
    head = [name, [[field.name, str(field.type)] for field in schema]]
    sha256 = hashlib.sha256(json.dumps(head).encode())
    with pq.ParquetWriter(place, schema, compression="lz4") as target:
        for batch in connection.sql(query).to_arrow_reader(_WRITTEN_ROWS):
            sha256.update("".join(f"{each}\n" for each in batch.column(len(schema)).to_pylist()).encode())
            target.write_batch(pa.record_batch(batch.columns[:-1], schema=schema))
    return sha256.hexdigest()


def _duckdb(type_: pa.DataType) -> str:
    if pt.is_decimal(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    if pt.is_timestamp(type_):
        return "TIMESTAMP" if type_.tz is None else "TIMESTAMPTZ"
    return {"int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE"}.get(str(type_), "VARCHAR")


def _newest(
    connection: duckdb.DuckDBPyConnection, place: Path, names: tuple[str, ...], source: DatabaseSource
) -> datetime | None:
    """The last value of the cursor; what lies in the future is mistyped, and would have all before it left out."""
    number = names.index(str(source.cursor))
    columns = ", ".join(f"c{n}" for n in range(len(names)))
    read = f"TRY_CAST(c{number} AS TIMESTAMP)"
    told = f"count(*) FILTER ({read} IS NULL AND c{number} IS NOT NULL), max({read}) FILTER ({read} <= ?)"
    rows = f"{parquet(place)} AS file({columns})"
    until = datetime.now(UTC).replace(tzinfo=None) + _AHEAD
    ((unread, newest),) = connection.execute(f"SELECT {told} FROM {rows}", [until]).fetchall()  # noqa: S608 - ours
    if unread:
        raise DataError(
            f"{source.name}: cursor '{source.cursor}' is neither a date nor a moment in {unread:,} rows; name a column "
            "that is, or leave cursor out, so that everything is asked for each time"
        )
    return None if newest is None else datetime.fromisoformat(str(newest))
