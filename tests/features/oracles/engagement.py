"""The engagement indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, local_date, own, standing_orders
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {customer: _one(mine, customer) for customer, mine in own(view, customers).items()}


def _one(view: Mapping[str, list[Row]], customer: str) -> Row:
    views = [row for row in view["content_views"] if row["customer_id"] == customer]
    result: Row = {"days_since_last_visit": min((age(row["viewed_at"]) for row in views), default=None)}
    ordering = "orders" in view or "order_lines" in view
    ordered = (
        {local_date(row["ordered_at"]) for row in standing_orders(view) if row["customer_id"] == customer}
        if ordering
        else set()
    )
    for span in lookbacks():
        recent = [row for row in views if age(row["viewed_at"]) <= span]
        before = [row for row in views if span < age(row["viewed_at"]) <= 2 * span]

        def of(kind: str, rows: list[Row]) -> int:
            return sum(row["kind"] == kind for row in rows)

        result |= {
            f"content_views_{span}d": of("content", recent),
            f"content_views_change_{span}d": of("content", recent) - of("content", before),
            f"brand_days_{span}d": len({local_date(row["viewed_at"]) for row in recent}),
            f"visits_change_{span}d": of("visit", recent) - of("visit", before),
            f"baskets_left_{span}d": of("basket_left", recent),
            f"wish_list_adds_{span}d": of("wish_list", recent),
        }
        if ordering:
            visits = {local_date(row["viewed_at"]) for row in recent if row["kind"] == "visit"}
            result[f"visits_without_order_{span}d"] = len(visits - ordered)
    return result
