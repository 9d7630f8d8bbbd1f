"""What happened after a snapshot. Only outcomes look past it, and they look from the end of their window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from features.asof import as_of
from features.orders import purchases
from features.subscriptions import running


def window(snapshot_on: date, *, lead_days: int, horizon_days: int) -> tuple[date, date]:
    """First day of the outcome window, and the first day after it.

    >>> window(date(1998, 1, 1), lead_days=0, horizon_days=181)
    (datetime.date(1998, 1, 1), datetime.date(1998, 7, 1))
    """
    start = snapshot_on + timedelta(days=lead_days)
    return start, start + timedelta(days=horizon_days)


Kind = Literal["inactivity", "churn"]


def outcome(
    kind: Kind,
    tables: Mapping[str, ir.Table],
    cohort: ir.Table,
    snapshot_on: date,
    *,
    lead_days: int,
    horizon_days: int,
    complete_until: date,
    zone: ZoneInfo,
) -> ir.Table | None:
    """One row per customer of the cohort: `churned` is 1 for those who left in the outcome window, else 0.

    inactivity: no order stands in the window. churn: no subscription runs any more at its end.

    What counts is what was known when the window ended, so that the same snapshot always has the same outcome. None
    where the window ends after `complete_until`: the outcome is censored, for everybody alike.
    """
    start, end = window(snapshot_on, lead_days=lead_days, horizon_days=horizon_days)
    if end > complete_until:
        return None
    world = as_of(tables, end, zone=zone)
    stayed = running(world) if kind == "churn" else purchases(world).filter(lambda orders: orders.ordered_on >= start)
    stayed = stayed.select("customer_id").distinct()
    joined = cohort.left_join(stayed, cohort.customer_id == stayed.customer_id)
    return joined.select(customer_id=cohort.customer_id, churned=stayed.customer_id.isnull().ifelse(1, 0).cast("int64"))
