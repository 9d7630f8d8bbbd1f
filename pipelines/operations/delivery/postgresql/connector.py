"""Scores in a table of PostgreSQL: one row per customer, one column per field, types as ours.

The key is the column `external_id`. Times are `timestamp with time zone`, and are read back in UTC, as `values.instant`
writes them. There is no column that says when a row was written: sending a record again changes nothing, and
`scored_at` and `run_id` tell its age.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

import psycopg
from psycopg import Cursor
from psycopg.sql import SQL, Composed

from pipelines.foundation.settings.delivered_fields import FIELDS, KEY, Field
from pipelines.foundation.settings.destinations import Sql
from pipelines.operations.delivery.connector import TAKEN, Outcome, Record, UnsendableError, Value
from pipelines.operations.delivery.postgresql.session import of_the_record, refusal, visit
from pipelines.operations.delivery.postgresql.table import TYPES, Table, named
from pipelines.operations.delivery.values import normal, remote_value, writable

BATCH = 1_000
_BEYOND = 2**63  # what no integer type of PostgreSQL's holds; anything less is for the column to take or refuse


def connect(plan: Sql, *, language: Literal["en", "fr"]) -> PostgreSql:
    """Raises: DestinationError where table or columns cannot have their names."""
    return PostgreSql(plan, language=language)


class PostgreSql:
    """A `send` is one transaction: all that it takes is written, or nothing is. Connections last for one call."""

    batch = BATCH

    def __init__(self, plan: Sql, *, language: Literal["en", "fr"]) -> None:
        self.plan = plan
        self.table = Table(plan)
        self.language: Literal["en", "fr"] = language

    def setup(self) -> list[str]:
        with visit(self.plan) as cursor:
            return self.table.make(cursor, language=self.language)

    def check(self) -> None:
        with visit(self.plan) as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            self.table.check(cursor)

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        outcomes: dict[str, Outcome] = {}
        # Rows of one statement have the same columns. In one order, two processes seldom wait for each other's rows.
        alike: dict[tuple[str, ...], list[_Row]] = {}
        for record in sorted(records, key=lambda each: each.external_id):
            try:
                names = tuple(sorted(record.values))
                row = _row(record, names)
            except UnsendableError as error:
                outcomes[record.external_id] = Outcome("refused", str(error))
            else:
                alike.setdefault(names, []).append(row)
        if alike:
            with visit(self.plan) as cursor:
                for names, rows in alike.items():
                    self._write(cursor, names, rows, outcomes)
        return [outcomes[record.external_id] for record in records]

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        askable = [each for each in external_ids if writable(each)]
        columns = SQL(", ").join(named(name) for name in [KEY, *self.table.columns.values()])
        query = SQL("SELECT {} FROM {} WHERE {} = ANY(%s)").format(columns, self.table.named, named(KEY))
        with visit(self.plan) as cursor:
            rows = cursor.execute(query, [askable]).fetchall()
        return {
            row[0]: {name: _ours(FIELDS[name], raw) for name, raw in zip(self.table.columns, row[1:], strict=True)}
            for row in rows
        }

    def _write(
        self, cursor: Cursor[Any], names: tuple[str, ...], rows: list[_Row], outcomes: dict[str, Outcome]
    ) -> None:
        """Write rows at once; where one of them will not do, halves of them, until it stands alone."""
        try:
            with cursor.connection.transaction():
                cursor.execute(self._statement(names), [list(column) for column in zip(*rows, strict=True)])
                found = {row[0] for row in cursor.fetchall()}
        except psycopg.Error as error:
            if not of_the_record(error):
                raise
            if len(rows) == 1:
                outcomes[rows[0][0]] = Outcome("refused", f"the database refuses it ({refusal(error)})")
                return
            half = len(rows) // 2
            self._write(cursor, names, rows[:half], outcomes)
            self._write(cursor, names, rows[half:], outcomes)
            return
        unknown = Outcome("refused", f"table {self.plan.table} has no row of this customer")
        for row in rows:
            outcomes[row[0]] = TAKEN if self.plan.create or row[0] in found else unknown

    def _statement(self, names: tuple[str, ...]) -> Composed:
        """One parameter per column, an array; one row back for each that was found, or made."""
        key = named(KEY)
        columns = [named(self.table.columns[name]) for name in names]
        arrays = [
            SQL("%s::{}[]").format(SQL(kind)) for kind in ["text", *(TYPES[FIELDS[each].kind][0] for each in names)]
        ]
        given = SQL("unnest({}) AS given ({})").format(SQL(", ").join(arrays), SQL(", ").join([key, *columns]))
        values = SQL(", ").join(SQL("{0} = given.{0}").format(column) for column in columns)
        parts = {"table": self.table.named, "key": key, "given": given}
        if not self.plan.create:
            if not columns:
                return SQL("SELECT {key} FROM {table} WHERE {key} IN (SELECT {key} FROM {given})").format(**parts)
            return SQL(
                "UPDATE {table} AS held SET {values} FROM {given} WHERE held.{key} = given.{key} RETURNING held.{key}"
            ).format(values=values, **parts)
        renewed = SQL(", ").join(SQL("{0} = EXCLUDED.{0}").format(column) for column in columns)
        return SQL(
            "INSERT INTO {table} ({all}) SELECT * FROM {given} ON CONFLICT ({key}) DO {renew} RETURNING {key}"
        ).format(
            all=SQL(", ").join([key, *columns]),
            renew=SQL("UPDATE SET {}").format(renewed) if columns else SQL("NOTHING"),
            **parts,
        )


_Row = tuple[Any, ...]


def _row(record: Record, names: tuple[str, ...]) -> _Row:
    if not record.external_id or not writable(record.external_id):
        raise UnsendableError("the external id is empty, or holds a character that cannot be written")
    for name in names:
        if name not in FIELDS:
            raise UnsendableError(f"there is no field {name}")
    return record.external_id, *(_theirs(FIELDS[name], normal(FIELDS[name], record.values[name])) for name in names)


def _theirs(field: Field, value: Value) -> object:
    if isinstance(value, int) and abs(value) >= _BEYOND:
        raise UnsendableError(f"{field.name} is out of range")
    if isinstance(value, str) and field.kind == "date":
        return date.fromisoformat(value)
    if isinstance(value, str) and field.kind == "datetime":
        return datetime.fromisoformat(value)
    return value


def _ours(field: Field, raw: Any) -> Value:
    return remote_value(field, raw.isoformat() if isinstance(raw, date) else raw)
