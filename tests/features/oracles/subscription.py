"""The subscription indicators in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, exact, newest, own
from tests.features.oracles.subscriptions import running
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    ranks = _ranks(view)
    return {
        customer: _terms(mine, customer, ranks) | _moves(mine, customer)
        for customer, mine in own(view, customers).items()
    }


def _ranks(view: Mapping[str, list[Row]]) -> dict[str, float]:
    prices: dict[str, list[int]] = defaultdict(list)
    for row in running(view):
        if row["plan"] is not None and row["mrr"] is not None:
            seats = max(1 if row["seats"] is None else row["seats"], 1)
            prices[row["plan"]].append(round(float(exact(row["mrr"])) / seats * 1e6))
    means = {plan: sum(each) / len(each) for plan, each in prices.items()}
    cheaper = {plan: sum(other < mean for other in means.values()) for plan, mean in means.items()}
    return {plan: number / (len(means) - 1) if number else 0.0 for plan, number in cheaper.items()}


def _terms(view: Mapping[str, list[Row]], customer: str, ranks: Mapping[str, float]) -> Row:
    mine = [row for row in running(view) if row["customer_id"] == customer]
    months = [-age(row["renews_at"]) / 30.4375 for row in mine if row["renews_at"]]
    seats = [row["seats"] for row in mine if row["seats"] is not None]
    prices = [exact(row["mrr"]) for row in mine if row["mrr"] is not None]
    result: Row = {
        "mrr": float(sum(prices)) if prices else None,
        "seats_paid": sum(seats) if seats else None,
        "plan_rank": max((ranks[row["plan"]] for row in mine if row["plan"] in ranks), default=None),
        "subscriptions_running": len(mine),
        "months_to_renewal": min((each for each in months if each >= 0), default=None),
        "auto_renew_off": int(any(row["auto_renew"] is False for row in mine)) if mine else None,
        "days_since_term_start": min((age(row["term_started_at"]) for row in mine), default=None),
        "subscription_age_days": max((age(row["started_at"]) for row in mine), default=None),
    }
    if "subscription_changes" in view:
        result["paused"] = int(any(_paused(view, row["subscription_id"]) for row in mine))
    return result


def _paused(view: Mapping[str, list[Row]], subscription: str) -> bool:
    stops = [
        row
        for row in view["subscription_changes"]
        if row["subscription_id"] == subscription and row["kind"] in ("pause", "resume")
    ]
    return bool(stops) and newest(stops, "changed_at")["kind"] == "pause"


def _moves(view: Mapping[str, list[Row]], customer: str) -> Row:
    result: Row = {}
    changes = [row for row in view.get("subscription_changes", []) if row["customer_id"] == customer]
    for span in lookbacks():
        recent = [row for row in changes if age(row["changed_at"]) <= span]
        sized = [
            exact(row["mrr_after"]) - exact(row["mrr_before"])
            for row in recent
            if row["kind"] in ("plan", "seats") and row["mrr_after"] is not None and row["mrr_before"] is not None
        ]
        result |= {
            f"downgrades_{span}d": sum(step < 0 for step in sized),
            f"upgrades_{span}d": sum(step > 0 for step in sized),
            f"pauses_{span}d": sum(row["kind"] == "pause" for row in recent),
        }
    return result
