"""Customers and their recurring revenue at the two ends of periods, and what moved between them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, exact_total
from features.asof import AsOf
from features.segments import UNKNOWN
from features.subscription_periods import counted, priced

# Exact, and so narrow that sums of it still fit: some engines widen a decimal when they add.
CENTS = "decimal(24, 2)"
MOVES = ("mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned")


def payers(subscription_periods: ir.Table, then: AsOf) -> ir.Table:
    """One row per customer when the day of `then` begins: customer_id, plan, mrr (in whole cents, exact).

    plan: that of the dearest subscription, "" where it is not recorded. mrr: what was known `then` of all that count,
    added up and then rounded, so that the cents of customers add up to those of any group of them.
    """
    table = priced(counted(subscription_periods, then.days_before(0)), then)
    table = table.mutate(plan=table.plan.fill_null(UNKNOWN))
    dearest = ibis.row_number().over(
        group_by="customer_id", order_by=[table.mrr.desc(), table.plan, table.subscription_id]
    )
    table = table.mutate(place=dearest)
    found = table.group_by("customer_id").agg(plan=table.plan.max(where=table.place == 0), mrr=table.mrr.sum())
    return found.mutate(mrr=found.mrr.cast(CENTS))


def visitors(visits: ir.Table, periods: ir.Table) -> ir.Table:
    """One row per end of a period (start_on, end_on) and customer of a shop who was there at it, without money.

    Columns: seen_on, customer_id, plan, mrr, as `movements` wants them.
    """
    days = ibis.union(periods.select(seen_on="start_on"), periods.select(seen_on="end_on"), distinct=True)
    there = visits.inner_join(days, [visits.paid_from < days.seen_on, visits.counted_until >= days.seen_on])
    nothing = ibis.literal(0).cast(CENTS)
    return there.select("seen_on", "customer_id").distinct().mutate(plan=ibis.literal(UNKNOWN), mrr=nothing)


def movements(there: ir.Table, periods: ir.Table, customer_periods: ir.Table, first: ir.Table) -> ir.Table:
    """One row per period and customer who was there at its start or at its end.

    there: `payers` of every end of a period, with the day as `seen_on`, or `visitors`; periods: start_on and
    end_on; stretches and first: as in `retention`.
    Columns: start_on, customer_id; plan (at the start; of who came, at the end); was_there, is_there, came, came_back
    (had been a customer before), went, went_unwillingly (booleans); mrr_start, mrr_new, mrr_reactivation,
    mrr_expansion, mrr_contraction, mrr_churned, mrr_end (exact, at least 0).
    """
    both = _both_ends(there, periods)
    both = both.left_join(first, "customer_id").drop("customer_id_right")
    both = both.mutate(
        came=~both.was_there,
        came_back=~both.was_there & ibis.coalesce(both.first_on < both.start_on, False),
        went=~both.is_there,
        stayed=both.was_there & both.is_there,
    )
    unwilling = _unwilling(both, customer_periods)
    both = both.left_join(unwilling, ["customer_id", "start_on"]).drop("customer_id_right", "start_on_right")
    none, more = ibis.literal(0).cast(CENTS), both.mrr_end - both.mrr_start
    return both.select(
        "start_on",
        "customer_id",
        "plan",
        "was_there",
        "is_there",
        "came",
        "came_back",
        "went",
        "mrr_start",
        "mrr_end",
        went_unwillingly=both.went & ibis.coalesce(both.failed, False),
        mrr_new=(both.came & ~both.came_back).ifelse(both.mrr_end, none),
        mrr_reactivation=both.came_back.ifelse(both.mrr_end, none),
        mrr_expansion=(both.stayed & (more > 0)).ifelse(more, none),
        mrr_contraction=(both.stayed & (more < 0)).ifelse(-more, none),
        mrr_churned=both.went.ifelse(both.mrr_start, none),
    )


def totals(movements: ir.Table) -> ir.Table:
    """One row per period and segment of movements that have a column `segment`: customers counted, amounts added up."""
    table = movements
    amounts = {name: exact_total(table[name], ibis.literal(value=True)) for name in ("mrr_start", *MOVES, "mrr_end")}
    return table.group_by("start_on", "segment").agg(
        customers_start=count(table.was_there),
        new=count(table.came),
        reactivated=count(table.came_back),
        lost=count(table.went),
        voluntary_lost=count(table.went & ~table.went_unwillingly),
        involuntary_lost=count(table.went_unwillingly),
        customers_end=count(table.is_there),
        **amounts,
    )


def _both_ends(there: ir.Table, periods: ir.Table) -> ir.Table:
    """Per period and customer of either end: plan, was_there, is_there, mrr_start, mrr_end; and the period."""
    none, nothing = ibis.literal(0).cast(CENTS), ibis.null("string")
    yes, no = ibis.literal(1), ibis.literal(0)
    ends = {"start_on": "start_on", "end_on": "end_on", "customer_id": "customer_id"}
    at_start = there.inner_join(periods, there.seen_on == periods.start_on)
    at_end = there.inner_join(periods, there.seen_on == periods.end_on)
    rows = ibis.union(
        at_start.select(**ends, was=yes, is_=no, old="plan", new=nothing, mrr_start="mrr", mrr_end=none),
        at_end.select(**ends, was=no, is_=yes, old=nothing, new="plan", mrr_start=none, mrr_end="mrr"),
    )
    return rows.group_by("start_on", "end_on", "customer_id").agg(
        plan=ibis.coalesce(rows.old.max(), rows.new.max()),
        was_there=rows.was.max() == 1,
        is_there=rows.is_.max() == 1,
        mrr_start=rows.mrr_start.sum().cast(CENTS),
        mrr_end=rows.mrr_end.sum().cast(CENTS),
    )


def _unwilling(both: ir.Table, customer_periods: ir.Table) -> ir.Table:
    """Per period and customer who went: `failed`, whether what ended last ended because payments failed.

    Of several that ended on one day, one is enough.
    """
    gone = both.filter(both.went).select("customer_id", "start_on", "end_on")
    ended = customer_periods.select("ended_on", "involuntary", stretch_of="customer_id")
    pairs = gone.inner_join(ended, [gone.customer_id == ended.stretch_of, ended.ended_on < gone.end_on])
    last = ibis.rank().over(group_by=["customer_id", "start_on"], order_by=pairs.ended_on.desc())
    pairs = pairs.mutate(last=last)
    pairs = pairs.filter(pairs["last"] == 0)
    failed = pairs.involuntary.ifelse(1, 0).max() == 1
    return pairs.group_by("customer_id", "start_on").agg(failed=failed)
