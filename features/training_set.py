"""One snapshot: the cohort with every indicator. The same function serves training and scoring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from features import products, purchases
from features.asof import as_of
from features.catalog import Family
from features.cohort import cohort

FAMILIES: tuple[Family, ...] = (purchases.FAMILY, products.FAMILY)


def families(tables: Mapping[str, ir.Table]) -> list[Family]:
    """The families whose tables are there."""
    return [family for family in FAMILIES if any(name in tables for name in family.needs)]


def snapshot(
    tables: Mapping[str, ir.Table],
    snapshot_on: date,
    *,
    active_days: int | None,
    lookback_days: Sequence[int],
    zone: ZoneInfo,
) -> ir.Table:
    """One row per customer at risk at the snapshot, sorted by customer_id, then a column per indicator."""
    world = as_of(tables, snapshot_on, zone=zone)
    at_risk = cohort(world, active_days=active_days)
    result = at_risk
    for family in families(tables):
        result = result.left_join(family.compute(world, at_risk, lookback_days), "customer_id").drop(
            "customer_id_right"
        )
    return result.order_by("customer_id")
