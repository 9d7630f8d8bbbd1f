"""Subscriptions as feature code reads them: those that run, with the plan, seats and price they had come to by then."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import newest
from features.asof import AsOf


def terms(view: AsOf) -> ir.Table:
    """One row per subscription that had begun by the snapshot, ended ones included.

    Columns: subscription_id, customer_id, started_on, term_started_on, renews_on, trial_ends_on, cancel_requested_at,
    cancel_requested_on, ended_at, ended_on, end_reason, auto_renew; plan, seats, mrr as the last known change left
    them (mrr null: no price of it was known); paused (boolean: it brings nothing because it is paused, its mrr is 0).

    Where the view's `pause_pauses_mrr` holds, a pause that names no price, or 0, takes the revenue away until the
    subscription is taken up again; one that names a price is a change of price. Otherwise no pause changes anything.
    """
    table = view["subscriptions"]
    if "subscription_changes" in view:
        steps = view["subscription_changes"]
        for name, value in (("plan", "plan"), ("seats", "seats")):
            table = _changed(table, steps, name, value)
        table = _changed(table, _of_price(steps, pause_pauses_mrr=view.pause_pauses_mrr), "mrr", "mrr_after")
    table = _with_pauses(view, table)
    return table.select(
        "subscription_id",
        "customer_id",
        "plan",
        "seats",
        "mrr",
        "paused",
        "started_on",
        "renews_on",
        "trial_ends_on",
        "cancel_requested_at",
        "cancel_requested_on",
        "ended_at",
        "ended_on",
        "end_reason",
        term_started_on=table.term_started_on.fill_null(table.started_on),
        auto_renew=ibis.coalesce(table.auto_renew, True),
    )


def running(view: AsOf) -> ir.Table:
    """`terms` of the subscriptions that had not ended by the snapshot, trials and paused ones included.

    Beside their columns: in_trial (boolean).
    """
    table = terms(view)
    table = table.filter(table.ended_on.isnull())
    return table.mutate(in_trial=ibis.coalesce(table.trial_ends_on > view.days_before(0), False))


def running_and_paid(view: AsOf) -> ir.Table:
    """`running` of those past their trial and paid for: with a price above 0, or paused, or at a price not known."""
    table = running(view)
    return table.filter(~table.in_trial, table.mrr.isnull() | (table.mrr > 0) | table.paused)


def paid_for(view: AsOf) -> ir.Table:
    """By subscription, as far as its price is known: whether and from when to when it was more than free.

    Columns: subscription_id, ever_paid (boolean; false only where every known price of it is 0), charged_on (the day
    since when it is: null where it was from the start), freed_on (the day since when it is free for good; null: it is
    not). A pause makes nothing free.
    """
    table = terms(view).select("subscription_id", "mrr", "paused")
    if "subscription_changes" not in view:
        nothing = ibis.null("date")
        return table.select(
            "subscription_id", ever_paid=ibis.coalesce(table.mrr > 0, True), charged_on=nothing, freed_on=nothing
        )
    prices = _prices(view)
    joined = table.left_join(prices, "subscription_id").drop("subscription_id_right")
    began_free = ibis.coalesce(joined.first_before == 0, False)
    now_free = ibis.coalesce(joined.mrr == 0, False) & ~joined.paused
    # Without a change of price there is the price of now alone.
    never_dear = joined.first_on.isnull() | (began_free & joined.charged_on.isnull())
    return joined.select(
        "subscription_id",
        ever_paid=~(now_free & never_dear),
        charged_on=began_free.ifelse(joined.charged_on, ibis.null("date")),
        freed_on=now_free.ifelse(joined.freed_on, ibis.null("date")),
    )


def _prices(view: AsOf) -> ir.Table:
    """By subscription with changes of price, pauses aside: first_on, first_before, charged_on, freed_on.

    first_before: the price before the first change (null: not told, or told by a pause). charged_on: the first day with
    a price above 0. freed_on: the first day at 0 after the last day above it.
    """
    every = view["subscription_changes"]
    paused = every.filter(every.kind == "pause")
    paused = paused.group_by(paused_id="subscription_id").agg(first_pause_at=paused.changed_at.min())
    steps = every.filter(~every.kind.isin(("pause", "resume")), every.mrr_after.notnull())
    steps = steps.left_join(paused, steps.subscription_id == paused.paused_id).drop("paused_id")
    first = ibis.row_number().over(
        group_by="subscription_id",
        order_by=[steps.changed_at, steps.known_at, steps.landed_order, steps.source_row],
    )
    dear = (steps.mrr_after > 0).ifelse(steps.changed_at, ibis.null("timestamp(6)"))
    last_dear_at = dear.max().over(ibis.window(group_by="subscription_id"))
    steps = steps.mutate(place=first, last_dear_at=last_dear_at)
    told = (steps.place == 0) & ~ibis.coalesce(steps.first_pause_at <= steps.changed_at, False)
    freed = (steps.mrr_after == 0) & ibis.coalesce(steps.changed_at > steps.last_dear_at, True)
    return steps.group_by("subscription_id").agg(
        first_on=steps.changed_on.min(),
        first_before=ibis.coalesce(steps.mrr_before, steps.mrr_after).max(where=told),
        charged_on=steps.changed_on.min(where=steps.mrr_after > 0),
        freed_on=steps.changed_on.min(where=freed),
    )


def _of_price(steps: ir.Table, *, pause_pauses_mrr: bool) -> ir.Table:
    """The changes that set a price: a pause does where it names one that is still to be paid."""
    stops = steps.kind == "pause"
    if pause_pauses_mrr:
        stops &= ibis.coalesce(steps.mrr_after == 0, True)
    return steps.filter(~stops)


def _with_pauses(view: AsOf, table: ir.Table) -> ir.Table:
    """The table with `paused`, and an mrr of 0 where that holds."""
    if "subscription_changes" not in view or not view.pause_pauses_mrr:
        return table.mutate(paused=ibis.literal(value=False))
    steps = view["subscription_changes"]
    last = newest(steps.filter(steps.kind.isin(("pause", "resume"))), "changed_at", by="subscription_id")
    last = last.select(
        stopped_id="subscription_id", stopped=(last.kind == "pause") & ibis.coalesce(last.mrr_after == 0, True)
    )
    joined = table.left_join(last, table.subscription_id == last.stopped_id)
    joined = joined.mutate(paused=ibis.coalesce(joined.stopped, False)).drop("stopped_id", "stopped")
    return joined.mutate(mrr=joined.paused.ifelse(ibis.literal(0).cast(joined.mrr.type()), joined.mrr))


def _changed(table: ir.Table, steps: ir.Table, name: str, value: str) -> ir.Table:
    """The table with one column as the last change left it, where a change came after the subscription's version."""
    changes = newest(steps.filter(steps[value].notnull()), "changed_at", by="subscription_id")
    changes = changes.select(changed_id="subscription_id", changed_to=value, change_known_at="known_at")
    joined = table.left_join(changes, table.subscription_id == changes.changed_id)
    newer = joined.changed_to.notnull() & (joined.change_known_at >= joined.known_at)
    return joined.mutate(**{name: newer.ifelse(joined.changed_to, joined[name])}).drop(
        "changed_id", "changed_to", "change_known_at"
    )


def changes(view: AsOf, *kinds: str) -> ir.Table:
    """Subscription changes of some kinds, with their age in days."""
    table = view["subscription_changes"]
    table = table.filter(table.kind.isin(kinds))
    return table.mutate(age=view.days_since(table.changed_on))


def months_until(view: AsOf, day: ir.DateColumn) -> ir.FloatingColumn:
    """Months of 30.4375 days from the snapshot to a day, below zero where it is past."""
    return (ibis.literal(0) - view.days_since(day)).cast("float64") / 30.4375
