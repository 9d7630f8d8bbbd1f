"""A made-up PrestaShop shop's exports of the SQL Manager, and what is right of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from tests.layouts.shop import CENT, Expected, Figures, Line, Order, headings, local, month, orders, write_csv

DATES = "%Y-%m-%d %H:%M:%S"
ORDERS = headings(
    "id_order,reference,id_shop,id_customer,is_guest,iso_code,conversion_rate,payment,total_discounts_tax_incl,"
    "total_products_wt,total_shipping_tax_incl,total_paid_tax_incl,total_paid_real,date_add,id_order_history,state_date,"
    "id_order_state,logable,paid"
)
LINES = headings(
    "id_order_detail,id_order,id_customer,is_guest,iso_code,conversion_rate,valid,invoice_number,date_add,product_id,"
    "product_attribute_id,product_reference,product_name,product_quantity,product_quantity_refunded,"
    "product_quantity_return,unit_price_tax_incl,total_price_tax_incl,id_category_default"
)
SLIPS = headings(
    "id_order_slip,id_order,id_customer,is_guest,iso_code,conversion_rate,total_products_tax_incl,"
    "total_shipping_tax_incl,partial,date_add"
)
# PrestaShop's own states by number: (validated, paid, invoiced).
STATES = {
    1: (0, 0, 0),  # awaiting cheque
    2: (1, 1, 1),  # payment accepted
    3: (1, 1, 1),  # preparation
    4: (1, 1, 1),  # shipped
    5: (1, 1, 1),  # delivered
    6: (0, 0, 0),  # cancelled
    7: (0, 0, 1),  # refunded
    8: (0, 0, 0),  # payment error
    9: (0, 1, 1),  # on backorder, paid
    10: (0, 0, 0),  # awaiting transfer
    13: (0, 0, 0),  # awaiting cash on delivery
}
# How orders go on from state to state, and how many do.
COURSES = (
    ((2, 3, 4, 5), 60),
    ((10, 2, 3, 4, 5), 15),
    ((9,), 3),
    ((2, 3, 6), 4),
    ((2, 6, 3, 4), 1),
    ((2, 3, 4, 5, 7), 4),
    ((10,), 3),
    ((1,), 2),
    ((8,), 3),
    ((13,), 2),
    ((10, 6), 3),
)
RATES = {"EUR": Decimal("1.000000"), "CHF": Decimal("0.945300")}


@dataclass(frozen=True)
class Sale:
    order: Order
    states: tuple[tuple[int, datetime], ...]
    currency: str
    guest: bool
    slip: tuple[datetime, Decimal] | None

    @property
    def key(self) -> str:
        return str(self.order.number)

    @property
    def customer(self) -> str:
        return str(self.order.buyer.number if not self.guest else 50_000 + self.order.number)

    @property
    def bought(self) -> bool:
        return any(STATES[state][0] or STATES[state][1] for state, _ in self.states)


def own(value: Decimal, rate: Decimal) -> Decimal:
    """In the shop's own currency, to four decimals, halves upwards: by whole numbers, so that none is rounded twice."""
    of, by = int(value.scaleb(6)), int(rate.scaleb(6))
    return Decimal((2 * of * 10_000 + by) // (2 * by)).scaleb(-4)


def write(folder: Path, *, seed: int = 7, customers: int = 300) -> Expected:
    chance = random.Random(seed + 3)
    sales = [_sale(chance, order) for order in orders(seed=seed, customers=customers)]
    write_csv(folder / "request_sql_1.csv", ORDERS, (row for sale in sales for row in _order_rows(sale)), delimiter=";")
    write_csv(folder / "request_sql_2.csv", LINES, (row for sale in sales for row in _line_rows(sale)), delimiter=";")
    write_csv(folder / "request_sql_3.csv", SLIPS, (row for sale in sales for row in _slip_rows(sale)), delimiter=";")
    return _right(sales)


def _sale(chance: random.Random, order: Order) -> Sale:
    course = chance.choices([states for states, _ in COURSES], [weight for _, weight in COURSES])[0]
    at, states = order.at + timedelta(seconds=1), []
    for state in course:
        states.append((state, at))
        # What is done in one go has one time.
        at += timedelta(hours=0 if state == 3 and order.number % 2 else chance.uniform(0.1, 90))
    back = order.total if 7 in course else Decimal()
    if course == COURSES[0][0] and chance.random() < 0.05:
        back = min(order.total, CENT * 333)
    if course == COURSES[0][0] and chance.random() < 0.01:
        back = Decimal(-1)  # a slip over nothing, see below
    slip = (at, max(back, Decimal())) if back else None
    currency = "CHF" if chance.random() < 0.05 else "EUR"
    return Sale(order, tuple(states), currency, chance.random() < 0.1, slip)


def _common(sale: Sale) -> dict[str, object]:
    return {
        "id_order": sale.key,
        "id_customer": sale.customer,
        "is_guest": int(sale.guest),
        "iso_code": sale.currency,
        "conversion_rate": RATES[sale.currency],
        "date_add": local(sale.order.at),
    }


def _order_rows(sale: Sale) -> Iterator[dict[str, object]]:
    order = sale.order
    for place, (state, at) in enumerate(sale.states):
        validated, paid, _ = STATES[state]
        yield _common(sale) | {
            "reference": f"X{order.number:08d}",
            "id_shop": 1,
            "payment": 'Virement; "différé"',
            "total_discounts_tax_incl": f"{order.discount:.6f}",
            "total_products_wt": f"{order.subtotal + order.discount:.6f}",
            "total_shipping_tax_incl": f"{order.shipping:.6f}",
            "total_paid_tax_incl": f"{order.total:.6f}",
            "total_paid_real": f"{order.total if sale.bought else 0:.6f}",
            # Two numbers of unequal length, of which the greater is the later one.
            "id_order_history": 85 + place * 10,
            "state_date": local(at),
            "id_order_state": state,
            "logable": validated,
            "paid": paid,
        }


def unit_price(line: Line) -> Decimal:
    """As PrestaShop keeps it, with six decimals."""
    return (line.value / line.quantity).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def _line_rows(sale: Sale) -> Iterator[dict[str, object]]:
    now, _ = sale.states[-1]
    for place, line in enumerate(sale.order.lines):
        yield _common(sale) | {
            "id_order_detail": sale.order.number * 10 + place,
            "valid": STATES[now][0],
            "invoice_number": sale.order.number if any(STATES[state][2] for state, _ in sale.states) else 0,
            "product_id": int(line.item.sku),
            "product_attribute_id": 0,
            "product_reference": line.item.sku,
            "product_name": line.item.name,
            "product_quantity": line.quantity,
            "product_quantity_refunded": 0,
            "product_quantity_return": 0,
            "unit_price_tax_incl": unit_price(line),
            "total_price_tax_incl": f"{line.value:.6f}",
            "id_category_default": 3 + len(line.item.category),
        }


def _slip_rows(sale: Sale) -> Iterator[dict[str, object]]:
    if sale.slip:
        at, back = sale.slip
        shipping = min(back, sale.order.shipping)
        yield _common(sale) | {
            "id_order_slip": sale.order.number - 1000,
            "total_products_tax_incl": f"{back - shipping:.6f}",
            "total_shipping_tax_incl": f"{shipping:.6f}" if shipping else "",
            "partial": int(back != sale.order.total),
            "date_add": local(at),
        }


def _right(sales: list[Sale]) -> Expected:
    placed, lines, slips = Figures(), Figures(), Figures()
    right = Expected({"orders": placed, "order_lines": lines, "refunds": slips})
    for sale in sales:
        order, rate = sale.order, RATES[sale.currency]
        if not sale.bought:
            right.leave_out("never paid", sale.key)
            continue
        given_back = sale.slip is not None and sale.slip[1] > 0
        if sale.guest:
            placed.guests += 1
            lines.guests += len(order.lines)
            slips.guests += given_back
            continue
        placed.add(month(order.at), sale.customer, own(order.total, rate))
        now, since = sale.states[-1]
        if now == 6:
            at = month(since)
            placed.cancelled[at] = placed.cancelled.get(at, 0) + 1
        for line in order.lines:
            lines.add(month(order.at), sale.customer, line.quantity * own(unit_price(line), rate))
        if sale.slip and given_back:
            slips.add(month(sale.slip[0]), sale.customer, -own(sale.slip[1], rate))
    return right
