"""What customers use, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tests.features.oracles.known import Row, age, exact, local_date, newest
from tests.features.oracles.subscriptions import running


def used(view: Mapping[str, list[Row]], customer: str) -> dict[str, float | None]:
    """Item to own price."""
    found: dict[str, float | None] = {}
    lines: dict[str, list[Row]] = defaultdict(list)
    for row in view.get("order_lines", []):
        if (
            row["customer_id"] == customer
            and row["quantity"] > 0
            and row["product_id"]
            and age(row["ordered_at"]) <= 365
        ):
            lines[row["product_id"]].append(row)
    for product, mine in lines.items():
        found[f"product:{product}"] = float(exact(newest(mine, "ordered_at")["unit_price"]))
    plans: dict[str, list[Row]] = defaultdict(list)
    for row in running(view) if "subscriptions" in view else []:
        if row["customer_id"] == customer and row["plan"]:
            plans[row["plan"]].append(row)
    for plan, mine in plans.items():
        last = max(mine, key=lambda row: (local_date(row["started_at"]), row["subscription_id"]))
        seats = max(1 if last["seats"] is None else last["seats"], 1)
        price = None if last["mrr"] is None else float(exact(last["mrr"])) / seats
        found[f"plan:{plan}"] = price
    return found
