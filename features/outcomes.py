"""What happened after a snapshot. Only outcomes look past it, and they look from the end of their window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from features.asof import as_of
from features.orders import purchases


def window(snapshot_on: date, *, lead_days: int, horizon_days: int) -> tuple[date, date]:
    """First day of the outcome window, and the first day after it.

    >>> window(date(1998, 1, 1), lead_days=0, horizon_days=181)
    (datetime.date(1998, 1, 1), datetime.date(1998, 7, 1))
    """
    start = snapshot_on + timedelta(days=lead_days)
    return start, start + timedelta(days=horizon_days)


def inactivity(
    tables: Mapping[str, ir.Table],
    cohort: ir.Table,
    snapshot_on: date,
    *,
    lead_days: int,
    horizon_days: int,
    complete_until: date,
    zone: ZoneInfo,
) -> ir.Table | None:
    """One row per customer of the cohort: `churned` is 1 where no order stands in the outcome window, else 0.

    What counts is what was known when the window ended, so that the same snapshot always has the same outcome. None
    where the window ends after `complete_until`: the outcome is censored, for everybody alike.
    """
    start, end = window(snapshot_on, lead_days=lead_days, horizon_days=horizon_days)
    if end > complete_until:
        return None
    orders = purchases(as_of(tables, end, zone=zone))
    returned = orders.filter(orders.ordered_on >= start).select("customer_id").distinct()
    joined = cohort.left_join(returned, cohort.customer_id == returned.customer_id)
    return joined.select(
        customer_id=cohort.customer_id, churned=returned.customer_id.isnull().ifelse(1, 0).cast("int64")
    )
