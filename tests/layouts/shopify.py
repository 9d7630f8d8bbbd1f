"""A made-up Shopify shop's orders export, and what is right of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.layouts.shop import ZONE, Expected, Figures, Line, Order, each, headings, month, orders, typed, write_csv

DATES = "%Y-%m-%d %H:%M:%S %z"
HEADINGS = headings(
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,"
    "Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,"
    "Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,"
    "Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,"
    "Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,"
    "Payment Terms Name,Next Payment Due At,Payment References"
)
BOUGHT = ("paid", "partially_paid", "partially_refunded", "refunded")
STATUSES = (*BOUGHT, "pending", "authorized", "voided", "expired")
WEIGHTS = (86, 1, 3, 3, 2, 2, 2, 1)


@dataclass(frozen=True)
class Sale:
    """One order and what became of it."""

    order: Order
    status: str
    currency: str
    test: bool
    known: bool
    cancelled_at: datetime | None
    refunded: Decimal

    @property
    def number(self) -> str:
        return f"#{self.order.number}"


def write(folder: Path, *, seed: int = 7, customers: int = 300) -> Expected:
    chance = random.Random(seed + 1)
    sales = [_sale(chance, order) for order in orders(seed=seed, customers=customers)]
    # One status that nobody has heard of, on an order that would count otherwise.
    odd = next(place for place, sale in enumerate(sales) if place > 50 and _plain(sale))
    sales[odd] = Sale(sales[odd].order, "on_hold", "EUR", False, True, None, Decimal(0))
    # The admin exports the newest orders first.
    write_csv(folder / "orders_export.csv", HEADINGS, (row for sale in reversed(sales) for row in _rows(sale)))
    return _right(sales)


def _plain(sale: Sale) -> bool:
    return sale.status == "paid" and sale.currency == "EUR" and sale.known and not sale.test


def _sale(chance: random.Random, order: Order) -> Sale:
    status = chance.choices(STATUSES, WEIGHTS)[0]
    cancelled = chance.random() < (0.9 if status == "voided" else 0.03)
    part = {"refunded": Decimal(1), "partially_refunded": Decimal("0.25")}.get(status, Decimal(0))
    return Sale(
        order=order,
        status=status,
        currency="GBP" if chance.random() < 0.02 else "EUR",
        test=chance.random() < 0.01,
        known=chance.random() > 0.02,
        cancelled_at=order.at + timedelta(days=chance.uniform(0.1, 30)) if cancelled else None,
        refunded=(order.total * part).quantize(Decimal("0.01")),
    )


def _written(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(ZONE):{DATES}}"


def _rows(sale: Sale) -> Iterator[dict[str, object]]:
    order = sale.order
    for place, line in enumerate(order.lines):
        # Whether the time is repeated on further lines is not documented: half of the orders do.
        again = {"Created at": _written(order.at)} if order.number % 2 else {}
        email = typed(order) if sale.known else ""
        yield {"Name": sale.number, "Email": email, **(_of_order(sale) if place == 0 else again), **_of_line(line)}


def _of_order(sale: Sale) -> dict[str, object]:
    order, buyer = sale.order, sale.order.buyer
    paid = sale.status in BOUGHT
    address = {
        "Name": buyer.name,
        "Street": "Hauptstraße 1, 2. Stock",
        "Address1": "Hauptstraße 1",
        "City": "Musterstadt",
    }
    both = {f"{kind} {part}": value for kind in ("Billing", "Shipping") for part, value in address.items()}
    return both | {
        "Financial Status": sale.status,
        "Paid at": _written(order.at + timedelta(minutes=2)) if paid else "",
        "Fulfillment Status": "fulfilled" if paid else "unfulfilled",
        "Fulfilled at": _written(order.at + timedelta(days=2)) if paid else "",
        "Accepts Marketing": "yes" if buyer.number % 3 else "no",
        "Currency": sale.currency,
        "Subtotal": order.subtotal,
        "Shipping": order.shipping,
        "Taxes": order.tax,
        "Total": order.total,
        "Discount Code": "WILLKOMMEN" if order.discount else "",
        "Discount Amount": order.discount,
        "Shipping Method": "Standard",
        "Created at": _written(order.at),
        "Billing Zip": "'01067",
        "Shipping Zip": "'01067",
        "Billing Country": buyer.country,
        "Shipping Country": buyer.country,
        "Notes": 'Bitte klingeln, "3x"\nDanke' if order.number % 11 == 0 else "",
        "Cancelled at": _written(sale.cancelled_at),
        "Payment Method": "Bogus Gateway" if sale.test else "Shopify Payments",
        "Refunded Amount": sale.refunded,
        "Outstanding Balance": "0.00" if paid else order.total,
        "Id": 5_550_000_000_000 + order.number,
        "Risk Level": "Low",
        "Source": "pos" if not sale.known else "web",
        "Tax 1 Name": "MwSt 19%",
        "Tax 1 Value": order.tax,
    }


def _of_line(line: Line) -> dict[str, object]:
    return {
        "Lineitem quantity": line.quantity,
        "Lineitem name": line.item.name,
        "Lineitem price": line.item.price,
        "Lineitem sku": "" if line.item.sku == "01001" else line.item.sku,
        "Lineitem requires shipping": "true",
        "Lineitem taxable": "true",
        "Lineitem fulfillment status": "fulfilled",
        "Vendor": "Beispiel, Söhne & Co",
        "Lineitem discount": f"{line.discount:.2f}",
    }


def _right(sales: list[Sale]) -> Expected:
    placed, lines, people = Figures(), Figures(), Figures()
    right = Expected({"orders": placed, "order_lines": lines, "customers": people})
    for sale in sales:
        order, buyer = sale.order, sale.order.buyer
        if sale.status in {"pending", "authorized", "voided", "expired"}:
            right.leave_out("not paid", sale.number)
            continue
        if sale.test:
            right.leave_out("test", sale.number)
            continue
        if (
            sale.status != "on_hold"
            and sale.known
            and not any(buyer.email in found for found in people.buyers.values())
        ):
            people.add(month(order.at), buyer.email, Decimal())
        if not sale.known:
            placed.guests += 1
            lines.guests += len(order.lines)
            continue
        if sale.status == "on_hold" or sale.currency != "EUR":
            placed.rejected.add(sale.number)
            lines.rejected.add(sale.number)
            continue
        placed.add(month(order.at), buyer.email, order.total)
        if sale.cancelled_at:
            at = month(sale.cancelled_at)
            placed.cancelled[at] = placed.cancelled.get(at, 0) + 1
        for line in order.lines:
            lines.add(month(order.at), buyer.email, line.quantity * each(line.value, line.quantity))
    return right
