"""The quality indicators in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, own, ratio
from tests.features.oracles.offers import used
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    lines_of: dict[str, list[Row]] = defaultdict(list)
    for row in view["order_lines"]:
        if row["quantity"] > 0:
            lines_of[f"product:{row['product_id']}"].append(row)
    return {
        customer: _one(view, set(used(mine, customer)), lines_of) for customer, mine in own(view, customers).items()
    }


def _one(view: Mapping[str, list[Row]], items: set[str], lines_of: Mapping[str, list[Row]]) -> Row:
    lines = [row for item in items for row in lines_of.get(item, [])]
    incidents = [
        row
        for row in view["incidents"]
        if {f"product:{row['product_id']}", f"plan:{row['plan']}"} & items
        or (row["product_id"] is None and row["plan"] is None)
    ]
    result: Row = {}
    for span in lookbacks():
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
