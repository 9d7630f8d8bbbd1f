"""Who was a customer when: periods of it, first days, and how many of those who came together are still there.

A customer period has customer_id, paid_from (the day it begins), ended_on, counted_until (the last day at whose
midnight it counts; null: it runs) and involuntary. Those of contracts are `subscription_periods`; those of a shop are
made by `visits`.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.asof import AsOf
from features.orders import purchases


def visits(view: AsOf, *, active_days: int) -> ir.Table:
    """One row per order that stands: a shop's customer is whoever ordered within so many days."""
    orders = purchases(view)
    until = (orders.ordered_on + ibis.interval(days=active_days)).cast("date")
    return orders.select(
        "customer_id",
        paid_from="ordered_on",
        ended_on=until,
        counted_until=until,
        involuntary=ibis.literal(value=False),
    )


def first_days(customer_periods: ir.Table) -> ir.Table:
    """One row per customer who counted at some midnight: customer_id, first_on (the first day of being a customer)."""
    until = customer_periods.counted_until
    there = customer_periods.filter(until.isnull() | (until > customer_periods.paid_from))
    return there.group_by("customer_id").agg(first_on=there.paid_from.min())


def ordered_again(visits: ir.Table, first: ir.Table) -> ir.Table:
    """One row per customer who ordered on a later day than the first: counts from the second such day on, for good."""
    joined = visits.inner_join(first, "customer_id")
    later = joined.filter(joined.paid_from > joined.first_on)
    return later.group_by("customer_id").agg(paid_from=later.paid_from.min()).mutate(counted_until=ibis.null("date"))


def active(visits: ir.Table, *, days: int) -> ir.Table:
    """One row per order: counts for so many days from its own day on."""
    until = (visits.paid_from + ibis.interval(days=days)).cast("date")
    return visits.select("customer_id", "paid_from", counted_until=until)


def buyers(visits: ir.Table, first: ir.Table, periods: ir.Table) -> ir.Table:
    """One row per period and customer who ordered in it: start_on, customer_id, bought_before (boolean)."""
    bought = visits.inner_join(periods, [visits.paid_from >= periods.start_on, visits.paid_from < periods.end_on])
    bought = bought.select("start_on", "customer_id").distinct()
    joined = bought.inner_join(first, "customer_id")
    return joined.select("start_on", "customer_id", bought_before=joined.first_on < joined.start_on)


def kept(customer_periods: ir.Table, first: ir.Table, *, months: int, by_quarter: bool) -> ir.Table:
    """One row per signup cohort and months since, from 0 to `months`.

    Columns: cohort_on (the first day of the month or quarter of the first days), months_since, customers, and retained:
    those who counted at the midnight that ends the day so many months after their own first day (of a month too short
    for it, the last day).
    """
    first = first.mutate(cohort_on=first.first_on.truncate("Q" if by_quarter else "M").cast("date"))
    size = first.group_by("cohort_on").agg(customers=first.count())
    span = ibis.memtable({"months_since": list(range(months + 1))}, schema={"months_since": "int64"})
    points = first.cross_join(span)
    points = points.mutate(due_on=_months_later(points.first_on, points.months_since))
    stays = points.inner_join(customer_periods, "customer_id")
    lasting = stays.counted_until.isnull() | (stays.counted_until > stays.due_on)
    there = stays.filter(stays.paid_from <= stays.due_on, lasting)
    there = there.select("cohort_on", "months_since", "customer_id").distinct()
    retained = there.group_by("cohort_on", "months_since").agg(retained=there.count())
    every = size.cross_join(span)
    joined = every.left_join(retained, ["cohort_on", "months_since"])
    return joined.select("cohort_on", "months_since", "customers", retained=joined.retained.fill_null(0))


def _months_later(day: ir.DateColumn, months: ir.IntegerColumn) -> ir.DateColumn:
    """The same day so many months later, or the last of a month that is too short for it."""
    month = day.year() * 12 + day.month() - 1 + months
    start, following = _month_start(month), _month_start(month + 1)
    last = following.delta(start, unit="day")
    return ibis.date(start.year(), start.month(), ibis.least(day.day(), last))


def _month_start(month: ir.IntegerColumn) -> ir.DateColumn:
    # Counted from the year 0.
    return ibis.date(month // 12, month % 12 + 1, 1)
