"""Who is at risk at a snapshot."""

from __future__ import annotations

import ibis.expr.types as ir

from features.asof import AsOf
from features.orders import purchases


def cohort(world: AsOf, *, active_days: int | None) -> ir.Table:
    """One row per customer at risk (customer_id): ordered before the snapshot.

    active_days: only customers whose last order is at most so many days old; None for all who ever ordered.
    """
    orders = purchases(world)
    if active_days is not None:
        orders = orders.filter(orders.ordered_on >= world.days_before(active_days))
    return orders.select("customer_id").distinct()
