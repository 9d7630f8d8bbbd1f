"""What was bought, and what came back."""

from __future__ import annotations

from features.contract import CURRENCY, Column, Table

ORDERS = Table(
    name="orders",
    grain="one row per order or credit note",
    key=("order_id",),
    happened_at="ordered_at",
    credit="amount",
    columns=(
        Column(
            name="order_id",
            kind="text",
            meaning="the order's number; file and row where the source has none",
            made_when_absent=True,
        ),
        Column(name="customer_id", kind="text", meaning="who ordered"),
        Column(name="ordered_at", kind="timestamp", meaning="when the order was placed or the credit note written"),
        Column(
            name="amount",
            kind="money",
            meaning="value of the order after discounts; below zero for a credit note",
            unit="currency",
        ),
        Column(
            name="cancelled_at",
            kind="timestamp",
            meaning="when the order was cancelled",
            known_at="cancelled_at",
            null="not cancelled, as far as was known",
        ),
        Column(
            name="refunded_at",
            kind="timestamp",
            meaning="when money went back",
            known_at="refunded_at",
            null="not refunded, as far as was known",
        ),
        Column(
            name="refunded_amount",
            kind="money",
            meaning="how much of the order's value went back",
            unit="currency",
            at_least=0,
            known_at="refunded_at",
            null="not refunded, as far as was known",
        ),
        CURRENCY,
    ),
)

ORDER_LINES = Table(
    name="order_lines",
    grain="one row per line of an order or credit note",
    key=(),
    happened_at="ordered_at",
    credit="quantity",
    columns=(
        Column(name="order_id", kind="text", meaning="the order that the line belongs to"),
        Column(name="customer_id", kind="text", meaning="who ordered"),
        Column(name="ordered_at", kind="timestamp", meaning="when the order was placed or the credit note written"),
        Column(name="product_id", kind="text", meaning="what was ordered", null="not recorded"),
        Column(name="category", kind="text", meaning="what kind of product it is", null="not recorded"),
        Column(name="quantity", kind="number", meaning="how many; below zero on a credit note", unit="pieces"),
        Column(name="unit_price", kind="money", meaning="price of one piece after discounts", unit="currency"),
        Column(
            name="discount",
            kind="money",
            meaning="how much the whole line was reduced by",
            unit="currency",
            at_least=0,
            null="not reduced, or not recorded",
        ),
        Column(
            name="returned_at",
            kind="timestamp",
            meaning="when the goods came back",
            known_at="returned_at",
            null="not returned, as far as was known",
        ),
        CURRENCY,
    ),
)
