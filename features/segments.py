"""Which part of the customers somebody belongs to, as last known."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.asof import AsOf

CHOICES = ("country", "plan", "channel", "signup_cohort", "value_tier")
# What the customers table says; the plan is one of a moment, and comes with the figures of that moment.
COLUMNS = {"country": "country", "channel": "acquisition_channel", "value_tier": "value_tier"}
ALL, UNKNOWN = "all", ""


def segments(now: AsOf, first: ir.Table, by: str | None) -> ir.Table:
    """One row per customer of `first` (customer_id, first_on or null): customer_id, segment; "" where it is not known.

    by: one of CHOICES, or None for all in one.
    signup_cohort: the month of signing up, or where that is not known of the first day as a customer.
    """
    if by is None or by == "plan":
        return first.select("customer_id", segment=ibis.literal(ALL))
    if "customers" in now:
        known = now["customers"].select("customer_id", "signed_up_on", *COLUMNS.values())
        first = first.left_join(known, "customer_id").drop("customer_id_right")
    if by == "signup_cohort":
        day = ibis.coalesce(first.signed_up_on, first.first_on) if "customers" in now else first.first_on
        return first.select("customer_id", segment=day.cast("string").substr(0, 7))
    return first.select("customer_id", segment=first[COLUMNS[by]].fill_null(UNKNOWN))
