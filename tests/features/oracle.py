"""The purchase and product indicators again, in plain Python over rows, from their definitions alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from statistics import median, stdev
from typing import Any

from tests.features.world_case import LOOKBACKS, PARIS, SNAPSHOT, at

CUT = at(SNAPSHOT.isoformat())
Row = dict[str, Any]


def local_date(moment: datetime) -> date:
    return moment.replace(tzinfo=UTC).astimezone(PARIS).date()


def age(moment: datetime) -> int:
    return (SNAPSHOT - local_date(moment)).days


def exact(amount: Any) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.0001"))


def known(rows: Iterable[Row]) -> list[Row]:
    """The last version of each order that was known before the cut, without what became known later."""
    versions: dict[str, list[tuple[datetime, int, int, Row]]] = defaultdict(list)
    for number, row in enumerate(rows):
        clock = max(row["known_at"], row["ordered_at"])
        if clock < CUT:
            versions[row["order_id"]].append((clock, row["landed_order"], number, row))
    result = []
    for each in versions.values():
        row = dict(max(each, key=lambda version: version[:3])[3])
        for name in ("cancelled_at", "refunded_at"):
            if row.get(name) is not None and row[name] >= CUT:
                row[name] = None
        if row.get("refunded_at") is None:
            row["refunded_amount"] = None
        result.append(row)
    return result


def ratio(part: Any, whole: Any) -> float | None:
    return None if not whole else float(part) / float(whole)


def expected(rows: Iterable[Row]) -> dict[str, dict[str, float | int | None]]:
    """Indicator values per customer who has an order that stands."""
    by_customer: dict[str, list[Row]] = defaultdict(list)
    for row in known(rows):
        by_customer[row["customer_id"]].append(row)
    found = {}
    for customer, mine in by_customer.items():
        standing = [row for row in mine if row["amount"] >= 0 and row.get("cancelled_at") is None]
        if standing:
            found[customer] = _customer(standing, list(_reversals(mine)))
    return found


def _reversals(rows: list[Row]) -> Iterable[tuple[int, Decimal]]:
    for row in rows:
        if row["amount"] < 0:
            yield age(row["ordered_at"]), -exact(row["amount"])
        elif row.get("cancelled_at") is not None:
            yield age(row["cancelled_at"]), exact(row["amount"])
        elif row.get("refunded_at") is not None:
            back = row["amount"] if row["refunded_amount"] is None else row["refunded_amount"]
            yield age(row["refunded_at"]), exact(back)


def _customer(standing: list[Row], back: list[tuple[int, Decimal]]) -> dict[str, float | int | None]:
    ages = [age(row["ordered_at"]) for row in standing]
    days = sorted(set(ages), reverse=True)
    between = [older - newer for older, newer in pairwise(days)]
    usual = float(median(between)) if between else None
    last_value = sum((exact(row["amount"]) for row in standing if age(row["ordered_at"]) == min(ages)), Decimal(0))
    result: dict[str, float | int | None] = {
        "days_since_last_order": min(ages),
        "days_since_last_order_over_usual": None if usual is None else ratio(min(ages), usual),
        "median_days_between_orders": usual,
        "spread_days_between_orders": float(stdev(map(Fraction, between))) if len(between) > 1 else None,
        "customer_age_days": max(ages),
        "days_first_to_last_order": max(ages) - min(ages),
        "repeat_order_days": len(days) - 1,
        "order_value_ever": float(sum((exact(row["amount"]) for row in standing), Decimal(0))),
        "last_order_value": float(last_value),
    }
    for span in LOOKBACKS:
        recent = [row for row, old in zip(standing, ages, strict=True) if old <= span]
        before = [row for row, old in zip(standing, ages, strict=True) if span < old <= 2 * span]
        value = sum((exact(row["amount"]) for row in recent), Decimal(0))
        value_before = sum((exact(row["amount"]) for row in before), Decimal(0))
        returned = [amount for old, amount in back if old <= span]
        result |= {
            f"orders_{span}d": len(recent),
            f"order_days_{span}d": len({old for old in ages if old <= span}),
            f"order_value_{span}d": float(value),
            f"average_order_value_{span}d": ratio(value, len(recent)),
            f"orders_change_{span}d": len(recent) - len(before),
            f"order_value_change_{span}d": float(value - value_before),
            f"reversals_{span}d": len(returned),
            f"reversed_value_{span}d": float(sum(returned, Decimal(0))),
            f"reversed_share_{span}d": ratio(sum(returned, Decimal(0)), value),
        }
    return result


def expected_products(lines: Iterable[Row]) -> dict[str, dict[str, float | int | None]]:
    """Product indicators per customer with a line that was ordered, not sent back."""
    by_customer: dict[str, list[Row]] = defaultdict(list)
    for row in lines:
        if max(row["known_at"], row["ordered_at"]) < CUT and row["quantity"] > 0:
            by_customer[row["customer_id"]].append(row)
    return {customer: _products(mine) for customer, mine in by_customer.items()}


def _products(lines: list[Row]) -> dict[str, float | int | None]:
    orders = len({row["order_id"] for row in lines})
    pieces = sum((exact(row["quantity"]) for row in lines), Decimal(0))
    value = sum((exact(row["quantity"]) * exact(row["unit_price"]) for row in lines), Decimal(0))
    orders_of: dict[str, set[str]] = defaultdict(set)
    for row in lines:
        if row["product_id"] is not None:
            orders_of[row["product_id"]].add(row["order_id"])
    again = sum(len(each) > 1 for each in orders_of.values())
    return {
        "products_ever": len(orders_of),
        "reordered_products_share": ratio(again, len(orders_of)),
        "lines_per_order": len(lines) / orders,
        "pieces_per_order": float(pieces) / orders,
        "price_per_piece": ratio(value, pieces),
    } | {
        f"products_{span}d": len({r["product_id"] for r in lines if r["product_id"] and age(r["ordered_at"]) <= span})
        for span in LOOKBACKS
    }


def same(left: float | None, right: float | None) -> bool:
    if left is None or right is None or (isinstance(left, float) and math.isnan(left)):
        return right is None and (left is None or math.isnan(left))
    return math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-9)
