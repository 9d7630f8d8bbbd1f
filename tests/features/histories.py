"""Random order histories with both clocks, and changes to what was not yet known."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from tests.features.world_case import SNAPSHOT, at

CUT = at(SNAPSHOT.isoformat())
Row = dict[str, Any]


def moment(source: random.Random, *, around: datetime = CUT) -> datetime:
    """Mostly within two years before the cut, sometimes after it, now and then exactly at an edge."""
    edge = source.random()
    if edge < 0.08:
        return around
    if edge < 0.16:
        return around - timedelta(microseconds=1)
    days = source.choice([1, 6, 7, 8, 29, 30, 31, 90, 365, 366, source.randint(0, 800)])
    when = around - timedelta(days=days) * source.choice([1, 1, 1, 1, -0.3])
    return when + timedelta(seconds=source.choice([0, -1, 1, source.randint(-40_000, 40_000)]))


def order_row(source: random.Random, customer: str, number: int) -> Row:
    """One version of an order or credit note."""
    ordered = moment(source)
    late = source.random() < 0.2
    row: Row = {
        "customer_id": customer,
        "order_id": f"{customer}-{number}",
        "ordered_at": ordered,
        "amount": round(source.choice([0, source.uniform(0.01, 500), source.uniform(-90, -0.01)]), 4),
        "known_at": ordered + timedelta(days=source.randint(0, 60)) if late else ordered,
        "landed_order": source.randint(0, 2),
    }
    if source.random() < 0.2:
        row["cancelled_at"] = max(ordered, moment(source))
    if source.random() < 0.2:
        row["refunded_at"] = max(ordered, moment(source))
        row["refunded_amount"] = source.choice([None, round(source.uniform(0, 100), 2)])
    return row


def orders(source: random.Random, customer: str) -> list[Row]:
    """A history of up to 12 orders, some in several versions with clocks of their own."""
    rows: list[Row] = []
    for number in range(source.randint(0, 12)):
        row = order_row(source, customer, number)
        rows.append(row)
        if source.random() < 0.15:
            newer = order_row(source, customer, number)
            newer["known_at"] = max(newer["ordered_at"], row["known_at"] + timedelta(days=source.randint(0, 90)))
            rows.append(newer)
    return rows


def line_row(source: random.Random, customer: str) -> Row:
    ordered = moment(source)
    return {
        "customer_id": customer,
        "order_id": f"{customer}-{source.randint(0, 6)}",
        "ordered_at": ordered,
        "known_at": ordered + timedelta(days=source.choice([0, 0, 0, 20])),
        "product_id": source.choice([None, "p1", "p2", "p3"]),
        "quantity": source.choice([1, 2, 12, 0.5, -1]),
        "unit_price": round(source.uniform(0, 30), 4),
    }


def unknown(row: Row) -> bool:
    """Whether the whole row was not known before the cut."""
    return row["ordered_at"] >= CUT or max(row["known_at"], row["ordered_at"]) >= CUT


def changed(source: random.Random, rows: list[Row], make: Any) -> list[Row]:
    """The same past with another future, in another order.

    Rows known later are dropped, altered or added, and later-known values changed.
    """
    result = []
    for row in rows:
        if not unknown(row):
            result.append(with_other_later_values(source, row))
        elif source.random() < 0.6:
            result.append(later(source, row | make(source)) if source.random() < 0.5 else row)
    result += [later(source, make(source)) for _ in range(source.randint(0, 3))]
    source.shuffle(result)
    return result


def later(source: random.Random, row: Row) -> Row:
    """The row, known at the cut or after it; it may have happened long before."""
    if unknown(row):
        return row
    return row | {"known_at": CUT + source.choice([timedelta(0), timedelta(microseconds=1), timedelta(days=40)])}


def with_other_later_values(source: random.Random, row: Row) -> Row:
    """Values of a known row that became known later may be anything that also became known later, or nothing at all."""
    row = dict(row)
    anew = [None, CUT, CUT + timedelta(days=source.randint(0, 99))]
    if "quantity" not in row and (row.get("cancelled_at") is None or row["cancelled_at"] >= CUT):
        row["cancelled_at"] = source.choice(anew)
    if "quantity" not in row and (row.get("refunded_at") is None or row["refunded_at"] >= CUT):
        row["refunded_at"] = source.choice(anew)
        row["refunded_amount"] = source.choice([None, 5, 77.5])
    return row
