"""Orders as feature code reads them, whether the company exports orders or only their lines."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.asof import AsOf

COLUMNS = ("customer_id", "order_id", "ordered_on", "ordered_at", "amount")


def placed(view: AsOf) -> ir.Table:
    """One row per order, whatever became of it, without credit notes. Columns as of `purchases`."""
    orders = _orders(view)
    return orders.filter(orders.amount >= 0).select(*COLUMNS)


def purchases(view: AsOf) -> ir.Table:
    """One row per order that stands: not a credit note, and not cancelled as far as was known.

    Columns: customer_id, order_id, ordered_on, ordered_at, amount (currency, at least 0). Refunded orders stay: the
    customer did come back to buy.
    """
    orders = _orders(view)
    return orders.filter(orders.amount >= 0, orders.cancelled_on.isnull()).select(*COLUMNS)


def reversals(view: AsOf) -> ir.Table:
    """One row per credit note, refund or cancelled order: customer_id, reversed_on, value (currency, at least 0)."""
    orders = _orders(view)
    credit_notes = orders.filter(orders.amount < 0)
    cancelled = orders.filter(orders.amount >= 0, orders.cancelled_on.notnull())
    refunded = orders.filter(orders.amount >= 0, orders.cancelled_on.isnull(), orders.refunded_on.notnull())
    return ibis.union(
        credit_notes.select("customer_id", reversed_on="ordered_on", value=-credit_notes.amount),
        cancelled.select("customer_id", reversed_on="cancelled_on", value="amount"),
        refunded.select(
            "customer_id", reversed_on="refunded_on", value=refunded.refunded_amount.fill_null(refunded.amount)
        ),
    )


def _orders(view: AsOf) -> ir.Table:
    if "orders" in view:
        orders = view["orders"]
        return orders.mutate(amount=_exact(orders.amount), refunded_amount=_exact(orders.refunded_amount))
    lines = _taken_back_apart(view["order_lines"])
    return lines.group_by("order_id", "customer_id", "back_on").agg(
        ordered_at=lines.ordered_at.min(),
        ordered_on=lines.ordered_on.min(),
        amount=lines.amount.sum(),
        cancelled_on=ibis.null("date"),
        refunded_on=ibis.null("date"),
        refunded_amount=_exact(ibis.null("decimal(18, 4)")),
    )


def _taken_back_apart(lines: ir.Table) -> ir.Table:
    """Lines added up by order, day and sign; back_on: the day, of what an order took back on a later one; else null.

    Many systems write what comes back under the number of its order: it is a credit note of its own day. What is below
    zero on the order's first day, such as a voucher, is a part of it.
    """
    below = lines.quantity < 0
    days = lines.group_by("order_id", "customer_id", "ordered_on", below=below).agg(
        ordered_at=lines.ordered_at.min(), amount=_exact((lines.quantity * lines.unit_price).sum())
    )
    first_on = days.ordered_on.min().over(group_by=["order_id", "customer_id"])
    days = days.mutate(later=days.below & (days.ordered_on > first_on))
    return days.mutate(back_on=days.later.ifelse(days.ordered_on, ibis.null("date")))


def _exact(amount: ir.DecimalValue) -> ir.DecimalValue:
    # Wide enough for quantity times price: both carry four decimals. Exact, so that sums ignore the order of rows.
    return amount.cast("decimal(38, 8)")
