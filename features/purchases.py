"""Purchases: how long ago, how often, how much, how regularly, and what was sent back."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir

from features.aggregates import before, count, exact_total, per_customer, ratio, real, total, within
from features.asof import AsOf
from features.catalog import Group, Indicator, Lookbacks
from features.orders import placed, purchases, reversals

REASONS = {
    "buying_rhythm": ("buying rhythm", "rythme d'achat"),
    "tenure": ("time as a customer", "ancienneté"),
    "order_count": ("number of orders", "nombre de commandes"),
    "order_value": ("value of orders", "valeur des commandes"),
    "order_count_trend": ("more or fewer orders than before", "plus ou moins de commandes qu'avant"),
    "order_value_trend": ("higher or lower order value than before", "valeur commandée en hausse ou en baisse"),
    "returns": ("refunds and cancellations", "remboursements et annulations"),
}

REVERSED = ("orders.cancelled_at|orders.refunded_at|orders.amount<0|order_lines.quantity<0",)

INDICATORS = (
    Indicator(
        name="days_since_last_order",
        reason="buying_rhythm",
        unit="days",
        direction="higher",
        null="no order is known",
        en="last order {value} ago",
        fr="dernière commande il y a {value}",
        en_null="no order so far",
        fr_null="aucune commande jusqu'ici",
        null_is_risk=True,
        silence_of="orders",
    ),
    Indicator(
        name="days_since_last_order_over_usual",
        reason="buying_rhythm",
        unit="ratio",
        direction="higher",
        null="fewer than two order days: no usual interval",
        en="no order for {days_since_last_order}, usually {median_days_between_orders} between orders",
        fr="aucune commande depuis {days_since_last_order}, contre {median_days_between_orders} d'habitude "
        "entre deux commandes",
        en_null="fewer than two days with orders so far",
        fr_null="moins de deux jours de commande jusqu'ici",
        neutral=1,
        silence_of="orders",
    ),
    Indicator(
        name="median_days_between_orders",
        reason="buying_rhythm",
        unit="days",
        direction="higher",
        null="fewer than two order days",
        en="usually {value} between orders",
        fr="d'habitude {value} entre deux commandes",
        en_null="fewer than two days with orders so far",
        fr_null="moins de deux jours de commande jusqu'ici",
    ),
    Indicator(
        name="spread_days_between_orders",
        reason="buying_rhythm",
        unit="days",
        direction="either",
        null="fewer than three order days",
        en="time between orders varies by {value}",
        fr="l'intervalle entre deux commandes varie de {value}",
        en_null="fewer than three days with orders so far",
        fr_null="moins de trois jours de commande jusqu'ici",
    ),
    Indicator(
        name="customer_age_days",
        reason="tenure",
        unit="days",
        direction="either",
        null="no order is known",
        en="customer for {value}",
        fr="client depuis {value}",
        en_null="no order so far",
        fr_null="aucune commande jusqu'ici",
    ),
    Indicator(
        name="days_first_to_last_order",
        reason="tenure",
        unit="days",
        direction="lower",
        null="no order is known",
        en="{value} between first and last order",
        fr="{value} entre la première et la dernière commande",
        en_null="no order so far",
        fr_null="aucune commande jusqu'ici",
    ),
    Indicator(
        name="repeat_order_days",
        reason="order_count",
        unit="count",
        direction="lower",
        null="no order is known",
        en="came back to order on {value|other day|other days}",
        fr="{value|autre jour|autres jours} de commande après le premier",
        en_null="no order so far",
        fr_null="aucune commande jusqu'ici",
        null_is_risk=True,
    ),
    Indicator(
        name="order_value_ever",
        reason="order_value",
        unit="money",
        direction="lower",
        null="no order is known",
        en="orders worth {value} since the first",
        fr="{value} de commandes depuis la première",
        en_null="no order so far",
        fr_null="aucune commande jusqu'ici",
        null_is_risk=True,
    ),
    Indicator(
        name="last_order_value",
        reason="order_value",
        unit="money",
        direction="either",
        null="no order is known",
        en="last order worth {value}",
        fr="dernière commande de {value}",
        en_null="no order so far",
        fr_null="aucune commande jusqu'ici",
    ),
    Indicator(
        name="orders_{days}d",
        reason="order_count",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was ordered",
        en="{value|order|orders} in the last {days} days",
        fr="{value|commande|commandes} ces {days} derniers jours",
        per_lookback=True,
        silence_of="orders",
    ),
    Indicator(
        name="order_days_{days}d",
        reason="order_count",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was ordered",
        en="{value|day|days} with orders in the last {days} days",
        fr="{value|jour|jours} avec commande ces {days} derniers jours",
        per_lookback=True,
        silence_of="orders",
    ),
    Indicator(
        name="order_value_{days}d",
        reason="order_value",
        unit="money",
        direction="lower",
        null="never: 0 where nothing was ordered",
        en="orders worth {value} in the last {days} days",
        fr="{value} de commandes ces {days} derniers jours",
        per_lookback=True,
        silence_of="orders",
    ),
    Indicator(
        name="average_order_value_{days}d",
        reason="order_value",
        unit="money",
        direction="lower",
        null="no order in the lookback",
        en="{value} an order in the last {days} days",
        fr="{value} par commande ces {days} derniers jours",
        en_null="no order in the last {days} days",
        fr_null="aucune commande ces {days} derniers jours",
        per_lookback=True,
        null_is_risk=True,
        silence_of="orders",
    ),
    Indicator(
        name="orders_change_{days}d",
        reason="order_count_trend",
        unit="change",
        direction="lower",
        null="never: 0 where nothing changed",
        en="{value|order|orders} than in the {days} days before",
        fr="{value|commande|commandes} que pendant les {days} jours précédents",
        per_lookback=True,
    ),
    Indicator(
        name="order_value_change_{days}d",
        reason="order_value_trend",
        unit="money_change",
        direction="lower",
        null="never: 0 where nothing changed",
        en="orders worth {value} than in the {days} days before",
        fr="commandes pour {value} que pendant les {days} jours précédents",
        per_lookback=True,
    ),
    Indicator(
        name="reversals_{days}d",
        reason="returns",
        unit="count",
        direction="higher",
        null="never: 0 where nothing was sent back",
        told_by=REVERSED,
        en="{value|refund or cancellation|refunds or cancellations} in the last {days} days",
        fr="{value|remboursement ou annulation|remboursements ou annulations} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="reversed_value_{days}d",
        reason="returns",
        unit="money",
        direction="higher",
        null="never: 0 where nothing was sent back",
        told_by=REVERSED,
        en="{value} refunded or cancelled in the last {days} days",
        fr="{value} de remboursements ou d'annulations ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="reversed_share_{days}d",
        reason="returns",
        unit="share",
        direction="higher",
        null="nothing of value ordered in the lookback",
        told_by=REVERSED,
        en="refunded or cancelled in the last {days} days: {value} of the value ordered",
        fr="remboursé ou annulé ces {days} derniers jours : {value} de la valeur commandée",
        en_null="nothing of value ordered in the last {days} days",
        fr_null="aucune commande payante ces {days} derniers jours",
        per_lookback=True,
    ),
)


def compute(view: AsOf, cohort: ir.Table, spans: Lookbacks) -> ir.Table:
    """Every indicator above. Days are whole local calendar days.

    A share reversed is above 1 where more was given back in the lookback than ordered in it.
    """
    lookbacks = spans.lookback_days
    parts = _bought(view, lookbacks), _rhythm(view), _newest(view), _placed(view, lookbacks), _reversed(view, lookbacks)
    joined = per_customer(cohort, *parts)
    columns: dict[str, ir.Value] = {
        "days_since_last_order_over_usual": ratio(joined.days_since_last_order, joined.median_days_between_orders)
    }
    for days in lookbacks:
        columns[f"reversed_share_{days}d"] = ratio(
            joined[f"reversed_value_{days}d"].fill_null(0.0), joined[f"placed_value_{days}d"]
        )
    return joined.mutate(**columns)


def _bought(view: AsOf, lookback_days: Sequence[int]) -> ir.Table:
    orders = purchases(view)
    age = view.days_since(orders.ordered_on)
    first, last = age.max(), age.min()
    columns: dict[str, ir.Value] = {
        "days_since_last_order": last,
        "customer_age_days": first,
        "days_first_to_last_order": first - last,
        "repeat_order_days": orders.ordered_on.nunique() - 1,
        "order_value_ever": real(orders.amount.sum()),
    }
    for days in lookback_days:
        recent, earlier = within(age, days), before(age, days)
        number, value = count(recent), total(orders.amount, recent)
        columns |= {
            f"orders_{days}d": number,
            f"order_days_{days}d": orders.ordered_on.nunique(where=recent),
            f"order_value_{days}d": value,
            f"average_order_value_{days}d": ratio(value, number),
            f"orders_change_{days}d": number - count(earlier),
            f"order_value_change_{days}d": real(
                exact_total(orders.amount, recent) - exact_total(orders.amount, earlier)
            ),
        }
    return orders.group_by("customer_id").agg(**columns)


def _rhythm(view: AsOf) -> ir.Table:
    orders = purchases(view)
    days = orders.select("customer_id", "ordered_on").distinct()
    previous = days.ordered_on.lag().over(group_by="customer_id", order_by="ordered_on")
    days = days.mutate(interval=days.ordered_on.delta(previous, unit="day"))
    number = real(days.interval.count())
    # Sums of whole numbers are exact in float64, so this spread does not depend on the order of rows.
    mean = ratio(days.interval.sum(), number)
    mean_of_squares = ratio((days.interval * days.interval).sum(), number)
    variance = (mean_of_squares - mean * mean) * number / (number - 1).nullif(0)
    return days.group_by("customer_id").agg(
        median_days_between_orders=real(days.interval.median()),
        spread_days_between_orders=(variance < 0).ifelse(0.0, variance).sqrt(),
    )


def _newest(view: AsOf) -> ir.Table:
    """By customer: the value of what was ordered last; orders of one moment cannot be told apart, and are one."""
    orders = purchases(view)
    moments = orders.group_by("customer_id", "ordered_at").agg(value=orders.amount.sum())
    return moments.group_by("customer_id").agg(last_order_value=real(moments.value.argmax(moments.ordered_at)))


def _placed(view: AsOf, lookback_days: Sequence[int]) -> ir.Table:
    """What reversals are held against: the value of all orders, of those cancelled since as well."""
    orders = placed(view)
    age = view.days_since(orders.ordered_on)
    return orders.group_by("customer_id").agg(
        **{f"placed_value_{days}d": total(orders.amount, within(age, days)) for days in lookback_days}
    )


def _reversed(view: AsOf, lookback_days: Sequence[int]) -> ir.Table:
    back = reversals(view)
    age = view.days_since(back.reversed_on)
    columns: dict[str, ir.Value] = {}
    for days in lookback_days:
        columns[f"reversals_{days}d"] = count(within(age, days))
        columns[f"reversed_value_{days}d"] = total(back.value, within(age, days))
    return back.group_by("customer_id").agg(**columns)


GROUP = Group(needs=("orders|order_lines",), indicators=INDICATORS, compute=compute)
