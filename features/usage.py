"""Usage: how much of the product is used, how widely, and whether it works."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import before, count, per_customer, ratio, real, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks
from features.subscriptions import running

REASONS = {
    "usage_recency": ("time since the last use", "temps depuis la dernière utilisation"),
    "usage_amount": ("amount of use", "niveau d'utilisation"),
    "usage_trend": ("more or less use than before", "utilisation en hausse ou en baisse"),
    "usage_breadth": ("variety of use", "diversité d'utilisation"),
    "usage_errors": ("errors in use", "erreurs à l'utilisation"),
    "onboarding": ("introduction to the product", "prise en main du produit"),
}

AMOUNTS = (
    Indicator(
        name="days_since_last_use",
        reason="usage_recency",
        unit="days",
        direction="higher",
        null="never used",
        en="last used {value} ago",
        fr="dernière utilisation il y a {value}",
        en_null="never used so far",
        fr_null="jamais utilisé jusqu'ici",
        null_is_risk=True,
        silence_of="uses",
    ),
    Indicator(
        name="usage_days_{days}d",
        reason="usage_amount",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was used",
        en="used on {value|day|days} of the last {days}",
        fr="utilisé {value|jour|jours} sur les {days} derniers",
        per_lookback=True,
        silence_of="uses",
    ),
    Indicator(
        name="usage_events_{days}d",
        reason="usage_amount",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was used",
        en="{value|use|uses} in the last {days} days",
        fr="{value|utilisation|utilisations} ces {days} derniers jours",
        per_lookback=True,
        silence_of="uses",
    ),
    Indicator(
        name="usage_quantity_{days}d",
        reason="usage_amount",
        unit="quantity",
        direction="lower",
        null="never: 0 where nothing was used",
        en="{value|unit|units} used in the last {days} days",
        fr="{value|unité utilisée|unités utilisées} ces {days} derniers jours",
        per_lookback=True,
        silence_of="uses",
    ),
    Indicator(
        name="usage_days_change_{days}d",
        reason="usage_trend",
        unit="change",
        direction="lower",
        null="never: 0 where nothing changed",
        en="{value|day of use|days of use} than in the {days} days before",
        fr="{value|jour d'utilisation|jours d'utilisation} que pendant les {days} jours précédents",
        per_lookback=True,
    ),
    Indicator(
        name="usage_quantity_change_{days}d",
        reason="usage_trend",
        unit="change",
        direction="lower",
        null="never: 0 where nothing changed",
        en="{value|unit|units} used than in the {days} days before",
        fr="{value|unité utilisée|unités utilisées} que pendant les {days} jours précédents",
        per_lookback=True,
    ),
    Indicator(
        name="usage_error_rate_{days}d",
        reason="usage_errors",
        unit="share",
        direction="higher",
        null="no use in the lookback",
        told_by=("usage.errors",),
        en="errors in {value} of the uses of the last {days} days",
        fr="erreurs dans {value} des utilisations de ces {days} derniers jours",
        en_null="no use in the last {days} days",
        fr_null="aucune utilisation ces {days} derniers jours",
        per_lookback=True,
    ),
)

BREADTH = (
    Indicator(
        name="features_used_{days}d",
        reason="usage_breadth",
        unit="count",
        direction="lower",
        null="never: 0 where no feature was used",
        told_by=("usage.feature",),
        en="{value|feature|features} used in the last {days} days",
        fr="{value|fonction utilisée|fonctions utilisées} ces {days} derniers jours",
        per_lookback=True,
        silence_of="uses",
    ),
)

SEATS = (
    Indicator(
        name="seats_used_share_{days}d",
        reason="usage_breadth",
        unit="share",
        direction="lower",
        null="no seats are paid for",
        told_by=("usage.seat_id",),
        en="{value} of the seats paid for were used in the last {days} days",
        fr="{value} des places payées ont été utilisées ces {days} derniers jours",
        en_null="no seats are paid for",
        fr_null="aucune place payée",
        per_lookback=True,
        silence_of="uses",
    ),
)

ONBOARDING = (
    Indicator(
        name="onboarding_done_share",
        reason="onboarding",
        unit="share",
        direction="lower",
        null="no introduction",
        told_by=("onboarding_steps.completed_at",),
        en="{value} of the introduction done",
        fr="prise en main effectuée à {value}",
        en_null="no introduction was offered",
        fr_null="aucune prise en main proposée",
        null_is_risk=True,
    ),
    Indicator(
        name="days_to_first_value",
        reason="onboarding",
        unit="days",
        direction="higher",
        null="not reached so far, or no introduction",
        told_by=("onboarding_steps.completed_at", "onboarding_steps.first_value"),
        en="{value} until the product first proved its worth",
        fr="{value} avant que le produit ne fasse ses preuves",
        en_null="the product has not proved its worth yet",
        fr_null="le produit n'a pas encore fait ses preuves",
        null_is_risk=True,
    ),
)


def amounts(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """How much was used, by way of days of use. A quantity not given is 1, errors not given are none."""
    usage = view["usage"]
    last = usage.group_by("customer_id").agg(last_used_on=usage.used_on.max())
    last = last.select("customer_id", days_since_last_use=view.days_since(last.last_used_on))
    # What is older than the longest lookback and the span before it is not added up: most of a long history.
    newer = usage.filter(usage.used_on >= view.days_before(2 * lookbacks.lookback_days[-1]))
    days_used = newer.group_by("customer_id", "used_on").agg(
        events=newer.count(),
        quantity=newer.quantity.fill_null(1).sum(),
        failed=count(newer.errors > 0),
    )
    age = view.days_since(days_used.used_on)
    columns: dict[str, ir.Value] = {}
    for days in lookbacks.lookback_days:
        recent, earlier = within(age, days), before(age, days)
        events, failed = (_whole(days_used[name], recent) for name in ("events", "failed"))
        quantity, quantity_before = (_whole(days_used.quantity, span) for span in (recent, earlier))
        columns |= {
            f"usage_days_{days}d": count(recent),
            f"usage_days_change_{days}d": count(recent) - count(earlier),
            f"usage_events_{days}d": events.cast("int64"),
            f"usage_quantity_{days}d": real(quantity),
            f"usage_quantity_change_{days}d": real(quantity - quantity_before),
            f"usage_error_rate_{days}d": ratio(failed, events),
        }
    return per_customer(cohort, last, days_used.group_by("customer_id").agg(**columns))


def breadth(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Distinct features of each lookback: those whose last use lies in it."""
    last_used = _last_used(view, "feature", lookbacks)
    columns = {f"features_used_{days}d": count(within(last_used.age, days)) for days in lookbacks.lookback_days}
    return per_customer(cohort, last_used.group_by("customer_id").agg(**columns))


