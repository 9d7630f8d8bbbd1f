"""Billing: what was charged against what is usual, what is overdue, and what got dearer."""

from __future__ import annotations

import math

import ibis
import ibis.expr.types as ir

from features.aggregates import count, from_newest, per_customer, ratio, real, total, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks
from features.subscriptions import changes, running

REASONS = {
    "unusual_invoice": ("invoices out of the usual", "factures inhabituelles"),
    "invoice_size": ("size of invoices", "montant des factures"),
    "extraordinary_charges": ("charges beside the usual", "frais exceptionnels"),
    "overdue": ("invoices overdue", "factures en retard"),
    "failed_payments": ("payments that failed", "paiements échoués"),
    "credit_notes": ("credit notes", "avoirs"),
    "price_increase": ("higher prices", "hausse des prix"),
}
SPREAD = 1.4826  # median absolute deviation to standard deviation, for a normal distribution
LEAST_SPREAD = 0.01  # of the median: equal invoices have no spread, and any other amount is out of the usual
LOG_UNITS = 1e14  # of a logarithm of 1: as whole numbers their sum does not depend on the order of rows
LARGEST_FACTOR = 1e6  # of a price: beyond it are mistakes, which must not be too large for a sum

INVOICES = (
    Indicator(
        name="last_invoice",
        reason="invoice_size",
        unit="money",
        direction="either",
        null="never invoiced",
        en="last invoice of {value}",
        fr="dernière facture de {value}",
        en_null="no invoice so far",
        fr_null="aucune facture jusqu'ici",
    ),
    Indicator(
        name="usual_invoice",
        reason="invoice_size",
        unit="money",
        direction="either",
        null="fewer than two invoices",
        en="usual invoice of {value}",
        fr="facture habituelle de {value}",
        en_null="fewer than two invoices so far",
        fr_null="moins de deux factures jusqu'ici",
    ),
    Indicator(
        name="last_invoice_over_usual",
        reason="unusual_invoice",
        unit="ratio",
        direction="higher",
        null="fewer than two invoices, or usually free",
        en="last invoice {last_invoice}, usually {usual_invoice}",
        fr="dernière facture de {last_invoice}, contre {usual_invoice} d'habitude",
        en_null="no usual invoice to compare with",
        fr_null="pas de facture habituelle pour comparer",
        neutral=1,
    ),
    Indicator(
        name="last_invoice_deviation",
        reason="unusual_invoice",
        unit="ratio",
        direction="higher",
        null="fewer than two invoices, or usually free",
        en="last invoice {last_invoice}, usually {usual_invoice}: a difference of {value} times the usual variation",
        fr="dernière facture de {last_invoice}, contre {usual_invoice} d'habitude : "
        "un écart de {value} fois la variation habituelle",
        en_null="no usual invoice to compare with",
        fr_null="pas de facture habituelle pour comparer",
        neutral=0,
    ),
    Indicator(
        name="largest_invoice_jump_{days}d",
        reason="unusual_invoice",
        unit="ratio",
        direction="higher",
        null="no invoice in the lookback with one before it, or that one was free",
        en="in the last {days} days, an invoice {value} times the one before it",
        fr="ces {days} derniers jours, une facture égale à {value} fois la précédente",
        en_null="no invoice in the last {days} days to compare with one before it that was not free",
        fr_null="aucune facture ces {days} derniers jours à comparer à une précédente non gratuite",
        per_lookback=True,
        neutral=1,
    ),
    Indicator(
        name="extraordinary_charges_{days}d",
        reason="extraordinary_charges",
        unit="count",
        direction="higher",
        null="never: 0 where nothing extraordinary was charged",
        told_by=("invoices.extraordinary",),
        en="{value|extraordinary charge|extraordinary charges} in the last {days} days",
        fr="{value|facturation|facturations} de frais exceptionnels ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="extraordinary_value_{days}d",
        reason="extraordinary_charges",
        unit="money",
        direction="higher",
        null="never: 0 where nothing extraordinary was charged",
        told_by=("invoices.extraordinary",),
        en="{value} of extraordinary charges in the last {days} days",
        fr="{value} de frais exceptionnels ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="overdue_invoices",
        reason="overdue",
        unit="count",
        direction="higher",
        null="never: 0 where nothing is overdue",
        told_by=("invoices.due_at", "invoices.paid_at"),
        en="{value|invoice|invoices} overdue by up to {overdue_days}",
        fr="{value|facture|factures} en retard, de {overdue_days} au plus",
    ),
    Indicator(
        name="overdue_amount",
        reason="overdue",
        unit="money",
        direction="higher",
        null="never: 0 where nothing is overdue",
        told_by=("invoices.due_at", "invoices.paid_at"),
        en="{value} overdue",
        fr="{value} en retard de paiement",
    ),
    Indicator(
        name="overdue_days",
        reason="overdue",
        unit="days",
        direction="higher",
        null="never: 0 where nothing is overdue",
        told_by=("invoices.due_at", "invoices.paid_at"),
        en="an invoice overdue for {value}",
        fr="une facture en retard de {value}",
    ),
    Indicator(
        name="invoices_written_off_{days}d",
        reason="overdue",
        unit="count",
        direction="higher",
        null="never: 0 where no invoice was given up",
        told_by=("invoices.written_off_at",),
        en="{value|invoice|invoices} given up in the last {days} days",
        fr="{value|facture passée|factures passées} en perte ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="credit_notes_{days}d",
        reason="credit_notes",
        unit="count",
        direction="higher",
        null="never: 0 where nothing was credited",
        told_by=("invoices.amount<0",),
        en="{value|credit note|credit notes} in the last {days} days",
        fr="{value|avoir|avoirs} ces {days} derniers jours",
        per_lookback=True,
    ),
)

