"""Exports of a made-up company's Stripe dashboard, and what is right of them, counted while they are made up."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from tests.layouts.billing_views import Expected, month_of, write_csv
from tests.layouts.stripe_headings import CUSTOMERS, INVOICES, PAYMENTS, SUBSCRIPTIONS

ZONE = "Europe/Paris"
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, 22, 30, tzinfo=UTC)
NAMES = ("Müller, Söhne & Co", 'Ada "Test" Example', "Nobody Inc", "Élise Inventée", "Ragnar Invented, Jr")
HARD, SOFT, NEITHER = ("expired_card", "stolen_card"), ("insufficient_funds", "processing_error"), ("generic_decline",)


@dataclass(frozen=True)
class Plan:
    """A plan; a price each `days` or so, which is `times` the price in `months` months."""

    name: str
    interval: str
    amount: str
    currency: str
    times: int
    months: int
    days: int


PLANS = (
    Plan("starter", "month", "29.00", "eur", 1, 1, 30),
    Plan("team", "month", "49.90", "eur", 1, 1, 30),
    Plan("team-year", "year", "499.00", "eur", 1, 12, 365),
    Plan("season", "3 months", "79.99", "eur", 1, 3, 91),
    Plan("pass", "week", "9.90", "eur", 52, 12, 7),
    Plan("starter-yen", "month", "3000", "jpy", 1, 1, 30),
    Plan("starter-dollar", "month", "35.00", "usd", 1, 1, 30),
)


def monthly(plan: Plan, seats: int, share: str = "1") -> Decimal:
    exact = Decimal(plan.amount) * seats * Decimal(share) * plan.times / plan.months
    return exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def written(moment: datetime, *, seconds: bool = False) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


class Company:
    """The rows of each file and the figures that are right, side by side."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.right = Expected()
        self.subscriptions: list[dict[str, str]] = []
        self.payments: list[dict[str, str]] = []
        self.invoices: list[dict[str, str]] = []
        self.customers: list[dict[str, str]] = []
        self.came: dict[str, datetime] = {}

    def customer(self, number: int, made_at: datetime, *, again_of: dict[str, str] | None = None) -> dict[str, str]:
        """A customer object; one of a person who had one before has the same address, in other letters."""
        email = "" if number % 19 == 0 else f"Person{number:04}@Example.com"
        if again_of:
            email = again_of["Email"].upper()
        row = {
            "id": f"cus_{number:06}" + ("again" if again_of else ""),
            "Email": email,
            "Name": self.dice.choice(NAMES),
            "Created (UTC)": written(made_at),
        }
        self.customers.append(row)
        key = email.lower() or row["id"]
        if key not in self.came:
            self.right.count("customers")
            self.right.add("customers", "came", month_of(made_at, ZONE))
            self.came[key] = made_at
        return row

    def subscribe(self, customer: dict[str, str], begun: datetime) -> datetime | None:
        """One subscription with its invoices and payments; when it ended."""
        dice, number = self.dice, len(self.subscriptions) + 1
        plan = dice.choices(PLANS, weights=(30, 30, 10, 8, 8, 4, 4))[0]
        seats = dice.choice((1, 1, 1, 2, 5, 12)) if plan.name.startswith("team") else 1
        trial_end = begun + timedelta(days=14) if dice.random() < 0.3 else None
        first_due = trial_end or begun
        stays = timedelta(days=dice.expovariate(1 / (200 + 60 * seats)))
        leaves = first_due + max(stays, timedelta(days=1)) if not trial_end or dice.random() < 0.8 else trial_end
        ended = leaves if leaves < LAST else None
        by_failure = ended is not None and leaves != trial_end and dice.random() < 0.3
        notice = ended - timedelta(days=dice.randint(0, 5)) if ended and not by_failure else ended
        notice = max(notice, begun) if notice else None
        coupon = "SPRING" if dice.random() < 0.05 and plan.currency == "eur" else ""
        status = "canceled" if ended else "trialing" if trial_end and trial_end > LAST else "active"
        giving_notice = ended is None and dice.random() < 0.06
        if giving_notice:
            notice = LAST - timedelta(days=2)
        elif status == "active" and dice.random() < 0.1:
            status = dice.choice(("past_due", "unpaid"))
        backdated = number % 23 == 0
        created = begun + timedelta(days=3) if backdated and (ended or LAST) > begun + timedelta(days=3) else begun
        row = {
            "id": f"sub_{number:06}",
            "Customer ID": customer["id"],
            "Customer Email": customer["Email"],
            "Customer Name": customer["Name"],
            "Plan": plan.name,
            "Product": plan.name.title(),
            "Quantity": str(seats),
            "Interval": plan.interval,
            "Amount": plan.amount,
            "Currency": plan.currency,
            "Status": status,
            "Created (UTC)": written(created),
            "Start (UTC)": written(begun),
            "Start Date (UTC)": written(begun),
            "Current Period Start (UTC)": written(max(begun, LAST - timedelta(days=9))),
            "Current Period End (UTC)": written(LAST + timedelta(days=20)),
            "Trial Start (UTC)": written(begun) if trial_end else "",
            "Trial End (UTC)": written(trial_end) if trial_end else "",
            "Coupon": coupon,
            "Canceled At (UTC)": written(notice) if notice else "",
            "Cancel At Period End": "true" if giving_notice else "false",
            "Ended At (UTC)": written(ended) if ended else "",
            "Cancellation Reason": ("payment_failed" if by_failure else "cancellation_requested") if notice else "",
        }
        self.subscriptions.append(row)
        self._count(row, begun, ended, plan, seats)
        due = first_due
        while due < (ended or LAST) and due < LAST:
            self._bill(row, plan, seats, due, lost=by_failure and due + timedelta(days=plan.days) >= (ended or LAST))
            due += timedelta(days=plan.days)
        return ended

    def _count(self, row: dict[str, str], begun: datetime, ended: datetime | None, plan: Plan, seats: int) -> None:
        right = self.right
        right.count("subscriptions")
        begun_in, currency = month_of(begun, ZONE), plan.currency.upper()
        right.add("subscriptions", "begun", begun_in)
        if row["Coupon"]:
            right.add("subscriptions", "price unknown", begun_in)
            right.add("subscriptions", "mrr once SPRING is listed", begun_in, monthly(plan, seats, "0.8"))
        else:
            right.add("subscriptions", f"mrr {currency}", begun_in, monthly(plan, seats))
        if ended:
            why = "failed" if row["Cancellation Reason"] == "payment_failed" else "given notice"
            right.add("subscriptions", f"ended, {why}", month_of(ended, ZONE))

    def _bill(self, row: dict[str, str], plan: Plan, seats: int, due: datetime, *, lost: bool) -> None:
        """An invoice with a fifth of tax, and the attempts to be paid: a lost one is never paid."""
        dice, right, number = self.dice, self.right, len(self.invoices) + 1
        net = Decimal(plan.amount) * seats
        step = Decimal(1) if plan.currency == "jpy" else Decimal("0.01")
        total = (net * Decimal("1.2")).quantize(step, ROUND_HALF_UP)
        final = due + timedelta(hours=1)
        failures = 3 if lost else dice.choices((0, 1, 2), weights=(85, 10, 5))[0]
        tries = [final + timedelta(days=3 * place, minutes=2) for place in range(failures + (not lost))]
        tries = [moment for moment in tries if moment < LAST]
        paid_at = tries[-1] if not lost and len(tries) == failures + 1 else None
        void = lost and dice.random() < 0.5
        invoice = {
            "id": f"in_{number:07}",
            "Number": f"00{number:06}",
            "Customer": row["Customer ID"],
            "Customer Name": row["Customer Name"],
            "Subscription": row["id"],
            "Currency": plan.currency,
            "Date (UTC)": written(due),
            "Subtotal": str(net),
            "Tax": str(total - net),
            "Total": str(total),
            "Amount Due": str(total),
            "Status": "paid" if paid_at else "void" if void else "uncollectible" if lost else "open",
            "Finalized At (UTC)": written(final),
            "Paid At (UTC)": written(paid_at) if paid_at else "",
            "Voided At (UTC)": written(final + timedelta(days=8)) if void else "",
            "Marked Uncollectible At (UTC)": written(final + timedelta(days=8)) if lost and not void else "",
            "Due Date (UTC)": "",
        }
        self.invoices.append(invoice)
        currency = plan.currency.upper()
        right.count("invoices")
        right.add("invoices", f"asked {currency}", month_of(final, ZONE), total)
        if paid_at:
            right.add("invoices", f"paid {currency}", month_of(paid_at, ZONE), total)
        if lost:
            right.add("invoices", "voided" if void else "written off", month_of(final + timedelta(days=8), ZONE))
        for moment in tries:
            self._try(invoice, moment, total, came=moment == paid_at)

    def _try(self, invoice: dict[str, str], moment: datetime, total: Decimal, *, came: bool) -> None:
        dice, right, currency = self.dice, self.right, invoice["Currency"].upper()
        code = "" if came else dice.choice(HARD + SOFT + NEITHER)
        refunded = came and dice.random() < 0.03
        status = ("Refunded" if refunded else "Paid") if came else dice.choice(("Failed", "requires_payment_method"))
        self.payment(
            invoice, moment, status, total, code=code, refunded_at=moment + timedelta(days=9) if refunded else None
        )
        right.count("payments")
        month = month_of(moment, ZONE)
        right.add("payments", f"came {currency}" if came else "failed", month, total if came else 1)
        if code in HARD + SOFT:
            right.add("payments", "failed hard" if code in HARD else "failed soft", month)

    def payment(
        self,
        invoice: dict[str, str],
        moment: datetime,
        status: str,
        total: Decimal,
        *,
        code: str = "",
        refunded_at: datetime | None = None,
        captured: str = "true",
    ) -> None:
        self.payments.append({
            "id": f"ch_{len(self.payments) + 1:08}",
            "Created date (UTC)": written(moment, seconds=True),
            "Amount": str(total),
            "Amount Refunded": str(total) if refunded_at else "0.00",
            "Currency": invoice.get("Currency", "eur"),
            "Captured": captured,
            "Decline Reason": code,
            "Refunded date (UTC)": written(refunded_at, seconds=True) if refunded_at else "",
            "Status": status,
            "Card ID": "pm_000001",
            "Customer ID": invoice.get("Customer", ""),
            "Invoice ID": invoice.get("id", ""),
        })  # fmt: skip


