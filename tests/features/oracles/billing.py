"""The billing indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod
from statistics import median

from tests.features.oracles.known import Row, age, exact, own, ratio
from tests.features.oracles.subscriptions import running
from tests.features.oracles.vantage import lookbacks

LARGEST_FACTOR = Fraction(10**6)


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {customer: _one(mine, customer) for customer, mine in own(view, customers).items()}


def _one(view: Mapping[str, list[Row]], customer: str) -> Row:
    invoices, payments, changes = (
        [row for row in view[name] if row["customer_id"] == customer]
        for name in ("invoices", "payments", "subscription_changes")
    )
    charges = sorted(
        (row for row in invoices if row["amount"] >= 0 and row["voided_at"] is None),
        key=lambda row: (row["issued_at"], row["known_at"], row["landed_order"], row["source_row"]),
    )
    amounts = [float(exact(row["amount"])) for row in charges]
    usual = median(amounts[:-1]) if len(amounts) > 1 else None
    result: Row = {"last_invoice": amounts[-1] if amounts else None, "usual_invoice": usual}
    result["last_invoice_over_usual"] = ratio(result["last_invoice"], usual)
    result["last_invoice_deviation"] = None
    if usual is not None:
        spread = max(1.4826 * median(abs(each - usual) for each in amounts[:-1]), 0.01 * usual)
        result["last_invoice_deviation"] = (amounts[-1] - usual) / spread if spread else None
    late = [
        row
        for row in charges
        if row["due_at"] and age(row["due_at"]) > 0 and row["paid_at"] is None and row["written_off_at"] is None
    ]
    result |= {
        "overdue_invoices": len(late),
        "overdue_amount": float(sum(exact(row["amount"]) for row in late)),
        "overdue_days": max((age(row["due_at"]) for row in late), default=0),
        "price_increase_since_renewal": _increase(view, customer),
    }
    for span in lookbacks():
        odd = [exact(row["amount"]) for row in charges if row["extraordinary"] and age(row["issued_at"]) <= span]
        jumps = [
            ratio(exact(now["amount"]), exact(then["amount"]))
            for then, now in pairwise(charges)
            if exact(then["amount"]) > 0 and age(now["issued_at"]) <= span
        ]
        result |= {
            f"largest_invoice_jump_{span}d": max(jumps, default=None),  # type: ignore[type-var]
            f"extraordinary_charges_{span}d": len(odd),
            f"extraordinary_value_{span}d": float(sum(odd)),
            f"invoices_written_off_{span}d": sum(
                bool(row["written_off_at"]) and age(row["written_off_at"]) <= span for row in invoices
            ),
            f"credit_notes_{span}d": sum(
                row["amount"] < 0 and row["voided_at"] is None and age(row["issued_at"]) <= span for row in invoices
            ),
            f"failed_payments_{span}d": sum(
                not row["succeeded"] and age(row["attempted_at"]) <= span for row in payments
            ),
            f"discounts_ended_{span}d": sum(
                row["kind"] == "discount_end" and age(row["changed_at"]) <= span for row in changes
            ),
        }
    return result


def _increase(view: Mapping[str, list[Row]], customer: str) -> float | None:
    mine = [row for row in running(view) if row["customer_id"] == customer]
    prices = [exact(row["mrr"]) for row in mine if row["mrr"] is not None]
    if not prices:
        return None
    at_renewal = Fraction(0)
    for row in mine:
        changes = (change for change in view["subscription_changes"] if _changes_price(change, row))
        factors = (Fraction(exact(change["mrr_after"])) / Fraction(exact(change["mrr_before"])) for change in changes)
        factor = min(max(prod(factors, start=Fraction(1)), 1 / LARGEST_FACTOR), LARGEST_FACTOR)
        at_renewal += Fraction(exact(row["mrr"] or 0)) / factor
    return ratio(Fraction(sum(prices)) - at_renewal, at_renewal)


def _changes_price(change: Row, subscription: Row) -> bool:
    return bool(
        change["subscription_id"] == subscription["subscription_id"]
        and change["kind"] == "price"
        and change["mrr_before"]
        and change["mrr_after"]
        and age(change["changed_at"]) <= age(subscription["term_started_at"])
    )
