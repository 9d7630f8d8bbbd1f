"""Payment: cards that expire, and attempts that fail. It makes customers leave who did not want to."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, flag, from_newest, newest, per_customer, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks

REASONS = {
    "card_expiry": ("expiry of the card", "expiration de la carte"),
    "backup_payment": ("second payment method", "second moyen de paiement"),
    "payment_failures": ("payments that keep failing", "échecs de paiement répétés"),
}

METHODS = (
    Indicator(
        name="days_until_card_expires",
        reason="card_expiry",
        unit="days",
        direction="lower",
        null="no method that pays is known, or it does not expire",
        told_by=("payment_methods.expires_at",),
        en="the card is valid for {value} more",
        fr="carte encore valable {value}",
        en_null="no card in use that expires",
        fr_null="aucune carte utilisée qui expire",
    ),
    Indicator(
        name="card_expired",
        reason="card_expiry",
        unit="flag",
        direction="higher",
        null="no method that pays is known",
        told_by=("payment_methods.expires_at",),
        en="the card has expired",
        fr="la carte a expiré",
        en_no="the payment method has not expired",
        fr_no="le moyen de paiement n'a pas expiré",
        en_null="the payment method in use is not known",
        fr_null="le moyen de paiement utilisé n'est pas connu",
    ),
    Indicator(
        name="card_expires_before_horizon",
        reason="card_expiry",
        unit="flag",
        direction="higher",
        null="no method that pays is known",
        told_by=("payment_methods.expires_at",),
        en="the card is valid for only {days_until_card_expires} more",
        fr="la carte n'est plus valable que {days_until_card_expires}",
        en_no="the payment method stays valid",
        fr_no="le moyen de paiement reste valable",
        en_null="the payment method in use is not known",
        fr_null="le moyen de paiement utilisé n'est pas connu",
    ),
    Indicator(
        name="backup_payment_method",
        reason="backup_payment",
        unit="flag",
        direction="lower",
        null="no method that pays is known",
        en="a second payment method is there",
        fr="un second moyen de paiement est enregistré",
        en_no="no second payment method",
        fr_no="pas de second moyen de paiement",
        en_null="the payment method in use is not known",
        fr_null="le moyen de paiement utilisé n'est pas connu",
    ),
)

ATTEMPTS = (
    Indicator(
        name="payment_failure_streak",
        reason="payment_failures",
        unit="count",
        direction="higher",
        null="never: 0 where the last attempt succeeded, or there was none",
        told_by=("payments.succeeded=false",),
        en="{value|failed payment|failed payments} without a successful one since",
        fr="{value|paiement échoué|paiements échoués} sans paiement réussi depuis",
    ),
    Indicator(
        name="hard_failures_{days}d",
        reason="payment_failures",
        unit="count",
        direction="higher",
        null="never: 0 where none failed for good",
        told_by=("payments.succeeded=false", "payments.failure_kind"),
        en="{value|payment|payments} failed for good in the last {days} days",
        fr="{value|paiement refusé|paiements refusés} définitivement ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="soft_failures_{days}d",
        reason="payment_failures",
        unit="count",
        direction="higher",
        null="never: 0 where none failed for now",
        told_by=("payments.succeeded=false", "payments.failure_kind"),
        en="{value|payment|payments} failed temporarily in the last {days} days",
        fr="{value|paiement refusé|paiements refusés} provisoirement ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="last_failure_hard",
        reason="payment_failures",
        unit="flag",
        direction="higher",
        null="no payment failed, or its kind is not recorded",
        told_by=("payments.succeeded=false", "payments.failure_kind"),
        en="the last failed payment cannot succeed by trying again",
        fr="le dernier paiement échoué ne peut aboutir, même s'il est retenté",
        en_no="the last failed payment may succeed when tried again",
        fr_no="le dernier paiement échoué peut aboutir s'il est retenté",
        en_null="no failed payment of a known kind",
        fr_null="aucun échec de paiement de nature connue",
    ),
    Indicator(
        name="payment_retries_running",
        reason="payment_failures",
        unit="flag",
        direction="higher",
        null="never: 0 where nothing is to be tried again",
        told_by=("payments.succeeded=false", "payments.retry_at"),
        en="a failed payment is being tried again",
        fr="un paiement échoué est en train d'être retenté",
        en_no="no failed payment is waiting to be tried again",
        fr_no="aucun paiement échoué n'attend d'être retenté",
    ),
    Indicator(
        name="days_since_failed_payment",
        reason="payment_failures",
        unit="days",
        direction="lower",
        null="no payment ever failed",
        en="a payment failed {value} ago",
        fr="un paiement a échoué il y a {value}",
        en_null="no payment ever failed",
        fr_null="aucun paiement n'a jamais échoué",
    ),
)


def methods(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """The method that pays, and whether another stands behind it.

    One that has expired is valid for 0 days more, and not valid until the horizon ends either.
    """
    table = view["payment_methods"]
    table = table.filter(table.removed_at.isnull())
    default = newest(table.filter(ibis.coalesce(table.is_default, True)), "added_at")
    chosen = default.select("customer_id", default_id="method_id")
    others = table.inner_join(chosen, "customer_id")
    others = others.filter(others.method_id != others.default_id)
    valid = others.expires_on.isnull() | (view.days_since(others.expires_on) < 0)
    backups = others.group_by("customer_id").agg(backups=count(valid))
    left = 0 - view.days_since(default.expires_on)
    default = default.select(
        "customer_id",
        days_until_card_expires=(left < 0).ifelse(0, left),
        card_expired=flag(left < 0),
        card_expires_before_horizon=flag(left < lookbacks.horizon_days),
    )
    joined = per_customer(cohort, default, backups)
    known = joined.card_expires_before_horizon.notnull()
    return joined.mutate(backup_payment_method=known.ifelse(flag(joined.backups > 0), ibis.null("int64")))


def attempts(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Attempts that failed, in all and since the last that succeeded."""
    payments = view["payments"]
    failed, age = ~payments.succeeded, view.days_since(payments.attempted_on)
    columns: dict[str, ir.Value] = {"days_since_failed_payment": age.min(where=failed)}
    for days in lookbacks.lookback_days:
        for kind in ("hard", "soft"):
            columns[f"{kind}_failures_{days}d"] = count(failed & (payments.failure_kind == kind) & within(age, days))
    counted = payments.group_by("customer_id").agg(**columns)
    last_failed = newest(payments.filter(failed), "attempted_at")
    hard = last_failed.failure_kind.notnull().ifelse(flag(last_failed.failure_kind == "hard"), ibis.null("int64"))
    last_failed = last_failed.select("customer_id", last_failure_hard=hard)
    return per_customer(cohort, counted, _streak(payments), _retries(view, payments), last_failed)


def _retries(view: AsOf, payments: ir.Table) -> ir.Table:
    """Whether the last attempt for any invoice failed and is to be tried again.

    Attempts of which no invoice is recorded are taken as of one and the same.
    """
    last = newest(payments, "attempted_at", by=["customer_id", "invoice_id"])
    planned = flag(~last.succeeded & (view.days_since(last.retry_on) <= 0))
    return last.group_by("customer_id").agg(payment_retries_running=planned.max())


def _streak(payments: ir.Table) -> ir.Table:
    """Failures after the last success, by the same order that `newest` takes."""
    ranked = from_newest(payments, "attempted_at")
    success = ranked.group_by("customer_id").agg(
        first_success=ranked.rank_from_newest.min(where=ranked.succeeded), attempts=ranked.count()
    )
    # Counted from the newest: as many failed before the first success as its rank says; without one, all did.
    streak = success.first_success.fill_null(success.attempts)
    return success.select("customer_id", payment_failure_streak=streak.cast("int64"))


FAMILY = Family(
    name="payment",
    reasons=REASONS,
    groups=(
        Group(needs=("payment_methods",), indicators=METHODS, compute=methods),
        Group(needs=("payments",), indicators=ATTEMPTS, compute=attempts),
    ),
)
