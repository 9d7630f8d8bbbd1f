"""A made-up account of Stripe over 24 months, as its API would show it at the end, and the money that is right."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.pipelines.data.fetching.stripe_case import card, charge, customer, invoice, item, price, refund, subscription

ZONE = ZoneInfo("Europe/Paris")  # of the layout
BEGIN, END = datetime(2024, 1, 1, tzinfo=ZONE), datetime(2026, 1, 1, tzinfo=ZONE)
MONTH = timedelta(days=30)
PLANS = (("1000", "basic"), ("2900", "plus"), ("9900", "team"))


def account(customers: int, *, seed: int = 7) -> tuple[dict[str, list[dict[str, Any]]], dict[str, dict[str, Decimal]]]:
    """Lists by name, newest first, and by table and local month what must land: prices and invoiced less given back."""
    dice, lists = random.Random(seed), _Lists()
    for number in range(customers):
        _subscriber(dice, lists, f"cus_{number:05}")
    for name, objects in lists.lists.items():
        objects.sort(key=lambda each: (-each["created"], each["id"]))
        assert len({each["id"] for each in objects}) == len(objects), name
    money = {
        table: {month: Decimal(cents) / 100 for month, cents in by_month.items() if cents}
        for table, by_month in lists.cents.items()
    }
    return lists.lists, money


class _Lists:
    def __init__(self) -> None:
        names = ("customers", "coupons", "subscriptions", "invoices", "charges", "credit_notes", "refunds", "events")
        self.lists: dict[str, list[dict[str, Any]]] = {name: [] for name in (*names, "payment_methods")}
        self.cents: dict[str, Counter[str]] = {"subscriptions": Counter(), "invoices": Counter()}

    def add(self, name: str, made: dict[str, Any]) -> None:
        self.lists[name].append(made)

    def count(self, table: str, at: datetime, cents: int) -> None:
        self.cents[table][f"{at.astimezone(ZONE):%Y-%m}"] += cents


def _subscriber(dice: random.Random, lists: _Lists, name: str) -> None:
    """Somebody who subscribes, pays month by month, now and then not, and perhaps leaves: sooner after failures."""
    begun = BEGIN + timedelta(days=dice.uniform(0, 700))
    fails = dice.choice((0.02, 0.02, 0.25))
    left = begun + timedelta(days=5 + dice.expovariate(1 / (150 if fails > 0.1 else 400)))
    cents, plan = dice.choice(PLANS)
    at = int(begun.timestamp())
    lists.add("customers", customer(name, created=at, invoice_settings={"default_payment_method": f"pm_{name}"}))
    lists.add("payment_methods", card(f"pm_{name}", created=at, of=name, year=2027 + dice.randrange(3)))
    ended = {} if left >= END else {
        "status": "canceled", "ended_at": int(left.timestamp()), "canceled_at": int(left.timestamp()),
        "cancellation_details": {"reason": "cancellation_requested"},
    }  # fmt: skip
    of = price(cents, name=f"price_{plan}", nickname=plan)
    lists.add("subscriptions", subscription(f"sub_{name}", created=at, of=name, items=[item(of)], **ended))
    lists.count("subscriptions", begun, int(cents))
    day = begun
    while day < min(left, END):
        _billed(dice, lists, name, day, int(cents), failed=dice.random() < fails)
        day += MONTH


def _billed(dice: random.Random, lists: _Lists, of: str, day: datetime, cents: int, *, failed: bool) -> None:
    """An invoice, its attempts, and in one case of thirty some of it back."""
    number, at = f"{of}_{day:%y%m%d}", int(day.timestamp())
    paid = day + timedelta(days=3 if failed else 0)
    tries = [charge(f"ch_{number}", created=int(paid.timestamp()), of=of, amount=cents, payment_intent=f"pi_{number}",
                    payment_method=f"pm_{of}")]  # fmt: skip
    if failed:
        declined = {"status": "failed", "failure_code": "card_declined", "outcome": {"reason": "insufficient_funds"}}
        tries.append(tries[0] | {"id": f"ch_{number}_first", "created": at} | declined)
    if paid >= END:
        tries = tries[1:]
    for each in tries:
        lists.add("charges", each)
    moments = {"paid_at": int(paid.timestamp()) if paid < END else None}
    payment = {"payment": {"type": "payment_intent", "payment_intent": f"pi_{number}"}}
    lists.add("invoices", invoice(
        f"in_{number}", created=at, of=of, total=cents, moments=moments, payments={"data": [payment]},
        parent={"type": "subscription_details", "subscription_details": {"subscription": f"sub_{of}"}},
    ))  # fmt: skip
    lists.count("invoices", day, cents)
    back = paid + timedelta(days=2)
    if back < END and dice.random() < 1 / 30:
        lists.add(
            "refunds", refund(f"re_{number}", created=int(back.timestamp()), charge=f"ch_{number}", amount=cents // 2)
        )
        lists.count("invoices", back, -(cents // 2))
