"""Quality: how often what a customer uses is sent back by anybody, or breaks down."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import before, count, hours_between, per_customer, ratio, real, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks
from features.offers import item, products_used, used

REASONS = {
    "product_quality": ("quality of the products used", "qualité des produits utilisés"),
    "incidents": ("incidents with what is used", "incidents sur ce qui est utilisé"),
}

RETURNS = (
    Indicator(
        name="product_return_rate_{days}d",
        reason="product_quality",
        unit="share",
        direction="higher",
        null="nobody ordered a product in the lookback that the customer uses",
        told_by=("order_lines.product_id", "order_lines.returned_at"),
        en="{value} of all order lines of the last {days} days for the customer's products were sent back",
        fr="produits du client : {value} de toutes les lignes de commande de ces {days} derniers jours ont été "
        "retournées",
        en_null="no order of a product that the customer uses in the last {days} days",
        fr_null="aucune commande d'un produit que le client utilise ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="product_return_rate_change_{days}d",
        reason="product_quality",
        unit="share_change",
        direction="higher",
        null="nobody ordered a product in the lookback that the customer uses, or nobody did in the equal span before",
        told_by=("order_lines.product_id", "order_lines.returned_at"),
        en="share of all order lines for the customer's products that were sent back: {value} against the {days} days "
        "before",
        fr="produits du client : part de toutes les lignes de commande retournées, {value} par rapport aux {days} "
        "jours précédents",
        en_null="no orders of the customer's products to compare with the {days} days before",
        fr_null="pas de commandes des produits du client à comparer aux {days} jours précédents",
        per_lookback=True,
    ),
)

INCIDENTS = (
    Indicator(
        name="incidents_{days}d",
        reason="incidents",
        unit="count",
        direction="higher",
        null="never: 0 where nothing happened",
        en="{value|incident|incidents} with what the customer uses in the last {days} days",
        fr="{value|incident|incidents} sur ce que le client utilise ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="incidents_change_{days}d",
        reason="incidents",
        unit="change",
        direction="higher",
        null="never: 0 where nothing changed",
        en="{value|incident|incidents} with what the customer uses than in the {days} days before",
        fr="{value|incident|incidents} sur ce que le client utilise que pendant les {days} jours précédents",
        per_lookback=True,
    ),
    Indicator(
        name="incident_hours_{days}d",
        reason="incidents",
        unit="hours",
        direction="higher",
        null="never: 0 where nothing happened, or nothing is over yet",
        told_by=("incidents.ended_at",),
        en="{value} of incidents with what the customer uses in the last {days} days",
        fr="{value} d'incidents sur ce que le client utilise ces {days} derniers jours",
        per_lookback=True,
    ),
)


def returns(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Order lines of everybody for the products that a customer uses, each one line however many pieces it holds."""
    lines = view["order_lines"]
    lines = lines.filter(lines.quantity > 0, lines.product_id.notnull())
    age, returned = view.days_since(lines.ordered_on), lines.returned_on.notnull()
    counts: dict[str, ir.Value] = {}
    for days in lookbacks.lookback_days:
        for span, where in (("in", within(age, days)), ("before", before(age, days))):
            counts[f"lines_{span}_{days}"] = count(where)
            counts[f"returned_{span}_{days}"] = count(where & returned)
    products = lines.group_by("product_id").agg(**counts)
    mine = products_used(view).inner_join(products, "product_id")
    summed = mine.group_by("customer_id").agg(**{name: mine[name].sum().cast("int64") for name in counts})
    columns: dict[str, ir.Value] = {}
    for days in lookbacks.lookback_days:
        rate, earlier = (
            ratio(summed[f"returned_{span}_{days}"], summed[f"lines_{span}_{days}"]) for span in ("in", "before")
        )
        columns[f"product_return_rate_{days}d"] = rate
        columns[f"product_return_rate_change_{days}d"] = rate - earlier
    return per_customer(cohort, summed.select("customer_id", **columns))


def incidents(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Incidents of products and plans that a customer uses; one that names neither touches everybody."""
    table = view["incidents"]
    seconds = (hours_between(table.started_at, table.ended_at) * 3600.0).round().cast("int64")
    table = table.select(
        "incident_id",
        "product_id",
        "plan",
        age=view.days_since(table.started_on),
        seconds=ibis.greatest(seconds.fill_null(0), 0),
    )
    columns = ("incident_id", "age", "seconds")
    uses = used(view).select("customer_id", "item")
    named = [
        table.filter(table[name].notnull()).mutate(item=item(table[name], kind)).select("item", *columns)
        for name, kind in (("product_id", "product"), ("plan", "plan"))
    ]
    touched = uses.inner_join(ibis.union(*named), "item").select("customer_id", *columns)
    general = table.filter(table.product_id.isnull(), table.plan.isnull()).select(*columns)
    everybody = cohort.cross_join(general).select("customer_id", *columns)
    mine = ibis.union(touched, everybody).distinct()
    found: dict[str, ir.Value] = {}
    for days in lookbacks.lookback_days:
        recent = within(mine.age, days)
        found |= {
            f"incidents_{days}d": count(recent),
            f"incidents_change_{days}d": count(recent) - count(before(mine.age, days)),
            f"incident_hours_{days}d": real(mine.seconds.sum(where=recent).fill_null(0)) / 3600.0,
        }
    return per_customer(cohort, mine.group_by("customer_id").agg(**found))


FAMILY = Family(
    name="quality",
    reasons=REASONS,
    groups=(
        Group(needs=("order_lines",), indicators=RETURNS, compute=returns),
        Group(needs=("incidents", "order_lines|subscriptions"), indicators=INCIDENTS, compute=incidents),
    ),
)
