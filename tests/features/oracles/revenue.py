"""Customers and recurring revenue in plain Python: what was paid at an instant, and what moved until a later one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from features.subscription_periods import DUNNING_DAYS, Endings
from tests.features.oracles.known import Row, exact, known, local_date
from tests.features.oracles.subscriptions import terms
from tests.features.world_case import at

World = Mapping[str, Sequence[Row]]


def known_on(view: World, day: date) -> dict[str, list[Row]]:
    cut = at(day.isoformat())
    return {table: known(table, rows, cut=cut) for table, rows in view.items()}


def subscription_periods(now: dict[str, list[Row]], endings: Endings) -> list[Row]:
    """What was paid for, each with `begins`, `ended` (or None), `until` (or None) and `failed`."""
    found = []
    for row in terms(now):
        started, ended = local_date(row["started_at"]), row["ended_at"] and local_date(row["ended_at"])
        trial = row["trial_ends_at"] and local_date(row["trial_ends_at"])
        if trial and ended and ended <= trial:
            continue
        found.append(row | {"started": started, "begins": max(trial or started, started), "ended": ended})
    for row in found:
        row["until"] = row["ended"]
        row["failed"] = bool(row["ended"]) and _unwilling(now, row, endings)
        if row["ended"]:
            last_chance = row["ended"] + timedelta(days=endings.grace_days)
            next_ones = [
                other["begins"]
                for other in found
                if other["customer_id"] == row["customer_id"]
                and other["subscription_id"] != row["subscription_id"]
                and other["started"] <= last_chance
                and other["begins"] >= row["ended"]
            ]
            row["until"] = min(next_ones, default=row["ended"])
    return found


def _unwilling(now: dict[str, list[Row]], row: Row, endings: Endings) -> bool:
    if row["end_reason"] in endings.involuntary_reasons:
        return True
    for_what = {bill["invoice_id"]: bill["subscription_id"] for bill in now.get("invoices", [])}
    attempts = [(p["attempted_at"], p["succeeded"], for_what.get(p["invoice_id"])) for p in _mine(now, "payments", row)]
    attempts += [(b["paid_at"], True, b["subscription_id"]) for b in _mine(now, "invoices", row) if b["paid_at"]]
    meant = [(when, came) for when, came, what in attempts if what in (None, row["subscription_id"])]
    meant = [(when, came) for when, came in meant if when <= row["ended_at"]]
    last_paid = max((when for when, came in meant if came), default=None)
    failing = [when for when, came in meant if not came and (last_paid is None or when > last_paid)]
    if not failing or (row["ended"] - local_date(max(failing))).days > DUNNING_DAYS:
        return False
    return row["cancel_requested_at"] is None or min(failing) < row["cancel_requested_at"]


def _mine(now: dict[str, list[Row]], table: str, row: Row) -> list[Row]:
    # Without payments nothing is known of failures, and invoices alone do not tell.
    there = now.get(table, []) if "payments" in now else []
    return [each for each in there if each["customer_id"] == row["customer_id"]]


def counts(spell: Row, day: date) -> bool:
    return bool(spell["begins"] < day and (spell["until"] is None or spell["until"] >= day))


def payers(view: World, paid: list[Row], day: date) -> dict[str, tuple[str, Decimal]]:
    """Customer to plan and monthly revenue at the midnight that begins a day."""
    then = {row["subscription_id"]: row for row in terms(known_on(view, day))}
    lines: dict[str, list[tuple[Decimal, str, str]]] = defaultdict(list)
    for spell in paid:
        if counts(spell, day):
            old = then.get(spell["subscription_id"], {})
            plan, mrr = (_first(old.get(name), spell[name]) for name in ("plan", "mrr"))
            lines[spell["customer_id"]].append((-exact(mrr or 0), plan or "", spell["subscription_id"]))
    cent = Decimal("0.01")
    return {
        customer: (min(each)[1], sum((-price for price, _, _ in each), Decimal(0)).quantize(cent, ROUND_HALF_UP))
        for customer, each in lines.items()
    }


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def first_days(paid: list[Row]) -> dict[str, date]:
    found: dict[str, date] = {}
    for spell in paid:
        if spell["until"] is None or spell["until"] > spell["begins"]:
            known_first = found.get(spell["customer_id"], spell["begins"])
            found[spell["customer_id"]] = min(known_first, spell["begins"])
    return found


def month(view: World, paid: list[Row], start: date, end: date) -> dict[str, Row]:
    """Plan at the start (of who came, at the end) to what is counted and added up between two days."""
    before, after = payers(view, paid, start), payers(view, paid, end)
    first = first_days(paid)
    found: dict[str, Row] = defaultdict(lambda: defaultdict(int))
    for customer in before.keys() | after.keys():
        (plan, was), (later_plan, now_is) = (side.get(customer, ("", Decimal(0))) for side in (before, after))
        row = found[later_plan if customer not in before else plan]
        row["customers_start"] += customer in before
        row["customers_end"] += customer in after
        row["mrr_start"] += was
        row["mrr_end"] += now_is
        if customer not in before:
            back = first[customer] < start
            row["new"] += 1
            row["reactivated"] += back
            row["mrr_reactivation" if back else "mrr_new"] += now_is
        elif customer not in after:
            ends = [s for s in paid if s["customer_id"] == customer and s["ended"] and s["ended"] < end]
            last = max(spell["ended"] for spell in ends)
            failed = any(spell["failed"] for spell in ends if spell["ended"] == last)
            row["lost"] += 1
            row["involuntary_lost" if failed else "voluntary_lost"] += 1
            row["mrr_churned"] += was
        elif now_is > was:
            row["mrr_expansion"] += now_is - was
        else:
            row["mrr_contraction"] += was - now_is
    return found
