"""The quality indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, ratio
from tests.features.oracles.offers import used
from tests.features.world_case import LOOKBACKS


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {customer: _one(view, customer) for customer in customers}


def _one(view: Mapping[str, list[Row]], customer: str) -> Row:
    items = set(used(view, customer))
    lines = [row for row in view["order_lines"] if row["quantity"] > 0 and f"product:{row['product_id']}" in items]
    incidents = [
        row
        for row in view["incidents"]
        if {f"product:{row['product_id']}", f"plan:{row['plan']}"} & items
        or (row["product_id"] is None and row["plan"] is None)
    ]
    result: Row = {}
    for span in LOOKBACKS:
        rate, earlier = (
            ratio(sum(bool(row["returned_at"]) for row in rows), len(rows))
            for rows in (
                [row for row in lines if age(row["ordered_at"]) <= span],
                [row for row in lines if span < age(row["ordered_at"]) <= 2 * span],
            )
        )
        recent = [row for row in incidents if age(row["started_at"]) <= span]
        seconds = sum(
            max((row["ended_at"].replace(microsecond=0) - row["started_at"].replace(microsecond=0)).total_seconds(), 0)
            for row in recent
            if row["ended_at"]
        )
        result |= {
            f"product_return_rate_{span}d": rate,
            f"product_return_rate_change_{span}d": None if rate is None or earlier is None else rate - earlier,
            f"incidents_{span}d": len(recent),
            f"incidents_change_{span}d": len(recent) - sum(span < age(r["started_at"]) <= 2 * span for r in incidents),
            f"incident_hours_{span}d": seconds / 3600,
        }
    return result
