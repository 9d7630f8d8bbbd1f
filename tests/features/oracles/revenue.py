"""Customers and recurring revenue in plain Python: what was paid at an instant, and what moved until a later one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from features.subscription_periods import DUNNING_DAYS, Endings
from tests.features.oracles.known import Row, exact, known, local_date
from tests.features.oracles.subscriptions import paid_for, terms
from tests.features.world_case import at

World = Mapping[str, Sequence[Row]]
Payer = tuple[str, Decimal, bool]  # plan, revenue, and whether a price is unknown


def known_on(view: World, day: date) -> dict[str, list[Row]]:
    cut = at(day.isoformat())
    return {table: known(table, rows, cut=cut) for table, rows in view.items()}


def subscription_periods(now: dict[str, list[Row]], endings: Endings) -> list[Row]:
    """What was paid for, each with `begins`, `ended`, `until`, `freed` (each or None), `failed` and `ever`."""
    found = []
    prices = paid_for(now)
    for row in terms(now):
        started, ended = local_date(row["started_at"]), row["ended_at"] and local_date(row["ended_at"])
        trial = row["trial_ends_at"] and local_date(row["trial_ends_at"])
        if trial and ended and ended <= trial:
            continue
        ever, charged, freed = prices[row["subscription_id"]]
        begins = max(trial or started, charged or started, started)
        started = max(started, charged or started)  # a free plan is nothing until it has a price
        found.append(row | {"started": started, "begins": begins, "ended": ended, "freed": freed, "ever": ever})
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
                and other["ever"]
                and other["started"] <= last_chance
                and other["begins"] >= row["ended"]
            ]
            row["until"] = min(next_ones, default=row["ended"])
    return found


def _unwilling(now: dict[str, list[Row]], row: Row, endings: Endings) -> bool:
    if (row["end_reason"] or "").lower().replace(" ", "_") in endings.involuntary_reasons:
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


def payers(view: World, paid: list[Row], day: date, *, pauses: bool = True) -> dict[str, Payer]:
    """Customer to plan, monthly revenue at the midnight that begins a day, and whether some price is unknown."""
    return _payers(view, [spell for spell in paid if counts(spell, day)], day, pauses=pauses)


def passed(view: World, paid: list[Row], start: date, end: date, *, pauses: bool = True) -> dict[str, Payer]:
    """The same of what began and was over between two days: what each customer had last."""
    between = [
        spell
        for spell in paid
        if spell["begins"] >= start and spell["until"] and spell["begins"] < spell["until"] < end
    ]
    last = {spell["customer_id"]: date.min for spell in between}
    for spell in between:
        last[spell["customer_id"]] = max(last[spell["customer_id"]], spell["until"])
    return _payers(view, [s for s in between if s["until"] == last[s["customer_id"]]], end, pauses=pauses)


def _payers(view: World, spells: list[Row], day: date, *, pauses: bool) -> dict[str, Payer]:
    then = {row["subscription_id"]: row for row in terms(known_on(view, day), pause_pauses_mrr=pauses)}
    lines: dict[str, list[tuple[Decimal, str, str, bool]]] = defaultdict(list)
    for spell in spells:
        old = then.get(spell["subscription_id"], {})
        mrr = old.get("mrr")
        if mrr is None or mrr > 0 or old.get("paused"):
            plan = _first(old.get("plan"), spell["plan"]) or ""
            lines[spell["customer_id"]].append((-exact(mrr or 0), plan, spell["subscription_id"], mrr is None))
    cent = Decimal("0.01")
    return {
        customer: (
            min(each)[1],
            sum((-line[0] for line in each), Decimal(0)).quantize(cent, ROUND_HALF_UP),
            any(line[3] for line in each),
        )
        for customer, each in lines.items()
    }


def free(view: World, paid: list[Row], day: date) -> set[str]:
    """Who has something at a midnight, and nothing that was ever paid for as far as was known then."""
    known_then = known_on(view, day)
    prices = paid_for(known_then)
    ever: dict[str, bool] = {}
    for row in terms(known_then):
        ever[row["customer_id"]] = ever.get(row["customer_id"], False) or prices[row["subscription_id"]][0]
    return {s["customer_id"] for s in paid if counts(s, day) and ever.get(s["customer_id"]) is False}


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def first_days(paid: list[Row]) -> dict[str, date]:
    found: dict[str, date] = {}
    for spell in paid:
        until = min((day for day in (spell["until"], spell["freed"]) if day), default=None)
        if spell["ever"] and (until is None or until > spell["begins"]):
            known_first = found.get(spell["customer_id"], spell["begins"])
            found[spell["customer_id"]] = min(known_first, spell["begins"])
    return found


def month(view: World, paid: list[Row], start: date, end: date, *, pauses: bool = True) -> dict[str, Row]:
    """Plan at the start (of who came, at the end) to what is counted and added up between two days."""
    before, after = (payers(view, paid, day, pauses=pauses) for day in (start, end))
    between = passed(view, paid, start, end, pauses=pauses)
    between = {who: each for who, each in between.items() if who not in before and who not in after}
    first, never_paid = first_days(paid), free(view, paid, start)
    found: dict[str, Row] = defaultdict(lambda: defaultdict(int))
    for customer in before.keys() | after.keys() | between.keys():
        nobody = ("", Decimal(0), False)
        (plan, was, old), (later_plan, now_is, new) = (side.get(customer, nobody) for side in (before, after))
        (short_plan, short, short_unknown) = between.get(customer, nobody)
        row = found[plan if customer in before else later_plan if customer in after else short_plan]
        row["customers_start"] += customer in before
        row["customers_end"] += customer in after
        row["mrr_start"] += was
        row["mrr_end"] += now_is
        row["new_and_lost"] += customer in between
        row["mrr_new_and_lost"] += short
        row["customers_unpriced"] += old or new or short_unknown
        if customer not in before:
            back = first.get(customer, start) < start and customer not in never_paid
            row["new"] += 1
            row["reactivated"] += back
            row["mrr_reactivation" if back else "mrr_new"] += now_is + short
        if customer not in after:
            ends = [s for s in paid if s["customer_id"] == customer and s["ended"] and start <= s["ended"] < end]
            last = max((spell["ended"] for spell in ends), default=None)
            failed = any(spell["failed"] for spell in ends if spell["ended"] == last)
            row["lost"] += 1
            row["involuntary_lost" if failed else "voluntary_lost"] += 1
            row["mrr_churned"] += was + short
        if customer in before and customer in after:
            names = ("mrr_became_known", "mrr_became_unknown") if old or new else ("mrr_expansion", "mrr_contraction")
            row[names[now_is <= was]] += abs(now_is - was)
    return found
