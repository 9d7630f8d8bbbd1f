"""Literal rows as landed tables, and snapshots of them, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest

from features import training_set
from features.asof import as_of
from features.catalog import Family, Group, Lookbacks
from features.cohort import Cohort, cohort
from features.contract import local_day
from features.tables import TABLES
from features.training_set import columns_of, families, snapshot

PARIS = ZoneInfo("Europe/Paris")
LOOKBACKS = (7, 30, 90, 365)
SPANS = Lookbacks(lookback_days=LOOKBACKS, horizon_days=60)
EVERYBODY = Cohort(kind="ever_ordered")
SUBSCRIBED = Cohort(kind="subscribed")
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
    """Rows as they land: what is not given is null; days, known_at, source_row and numbers are made as ingest does."""
    contract = TABLES[table]
    # What a contract says of its columns is put together anew whenever it is asked: once for all rows, not for each.
    types = contract.landed
    days = [(column.name, local_day(column.name)) for column in contract.columns if column.kind == "timestamp"]
    numbers = [column.name for column in contract.columns if column.kind in ("money", "number")]
    made = [column.name for column in contract.columns if column.made_when_absent]
    complete = []
    for number, row in enumerate(rows, start=1):
        full: dict[str, Any] = dict.fromkeys(types) | {"source_row": number, "landed_order": 0} | dict(row)
        full["known_at"] = max(full["known_at"] or full[contract.happened_at], full[contract.happened_at])
        for name, day in days:
            if full[name] is not None:
                full[day] = full[name].replace(tzinfo=UTC).astimezone(zone).date()
        for name in numbers:
            if full[name] is not None:
                full[name] = Decimal(str(full[name]))
        for name in made:
            if full[name] is None:
                full[name] = f"row {number}"
        complete.append(full)
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in types.items()] + [("landed_order", pa.int64())])
    return pa.Table.from_pylist(complete, schema=schema)


def fact(customer: str | None = None, **values: Any) -> dict[str, Any]:
    """One row, of a customer where the table has customers; moments (`..._at`) are written as local times."""
    moments = {name: at(value) for name, value in values.items() if name.endswith("_at") and isinstance(value, str)}
    return {"customer_id": customer} | values | moments


def order(customer: str, moment: str, amount: float | str = 10, **more: Any) -> dict[str, Any]:
    """One order row; its id is made of its values unless given."""
    row = {
        "customer_id": customer,
        "ordered_at": at(moment),
        "amount": amount,
        "order_id": f"{customer} {moment} {amount}",
    }
    return row | more


def subscription(customer: str, number: str = "", **more: Any) -> dict[str, Any]:
    """One subscription row, started a good while ago."""
    row = {
        "customer_id": customer,
        "subscription_id": f"{customer} {number}",
        "started_at": at("2023-03-01"),
        "plan": "basic",
        "mrr": 30,
    }
    return row | more


def tables(**rows: Sequence[Mapping[str, Any]]) -> dict[str, ir.Table]:
    """Name to an Ibis table over literal rows."""
    return {name: ibis.memtable(landed(name, content)) for name, content in rows.items()}


def features_of(view: Mapping[str, ir.Table], day: date = SNAPSHOT, **options: Any) -> pd.DataFrame:
    """The snapshot, indexed by customer: everybody who ever ordered, unless told otherwise."""
    if day == SNAPSHOT and not options:
        key = ("everything", *sorted(view))
        if key not in _ENGINES:
            _ENGINES[key] = Engine(*view)
        found = _ENGINES[key].run(**{name: table.to_pyarrow() for name, table in view.items()})
        return found.to_pandas().set_index("customer_id")
    settings: dict[str, Any] = {
        "at_risk": EVERYBODY,
        "spans": SPANS,
        "zone": PARIS,
        "families": families(view, personal=True),
    } | options
    return snapshot(view, day, **settings).to_pandas().set_index("customer_id")


def group_of(group: Group, customers: Sequence[str], view: Mapping[str, ir.Table]) -> pd.DataFrame:
    """The columns of one group alone, as a snapshot would hold them, for customers named one by one."""
    family = Family(name=group.indicators[0].name, reasons={}, groups=(group,))
    return _alone(family, customers, {name: table.to_pyarrow() for name, table in view.items()})


def family_of(family: Family, *customers: str, **rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The columns of one family alone, over literal rows of its tables, for customers named one by one."""
    return _alone(family, customers, {name: landed(name, content) for name, content in rows.items()})


