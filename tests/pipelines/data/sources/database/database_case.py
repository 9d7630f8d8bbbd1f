"""Databases of tests: tables with names of their own, filled from Arrow, and what lands from them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.types as pt
import pymysql

from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.sources import DatabaseSource
from pipelines.foundation.storage.store import Store
from tests.mariadb_server import PASSWORD
from tests.pipelines.data.landing.landing_case import LANDED_ON, Landed, newest, settings

READER_PASSWORD = "p%40ss:'w/rd"
ACCESS = "host all reader 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
ORDERS = "SELECT nr AS order_id, kunde AS customer_id, am AS ordered_at, summe AS amount FROM bestellung"
WINDOW = ORDERS.replace(" FROM", ", stand FROM") + " WHERE stand >= :since"


@dataclass(frozen=True)
class Database:
    """One database. url: as a source names it. password: of its user."""

    system: str
    url: str
    place: Path | int
    password: str | None = None

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """As its owner, who may write; all is written when the block ends."""
        connection: Any
        if self.system == "postgresql":
            connection = psycopg.connect(f"postgresql://tests@127.0.0.1:{self.place}/postgres")
        elif self.system == "mysql":
            assert isinstance(self.place, int)
            connection = pymysql.connect(
                host="127.0.0.1", port=self.place, user="tests", password=PASSWORD, database="shop"
            )
        else:
            assert isinstance(self.place, Path)
            connection = sqlite3.connect(self.place)
        with closing(connection), closing(connection.cursor()) as cursor:
            yield cursor
            connection.commit()

    def run(self, *statements: str) -> None:
        with self.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def fill(self, name: str, table: pa.Table) -> None:
        """A table of these rows, with the types that its system has for them."""
        columns = ", ".join(f"{field.name} {self._type(field.type)}" for field in table.schema)
        mark = "?" if self.system == "sqlite" else "%s"
        insert = f"INSERT INTO {name} VALUES ({', '.join([mark] * table.num_columns)})"
        rows = [tuple(map(self._value, row.values())) for row in table.to_pylist()]
        self.run(f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} ({columns})")
        with self.cursor() as cursor:
            cursor.executemany(insert, rows)
            if self.system == "postgresql":
                cursor.execute(f"GRANT SELECT ON {name} TO reader")

    def _type(self, type_: pa.DataType) -> str:
        if pt.is_timestamp(type_):
            return {"postgresql": "timestamp", "mysql": "datetime(6)", "sqlite": "text"}[self.system]
        if pt.is_decimal(type_):
            return {"sqlite": "text"}.get(self.system, f"decimal({type_.precision}, {type_.scale})")
        return {"int64": "bigint", "double": "double precision", "bool": "boolean", "date32[day]": "date"}.get(
            str(type_), "text"
        )

    def _value(self, value: Any) -> Any:
        if self.system == "sqlite" and isinstance(value, datetime | date):
            return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
        return str(value) if self.system == "sqlite" and isinstance(value, Decimal) else value


def sqlite_at(root: Path, name: str = "shop.db") -> Database:
    return Database("sqlite", f"sqlite:///{name}", root / name)


def orders(*rows: tuple[str, str, str, str, str]) -> pa.Table:
    """Rows of order, customer, day, amount, and the moment of the last change."""
    names = ("nr", "kunde", "am", "summe", "stand")
    typed = [
        (nr, who, date.fromisoformat(on), Decimal(amount), datetime.fromisoformat(at))
        for nr, who, on, amount, at in rows
    ]
    schema = pa.schema(
        [
            ("nr", pa.string()),
            ("kunde", pa.string()),
            ("am", pa.date32()),
            ("summe", pa.decimal128(12, 2)),
            ("stand", pa.timestamp("us")),
        ]
    )
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in typed], schema)


def database_source(database: Database, query: str = ORDERS, **changes: Any) -> DatabaseSource:
    given = {"table": "orders", "query": query, "url": database.url, "max_rejected_share": 1.0} | changes
    return DatabaseSource(**given)


def land_database(root: Path, source: DatabaseSource, *, today: date = LANDED_ON) -> Landed:
    store = Store(root)
    (result,) = ingest(store, settings(source), today=today)
    return Landed(result, newest(store, "landed"), newest(store, "rejected"))