def write(folder: Path, *, seed: int = 7, customers: int = 300) -> Expected:
    """The four exports of a company over 24 months, and what is right."""
    company = Company(seed)
    for number in range(1, customers + 1):
        begun = FIRST + timedelta(days=company.dice.uniform(0, 700), minutes=company.dice.randint(0, 1400))
        begun = begun.replace(second=0, microsecond=0)
        customer = company.customer(number, begun)
        ended = company.subscribe(customer, begun)
        back = (ended + timedelta(days=40)).replace(second=0, microsecond=0) if ended else LAST
        if customer["Email"] and back < LAST - timedelta(days=30) and company.dice.random() < 0.4:
            company.subscribe(company.customer(number, back, again_of=customer), back)
    odd_rows(company)
    write_csv(folder / "subscriptions.csv", SUBSCRIPTIONS, company.subscriptions)
    write_csv(folder / "unified_payments.csv", PAYMENTS, company.payments)
    write_csv(folder / "invoices.csv", INVOICES, company.invoices)
    write_csv(folder / "customers.csv", CUSTOMERS, company.customers)
    return company.right


def odd_rows(company: Company) -> None:
    """Rows that must not land, and why."""
    right, like = company.right, next(r for r in company.subscriptions if r["Status"] == "active" and not r["Coupon"])
    for number, (changes, reason) in enumerate(
        (
            ({"Status": "incomplete"}, "never paid"),
            ({"Status": "incomplete_expired"}, "never paid"),
            ({"Status": "paused"}, "trial ended without a payment method"),
        )
    ):
        company.subscriptions.append(like | {"id": f"sub_left{number}"} | changes)
        right.leave_out(f"subscriptions: {reason}")
    for number, changes in enumerate(
        (
            {"Status": "canceled"},
            {"Status": "dormant"},
            {"Amount": "29.00 EUR"},
            {"Interval": "fortnight"},
            {"Quantity": "99999999999999999999"},
            {"Amount": "-5.00"},
            {"Created (UTC)": "01/02/2025 10:00"},
        )
    ):
        company.subscriptions.append(like | {"id": f"sub_refused{number}"} | changes)
        right.refuse("subscriptions")
    company.subscriptions.append(like | {"id": "sub_usage", "Amount": "", "Plan": "by usage"})
    right.count("subscriptions")
    begun = datetime.strptime(like["Start Date (UTC)"], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    right.add("subscriptions", "begun", month_of(begun, ZONE))
    right.add("subscriptions", "price unknown", month_of(begun, ZONE))

    invoice, at, money = company.invoices[0], datetime(2025, 3, 3, 10, tzinfo=UTC), Decimal("29.00")
    for status in ("Pending", "processing", "canceled", "requires_action", "requires_confirmation", "requires_capture"):
        company.payment(invoice, at, status, money)
        right.leave_out("payments: no outcome")
    company.payment(invoice, at, "requires_payment_method", money)  # no reason: no card was tried
    company.payment(invoice, at, "Paid", money, captured="false")
    right.left_out["payments: no outcome"] += 2
    company.payment({}, at, "Paid", money)  # a one-off sale to nobody known
    company.payment(invoice, at, "Succeeded", money)  # no word of this export
    company.payment(invoice, at, "Paid", Decimal("0.123456"))
    right.refused["payments"] = 3
    company.invoices.append(invoice | {"id": "in_draft", "Finalized At (UTC)": "", "Status": "draft", "Number": ""})
    right.leave_out("invoices: draft")
    company.invoices.append(invoice | {"id": "in_money", "Total": "1.234,50"})
    right.refuse("invoices")
