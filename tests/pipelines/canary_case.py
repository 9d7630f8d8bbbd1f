"""A small company whose tables carry a canary in every column that can hold one: what is said must not sing.

A canary is a value that occurs nowhere but in the rows: a word in every text, a number in every amount and count, a
time of day in every moment. Without one are only what has a few values by its contract (true and false, the choices of
a code, a currency), in which nobody can be told by it, and calendar days, whose first and last the product names on
purpose, to say how far the data reach.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.contract import Column, Table
from features.tables import TABLES
from pipelines.foundation.settings import plays
from pipelines.foundation.settings.settings import Backtest, Bands, Cohort, Outcome, Settings, Snapshots, Training
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.settings.template import render

WORD, NUMBER, CLOCK = "kanari", 9173, time(3, 14, 15, 926535)
SINGS = re.compile(rf"{WORD}|{NUMBER}|03:14:15|\.926535", re.IGNORECASE)

CUSTOMERS, EVENTS = 40, 8
FIRST, AS_OF = date(2024, 1, 10), date(2025, 7, 15)
DAYS_BETWEEN = 75

_ARROW = {
    "text": pa.string(),
    "currency": pa.string(),
    "integer": pa.int64(),
    "number": pa.decimal128(18, 4),
    "money": pa.decimal128(18, 4),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


# Lists of people that settings may name.
LISTS = {
    "objections.csv": f"customer_id\n{WORD}-customer_id-5\n",
    "opt_outs.csv": f"customer_id\n{WORD}-customer_id-6\n",
    "consent.csv": "customer_id,given\n" + "".join(f"{WORD}-customer_id-{each},yes\n" for each in range(CUSTOMERS)),
}


def canary_settings(tables: Collection[str]) -> Settings:
    """A model that is quick to train: few snapshots, one fold. Who is bound by contract, where there are contracts."""
    bound = "subscriptions" in tables
    return Settings(
        currency="EUR",
        as_of=AS_OF,
        complete_until=AS_OF,
        lookback_days=(90,),
        sources=tuple(
            FileSource(table=name, path=f"{name}.parquet", columns={each.name: each.name for each in table.columns})
            for name, table in TABLES.items()
            if name in tables
        ),
        cohort=Cohort(kind="subscribed") if bound else Cohort(kind="ordered_within", active_days=200),
        outcome=Outcome(kind="churn" if bound else "inactivity", horizon_days=80),
        snapshots=Snapshots(every_days=60, min_history_days=60, at_most=3),
        training=Training(start_model=False, threads=1, min_customers=5, min_positives=2),
        backtest=Backtest(folds=1, every_days=60, bootstrap_samples=5),
        bands=Bands(high=0.15, medium=0.05),
    )


def make_company(folder: Path, tables: Collection[str] = tuple(TABLES)) -> Path:
    """A workspace with settings, plays and a Parquet file a table; nothing has run in it."""
    folder.mkdir(parents=True)
    (folder / "attrition.toml").write_text(render(canary_settings(tables)), encoding="utf-8")
    (folder / plays.FILE_NAME).write_bytes(plays.DEFAULT.read_bytes())
    for name, content in LISTS.items():
        (folder / name).write_text(content, encoding="utf-8")
    for name in tables:
        pq.write_table(canary_rows(TABLES[name]), folder / f"{name}.parquet")
    return folder


def canary_rows(table: Table) -> pa.Table:
    """Rows that keep the contract, a canary in every column."""
    events = 1 if table.key == ("customer_id",) or table.name == "subscriptions" else EVENTS
    places = [(customer, event) for customer in range(CUSTOMERS) for event in range(events)]
    return pa.table(
        {
            column.name: pa.array([_value(table, column, *place) for place in places], _ARROW[column.kind])
            for column in table.columns
        }
    )


def _value(table: Table, column: Column, customer: int, event: int) -> Any:
    if column.kind == "timestamp":
        return _moment(table, column, customer, event)
    if column.kind == "boolean":
        return (customer // 3 + event) % 2 == 0
    if column.kind == "currency":
        return "EUR"
    if column.choices:
        return column.choices[(customer // 3 + event) % len(column.choices)]
    if column.kind == "text":
        own = column.name in table.key and column.name != "customer_id"
        return f"{WORD}-{column.name}-{customer}" + (f"-{event}" if own and table.name != "subscriptions" else "")
    return NUMBER if column.at_most is None else column.at_most


def _moment(table: Table, column: Column, customer: int, event: int) -> datetime | None:
    day = FIRST + timedelta(days=customer % 20 + DAYS_BETWEEN * event)
    if table.name == "orders" and event > customer % EVENTS + 2:  # some order no more
        day = FIRST + timedelta(days=customer % 20 + event)
    if column.name != table.happened_at:
        if table.name == "subscriptions":
            if column.name not in ("ended_at", "renews_at") or customer % 2:
                return None
            day += timedelta(days=200 + 10 * customer)
        elif not column.required and (customer + event) % 5:
            return None
        day += timedelta(days=3)
    return datetime.combine(day, CLOCK, UTC) if day < AS_OF else None
