"""A made-up WooCommerce shop's exports, as the extension Customer/Order/Coupon Export writes them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.layouts.shop import CENT, Buyer, Expected, Figures, Line, Order, each, headings, local, month, orders, typed
from tests.layouts.shop import write_csv as write_rows

DATES = "%Y-%m-%d %H:%M:%S"
GUESTS = ("deleted@site.invalid",)
_ORDER = (
    "date,status,shipping_total,shipping_tax_total,fee_total,fee_tax_total,tax_total,discount_total,order_total,"
    "refunded_total,order_currency,payment_method,shipping_method,customer_id,billing_first_name,billing_last_name,"
    "billing_company,billing_email,billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,"
    "billing_state,billing_country,shipping_first_name,shipping_last_name,shipping_address_1,shipping_address_2,"
    "shipping_postcode,shipping_city,shipping_state,shipping_country,shipping_company,customer_note,"
)
ORDERS = headings(
    f"order_id,order_number,order_number_formatted,{_ORDER}line_items,shipping_items,fee_items,tax_items,coupon_items,"
    "refunds,order_notes,download_permissions_granted"
)
ITEMS = headings(
    f"order_id,order_number,{_ORDER}item_id,item_product_id,item_name,item_sku,item_quantity,item_subtotal,"
    "item_subtotal_tax,item_total,item_total_tax,item_refunded,item_refunded_qty,item_meta,shipping_items,fee_items,"
    "tax_items,coupon_items,order_notes,download_permissions_granted"
)
CUSTOMERS = headings(
    "customer_id,first_name,last_name,email,date_registered,billing_first_name,billing_last_name,billing_company,"
    "billing_email,billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,billing_state,"
    "billing_country,shipping_first_name,shipping_last_name,shipping_company,shipping_address_1,shipping_address_2,"
    "shipping_postcode,shipping_city,shipping_state,shipping_country"
)
BOUGHT = ("completed", "processing", "refunded")
STATUSES = (*BOUGHT, "cancelled", "pending", "on-hold", "failed")
WEIGHTS = (75, 12, 3, 3, 2, 2, 3)


@dataclass(frozen=True)
class Sale:
    order: Order
    status: str
    currency: str
    account: bool
    email: str
    refunds: tuple[tuple[datetime, Decimal], ...]

    @property
    def key(self) -> str:
        return f"{self.order.number:06d}"

    @property
    def refunded(self) -> Decimal:
        return sum((amount for _, amount in self.refunds), Decimal())

    @property
    def lines(self) -> Iterator[tuple[Line, Decimal]]:
        """Each line with what was paid for it: WooCommerce shares coupons among lines."""
        coupon = self.order.discount
        for line in self.order.lines:
            share = min(coupon, line.value)
            coupon -= share
            yield line, line.value - share


def write(folder: Path, *, seed: int = 7, customers: int = 300) -> Expected:
    chance = random.Random(seed + 2)
    sales = [_sale(chance, order) for order in orders(seed=seed, customers=customers)]
    odd = next(place for place, sale in enumerate(sales) if place > 50 and sale.status == "completed" and sale.email)
    sales[odd] = Sale(sales[odd].order, "delivered", "EUR", True, sales[odd].order.buyer.email, ())
    write_rows(folder / "orders-export.csv", ORDERS, map(_order_row, sales))
    write_rows(folder / "orders-export-items.csv", ITEMS, (row for sale in sales for row in _item_rows(sale)))
    right = _right(sales)
    signed_up = {sale.order.buyer: sale.order.at - timedelta(days=chance.uniform(0, 9)) for sale in reversed(sales)}
    write_rows(folder / "customers-export.csv", CUSTOMERS, (_person(*each_) for each_ in signed_up.items()))
    people = right.tables["customers"]
    for buyer, at in signed_up.items():
        if buyer.number % 4:
            people.add(month(at.replace(microsecond=0)), buyer.email, Decimal())
    return right


def _sale(chance: random.Random, order: Order) -> Sale:
    status = chance.choices(STATUSES, WEIGHTS)[0]
    back: tuple[Decimal, ...] = ()
    if status == "refunded":
        back = (order.total,)
    elif status == "completed" and chance.random() < 0.06 and order.total > 1:
        back = chance.choice(((CENT * 99,), (CENT * 50, CENT * 25)))
    days = sorted(chance.uniform(1, 60) for _ in back)
    email = chance.choices((typed(order), "", GUESTS[0]), (97, 1, 2))[0]
    return Sale(
        order=order,
        status=status,
        currency="GBP" if chance.random() < 0.02 else "EUR",
        account=chance.random() < 0.7,
        email=email,
        refunds=tuple(
            (order.at + timedelta(days=day), amount) for day, amount in zip(days, back, strict=True) if amount
        ),
    )


def _escaped(text: object) -> str:
    """As the extension writes what stands within a cell of several values."""
    return str(text).replace(":", "\\:").replace("|", "\\|").replace(";", "\\;")


def _piped(**parts: object) -> str:
    return "|".join(f"{name}:{_escaped(part)}" for name, part in parts.items())


def _net(gross: Decimal) -> Decimal:
    return (gross * 100 / 119).quantize(CENT)


def _common(sale: Sale) -> dict[str, object]:
    order, buyer = sale.order, sale.order.buyer
    both = {
        f"{kind}_{part}": value
        for kind in ("billing", "shipping")
        for part, value in (
            ("first_name", buyer.first),
            ("last_name", buyer.last),
            ("address_1", "Hauptstraße 1, 2. Stock"),
            ("postcode", "01067"),
            ("city", "Musterstadt"),
            ("country", buyer.country),
        )
    }
    return both | {
        "order_id": sale.key,
        "order_number": order.number,
        "date": local(order.at),
        "status": sale.status if order.number % 3 else f"wc-{sale.status}",
        "shipping_total": _net(order.shipping),
        "shipping_tax_total": order.shipping - _net(order.shipping),
        "fee_total": "0.00",
        "fee_tax_total": "0.00",
        "tax_total": order.tax,
        "discount_total": order.discount,
        "order_total": f"{order.total:.2f}",
        "refunded_total": f"{sale.refunded:.2f}",
        "order_currency": sale.currency,
        "payment_method": "bacs",
        "shipping_method": "Versand; versichert",
        "customer_id": buyer.number + 10 if sale.account else 0,
        "billing_company": "Beispiel, Söhne & Co" if order.number % 7 == 0 else "",
        "billing_email": sale.email,
        "billing_phone": "'+49 30 000000",
        "customer_note": 'Bitte "klingeln"\nDanke; date:2020-01-01' if order.number % 11 == 0 else "",
        "order_notes": "Status changed|Paid",
        "download_permissions_granted": 0,
    }


def _order_row(sale: Sale) -> dict[str, object]:
    refunds = ";".join(
        _piped(
            id=sale.order.number * 10 + place,
            date=local(at),
            amount=amount,
            reason="zurück; |date:2020-01-01 00:00:00|",
        )
        for place, (at, amount) in enumerate(reversed(sale.refunds))
    )
    items = ";".join(
        _piped(id=place, name=line.item.name, sku=line.item.sku, quantity=line.quantity, total=_net(paid))
        for place, (line, paid) in enumerate(sale.lines)
    )
    more = {"order_number_formatted": f"WEB-{sale.order.number}", "line_items": items, "refunds": refunds}
    return _common(sale) | more


def _item_rows(sale: Sale) -> Iterator[dict[str, object]]:
    for place, (line, paid) in enumerate(sale.lines):
        full = line.item.price * line.quantity
        yield _common(sale) | {
            "item_id": sale.order.number * 10 + place,
            "item_product_id": int(line.item.sku),
            "item_name": line.item.name,
            "item_sku": "" if line.item.sku == "01001" else line.item.sku,
            "item_quantity": line.quantity,
            "item_subtotal": _net(full),
            "item_subtotal_tax": full - _net(full),
            "item_total": _net(paid),
            "item_total_tax": (paid - _net(paid)) or "",
            "item_refunded": "0.00",
            "item_refunded_qty": 0,
        }


def _person(buyer: Buyer, at: datetime) -> dict[str, object]:
    """Every fourth has bought as a guest only, and has no account; two letters of the account's e-mail are capitals."""
    registered = buyer.number % 4 != 0
    return {
        "customer_id": buyer.number + 10 if registered else "",
        "first_name": buyer.first,
        "last_name": buyer.last,
        "email": buyer.email.upper(),
        "date_registered": f"{at.astimezone(UTC):{DATES}}" if registered else "",
        "billing_email": buyer.email if buyer.number % 2 else "",
        "billing_country": buyer.country,
        "shipping_country": buyer.country,
    }


def _right(sales: list[Sale]) -> Expected:
    placed, lines = Figures(), Figures()
    right = Expected({"orders": placed, "order_lines": lines, "customers": Figures()})
    for sale in sales:
        order = sale.order
        if sale.status in STATUSES[len(BOUGHT) :]:
            right.leave_out(f"status {sale.status}", sale.key)
            continue
        known = "@example.com" in sale.email.lower()
        if not known:
            placed.guests += 1
            lines.guests += len(order.lines)
            continue
        if sale.status == "delivered" or sale.currency != "EUR":
            placed.rejected.add(sale.key)
            lines.rejected.add(sale.key)
            continue
        placed.add(month(order.at), order.buyer.email, order.total)
        if sale.refunds:
            at = month(max(at for at, _ in sale.refunds))
            placed.refunds[at] = placed.refunds.get(at, Decimal()) + sale.refunded
        for line, paid in sale.lines:
            lines.add(month(order.at), order.buyer.email, line.quantity * each(paid, line.quantity))
    return right
