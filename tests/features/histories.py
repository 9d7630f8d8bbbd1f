"""Random histories of any table, with both clocks, made from its contract, and changes to what was not yet known."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from features.contract import Column, Table
from features.tables import TABLES
from tests.features.world_case import SNAPSHOT, at

CUT = at(SNAPSHOT.isoformat())
Row = dict[str, Any]

# Few values, so that rows of different tables meet.
WORDS: dict[str, tuple[str, ...]] = {
    "product_id": ("p1", "p2", "p3"),
    "plan": ("basic", "pro", "team"),
    "channel": ("email", "sms", "push", "phone"),
    "step": ("s1", "s2", "s3", "s4"),
}
ANY_WORD = ("alpha", "beta", "gamma")
LINKS = ("order_id", "subscription_id", "invoice_id", "method_id")  # ids of another table of the same customer
SIGNED = ("amount", "quantity")  # of these, a credit note's is below zero


def moment(source: random.Random) -> datetime:
    """Mostly within two years before the cut, sometimes after it, now and then exactly at an edge."""
    edge = source.random()
    if edge < 0.08:
        return CUT
    if edge < 0.16:
        return CUT - timedelta(microseconds=1)
    days = source.choice([1, 6, 7, 8, 14, 29, 30, 31, 60, 61, 90, 365, 366, source.randint(0, 800)])
    when = CUT - timedelta(days=days) * source.choice([1, 1, 1, 1, -0.3])
    return when + timedelta(seconds=source.choice([0, -1, 1, source.randint(-40_000, 40_000)]))


def random_row(source: random.Random, table: str, customer: str) -> Row:
    """One version of one row, of a customer where the table has customers."""
    contract = TABLES[table]
    row: Row = {column.name: _value(source, contract, column, customer) for column in contract.columns}
    happened = row[contract.happened_at]
    for column in contract.columns:
        if column.known_at == column.name and row[column.name] is not None:
            row[column.name] = max(happened, row[column.name])
    late = source.random() < 0.2
    row["known_at"] = happened + timedelta(days=source.randint(0, 60)) if late else happened
    row["landed_order"] = source.randint(0, 2)
    return row


def _value(source: random.Random, contract: Table, column: Column, customer: str) -> Any:
    if column.name == "customer_id":
        return customer
    if column.name in LINKS or (column.name in contract.key and column.name not in WORDS):
        return f"{customer}-{source.randint(0, 9)}"
    if column.null is not None and source.random() < (0.4 if column.known_at == column.name else 0.2):
        return None
    return MAKERS[column.kind](source, column)


def _amount(source: random.Random, column: Column) -> float:
    if column.at_most is not None:
        return source.randint(column.at_least or 0, column.at_most)
    low = -90 if column.name in SIGNED and source.random() < 0.15 else 0
    return source.choice([0, 5, round(source.uniform(low, -low or 500), 4)])


MAKERS: dict[str, Callable[[random.Random, Column], Any]] = {
    "text": lambda source, column: source.choice(column.choices or WORDS.get(column.name, ANY_WORD)),
    "currency": lambda source, column: None,
    "boolean": lambda source, column: source.random() < 0.5,
    "integer": lambda source, column: source.randint(0, 5),
    "timestamp": lambda source, column: moment(source),
    "money": _amount,
    "number": _amount,
}


def random_rows(source: random.Random, table: str, customer: str, *, at_most: int = 12) -> list[Row]:
    """A history, some rows of a keyed table in several versions with clocks of their own."""
    rows: list[Row] = []
    for _ in range(source.randint(0, at_most)):
        row = random_row(source, table, customer)
        rows.append(row)
        if TABLES[table].key and source.random() < 0.15:
            newer = random_row(source, table, customer) | {name: row[name] for name in TABLES[table].key}
            newer["known_at"] = max(_known_at(table, newer), row["known_at"] + timedelta(days=source.randint(0, 90)))
            rows.append(newer)
    return rows


def random_world(source: random.Random, names: Sequence[str], customers: Sequence[str]) -> dict[str, list[Row]]:
    """Every table named, with histories of every customer; each row keeps its number in the file from now on."""
    view = {name: [row for each in customers for row in random_rows(source, name, each)] for name in names}
    return {
        name: [row | {"source_row": number} for number, row in enumerate(rows, start=1)] for name, rows in view.items()
    }


def changed_world(source: random.Random, view: dict[str, list[Row]], customers: Sequence[str]) -> dict[str, list[Row]]:
    """The same past with another future, in another order.

    Rows known later are dropped, altered or added, and later-known values of known rows changed.
    """
    return {name: _changed(source, name, rows, customers) for name, rows in view.items()}


def _changed(source: random.Random, table: str, rows: list[Row], customers: Sequence[str]) -> list[Row]:
    result = []
    for row in rows:
        if not unknown(table, row):
            result.append(_with_other_later_values(source, TABLES[table], row))
        elif source.random() < 0.6:
            result.append(_stranger(source, table, source.choice(customers)) if source.random() < 0.5 else row)
    result += [_stranger(source, table, each) for each in customers for _ in range(source.randint(0, 2))]
    source.shuffle(result)
    return result


def _known_at(table: str, row: Row) -> datetime:
    found: datetime = max(row["known_at"], row[TABLES[table].happened_at])
    return found


def unknown(table: str, row: Row) -> bool:
    """Whether the whole row was not known before the cut."""
    return _known_at(table, row) >= CUT


def _stranger(source: random.Random, table: str, customer: str) -> Row:
    """A row that nobody knew at the cut, with a number as rows of a later file have."""
    return _later(source, table, random_row(source, table, customer)) | {"source_row": source.randint(1, 10**9)}


def _later(source: random.Random, table: str, row: Row) -> Row:
    """The row, known at the cut or after it; it may have happened long before."""
    if unknown(table, row):
        return row
    return row | {"known_at": CUT + source.choice([timedelta(0), timedelta(microseconds=1), timedelta(days=40)])}


def _with_other_later_values(source: random.Random, contract: Table, row: Row) -> Row:
    """Values of a known row that became known later may be anything that also became known later, or nothing at all."""
    row = dict(row)
    for clock in {column.known_at for column in contract.columns if column.known_at}:
        if row[clock] is None or row[clock] >= CUT:
            row[clock] = source.choice([None, CUT, CUT + timedelta(days=source.randint(0, 99))])
            for column in contract.columns:
                if column.known_at == clock and column.name != clock:
                    row[column.name] = _value(source, contract, column, "")
    return row
