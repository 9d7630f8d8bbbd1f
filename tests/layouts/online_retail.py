"""A made-up wholesaler's invoices in the layout of UCI's "Online Retail", in each form that it comes in."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from tests.layouts.shop import Expected, Figures, Order, orders, write_csv

LONDON = ZoneInfo("Europe/London")
ISO, AMERICAN = "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M"
COUNTRIES = {"DE": "Germany", "AT": "Austria", "FR": "Unspecified"}
FIRST, SECOND = ("InvoiceNo", "UnitPrice", "CustomerID"), ("Invoice", "Price", "Customer ID")
# Codes that are no purchases.
BOOKS = ("ADJUST", "ADJUST2", "BANK CHARGES", "AMAZONFEE", "CRUK", "S", "TEST001")


@dataclass(frozen=True)
class Entry:
    """One line. kind: only "goods" and "extra" (postage, discounts, by hand) are purchases or credit notes."""

    invoice: str
    code: str
    text: str
    quantity: int
    at: datetime
    price: Decimal
    customer: int | None
    country: str
    kind: str

    @property
    def month(self) -> str:
        return f"{self.at.astimezone(LONDON):%Y-%m}"


def entries(*, seed: int, customers: int) -> list[Entry]:
    chance = random.Random(seed + 4)
    found = [entry for order in orders(seed=seed, customers=customers) for entry in _invoices(chance, order)]
    # As in the real data: numbers rise with time, and cancellations are counted along.
    found.sort(key=lambda entry: (entry.at, entry.invoice))
    numbers = {name: 489_434 + place for place, name in enumerate(dict.fromkeys(entry.invoice for entry in found))}
    return [replace(entry, invoice=f"{entry.invoice[: -len('#1001')]}{numbers[entry.invoice]}") for entry in found]


def _invoices(chance: random.Random, order: Order) -> Iterator[Entry]:
    """An order's invoice, what was cancelled of it, and whatever else the books wrote down that day."""
    at = order.at.replace(second=0)
    customer = None if chance.random() < 0.2 else 12_346 + order.buyer.number
    country = COUNTRIES[order.buyer.country]
    own = f"#{order.number:04d}"
    line = Entry(own, "", "", 1, at, Decimal(), customer, country, "goods")
    goods = [
        replace(line, code=each.item.sku, text=each.item.name, quantity=each.quantity, price=each.item.price)
        for each in order.lines
    ]
    yield from goods
    if chance.random() < 0.03:
        yield goods[0]  # the same line twice
    if order.shipping:
        yield replace(line, code=chance.choice(("POST", "DOT", "C2")), price=order.shipping, kind="extra")
    if chance.random() < 0.02:
        yield replace(line, code=chance.choice(("M", "m")), text="Manual", price=Decimal("1.25"), kind="extra")
    if chance.random() < 0.05:
        later = at + timedelta(days=chance.randint(1, 30))
        sign = chance.choice("Cc")
        yield replace(goods[0], invoice=f"{sign}{own}", quantity=-goods[0].quantity, at=later)
        yield replace(line, invoice=f"{sign}{own}", code="D", quantity=-1, at=later, price=order.discount, kind="extra")
    if chance.random() < 0.01:
        # Of something that was bought before the file begins, by somebody who never came back.
        yield replace(goods[0], invoice=f"C{own}", quantity=-1, customer=90_000 + order.number)
    if chance.random() < 0.03:
        yield replace(line, code=chance.choice(BOOKS), price=Decimal("9.99"), kind="books")
    if chance.random() < 0.02:
        broken = replace(line, invoice=f"X{own}", code="00007", text="smashed", quantity=-3, customer=None, kind="lost")
        yield replace(broken, invoice=f"#{order.number + 100_000}")
    if chance.random() < 0.01:
        bad = Decimal("-11062.06")
        yield replace(line, invoice=f"A{own}", code="B", text="Adjust bad debt", price=bad, customer=None, kind="debt")


def write(
    folder: Path, *, seed: int = 7, customers: int = 300, form: str = "csv", heads: tuple[str, str, str] = FIRST
) -> Expected:
    """form: "csv"; "american", dates as a spreadsheet writes them; "gaps", 13085.0 as programs write it; "parquet"."""
    found = entries(seed=seed, customers=customers)
    invoice, price, customer = heads
    columns = (invoice, "StockCode", "Description", "Quantity", "InvoiceDate", price, customer, "Country")

    def rows(date: Callable[[datetime], object], known: Callable[[int | None], object]) -> Iterator[dict[str, object]]:
        for entry in found:
            at = date(entry.at.astimezone(LONDON).replace(tzinfo=None))
            cells = (entry.invoice, entry.code, entry.text, entry.quantity, at, entry.price, known(entry.customer))
            yield dict(zip(columns, (*cells, entry.country), strict=True))

    if form == "parquet":
        table = pa.Table.from_pylist(
            [row | {price: float(str(row[price]))} for row in rows(lambda at: at, lambda number: number)]
        )
        pq.write_table(table, folder / "online_retail.parquet")
    else:
        write_csv(
            folder / "online_retail.csv",
            columns,
            rows(
                _american if form == "american" else lambda at: f"{at:{ISO}}",
                lambda number: "" if number is None else f"{number}.0" if form == "gaps" else number,
            ),
        )
    return _right(found)


def _american(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at.year} {at.hour}:{at.minute:02d}"


def _right(found: list[Entry]) -> Expected:
    lines, people = Figures(), Figures()
    right = Expected({"order_lines": lines, "customers": people})
    seen = set()
    for entry in found:
        if entry.kind not in {"goods", "extra"}:
            right.leave_out(entry.kind, entry.invoice)
            continue
        if entry.customer is None:
            lines.guests += 1
            continue
        lines.add(entry.month, str(entry.customer), entry.quantity * entry.price)
        if entry.customer not in seen and entry.invoice[0].isdigit():
            seen.add(entry.customer)
            people.add(entry.month, str(entry.customer), Decimal())
    return right
