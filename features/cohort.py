"""Who is at risk at a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

from features.asof import AsOf
from features.orders import purchases
from features.subscriptions import running


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """kind: as in `cohort`. active_days: days since the last order, used by "ordered_within" alone."""

    kind: Literal["ever_ordered", "ordered_within", "subscribed"]
    active_days: int = 365


def cohort(world: AsOf, at_risk: Cohort) -> ir.Table:
    """One row per customer at risk (customer_id).

    ever_ordered: who has an order that stands. ordered_within: who has one that is at most `active_days` days old.
    subscribed: who has a running subscription that is past its trial, and has not given notice for all of them: who has
    announced to leave is no longer at risk of it.
    """
    if at_risk.kind == "subscribed":
        subscriptions = running(world)
        staying = ~subscriptions.in_trial & subscriptions.cancel_requested_on.isnull()
        return subscriptions.filter(staying).select("customer_id").distinct()
    orders = purchases(world)
    if at_risk.kind == "ordered_within":
        orders = orders.filter(orders.ordered_on >= world.days_before(at_risk.active_days))
    return orders.select("customer_id").distinct()