def where_pauses_count_on(family: Family, *customers: str, **rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The same in a company that is paid while a subscription is paused."""
    view = {name: landed(name, content) for name, content in rows.items()}
    return _alone(family, customers, view, pause_pauses_mrr=False)


def _alone(
    family: Family, customers: Sequence[str], view: Mapping[str, pa.Table], *, pause_pauses_mrr: bool = True
) -> pd.DataFrame:
    key = (family.name, str(pause_pauses_mrr), *sorted(view))
    if key not in _ENGINES:
        there = replace(family, groups=tuple(group for group in family.groups if not group.lacks(view)))
        _ENGINES[key] = Engine(*view, families=[there], customers=True, pause_pauses_mrr=pause_pauses_mrr)
    everybody = pa.table({"customer_id": pa.array(customers, pa.string())})
    return _ENGINES[key].run(everybody=everybody, **view).to_pandas().set_index("customer_id")


def rows_of(
    view: Mapping[str, ir.Table], query: Hashable, make: Callable[[Mapping[str, ir.Table]], ir.Table | None]
) -> list[dict[str, Any]] | None:
    """What a query finds over literal rows; None where it is none. It is translated once for the names of tables.

    query: tells everything that the query depends on, but the rows. make: it, of tables under their names.
    """
    key = (query, *sorted(view))
    if key not in _QUERIES:
        found = make({name: unbound(name) for name in view})
        _QUERIES[key] = None if found is None else ibis.to_sql(found, dialect="duckdb")
    sql = _QUERIES[key]
    if sql is None:
        return None
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in view.items():
            connection.register(name, table.to_pyarrow())
        rows: list[dict[str, Any]] = connection.execute(sql).to_arrow_table().to_pylist()
    return rows


def unbound(name: str) -> ir.Table:
    """A landed table of no rows yet, by its name."""
    return ibis.table(TABLES[name].landed | {"landed_order": "int64"}, name=name)


def differing(row: Any, **wanted: Any) -> dict[str, tuple[Any, Any]]:
    """Column to what a row holds there and what it should, where these differ. A wanted None is null."""
    found = {name: None if pd.isna(row[name]) else row[name] for name in wanted}
    close = {name: pytest.approx(value) if isinstance(value, float) else value for name, value in wanted.items()}
    return {name: (found[name], wanted[name]) for name in wanted if found[name] != close[name]}


class Engine:
    """One snapshot expression, compiled once and run over many worlds: what makes thousands of cases affordable.

    customers: the cohort is a table `everybody`, for families that need no orders; otherwise as `at_risk` says.
    """

    def __init__(
        self,
        *names: str,
        families: Sequence[Family] | None = None,
        customers: bool = False,
        at_risk: Literal["ever_ordered", "subscribed"] = "ever_ordered",
        pause_pauses_mrr: bool = True,
    ) -> None:
        tables = {name: unbound(name) for name in names}
        chosen = training_set.families(names, personal=True) if families is None else families
        known = as_of(tables, SNAPSHOT, zone=PARIS, pause_pauses_mrr=pause_pauses_mrr)
        if customers:
            everybody = ibis.table({"customer_id": "string"}, name="everybody")
        else:
            everybody = cohort(known, Cohort(kind=at_risk))
        expression = columns_of(chosen, known, everybody, SPANS)
        self.sql = ibis.to_sql(expression, dialect="duckdb")
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")

    def run(self, **worlds: pa.Table) -> pa.Table:
        for name, rows in worlds.items():
            self.connection.register(name, rows)
        return self.connection.execute(self.sql).to_arrow_table()


def engine_of(family: Family, *names: str) -> Engine:
    """The engine of a family over some tables, for customers named one by one; the same for all tests of a process."""
    columns = (each.name for group in family.groups for each in group.indicators)
    key = ("whole", family.name, *columns, "of", *sorted(names))
    if key not in _ENGINES:
        _ENGINES[key] = Engine(*names, families=[family], customers=True)
    return _ENGINES[key]


# By family and tables: translating a family takes a hundred times as long as running it over literal rows.
_ENGINES: dict[tuple[str, ...], Engine] = {}
_QUERIES: dict[Hashable, str | None] = {}
