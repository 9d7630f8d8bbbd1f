"""Literal rows as landed tables, and snapshots of them, for the tests of this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from features.contract import local_day
from features.tables import TABLES
from features.training_set import snapshot

PARIS = ZoneInfo("Europe/Paris")
LOOKBACKS = (7, 30, 90, 365)
SNAPSHOT = date(2024, 6, 1)  # its midnight is 2024-05-31 22:00 UTC in Paris

_ARROW = {
    "string": pa.string(),
    "int64": pa.int64(),
    "decimal(18, 4)": pa.decimal128(18, 4),
    "timestamp(6)": pa.timestamp("us"),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}


def at(text: str, zone: ZoneInfo = PARIS) -> datetime:
    """A local moment such as "2024-05-01 12:00" or "2024-05-01", as the UTC moment that lands."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def landed(table: str, rows: Sequence[Mapping[str, Any]], *, zone: ZoneInfo = PARIS) -> pa.Table:
    """Rows as they land: what is not given is null; days, known_at and source_row are filled in as ingest does."""
    contract = TABLES[table]
    complete = []
    for number, row in enumerate(rows, start=1):
        full: dict[str, Any] = dict.fromkeys(contract.landed) | {"source_row": number, "landed_order": 0} | dict(row)
        full["known_at"] = max(full["known_at"] or full[contract.happened_at], full[contract.happened_at])
        for column in contract.columns:
            if column.kind == "timestamp" and full[column.name] is not None:
                moment = full[column.name].replace(tzinfo=UTC).astimezone(zone)
                full[local_day(column.name)] = moment.date()
            if column.kind in ("money", "number") and full[column.name] is not None:
                full[column.name] = Decimal(str(full[column.name]))
        complete.append(full)
    schema = pa.schema(
        [(name, _ARROW[kind]) for name, kind in contract.landed.items()] + [("landed_order", pa.int64())]
    )
    return pa.Table.from_pylist(complete, schema=schema)


def order(customer: str, moment: str, amount: float | str = 10, **more: Any) -> dict[str, Any]:
    """One order row; its id is made of its values unless given."""
    row = {
        "customer_id": customer,
        "ordered_at": at(moment),
        "amount": amount,
        "order_id": f"{customer} {moment} {amount}",
    }
    return row | more


def tables(**rows: Sequence[Mapping[str, Any]]) -> dict[str, ir.Table]:
    """Name to an Ibis table over literal rows."""
    return {name: ibis.memtable(landed(name, content)) for name, content in rows.items()}


def features_of(world: Mapping[str, ir.Table], day: date = SNAPSHOT, **options: Any) -> pd.DataFrame:
    """The snapshot, indexed by customer."""
    settings: dict[str, Any] = {"active_days": None, "lookback_days": LOOKBACKS, "zone": PARIS} | options
    return snapshot(world, day, **settings).to_pandas().set_index("customer_id")


class Engine:
    """One snapshot expression, compiled once and run over many worlds: what makes thousands of cases affordable."""

    def __init__(self, *names: str, day: date = SNAPSHOT) -> None:
        unbound = {name: ibis.table(TABLES[name].landed | {"landed_order": "int64"}, name=name) for name in names}
        expression = snapshot(unbound, day, active_days=None, lookback_days=LOOKBACKS, zone=PARIS)
        self.sql = ibis.to_sql(expression, dialect="duckdb")
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")

    def run(self, **worlds: pa.Table) -> pa.Table:
        for name, rows in worlds.items():
            self.connection.register(name, rows)
        return self.connection.execute(self.sql).to_arrow_table()
