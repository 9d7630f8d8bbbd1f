"""Subscriptions as feature code reads them: those that run, with the plan, seats and price they had come to by then."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import newest
from features.asof import AsOf


def terms(view: AsOf) -> ir.Table:
    """One row per subscription that had begun by the snapshot, ended ones included.

    Columns: subscription_id, customer_id, started_on, term_started_on, renews_on, trial_ends_on, cancel_requested_at,
    cancel_requested_on, ended_at, ended_on, end_reason, auto_renew, and plan, seats, mrr as the last known change left
    them.
    """
    table = view["subscriptions"]
    if "subscription_changes" in view:
        for name, value in (("plan", "plan"), ("seats", "seats"), ("mrr", "mrr_after")):
            table = _changed(view, table, name, value)
    return table.select(
        "subscription_id",
        "customer_id",
        "plan",
        "seats",
        "mrr",
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


def _changed(view: AsOf, table: ir.Table, name: str, value: str) -> ir.Table:
    """The table with one column as the last change left it, where a change came after the subscription's version."""
    changes = view["subscription_changes"]
    changes = newest(changes.filter(changes[value].notnull()), "changed_at", by="subscription_id")
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
