"""What was known at the snapshot, in plain Python and from the contracts alone; and arithmetic that oracles share."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from features.tables import TABLES
from tests.features.oracles.vantage import here

Row = dict[str, Any]


def local_date(moment: datetime) -> date:
    return _local_date(moment, here().zone)


@cache
def _local_date(moment: datetime, zone: ZoneInfo) -> date:
    return moment.replace(tzinfo=UTC).astimezone(zone).date()


def age(moment: datetime) -> int:
    """Whole local days from a moment's day to the snapshot."""
    return (here().day - local_date(moment)).days


def exact(amount: Any) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.0001"))


def ratio(part: Any, whole: Any) -> float | None:
    return None if whole is None or part is None or not whole else float(part) / float(whole)


def newest(rows: Iterable[Row], moment: str) -> Row:
    """The last row by a timestamp; of several at one moment, the last known, then the last landed."""
    return max(rows, key=lambda row: (row[moment], row["known_at"], row["landed_order"], row["source_row"]))


def known(table: str, rows: Sequence[Row], *, cut: datetime | None = None) -> list[Row]:
    """The last version of each row that was known before the cut, without what became known later."""
    cut = here().cut if cut is None else cut
    contract = TABLES[table]
    versions: dict[Any, list[Row]] = defaultdict(list)
    for number, given in enumerate(rows, start=1):
        row: Row = {column.name: given.get(column.name) for column in contract.columns}
        happened = row[contract.happened_at]
        row["known_at"] = max(given.get("known_at") or happened, happened)
        row |= {"landed_order": given.get("landed_order", 0), "source_row": given.get("source_row", number)}
        if row["known_at"] < cut:
            versions[tuple(row[name] for name in contract.key) or number].append(row)
    result = []
    for each in versions.values():
        row = dict(max(each, key=lambda v: (v["known_at"], v["landed_order"], v["source_row"])))
        clocks = {column.name: row[column.known_at] for column in contract.columns if column.known_at}
        result.append(row | {name: None for name, clock in clocks.items() if clock is None or clock >= cut})
    return result


def known_world(view: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    return {table: known(table, rows) for table, rows in view.items()}


def own(view: Mapping[str, list[Row]], customers: Iterable[str]) -> dict[str, dict[str, list[Row]]]:
    """By customer, the view without the rows of others; tables without customers whole."""
    found: dict[str, dict[str, list[Row]]] = {customer: {} for customer in customers}
    for name, rows in view.items():
        personal = any(column.name == "customer_id" for column in TABLES[name].columns)
        mine: dict[str, list[Row]] = defaultdict(list)
        for row in rows if personal else ():
            mine[row["customer_id"]].append(row)
        for customer, tables in found.items():
            tables[name] = mine[customer] if personal else rows
    return found


def standing_orders(view: Mapping[str, list[Row]]) -> list[Row]:
    """Orders that stand, with customer_id and ordered_at at least, from orders or else from their lines."""
    if "orders" in view:
        return [row for row in view["orders"] if row["amount"] >= 0 and row["cancelled_at"] is None]
    return [row for row in made_of_lines(view["order_lines"]) if row["amount"] >= 0]


def made_of_lines(lines: Sequence[Row]) -> list[Row]:
    """Orders, and as orders below zero what was taken back of one on each later day than its first."""
    orders: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in lines:
        orders[row["order_id"], row["customer_id"]].append(row)
    found = []
    for (order, customer), mine in orders.items():
        first = min(local_date(row["ordered_at"]) for row in mine)
        parts: dict[date | None, list[Row]] = defaultdict(list)
        for row in mine:
            on = local_date(row["ordered_at"])
            parts[on if row["quantity"] < 0 and on > first else None].append(row)
        found += [
            {
                "order_id": order,
                "customer_id": customer,
                "ordered_at": min(row["ordered_at"] for row in part),
                "amount": sum(exact(row["quantity"]) * exact(row["unit_price"]) for row in part),
            }
            for part in parts.values()
        ]
    return found


def same(left: Any, right: Any) -> bool:
    """Equal but for the last bits of a float; NaN is null."""
    if isinstance(left, float) and math.isnan(left):
        left = None
    if left is None or right is None or isinstance(left, str) or isinstance(right, str):
        return bool(left == right)
    return math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-9)
