"""Products: what the orders are made of, where the company exports order lines."""

from __future__ import annotations

import ibis.expr.types as ir

from features.aggregates import count, per_customer, ratio, real, total, within
from features.asof import AsOf
from features.catalog import Group, Indicator, Lookbacks

REASONS = {
    "product_variety": ("variety of products", "variété des produits"),
    "order_size": ("size of orders", "taille des commandes"),
    "discounts": ("buying at a discount", "achats en promotion"),
    "returned_products": ("products sent back", "produits retournés"),
}

INDICATORS = (
    Indicator(
        name="products_ever",
        reason="product_variety",
        unit="count",
        direction="lower",
        null="no order line is known",
        told_by=("order_lines.product_id",),
        en="{value|different product|different products} ordered so far",
        fr="{value|produit différent commandé|produits différents commandés} jusqu'ici",
        en_null="no product recorded so far",
        fr_null="aucun produit enregistré jusqu'ici",
    ),
    Indicator(
        name="products_{days}d",
        reason="product_variety",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was ordered",
        told_by=("order_lines.product_id",),
        en="{value|different product|different products} in the last {days} days",
        fr="{value|produit différent|produits différents} ces {days} derniers jours",
        per_lookback=True,
        silence_of="orders",
    ),
    Indicator(
        name="categories_{days}d",
        reason="product_variety",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was ordered",
        told_by=("order_lines.category",),
        en="{value|kind of product|kinds of products} in the last {days} days",
        fr="{value|catégorie de produits|catégories de produits} ces {days} derniers jours",
        per_lookback=True,
        silence_of="orders",
    ),
    Indicator(
        name="discounted_share_{days}d",
        reason="discounts",
        unit="share",
        direction="either",
        null="nothing of value ordered in the lookback",
        told_by=("order_lines.discount",),
        en="bought at a discount in the last {days} days: {value} of the value ordered",
        fr="achats en promotion ces {days} derniers jours : {value} de la valeur commandée",
        en_null="nothing of value ordered in the last {days} days",
        fr_null="aucune commande payante ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="returned_lines_share_{days}d",
        reason="returned_products",
        unit="share",
        direction="higher",
        null="no order line in the lookback",
        told_by=("order_lines.returned_at",),
        en="{value} of the order lines of the last {days} days were sent back",
        fr="{value} des lignes de commande de ces {days} derniers jours ont été retournées",
        en_null="no order line in the last {days} days",
        fr_null="aucune ligne de commande ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="reordered_products_share",
        reason="product_variety",
        unit="share",
        direction="lower",
        null="no order line is known",
        told_by=("order_lines.product_id",),
        en="{value} of the products were ordered more than once",
        fr="{value} des produits ont été commandés plus d'une fois",
        en_null="no product recorded so far",
        fr_null="aucun produit enregistré jusqu'ici",
    ),
    Indicator(
        name="lines_per_order",
        reason="order_size",
        unit="ratio",
        direction="lower",
        null="no order line is known",
        en="{value} lines an order",
        fr="{value|ligne|lignes} par commande",
        en_null="no product recorded so far",
        fr_null="aucun produit enregistré jusqu'ici",
    ),
    Indicator(
        name="pieces_per_order",
        reason="order_size",
        unit="ratio",
        direction="lower",
        null="no order line is known",
        en="{value} pieces an order",
        fr="{value|pièce|pièces} par commande",
        en_null="no product recorded so far",
        fr_null="aucun produit enregistré jusqu'ici",
    ),
    Indicator(
        name="price_per_piece",
        reason="order_size",
        unit="money",
        direction="either",
        null="no order line is known, or no piece",
        en="{value} a piece on average",
        fr="{value} par pièce en moyenne",
        en_null="no product recorded so far",
        fr_null="aucun produit enregistré jusqu'ici",
    ),
)


def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Every indicator above, over lines that were ordered, those sent back since included; not over credit notes."""
    lines = view["order_lines"]
    lines = lines.filter(lines.quantity > 0)
    age = view.days_since(lines.ordered_on)
    value = lines.quantity * lines.unit_price
    orders, pieces = lines.order_id.nunique(), real(lines.quantity.sum())
    columns: dict[str, ir.Value] = {
        "products_ever": lines.product_id.nunique(),
        "lines_per_order": ratio(lines.count(), orders),
        "pieces_per_order": ratio(pieces, orders),
        "price_per_piece": ratio(value.sum(), pieces),
    }
    for days in lookbacks.lookback_days:
        recent = within(age, days)
        columns |= {
            f"products_{days}d": lines.product_id.nunique(where=recent),
            f"categories_{days}d": lines.category.nunique(where=recent),
            f"discounted_share_{days}d": ratio(total(value, recent & (lines.discount > 0)), total(value, recent)),
            f"returned_lines_share_{days}d": ratio(count(recent & lines.returned_on.notnull()), count(recent)),
        }
    return per_customer(cohort, lines.group_by("customer_id").agg(**columns), _reordered(lines))


def _reordered(lines: ir.Table) -> ir.Table:
    products = lines.filter(lines.product_id.notnull()).group_by("customer_id", "product_id")
    products = products.agg(orders=lines.order_id.nunique())
    again = ratio((products.orders > 1).sum(), products.count())
    return products.group_by("customer_id").agg(reordered_products_share=again)


GROUP = Group(needs=("order_lines",), indicators=INDICATORS, compute=compute)
