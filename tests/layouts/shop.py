"""A made-up shop: people who come, buy at their own pace and leave. What each export is written from, and judged by."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
CENT = Decimal("0.01")

# Nobody is called so: first names of things, last names with all that a CSV file finds hard.
FIRST = ("Anorak", "Bémol", "Çédille", "Döner", "Éclair", "Fußnote", "Ginkgo", "Hülse", "Ibis", "Jabot")
LAST = ("Müller-Test", 'Quote "Q"', "Comma, the 2nd", "O'Probe", "Ñandú", "Semikolon; Sohn", "Þorn", "Zwölf")
COUNTRIES = ("DE", "DE", "DE", "AT", "FR")


@dataclass(frozen=True)
class Item:
    sku: str
    name: str
    category: str
    price: Decimal


ITEMS = tuple(
    Item(f"{number:05d}", name, category, Decimal(price))
    for number, name, category, price in (
        (7, 'Lamp, 12" "Aurora"', "Light", "39.90"),
        (12, "Kissen «Größe L»", "Textile", "14.95"),
        (123, "Tea, loose; 250 g", "Food", "8.49"),
        (1001, "Becher", "Kitchen", "3.33"),
        (10400, "Schreibtisch", "Furniture", "249.00"),
        (20500, "Sample card", "Paper", "0.00"),
    )
)


@dataclass(frozen=True)
class Buyer:
    number: int
    first: str
    last: str
    email: str
    country: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(frozen=True)
class Line:
    item: Item
    quantity: int
    discount: Decimal  # of the whole line

    @property
    def value(self) -> Decimal:
        return self.item.price * self.quantity - self.discount


@dataclass(frozen=True)
class Order:
    number: int
    buyer: Buyer
    at: datetime
    lines: tuple[Line, ...]
    discount: Decimal  # of the whole order
    shipping: Decimal

    @property
    def subtotal(self) -> Decimal:
        return sum((line.value for line in self.lines), Decimal()) - self.discount

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.shipping

    @property
    def tax(self) -> Decimal:
        """The 19 % that the total contains."""
        return (self.total * 19 / 119).quantize(CENT)


@dataclass
class Figures:
    """What is right of one table. guests: rows of nobody known, set aside. rejected: keys of rows that are refused.

    Money, customers and what went back by local month ("2024-03"), without guests and refused rows.
    """

    rows: int = 0
    guests: int = 0
    rejected: set[str] = field(default_factory=set)
    money: dict[str, Decimal] = field(default_factory=dict)
    buyers: dict[str, set[str]] = field(default_factory=dict)
    refunds: dict[str, Decimal] = field(default_factory=dict)
    cancelled: dict[str, int] = field(default_factory=dict)

    def add(self, month: str, customer: str, money: Decimal) -> None:
        self.rows += 1
        self.money[month] = self.money.get(month, Decimal()) + money
        self.buyers.setdefault(month, set()).add(customer)

    @property
    def customers(self) -> dict[str, int]:
        return {month: len(found) for month, found in self.buyers.items()}


@dataclass
class Expected:
    """left_out: why rows must not come out of the query at all, with the orders that they are of."""

    tables: dict[str, Figures]
    left_out: dict[str, set[str]] = field(default_factory=dict)

    def leave_out(self, why: str, order: str) -> None:
        self.left_out.setdefault(why, set()).add(order)


def month(at: datetime) -> str:
    return f"{at.astimezone(ZONE):%Y-%m}"


def local(at: datetime) -> str:
    """As most shops write it: the clock on the shop's wall, no zone."""
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def orders(*, seed: int, customers: int) -> list[Order]:
    """Orders of 24 months in the order of time. Each buyer has a pace of their own, and most leave for good."""
    chance = random.Random(seed)
    moments = sorted(
        (at, buyer.number, buyer) for number in range(1, customers + 1) for buyer, at in _visits(chance, number)
    )
    return [_order(chance, 1000 + place, buyer, at) for place, (at, _, buyer) in enumerate(moments, start=1)]


def _visits(chance: random.Random, number: int) -> list[tuple[Buyer, datetime]]:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    # Shops keep an e-mail as it was typed, so it comes in capitals now and then: see `typed`.
    buyer = Buyer(number, first, last, f"kunde.{number:04d}@example.com", chance.choice(COUNTRIES))
    pace = chance.uniform(12, 60)
    at = START + timedelta(days=chance.uniform(0, 620))
    gone = at + timedelta(days=chance.expovariate(1 / 260))
    found: list[tuple[Buyer, datetime]] = []
    while at < END and (at <= gone or not found):
        found.append((buyer, at.replace(microsecond=0)))
        at += timedelta(days=pace * chance.uniform(0.5, 1.5))
    return found


def _order(chance: random.Random, number: int, buyer: Buyer, at: datetime) -> Order:
    chosen = chance.sample(ITEMS, k=chance.choice((1, 1, 2, 3)))
    lines = tuple(_line(chance, item) for item in chosen)
    value = sum((line.value for line in lines), Decimal())
    discount = min(value, Decimal(chance.choice(("0", "0", "0", "5.00", "2.55"))))
    if chance.random() < 0.02:
        discount = value  # all of it on a voucher
    shipping = Decimal(0) if discount == value else Decimal(chance.choice(("0.00", "4.90", "6.95")))
    return Order(number, buyer, at, lines, discount, shipping)


def _line(chance: random.Random, item: Item) -> Line:
    quantity = chance.choice((1, 1, 1, 2, 3, 7))
    off = chance.choice(("0", "0", "0", "0.50", "1.00"))
    return Line(item, quantity, min(item.price * quantity, Decimal(off)))


def typed(order: Order) -> str:
    """The buyer's e-mail as it was typed this time."""
    return order.buyer.email.upper() if order.number % 5 == 0 else order.buyer.email


def each(value: Decimal, quantity: int) -> Decimal:
    """The price of one piece to four decimals, halves upwards: by whole numbers, so that nothing is rounded twice."""
    units = value.scaleb(4)
    assert units == int(units) >= 0
    return Decimal((2 * int(units) + quantity) // (2 * quantity)).scaleb(-4)


def headings(text: str) -> tuple[str, ...]:
    """The first line of a CSV file as its columns."""
    return tuple(text.split(","))


def write_csv(
    path: Path, headings: Sequence[str], rows: Iterable[Mapping[str, object]], *, delimiter: str = ","
) -> None:
    """As spreadsheets do: quotes where needed. A row may only name columns that there are."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, headings, restval="", delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
