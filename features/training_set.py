"""One snapshot: the cohort with every indicator. The same function serves training and scoring."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from features import (
    billing,
    engagement,
    loyalty,
    market,
    messages,
    payment,
    products,
    profile,
    purchases,
    quality,
    satisfaction,
    subscription,
    support,
    usage,
)
from features.aggregates import per_customer
from features.asof import AsOf, as_of
from features.catalog import Family, Group, Lookbacks
from features.cohort import Cohort, cohort

FAMILIES: tuple[Family, ...] = (
    Family(name="purchases", reasons=purchases.REASONS | products.REASONS, groups=(purchases.GROUP, products.GROUP)),
    engagement.FAMILY,
    support.FAMILY,
    billing.FAMILY,
    payment.FAMILY,
    satisfaction.FAMILY,
    usage.FAMILY,
    messages.FAMILY,
    market.FAMILY,
    quality.FAMILY,
    loyalty.FAMILY,
    subscription.FAMILY,
    profile.FAMILY,
)


def families(tables: Collection[str], *, personal: bool = False) -> list[Family]:
    """The families, each with the groups whose tables are there, without those that have none.

    personal: with the indicators about who the customer is.
    """
    found = []
    for family in FAMILIES:
        groups = [_allowed(group, personal=personal) for group in family.groups if not group.lacks(tables)]
        if any(group.indicators for group in groups):
            found.append(replace(family, groups=tuple(group for group in groups if group.indicators)))
    return found


def snapshot(
    tables: Mapping[str, ir.Table],
    snapshot_on: date,
    *,
    at_risk: Cohort,
    lookbacks: Lookbacks,
    zone: ZoneInfo,
    families: Collection[Family],
) -> ir.Table:
    """One row per customer at risk at the snapshot, sorted by customer_id, then a column per indicator."""
    view = as_of(tables, snapshot_on, zone=zone)
    return columns_of(families, view, cohort(view, at_risk), lookbacks)


def columns_of(families: Collection[Family], view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """The cohort, sorted by customer_id, with every indicator of the families."""
    parts = [part(group, view, cohort, lookbacks) for family in families for group in family.groups]
    return per_customer(cohort, *parts).order_by("customer_id")


def part(group: Group, view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """The cohort, sorted by customer_id, with every indicator of one group.

    Engines plan a query of one group in a fraction of a second, and one of all groups in many: whoever runs snapshots
    runs them by parts and puts the columns side by side.
    """
    columns, windows = group.columns(lookbacks.lookback_days), group.windows
    filled = group.computed(view, cohort, lookbacks).select("customer_id", *columns)
    if windows is None:
        filled = per_customer(cohort, filled)
    zeros = {
        column: filled[column].fill_null(0)
        for indicator in group.indicators
        if indicator.zero_where_nothing
        for column in indicator.columns(lookbacks.lookback_days)
    }
    filled = filled.mutate(**zeros)
    # What was computed is sorted already, and to sort it again takes longer than the arithmetic.
    return filled if windows is not None and windows.table in view.computed else filled.order_by("customer_id")


def _allowed(group: Group, *, personal: bool) -> Group:
    return replace(group, indicators=tuple(each for each in group.indicators if personal or not each.personal))
