"""Market: what competitors ask for the equivalent of what a customer uses, and what they bring out."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, newest, per_customer, ratio, real, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks
from features.offers import item, used

REASONS = {
    "competitor_price": ("price against competitors", "prix face à la concurrence"),
    "competitor_cut": ("competitors getting cheaper", "baisse de prix des concurrents"),
    "competitor_news": ("new at competitors", "nouveautés des concurrents"),
}

INDICATORS = (
    Indicator(
        name="price_over_competitors",
        reason="competitor_price",
        unit="share",
        direction="higher",
        null="no equivalent of what the customer uses is known",
        told_by=("competitor_prices.product_id|competitor_prices.plan",),
        en="pays {value} of the cheapest competitor's price",
        fr="paie {value} du prix du concurrent le moins cher",
        en_null="no competitor's price to compare with",
        fr_null="aucun prix concurrent pour comparer",
        neutral=1,
    ),
    Indicator(
        name="competitor_cut_{days}d",
        reason="competitor_cut",
        unit="share",
        direction="higher",
        null="no equivalent was priced before the lookback",
        told_by=("competitor_prices.product_id|competitor_prices.plan",),
        en="a competitor became cheaper by {value} in the last {days} days",
        fr="un concurrent a baissé ses prix de {value} ces {days} derniers jours",
        en_null="no earlier competitor's price to compare with",
        fr_null="aucun prix concurrent antérieur pour comparer",
        per_lookback=True,
    ),
    Indicator(
        name="new_competitor_items_{days}d",
        reason="competitor_news",
        unit="count",
        direction="higher",
        null="never: 0 where competitors brought out nothing equivalent",
        told_by=("competitor_prices.product_id|competitor_prices.plan",),
        en="{value|new equivalent|new equivalents} at competitors in the last {days} days",
        fr="{value|nouvelle offre équivalente|nouvelles offres équivalentes} des concurrents ces {days} derniers jours",
        per_lookback=True,
    ),
)


def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Every indicator above: first per competitor's item, then per customer who uses its equivalent."""
    uses, prices = used(view), _observed(view)
    now = _by_item(newest(prices, "observed_at", by=["competitor", "competitor_item", "item"]))
    cheapest = now.group_by("item").agg(cheapest=now.price.min())
    compared = uses.inner_join(cheapest, "item")
    # Summed in millionths, so that the mean does not depend on the order of rows.
    over = (ratio(compared.own_price, compared.cheapest) * 1e6).round().cast("int64")
    dearer = compared.group_by("customer_id").agg(price_over_competitors=ratio(real(over.sum()) / 1e6, over.count()))
    parts = [dearer, _news(view, prices, uses, lookbacks)]
    parts += [_cut(view, prices, now, uses, days) for days in lookbacks.lookback_days]
    return per_customer(cohort, *parts)


def _observed(view: AsOf) -> ir.Table:
    """Prices of items that are equivalent to something, with the key of that something."""
    prices = view["competitor_prices"]
    key = ibis.coalesce(item(prices.product_id, "product"), item(prices.plan, "plan"))
    prices = prices.mutate(item=key, age=view.days_since(prices.observed_on))
    return prices.filter(prices["item"].notnull())


def _by_item(prices: ir.Table) -> ir.Table:
    return prices.select("competitor", "competitor_item", "item", "price")


def _cut(view: AsOf, prices: ir.Table, now: ir.Table, uses: ir.Table, days: int) -> ir.Table:  # noqa: ARG001 - one shape
    """The greatest fall of an equivalent's price since the lookback began."""
    keys = ["competitor", "competitor_item", "item"]
    old = _by_item(newest(prices.filter(prices.age > days), "observed_at", by=keys)).rename(old_price="price")
    both = now.inner_join(old, keys)
    both = both.filter(both.old_price > 0)
    cuts = both.select("item", cut=ibis.greatest(1.0 - ratio(both.price, both.old_price), 0.0))
    largest = cuts.group_by("item").agg(cut=cuts.cut.max())
    mine = uses.inner_join(largest, "item")
    return mine.group_by("customer_id").agg(**{f"competitor_cut_{days}d": mine.cut.max()})


def _news(view: AsOf, prices: ir.Table, uses: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Equivalents first seen lately at competitors that were watched before: otherwise all would be new at first."""
    everything = view["competitor_prices"]
    watched = everything.group_by("competitor").agg(watched=view.days_since(everything.observed_on).max())
    first = prices.group_by("competitor", "competitor_item", "item").agg(age=prices.age.max())
    mine = uses.select("customer_id", "item").inner_join(first, "item")
    mine = mine.group_by("customer_id", "competitor", "competitor_item").agg(age=mine.age.max())
    mine = mine.inner_join(watched, "competitor")
    columns = {
        f"new_competitor_items_{days}d": count(within(mine.age, days) & (mine.watched > days))
        for days in lookbacks.lookback_days
    }
    return mine.group_by("customer_id").agg(**columns)


FAMILY = Family(
    name="market",
    reasons=REASONS,
    groups=(Group(needs=("competitor_prices", "order_lines|subscriptions"), indicators=INDICATORS, compute=compute),),
)