FAILED = (
    Indicator(
        name="failed_payments_{days}d",
        reason="failed_payments",
        unit="count",
        direction="higher",
        null="never: 0 where no payment failed",
        told_by=("payments.succeeded=false",),
        en="{value|payment|payments} failed in the last {days} days",
        fr="{value|paiement échoué|paiements échoués} ces {days} derniers jours",
        per_lookback=True,
    ),
)

PRICES = (
    Indicator(
        name="price_increase_since_renewal",
        reason="price_increase",
        unit="relative_change",
        direction="higher",
        null="no running subscription with a price above 0",
        told_by=(
            "subscription_changes.kind=price",
            "subscription_changes.mrr_before",
            "subscription_changes.mrr_after",
        ),
        en="price change since the last renewal: {value}",
        fr="évolution du prix depuis le dernier renouvellement : {value}",
        en_null="no running subscription with a price above 0",
        fr_null="aucun abonnement en cours avec un prix supérieur à 0",
    ),
)

DISCOUNTS = (
    Indicator(
        name="discounts_ended_{days}d",
        reason="price_increase",
        unit="count",
        direction="higher",
        null="never: 0 where no discount ended",
        told_by=("subscription_changes.kind=discount_end",),
        en="{value|discount|discounts} ended in the last {days} days",
        fr="{value|remise arrivée à son terme|remises arrivées à leur terme} ces {days} derniers jours",
        per_lookback=True,
    ),
)