def _last_used(view: AsOf, what: str, lookbacks: Lookbacks) -> ir.Table:
    """The age of the last use of each feature or seat, of those used within the longest lookback."""
    usage = view["usage"]
    named = usage.filter(usage[what].notnull(), usage.used_on >= view.days_before(lookbacks.lookback_days[-1]))
    last = named.group_by("customer_id", what).agg(used_on=named.used_on.max())
    return last.mutate(age=view.days_since(last.used_on))


def seats(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """People of the customer's who used the product, over the seats that run."""
    subscriptions, last_used = running(view), _last_used(view, "seat_id", lookbacks)
    paid = subscriptions.group_by("customer_id").agg(seats=subscriptions.seats.sum())
    used = last_used.group_by("customer_id").agg(
        **{f"used_{days}": count(within(last_used.age, days)) for days in lookbacks.lookback_days}
    )
    joined = per_customer(cohort, paid, used)
    return joined.mutate(
        **{
            f"seats_used_share_{days}d": ratio(joined[f"used_{days}"].fill_null(0), joined.seats)
            for days in lookbacks.lookback_days
        }
    )


def onboarding(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:  # noqa: ARG001 - since the beginning
    """Steps of the introduction, and when the product first proved its worth."""
    steps = view["onboarding_steps"]
    proved = steps.completed_on.min(where=ibis.coalesce(steps.first_value, False))
    return per_customer(
        cohort,
        steps.group_by("customer_id").agg(
            onboarding_done_share=ratio(count(steps.completed_on.notnull()), steps.count()),
            days_to_first_value=proved.delta(steps.assigned_on.min(), unit="day"),
        ),
    )


def _whole(column: ir.NumericColumn, where: ir.BooleanColumn) -> ir.NumericScalar:
    return column.sum(where=where).fill_null(0)


FAMILY = Family(
    name="usage",
    reasons=REASONS,
    groups=(
        Group(needs=("usage",), indicators=AMOUNTS, compute=amounts),
        Group(needs=("usage",), indicators=BREADTH, compute=breadth),
        Group(needs=("usage", "subscriptions"), indicators=SEATS, compute=seats),
        Group(needs=("onboarding_steps",), indicators=ONBOARDING, compute=onboarding),
    ),
)
