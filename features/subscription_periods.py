"""Subscription periods: from when to when each was paid for, and how it ended. Churn and lost revenue are made of them.

Seen from a day at which the end of the matter is known. What was known earlier is the business of `asof`.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from features.asof import AsOf
from features.codes import as_code, code
from features.subscriptions import paid_for, terms

# A payment that failed longer ago than this did not end a subscription.
DUNNING_DAYS = 60


@dataclass(frozen=True, kw_only=True)
class Endings:
    """What counts as an end, and as an involuntary one.

    grace_days: a customer who is back with some subscription within so many days never left. involuntary_reasons:
    values of `end_reason` that tell of a payment that failed, as codes are spelled, however they are given.
    pause_pauses_mrr: how a pause is read, by the views that are made with it (`features.asof.AsOf`).
    """

    grace_days: int = 14
    involuntary_reasons: tuple[str, ...] = ("payment_failed", "non_payment", "card_expired", "unpaid")
    pause_pauses_mrr: bool = True

    def __post_init__(self) -> None:
        reasons = tuple(dict.fromkeys(map(code, self.involuntary_reasons)))
        object.__setattr__(self, "involuntary_reasons", reasons)

    @property
    def words_are_ours(self) -> bool:
        """Whether the company named no reasons of its own."""
        return self.involuntary_reasons == Endings().involuntary_reasons


def subscription_periods(view: AsOf, endings: Endings) -> ir.Table:
    """One row per subscription that got past its trial: one that ended by the trial's last day was never paid for.

    Columns: subscription_id, customer_id, plan, paid_from (the first day paid for: after the trial, and after the days
    at 0 before its first price), ended_on (null: it runs, as far as is known), counted_until (the last day on which it
    counts: the day it ended, or, where the customer was back within the grace period, the first paid day of what came
    next; null while it runs), involuntary (boolean: it ended because payments failed; false while it runs), ever_paid
    and freed_on (as in `features.subscriptions.paid_for`). What it brings at a day, if anything, is for `priced`.
    """
    table = terms(view)
    table = table.filter(ibis.coalesce(table.ended_on > table.trial_ends_on, True))
    table = table.left_join(paid_for(view), "subscription_id").drop("subscription_id_right")
    # A trial that ended before the subscription began (the customer had had it already) delays nothing.
    begins = [ibis.coalesce(day, table.started_on) for day in (table.trial_ends_on, table.charged_on)]
    table = table.mutate(paid_from=ibis.greatest(*begins, table.started_on))
    returns, failed = _returns(table, endings), _ended_by_payment(view, table)
    joined = table.left_join(returns, "subscription_id").drop("subscription_id_right")
    joined = joined.left_join(failed, "subscription_id").drop("subscription_id_right")
    told = ibis.coalesce(as_code(joined.end_reason).isin(list(endings.involuntary_reasons)), False)
    return joined.select(
        "subscription_id",
        "customer_id",
        "plan",
        "paid_from",
        "ended_on",
        "ever_paid",
        "freed_on",
        counted_until=ibis.coalesce(joined.returned_on, joined.ended_on),
        involuntary=joined.ended_on.notnull() & (told | ibis.coalesce(joined.payment_failed, False)),
    )


def paying(now: AsOf, then: AsOf, endings: Endings) -> ir.Table:
    """One row per subscription that is paid for when the day of `then` begins, seen from `now`, with the price `then`.

    Columns: as of `priced`.
    """
    return priced(counted(subscription_periods(now, endings), then.days_before(0)), then)


def priced(subscription_periods: ir.Table, then: AsOf) -> ir.Table:
    """Those of the subscription periods that are paid for `then`, with the plan and the price known then.

    A subscription at 0 is not paid for, unless it is paused. One whose price was not known then is: its revenue is
    unknown, and no later price is put in its place.

    Columns: subscription_id, customer_id, involuntary, counted_until, plan, mrr (exact; null: no price was known then).
    """
    known = terms(then).select("subscription_id", plan_then="plan", mrr_then="mrr", paused_then="paused")
    joined = subscription_periods.left_join(known, "subscription_id")
    paid = joined.mrr_then.isnull() | (joined.mrr_then > 0) | ibis.coalesce(joined.paused_then, False)
    joined = joined.filter(paid)
    return joined.select(
        "subscription_id",
        "customer_id",
        "involuntary",
        "counted_until",
        plan=ibis.coalesce(joined.plan_then, joined.plan),
        mrr=joined.mrr_then,
    )


def counted(subscription_periods: ir.Table, day: ir.DateValue) -> ir.Table:
    """The subscription periods that count at the midnight with which a day begins."""
    begun = subscription_periods.paid_from < day
    return subscription_periods.filter(
        begun & (subscription_periods.counted_until.isnull() | (subscription_periods.counted_until >= day))
    )


def within(subscription_periods: ir.Table, since: ir.DateValue, day: ir.DateValue) -> ir.Table:
    """Those that began on `since` or later and were over when `day` begins: of each customer, the last to end.

    One that was over on the day it began counted at no midnight, and is left out.
    """
    until = subscription_periods.counted_until
    there = subscription_periods.filter(
        subscription_periods.paid_from >= since, until < day, until > subscription_periods.paid_from
    )
    last = there.counted_until.max().over(ibis.window(group_by="customer_id"))
    there = there.mutate(last_on=last)
    return there.filter(there.counted_until == there.last_on).drop("last_on")


def known_paid(subscription_periods: ir.Table) -> ir.Table:
    """Customer periods for first days and signup cohorts: what had a price above 0, for as long as it had."""
    table = subscription_periods.filter(subscription_periods.ever_paid)
    until, freed = table.counted_until, table.freed_on
    return table.mutate(counted_until=ibis.coalesce(ibis.least(until, freed), until, freed))


def _returns(table: ir.Table, endings: Endings) -> ir.Table:
    """By subscription that ended: the first paid day of the next one, where that had begun by the end of grace.

    The next one may have begun before this one ended, with a trial that went on after it. A free plan leads to nothing
    until it has a price.
    """
    ended = table.filter(table.ended_on.notnull()).select("subscription_id", "customer_id", "ended_on")
    others = table.filter(table.ever_paid)
    others = others.select(
        "customer_id",
        other_id="subscription_id",
        begun_on=ibis.greatest(ibis.coalesce(others.charged_on, others.started_on), others.started_on),
        other_paid_from="paid_from",
    )
    pairs = ended.inner_join(others, "customer_id")
    gap = pairs.begun_on.delta(pairs.ended_on, unit="day")
    still_to_pay = pairs.other_paid_from >= pairs.ended_on
    pairs = pairs.filter(pairs.other_id != pairs.subscription_id, still_to_pay, gap <= endings.grace_days)
    return pairs.group_by("subscription_id").agg(returned_on=pairs.other_paid_from.min())


def _ended_by_payment(view: AsOf, table: ir.Table) -> ir.Table:
    """By subscription that ended: whether payments for it had been failing, and none came, before notice was given.

    A payment that names no invoice of a subscription may have been for any of the customer's.
    """
    ended = table.filter(table.ended_on.notnull()).select(
        "subscription_id", "customer_id", "ended_at", "ended_on", "cancel_requested_at"
    )
    if "payments" not in view:
        return ended.select("subscription_id", payment_failed=ibis.literal(value=False))
    pairs = ended.inner_join(_attempts(view), "customer_id")
    meant = pairs.paid_for.isnull() | (pairs.paid_for == pairs.subscription_id)
    pairs = pairs.filter(meant, pairs.tried_at <= pairs.ended_at)
    paid = pairs.group_by("subscription_id").agg(last_paid_at=pairs.tried_at.max(where=pairs.came))
    pairs = pairs.inner_join(paid, "subscription_id")
    since = ~pairs.came & (pairs.last_paid_at.isnull() | (pairs.tried_at > pairs.last_paid_at))
    lately = pairs.ended_on.delta(pairs.tried_on, unit="day") <= DUNNING_DAYS
    failing = (
        pairs.filter(since)
        .group_by("subscription_id", "cancel_requested_at")
        .agg(failing_since=pairs.tried_at.min(), lately=lately.ifelse(1, 0).max())
    )
    before_notice = failing.cancel_requested_at.isnull() | (failing.failing_since < failing.cancel_requested_at)
    return failing.select("subscription_id", payment_failed=(failing["lately"] == 1) & before_notice)


def _attempts(view: AsOf) -> ir.Table:
    """Attempts to be paid, and invoices paid some other way: customer_id, paid_for, tried_at, tried_on, came."""
    payments = view["payments"]
    columns = {"tried_at": payments.attempted_at, "tried_on": payments.attempted_on, "came": payments.succeeded}
    if "invoices" not in view:
        return payments.select("customer_id", paid_for=ibis.null("string"), **columns)
    invoices = view["invoices"]
    bills = invoices.select(bill_id="invoice_id", paid_for="subscription_id")
    attempts = payments.left_join(bills, payments.invoice_id == bills.bill_id)
    attempts = attempts.select(
        "customer_id", "paid_for", tried_at="attempted_at", tried_on="attempted_on", came="succeeded"
    )
    settled = invoices.filter(invoices.paid_at.notnull()).select(
        "customer_id", paid_for="subscription_id", tried_at="paid_at", tried_on="paid_on", came=ibis.literal(value=True)
    )
    return ibis.union(attempts, settled)
