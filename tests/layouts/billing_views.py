"""A layout's query over exports, as the product runs it: every column is text, and what comes out is read strictly."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from features.contract import ROW_CLOCKS
from features.tables import TABLES
from pipelines.data.sources.value_sql import text_reading, trimmed
from pipelines.foundation.settings.dialect import Dialect

Month = str  # "2025-01"


@dataclass
class Expected:
    """What is right, by the made-up facts: per table its rows and, per local month, counts and sums.

    months: per table and name of a figure, the figure per month. left_out: per reason, how many rows of the export must
    not land because of it; refused: how many come out of the query and are refused, by table.
    """

    rows: dict[str, int] = field(default_factory=dict)
    months: dict[str, dict[str, dict[Month, Decimal]]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, figure: str, month: Month, amount: Decimal | int = 1) -> None:
        per_month = self.months.setdefault(table, {}).setdefault(figure, {})
        per_month[month] = per_month.get(month, Decimal(0)) + amount

    def count(self, table: str) -> None:
        self.rows[table] = self.rows.get(table, 0) + 1

    def leave_out(self, reason: str) -> None:
        self.left_out[reason] = self.left_out.get(reason, 0) + 1

    def refuse(self, table: str) -> None:
        self.refused[table] = self.refused.get(table, 0) + 1


def write_csv(path: Path, headings: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    """A file with all headings; what a row does not say is empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, headings, restval="")
        writer.writeheader()
        writer.writerows(rows)


def connected(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection in which every export of a folder is a view named as the file."""
    connection = duckdb.connect()
    for path in sorted(folder.iterdir()):
        if path.suffix == ".csv":
            _csv_view(connection, path)
        else:
            connection.execute(
                f"""CREATE VIEW "{path.name}" AS SELECT *, '{path.name}' AS source_file, """
                f"row_number() OVER () AS source_row FROM read_json_auto('{path}')"
            )
    return connection


def _csv_view(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        headings, *rows = csv.reader(file)
    cells = {
        name: pa.array(column, pa.string()) for name, column in zip(headings, zip(*rows, strict=True), strict=True)
    }
    numbered = pa.table(cells | {"source_row": pa.array(range(1, len(rows) + 1), pa.int64())})
    connection.register(f"raw {path.name}", numbered)
    quoted = [f'"{name}"' for name in headings]
    columns = ", ".join(f"{trimmed(name)} AS {name}" for name in quoted)
    connection.execute(
        f"""CREATE VIEW "{path.name}" AS SELECT {columns}, '{path.name}' AS source_file, source_row """
        f'FROM "raw {path.name}" ORDER BY source_row'
    )


def landed(
    connection: duckdb.DuckDBPyConnection, sql: str, table: str, *, dialect: Mapping[str, Any], zone: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows that land of a query (moments in UTC), and why the others are refused."""
    read = Dialect(**dialect)
    found = connection.execute(sql)
    types = {name: str(type_) for name, type_, *_ in found.description or []}
    contract = {column.name: column for column in (*TABLES[table].columns, *ROW_CLOCKS)}
    unknown = types.keys() - contract.keys()
    assert not unknown, f"table {table} has no {sorted(unknown)}"
    missing = {c.name for c in TABLES[table].columns if c.required and not c.made_when_absent} - types.keys()
    assert not missing, f"table {table} needs {sorted(missing)}"
    connection.execute("DROP TABLE IF EXISTS found")
    connection.execute(f"CREATE TABLE found AS {sql}")
    _local_clock(connection, read.time_zone or zone)
    values, faults = [], []
    for name, type_ in types.items():
        quoted, column = f'"{name}"', contract[name]
        if type_ not in {"VARCHAR", "STRING"}:
            values.append(quoted)
            continue
        reading = text_reading(column, quoted, dialect=read)
        cases = " ".join(f"WHEN {when} THEN '{name} {words.replace(chr(39), '')}'" for when, words in reading.faults)
        value = f"local_to_utc({reading.value})" if reading.clock else reading.value
        values.append(f"CASE WHEN {reading.empty} THEN NULL ELSE {value} END AS {quoted}")
        if cases:
            faults.append(f"CASE WHEN NOT ({reading.empty}) AND ({reading.value}) IS NULL THEN CASE {cases} END END")
        if column.required and not column.made_when_absent:
            faults.append(f"CASE WHEN {reading.empty} THEN '{name} is empty' END")
    why = f"coalesce({', '.join(faults)}, NULL)"
    rows = connection.execute(f"SELECT {', '.join(values)}, {why} AS why FROM found").fetchall()
    names = [*types, "why"]
    both = [dict(zip(names, row, strict=True)) for row in rows]
    return [row for row in both if row["why"] is None], [row["why"] for row in both if row["why"] is not None]


def _local_clock(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    def local_to_utc(clock: datetime) -> datetime:
        return clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)

    with suppress(duckdb.InvalidInputException):  # of the query before
        connection.remove_function("local_to_utc")
    connection.create_function("local_to_utc", local_to_utc, ["TIMESTAMP"], "TIMESTAMP")


def month_of(moment: datetime, zone: str) -> Month:
    """The local month of a moment in UTC, with or without its mark."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m")


def per_month(
    rows: list[dict[str, Any]], clock: str, zone: str, worth: Callable[[dict[str, Any]], Decimal | int | None]
) -> dict[Month, Decimal]:
    """What rows are worth by the local month of a clock; None: not counted."""
    found: dict[Month, Decimal] = {}
    for row in rows:
        value = worth(row) if row[clock] is not None else None
        if value is not None:
            month = month_of(row[clock], zone)
            found[month] = found.get(month, Decimal(0)) + value
    return found


def worth(what: str | int, **where: object) -> Callable[[dict[str, Any]], Decimal | int | None]:
    """For `per_month`: a column's value, or a number, of the rows whose columns have these values."""

    def of(row: dict[str, Any]) -> Decimal | int | None:
        if any(row[name] != value for name, value in where.items()):
            return None
        found: Decimal | int | None = row[what] if isinstance(what, str) else what
        return found

    return of
