"""Customers and their recurring revenue at the two ends of periods, and what moved between them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, exact_total
from features.asof import AsOf
from features.segments import UNKNOWN
from features.subscription_periods import counted, priced, within
from features.subscriptions import paid_for, running, terms

# Exact, and so narrow that sums of it still fit: some engines widen a decimal when they add.
CENTS = "decimal(24, 2)"
MOVES = ("mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned")
# What customers who stayed pay more or less as far as is known, where it is not known whether they do.
LEARNED = ("mrr_became_known", "mrr_became_unknown")


def payers(subscription_periods: ir.Table, then: AsOf, *, since: ir.DateValue | None = None) -> ir.Table:
    """One row per customer who has something when the day of `then` begins, or had it since `since` and has no more.

    Columns: customer_id; passed (boolean: came and went since `since`); free (boolean: has nothing that was ever paid
    for, as far as was known then); plan (that of the dearest subscription, "" where it is not recorded); mrr (in whole
    cents, exact: what was known `then` of all that count, or of those that lasted longest, added up and then rounded,
    so that the cents of customers add up to those of any group of them; 0 where nothing is known); unpriced (boolean:
    the price of some subscription was not known). Who is neither has a subscription that is paid for.
    """
    today, no, yes = then.days_before(0), ibis.literal(value=False), ibis.literal(value=True)
    there = _by_customer(priced(counted(subscription_periods, today), then)).mutate(passed=no, free=no)
    free = _free(counted(subscription_periods, today), then).mutate(passed=no, free=yes)
    found = ibis.union(there, free.anti_join(there, "customer_id"))
    if since is None:
        return found
    gone = _by_customer(priced(within(subscription_periods, since, today), then)).mutate(passed=yes, free=no)
    return ibis.union(found, gone.anti_join(there, "customer_id"))


def plans(now: AsOf) -> ir.Table:
    """One row per customer with a running subscription: customer_id, plan (of the dearest; "" where not recorded)."""
    return _by_customer(running(now)).select("customer_id", "plan")


def _by_customer(subscriptions: ir.Table) -> ir.Table:
    table = subscriptions.mutate(
        plan=subscriptions.plan.fill_null(UNKNOWN),
        known=subscriptions.mrr.fill_null(0),
        lacks=subscriptions.mrr.isnull(),
    )
    dearest = ibis.row_number().over(
        group_by="customer_id", order_by=[table.known.desc(), table.plan, table.subscription_id]
    )
    table = table.mutate(place=dearest)
    found = table.group_by("customer_id").agg(
        plan=table.plan.max(where=table.place == 0), mrr=table.known.sum(), lacks=count(table.lacks)
    )
    return found.select("customer_id", "plan", mrr=found.mrr.cast(CENTS), unpriced=found["lacks"] > 0)


def _free(subscriptions: ir.Table, then: AsOf) -> ir.Table:
    """Customers of whose subscriptions, all that were known then, none had a price above 0."""
    known = terms(then).select("subscription_id", "customer_id")
    known = known.inner_join(paid_for(then).select("subscription_id", "ever_paid"), "subscription_id")
    dear = known.group_by("customer_id").agg(dear=count(known.ever_paid))
    found = subscriptions.select("customer_id").distinct().inner_join(dear.filter(dear.dear == 0), "customer_id")
    return found.select(
        "customer_id",
        plan=ibis.literal(UNKNOWN),
        mrr=ibis.literal(0).cast(CENTS),
        unpriced=ibis.literal(value=False),
    )


def visitors(visits: ir.Table, periods: ir.Table) -> ir.Table:
    """One row per end of a period (start_on, end_on) and customer of a shop who was there at it, without money.

    Columns: seen_on, customer_id, plan, mrr, unpriced, passed, free, as `movements` wants them: who ordered within the
    period is there at its end, so that nobody comes and goes.
    """
    days = ibis.union(periods.select(seen_on="start_on"), periods.select(seen_on="end_on"), distinct=True)
    there = visits.inner_join(days, [visits.paid_from < days.seen_on, visits.counted_until >= days.seen_on])
    no = ibis.literal(value=False)
    return (
        there.select("seen_on", "customer_id")
        .distinct()
        .mutate(plan=ibis.literal(UNKNOWN), mrr=ibis.literal(0).cast(CENTS), unpriced=no, passed=no, free=no)
    )


def movements(
    there: ir.Table,
    periods: ir.Table,
    customer_periods: ir.Table,
    first: ir.Table,
    paid_before: ir.Table | None = None,
) -> ir.Table:
    """One row per period and customer who was there at its start or at its end, or came and went within it.

    there: `payers` of every end of a period, with the day as `seen_on`, or `visitors`; periods: start_on and
    end_on; customer_periods and first: as in `retention`. paid_before: customer_id and priced_on, since when a price
    above 0 is known, which a later version of the subscription may have made 0: who had paid, and is free, comes back.
    Columns: start_on, customer_id; plan (at the start; of who came, at the end); was_there, is_there, came, came_back
    (had been a customer before), went, passed (came and went), went_unwillingly, unpriced (at either end, so that
    amounts are those of what is known; all booleans); mrr_start, mrr_new, mrr_reactivation, mrr_expansion,
    mrr_contraction, mrr_churned, mrr_end, mrr_new_and_lost (of who came and went: in what is new or reactivated, and in
    what is churned), mrr_became_known, mrr_became_unknown (exact, at least 0).

    Of who stayed, and whose price was not known at an end, no expansion or contraction can be told: the difference of
    what was known is revenue that became known, or unknown. Free to paid is coming, paid to free is going.
    """
    both = _both_ends(there, periods)
    both = both.left_join(first, "customer_id").drop("customer_id_right")
    had_paid = ~both.was_free
    if paid_before is not None:
        both = both.left_join(paid_before, "customer_id").drop("customer_id_right")
        had_paid = ~both.was_free | ibis.coalesce(both.priced_on < both.start_on, False)
    both = both.mutate(
        came=~both.was_there,
        came_back=~both.was_there & had_paid & ibis.coalesce(both.first_on < both.start_on, False),
        went=~both.is_there,
        stayed=both.was_there & both.is_there,
        mrr_here=both.mrr_end + both.mrr_new_and_lost,
    )
    unwilling = _unwilling(both, customer_periods)
    both = both.left_join(unwilling, ["customer_id", "start_on"]).drop("customer_id_right", "start_on_right")
    none, more = ibis.literal(0).cast(CENTS), both.mrr_end - both.mrr_start
    moved, told = both.stayed & ~both.unpriced, both.stayed & both.unpriced
    return both.select(
        "start_on",
        "customer_id",
        "plan",
        "was_there",
        "is_there",
        "came",
        "came_back",
        "went",
        "passed",
        "unpriced",
        "mrr_start",
        "mrr_end",
        "mrr_new_and_lost",
        went_unwillingly=both.went & ibis.coalesce(both.failed, False),
        mrr_new=(both.came & ~both.came_back).ifelse(both.mrr_here, none),
        mrr_reactivation=both.came_back.ifelse(both.mrr_here, none),
        mrr_expansion=(moved & (more > 0)).ifelse(more, none),
        mrr_contraction=(moved & (more < 0)).ifelse(-more, none),
        mrr_churned=both.went.ifelse(both.mrr_start + both.mrr_new_and_lost, none),
        mrr_became_known=(told & (more > 0)).ifelse(more, none),
        mrr_became_unknown=(told & (more < 0)).ifelse(-more, none),
    )


def totals(movements: ir.Table) -> ir.Table:
    """One row per period and segment of movements that have a column `segment`: customers counted, amounts added up."""
    table = movements
    names = ("mrr_start", *MOVES, "mrr_end", "mrr_new_and_lost", *LEARNED)
    amounts = {name: exact_total(table[name], ibis.literal(value=True)) for name in names}
    return table.group_by("start_on", "segment").agg(
        customers_start=count(table.was_there),
        new=count(table.came),
        reactivated=count(table.came_back),
        lost=count(table.went),
        voluntary_lost=count(table.went & ~table.went_unwillingly),
        involuntary_lost=count(table.went_unwillingly),
        customers_end=count(table.is_there),
        new_and_lost=count(table.passed),
        customers_unpriced=count(table.unpriced),
        **amounts,
    )


def _both_ends(there: ir.Table, periods: ir.Table) -> ir.Table:
    """Per period and customer of either end, or between: the period, plan, mrr at both ends and between, and flags.

    Flags: was_there, is_there, passed, was_free (at the start), unpriced.
    """
    none, nothing = ibis.literal(0).cast(CENTS), ibis.null("string")
    no = ibis.literal(0)
    ends = {"start_on": "start_on", "end_on": "end_on", "customer_id": "customer_id"}
    at_start = there.filter(~there.passed)
    at_start = at_start.inner_join(periods, at_start.seen_on == periods.start_on)
    at_end = there.filter(~there.free)
    at_end = at_end.inner_join(periods, at_end.seen_on == periods.end_on)
    rows = ibis.union(
        at_start.select(
            **ends,
            was=at_start.free.ifelse(0, 1),
            is_=no,
            by=no,
            free=at_start.free.ifelse(1, 0),
            lacks=at_start.unpriced.ifelse(1, 0),
            by_lacks=no,
            old=at_start.free.ifelse(nothing, at_start.plan),
            new=nothing,
            mrr_start="mrr",
            mrr_end=none,
            mrr_new_and_lost=none,
        ),
        at_end.select(
            **ends,
            was=no,
            is_=at_end.passed.ifelse(0, 1),
            by=at_end.passed.ifelse(1, 0),
            free=no,
            lacks=(at_end.unpriced & ~at_end.passed).ifelse(1, 0),
            by_lacks=(at_end.unpriced & at_end.passed).ifelse(1, 0),
            old=nothing,
            new="plan",
            mrr_start=none,
            mrr_end=at_end.passed.ifelse(none, at_end.mrr),
            mrr_new_and_lost=at_end.passed.ifelse(at_end.mrr, none),
        ),
    )
    found = rows.group_by("start_on", "end_on", "customer_id").agg(
        plan=ibis.coalesce(rows.old.max(), rows.new.max()),
        was_there=rows.was.max() == 1,
        is_there=rows.is_.max() == 1,
        came_by=rows.by.max() == 1,
        was_free=rows.free.max() == 1,
        unpriced=rows["lacks"].max() == 1,
        by_unpriced=rows["by_lacks"].max() == 1,
        mrr_start=rows.mrr_start.sum().cast(CENTS),
        mrr_end=rows.mrr_end.sum().cast(CENTS),
        mrr_new_and_lost=rows.mrr_new_and_lost.sum().cast(CENTS),
    )
    # Who was there at the start and had something else in between has gone, and did not also come and go.
    found = found.mutate(
        passed=found.came_by & ~found.was_there,
        mrr_new_and_lost=found.was_there.ifelse(none, found.mrr_new_and_lost),
        unpriced=found.unpriced | (found.by_unpriced & ~found.was_there),
    )
    return found.filter(found.was_there | found.is_there | found.passed).drop("came_by", "by_unpriced")


def _unwilling(both: ir.Table, customer_periods: ir.Table) -> ir.Table:
    """Per period and customer who went: `failed`, whether what ended last in it ended because payments failed.

    Of several that ended on one day, one is enough. Where nothing ended, a plan became free.
    """
    gone = both.filter(both.went).select("customer_id", "start_on", "end_on")
    ended = customer_periods.select("ended_on", "involuntary", stretch_of="customer_id")
    within_it = [gone.customer_id == ended.stretch_of, ended.ended_on < gone.end_on, ended.ended_on >= gone.start_on]
    pairs = gone.inner_join(ended, within_it)
    last = ibis.rank().over(group_by=["customer_id", "start_on"], order_by=pairs.ended_on.desc())
    pairs = pairs.mutate(last=last)
    pairs = pairs.filter(pairs["last"] == 0)
    failed = pairs.involuntary.ifelse(1, 0).max() == 1
    return pairs.group_by("customer_id", "start_on").agg(failed=failed)
