"""Usage: how much of the product is used, how widely, and whether it works."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, per_customer, ratio, real
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks
from features.subscriptions import running
from features.windows import Measure, Windows

REASONS = {
    "usage_recency": ("time since the last use", "temps depuis la dernière utilisation"),
    "usage_amount": ("amount of use", "niveau d'utilisation"),
    "usage_trend": ("more or less use than before", "utilisation en hausse ou en baisse"),
    "usage_breadth": ("variety of use", "diversité d'utilisation"),
    "usage_errors": ("errors in use", "erreurs à l'utilisation"),
    "onboarding": ("introduction to the product", "prise en main du produit"),
}

USED = Windows(
    "usage",
    (
        Measure(name="last_used_on", of="last_day"),
        Measure(name="days", of="days", before=True),
        Measure(name="events", of="rows"),
        Measure(name="quantity", of="sum", column="quantity", empty=1, before=True),
        Measure(name="failed", of="rows", column="errors"),
    ),
)
FEATURES_USED = Windows("usage", (Measure(name="features_used", of="values", column="feature"),))
SEATS_USED = Windows("usage", (Measure(name="people", of="values", column="seat_id"),))

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


def amounts(view: AsOf, used: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """How much was used. A quantity not given is 1, errors not given are none."""
    columns: dict[str, ir.Value] = {"days_since_last_use": view.days_since(used.last_used_on)}
    for span in (f"{days}d" for days in lookbacks.lookback_days):
        days, events, quantity = used[f"days_{span}"], used[f"events_{span}"], used[f"quantity_{span}"]
        columns |= {
            f"usage_days_{span}": days,
            f"usage_days_change_{span}": days - used[f"days_{span}_before"],
            f"usage_events_{span}": events,
            f"usage_quantity_{span}": real(quantity),
            f"usage_quantity_change_{span}": real(quantity - used[f"quantity_{span}_before"]),
            f"usage_error_rate_{span}": ratio(used[f"failed_{span}"], events),
        }
    return used.mutate(**columns)


def breadth(view: AsOf, used: ir.Table, lookbacks: Lookbacks) -> ir.Table:  # noqa: ARG001 - the measures themselves
    """Distinct features of each lookback."""
    return used


def seats(view: AsOf, used: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """People of the customer's who used the product, over the seats that run."""
    subscriptions = running(view)
    paid = subscriptions.group_by("customer_id").agg(seats=subscriptions.seats.sum())
    joined = per_customer(used, paid)
    return joined.mutate(
        **{
            f"seats_used_share_{days}d": ratio(joined[f"people_{days}d"], joined.seats)
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


FAMILY = Family(
    name="usage",
    reasons=REASONS,
    groups=(
        Group(needs=("usage",), indicators=AMOUNTS, compute=amounts, windows=USED),
        Group(needs=("usage",), indicators=BREADTH, compute=breadth, windows=FEATURES_USED),
        Group(needs=("usage", "subscriptions"), indicators=SEATS, compute=seats, windows=SEATS_USED),
        Group(needs=("onboarding_steps",), indicators=ONBOARDING, compute=onboarding),
    ),
)
