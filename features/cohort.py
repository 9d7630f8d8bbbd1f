"""Who is at risk at a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

from features.aggregates import count, real
from features.asof import AsOf
from features.orders import purchases
from features.subscriptions import running_and_paid


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """kind: as in `cohort`. active_days: days since the last order, used by "ordered_within" alone."""

    kind: Literal["ever_ordered", "ordered_within", "subscribed"]
    active_days: int = 365


def cohort(view: AsOf, at_risk: Cohort) -> ir.Table:
    """One row per customer at risk (customer_id).

    ever_ordered: who has an order that stands. ordered_within: who has one that is at most `active_days` days old.
    subscribed: who has a running subscription that is past its trial and paid for (a free plan is not, a paused one or
    one at a price not known is), and has not given notice for all of them: who has announced to leave is no longer at
    risk of it.
    """
    if at_risk.kind == "subscribed":
        subscriptions = running_and_paid(view)
        staying = subscriptions.cancel_requested_on.isnull()
        return subscriptions.filter(staying).select("customer_id").distinct()
    orders = purchases(view)
    if at_risk.kind == "ordered_within":
        orders = orders.filter(orders.ordered_on >= view.days_before(at_risk.active_days))
    return orders.select("customer_id").distinct()


def announced(view: AsOf) -> ir.Table:
    """One row per customer who has given notice for each subscription that runs and is paid for: they are leaving.

    Columns: customer_id, requested_on (the first notice), mrr (recurring revenue that goes with them, float64; null: no
    price of theirs is known).
    """
    subscriptions = running_and_paid(view)
    found = subscriptions.group_by("customer_id").agg(
        requested_on=subscriptions.cancel_requested_on.min(),
        mrr=real(subscriptions.mrr.sum()),
        staying=count(subscriptions.cancel_requested_on.isnull()),
    )
    return found.filter(found.staying == 0).drop("staying")
