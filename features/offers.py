"""What each customer uses of what the company offers: products lately bought, plans subscribed to."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import newest, ratio
from features.asof import AsOf
from features.subscriptions import running

USED_DAYS = 365  # a product bought longer ago is no longer in use


def used(view: AsOf) -> ir.Table:
    """One row per customer and item: customer_id, item ("product:..." or "plan:..."), own_price (currency, or null).

    Products: of order lines of the last USED_DAYS days, at the price last paid. Plans: of running subscriptions, at the
    price of a seat and month (not rounded); of several subscriptions to one plan, the one started last.
    """
    parts = []
    if "order_lines" in view:
        parts.append(_products(view))
    if "subscriptions" in view:
        parts.append(_plans(view))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def products_used(view: AsOf) -> ir.Table:
    """One row per customer and product bought in the last USED_DAYS days: customer_id, product_id, own_price."""
    lines = view["order_lines"]
    lines = lines.filter(lines.quantity > 0, lines.product_id.notnull(), view.days_since(lines.ordered_on) <= USED_DAYS)
    return newest(lines, "ordered_at", by=["customer_id", "product_id"]).select(
        "customer_id", "product_id", own_price="unit_price"
    )


def _products(view: AsOf) -> ir.Table:
    products = products_used(view)
    return products.select(
        "customer_id", item=item(products.product_id, "product"), own_price=products.own_price.cast("float64")
    )


def _plans(view: AsOf) -> ir.Table:
    table = running(view)
    table = table.filter(table.plan.notnull())
    rank = ibis.row_number().over(
        group_by=["customer_id", "plan"], order_by=[table.started_on.desc(), table.subscription_id.desc()]
    )
    table = table.mutate(rank=rank)
    table = table.filter(table["rank"] == 0)
    seats = ibis.greatest(table.seats.fill_null(1), 1)
    return table.select("customer_id", item=item(table.plan, "plan"), own_price=ratio(table.mrr, seats))


def item(name: ir.StringValue, kind: str) -> ir.StringValue:
    """The key of a product or plan among all that is offered."""
    return ibis.literal(f"{kind}:") + name
