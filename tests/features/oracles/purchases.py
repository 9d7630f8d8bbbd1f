"""The purchase and product indicators in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from statistics import median, stdev

from tests.features.oracles.known import Row, age, exact, made_of_lines, own, ratio
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    orders = view["orders"] if "orders" in view else made_of_lines(view["order_lines"])
    found: dict[str, Row] = {}
    orders_of: dict[str, list[Row]] = defaultdict(list)
    for row in orders:
        orders_of[row["customer_id"]].append(row)
    for customer, theirs in own(view, customers).items():
        mine = orders_of[customer]
        standing = [row for row in mine if row["amount"] >= 0 and row.get("cancelled_at") is None]
        found[customer] = _customer(standing)
        found[customer] |= _reversed([row for row in mine if row["amount"] >= 0], list(_reversals(mine)))
        if "order_lines" in view:
            lines = [row for row in theirs["order_lines"] if row["quantity"] > 0]
            found[customer] |= _products(lines)
    return found


def _reversals(rows: list[Row]) -> Iterable[tuple[int, Decimal]]:
    for row in rows:
        if row["amount"] < 0:
            yield age(row["ordered_at"]), -_full(row["amount"])
        elif row.get("cancelled_at") is not None:
            yield age(row["cancelled_at"]), _full(row["amount"])
        elif row.get("refunded_at") is not None:
            back = row["amount"] if row["refunded_amount"] is None else row["refunded_amount"]
            yield age(row["refunded_at"]), _full(back)


def _full(amount: float | Decimal) -> Decimal:
    """Orders made of lines have more than four decimals; nothing is rounded before it is summed."""
    return amount if isinstance(amount, Decimal) else exact(amount)


def _customer(standing: list[Row]) -> Row:
    if not standing:
        never: tuple[str, ...] = (
            "days_since_last_order",
            "days_since_last_order_over_usual",
            "median_days_between_orders",
        )
        never += ("spread_days_between_orders", "customer_age_days", "days_first_to_last_order", "repeat_order_days")
        nothing: Row = dict.fromkeys((*never, "order_value_ever", "last_order_value"))
        for span in lookbacks():
            zero = ("orders_{}d", "order_days_{}d", "order_value_{}d", "orders_change_{}d", "order_value_change_{}d")
            nothing |= {name.format(span): 0 for name in zero}
            nothing[f"average_order_value_{span}d"] = None
        return nothing
    ages = [age(row["ordered_at"]) for row in standing]
    days = sorted(set(ages), reverse=True)
    between = [older - newer for older, newer in pairwise(days)]
    usual = float(median(between)) if between else None
    last_at = max(row["ordered_at"] for row in standing)
    last_value = sum((_full(row["amount"]) for row in standing if row["ordered_at"] == last_at), Decimal(0))
    result: Row = {
        "days_since_last_order": min(ages),
        "days_since_last_order_over_usual": None if usual is None else ratio(min(ages), usual),
        "median_days_between_orders": usual,
        "spread_days_between_orders": float(stdev(map(Fraction, between))) if len(between) > 1 else None,
        "customer_age_days": max(ages),
        "days_first_to_last_order": max(ages) - min(ages),
        "repeat_order_days": len(days) - 1,
        "order_value_ever": float(sum((_full(row["amount"]) for row in standing), Decimal(0))),
        "last_order_value": float(last_value),
    }
    for span in lookbacks():
        recent = [row for row, old in zip(standing, ages, strict=True) if old <= span]
        before = [row for row, old in zip(standing, ages, strict=True) if span < old <= 2 * span]
        value = sum((_full(row["amount"]) for row in recent), Decimal(0))
        value_before = sum((_full(row["amount"]) for row in before), Decimal(0))
        result |= {
            f"orders_{span}d": len(recent),
            f"order_days_{span}d": len({old for old in ages if old <= span}),
            f"order_value_{span}d": float(value),
            f"average_order_value_{span}d": ratio(value, len(recent)),
            f"orders_change_{span}d": len(recent) - len(before),
            f"order_value_change_{span}d": float(value - value_before),
        }
    return result


def _reversed(placed: list[Row], back: list[tuple[int, Decimal]]) -> Row:
    result: Row = {}
    for span in lookbacks():
        returned = [amount for old, amount in back if old <= span]
        value = sum((_full(row["amount"]) for row in placed if age(row["ordered_at"]) <= span), Decimal(0))
        result |= {
            f"reversals_{span}d": len(returned),
            f"reversed_value_{span}d": float(sum(returned, Decimal(0))),
            f"reversed_share_{span}d": ratio(sum(returned, Decimal(0)), value),
        }
    return result


def _products(lines: list[Row]) -> Row:
    orders = len({row["order_id"] for row in lines})
    pieces = sum((exact(row["quantity"]) for row in lines), Decimal(0))
    value = sum((exact(row["quantity"]) * exact(row["unit_price"]) for row in lines), Decimal(0))
    orders_of: dict[str, set[str]] = defaultdict(set)
    for row in lines:
        if row["product_id"] is not None:
            orders_of[row["product_id"]].add(row["order_id"])
    again = sum(len(each) > 1 for each in orders_of.values())
    result: Row = {
        "products_ever": len(orders_of) if lines else None,
        "reordered_products_share": ratio(again, len(orders_of)),
        "lines_per_order": ratio(len(lines), orders),
        "pieces_per_order": ratio(pieces, orders),
        "price_per_piece": ratio(value, pieces),
    }
    for span in lookbacks():
        recent = [row for row in lines if age(row["ordered_at"]) <= span]
        worth = [exact(row["quantity"]) * exact(row["unit_price"]) for row in recent]
        reduced = [each for each, row in zip(worth, recent, strict=True) if (row["discount"] or 0) > 0]
        result |= {
            f"products_{span}d": len({row["product_id"] for row in recent} - {None}),
            f"categories_{span}d": len({row["category"] for row in recent} - {None}),
            f"discounted_share_{span}d": ratio(sum(reduced), sum(worth)),
            f"returned_lines_share_{span}d": ratio(sum(bool(row["returned_at"]) for row in recent), len(recent)),
        }
    return result
