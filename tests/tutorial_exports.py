"""The exports of docs/tutorial.md: `python -m tests.tutorial_exports FOLDER`. Simulated: nobody in them exists."""

from __future__ import annotations

import csv
import random
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.layouts import shopify
from tests.layouts.shop import COUNTRIES, END, FIRST, LAST, START, Buyer, Order, local, write_csv
from tests.layouts.shop import _order as order

SEED, CUSTOMERS = 7, 260
HEADINGS = ("Ticket", "E-mail", "Opened", "Closed", "Channel")
CHANNELS = ("mail", "phone", "chat")


@dataclass(frozen=True)
class Visit:
    """One order's moment. late: within the last months of somebody who leaves."""

    at: datetime
    buyer: Buyer
    late: bool


def visits(chance: random.Random) -> list[Visit]:
    """Two years of orders at each customer's own pace; two of three leave at some time, the others stay."""
    found = []
    for number in range(1, CUSTOMERS + 1):
        buyer = Buyer(
            number,
            chance.choice(FIRST),
            chance.choice(LAST),
            f"kunde.{number:04d}@example.com",
            chance.choice(COUNTRIES),
        )
        pace, at = chance.uniform(12, 50), START + timedelta(days=chance.uniform(0, 720))
        gone = at + timedelta(days=chance.expovariate(1 / 260) if chance.random() < 0.67 else 2000)
        moments = [at.replace(microsecond=0)]
        while (at := at + timedelta(days=pace * chance.uniform(0.3, 2.2))) < min(END, gone):
            moments.append(at.replace(microsecond=0))
        found += [Visit(each, buyer, gone < END and each > gone - timedelta(days=50)) for each in moments]
    return sorted(found, key=lambda visit: (visit.at, visit.buyer.number))


def sold(chance: random.Random, placed: Order) -> shopify.Sale:
    """Nearly all are paid; a few are not, or were bought by somebody who gave no address."""
    status = chance.choices(("paid", "refunded", "pending"), (95, 3, 2))[0]
    return shopify.Sale(placed, status, "EUR", False, chance.random() > 0.01, None, Decimal(0))


def tickets(chance: random.Random, found: list[Visit]) -> list[tuple[str, ...]]:
    """Who is about to leave asks more often, and waits longer."""
    rows = []
    for visit in found:
        for _ in range(chance.choices((0, 1, 2), (3, 3, 2) if visit.late else (8, 1, 0))[0]):
            opened = visit.at + timedelta(days=chance.uniform(0.1, 8))
            closed = opened + timedelta(days=chance.uniform(0.1, 9 if visit.late else 2))
            if closed < END:
                rows.append((visit.buyer.email.upper(), local(opened), local(closed), chance.choice(CHANNELS)))
    rows.sort(key=lambda row: row[1])
    return [(f"T-{number}", *row) for number, row in enumerate(rows, start=1)]


def write(folder: Path) -> None:
    """`orders_export.csv` as Shopify's admin writes it, and `tickets.csv` of some help desk."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(SEED)
    found = visits(chance)
    sales = [sold(chance, order(chance, 1000 + place, each.buyer, each.at)) for place, each in enumerate(found)]
    rows = (row for sale in reversed(sales) for row in shopify._rows(sale))
    write_csv(folder / "orders_export.csv", shopify.HEADINGS, rows)
    with (folder / "tickets.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(HEADINGS)
        writer.writerows(tickets(chance, found))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