def invoices(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Invoices that stand: charges against each other, those not paid in time, and credit notes."""
    table = view["invoices"]
    age, lapsed = view.days_since(table.issued_on), view.days_since(table.due_on)
    stands = table.voided_at.isnull()
    charge = (table.amount >= 0) & stands
    overdue = charge & (lapsed > 0) & table.paid_at.isnull() & table.written_off_at.isnull()
    columns: dict[str, ir.Value] = {
        "overdue_invoices": count(overdue),
        "overdue_amount": total(table.amount, overdue),
        "overdue_days": lapsed.max(where=overdue).fill_null(0),
    }
    for days in lookbacks.lookback_days:
        extraordinary = charge & table.extraordinary & within(age, days)
        columns |= {
            f"extraordinary_charges_{days}d": count(extraordinary),
            f"extraordinary_value_{days}d": total(table.amount, extraordinary),
            f"invoices_written_off_{days}d": count(within(view.days_since(table.written_off_on), days)),
            f"credit_notes_{days}d": count((table.amount < 0) & stands & within(age, days)),
        }
    counted = table.group_by("customer_id").agg(**columns)
    charges = table.filter(charge)
    joined = per_customer(cohort, counted, _against_usual(charges), _jumps(view, charges, lookbacks))
    spread = ibis.greatest(joined.invoice_spread * SPREAD, joined.usual_invoice * LEAST_SPREAD)
    return joined.mutate(
        last_invoice_over_usual=ratio(joined.last_invoice, joined.usual_invoice),
        last_invoice_deviation=ratio(joined.last_invoice - joined.usual_invoice, spread),
    )


def _against_usual(charges: ir.Table) -> ir.Table:
    """By customer: the newest charge, and the median of the earlier ones with their median distance from it."""
    ranked = from_newest(charges, "issued_at")
    last, earlier = ranked.filter(ranked.rank_from_newest == 0), ranked.filter(ranked.rank_from_newest > 0)
    earlier = earlier.select("customer_id", amount=real(earlier.amount))
    usual = earlier.group_by("customer_id").agg(usual_invoice=earlier.amount.median())
    beside = earlier.inner_join(usual, "customer_id")
    distance = (beside.amount - beside.usual_invoice).abs()
    spread = beside.group_by("customer_id").agg(invoice_spread=distance.median())
    return per_customer(last.select("customer_id", last_invoice=real(last.amount)), usual, spread)


def _jumps(view: AsOf, charges: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    in_order = ibis.window(group_by="customer_id", order_by=["issued_at", "known_at", "landed_order", "source_row"])
    pairs = charges.mutate(previous=charges.amount.lag().over(in_order), age=view.days_since(charges.issued_on))
    pairs = pairs.filter(pairs.previous > 0)
    jump = ratio(pairs.amount, pairs.previous)
    return pairs.group_by("customer_id").agg(
        **{f"largest_invoice_jump_{days}d": jump.max(where=within(pairs.age, days)) for days in lookbacks.lookback_days}
    )


def failed(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Attempts to take a payment that failed."""
    payments = view["payments"]
    age = view.days_since(payments.attempted_on)
    columns = {
        f"failed_payments_{days}d": count(~payments.succeeded & within(age, days)) for days in lookbacks.lookback_days
    }
    return per_customer(cohort, payments.group_by("customer_id").agg(**columns))


def prices(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:  # noqa: ARG001 - reaches back to the renewal
    """What the running subscriptions cost against what the same would cost at the prices of when their terms began.

    Seats and plans are those of today on both sides. Price changes from nothing or to nothing have no factor and count
    as none.
    """
    subscriptions = running(view)
    table = subscriptions.left_join(_price_factors(view, subscriptions), "subscription_id")
    now = real(table.mrr)
    table = table.select("customer_id", now=_exact(now), then=_exact(now / table.factor.fill_null(1.0)))
    both = table.group_by("customer_id").agg(now=table.now.sum(), then=table.then.sum())
    change = ratio(both.now - both.then, both.then)
    return per_customer(cohort, both.select("customer_id", price_increase_since_renewal=change))


def _price_factors(view: AsOf, subscriptions: ir.Table) -> ir.Table:
    """By subscription: what its price was multiplied by since its term began."""
    steps = changes(view, "price")
    steps = steps.filter(steps.mrr_before > 0, steps.mrr_after > 0)
    steps = steps.select("subscription_id", "changed_on", log=_log(steps.mrr_after) - _log(steps.mrr_before))
    steps = steps.inner_join(subscriptions.select("subscription_id", "term_started_on"), "subscription_id")
    steps = steps.filter(steps.changed_on >= steps.term_started_on)
    most = math.log(LARGEST_FACTOR)
    log = (real(steps.log.sum()) / LOG_UNITS).clip(-most, most)
    return steps.group_by("subscription_id").agg(factor=log.exp())


def _log(amount: ir.DecimalValue) -> ir.IntegerValue:
    return (real(amount).ln() * LOG_UNITS).round().cast("int64")


def _exact(amount: ir.FloatingValue) -> ir.DecimalValue:
    return amount.cast("decimal(38, 18)")


def discounts(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Discounts that ran out."""
    ended = changes(view, "discount_end")
    columns = {f"discounts_ended_{days}d": count(within(ended.age, days)) for days in lookbacks.lookback_days}
    return per_customer(cohort, ended.group_by("customer_id").agg(**columns))


FAMILY = Family(
    name="billing",
    reasons=REASONS,
    groups=(
        Group(needs=("invoices",), indicators=INVOICES, compute=invoices),
        Group(needs=("payments",), indicators=FAILED, compute=failed),
        Group(needs=("subscriptions", "subscription_changes"), indicators=PRICES, compute=prices),
        Group(needs=("subscription_changes",), indicators=DISCOUNTS, compute=discounts),
    ),
)
