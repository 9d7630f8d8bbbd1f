"""Subscriptions in plain Python, with what the last known change made of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.features.oracles.known import Row, local_date, newest


def terms(view: Mapping[str, list[Row]], *, pause_pauses_mrr: bool = True) -> list[Row]:
    found = []
    for subscription in view["subscriptions"]:
        row = dict(subscription)
        mine = _changes(view, row)
        for name, value in (("plan", "plan"), ("seats", "seats"), ("mrr", "mrr_after")):
            changes = [change for change in mine if change[value] is not None]
            if name == "mrr":
                changes = [change for change in changes if not _no_price(change, pause_pauses_mrr=pause_pauses_mrr)]
            if changes and (last := newest(changes, "changed_at"))["known_at"] >= subscription["known_at"]:
                row[name] = last[value]
        stops = [change for change in mine if change["kind"] in ("pause", "resume")]
        row["paused"] = pause_pauses_mrr and bool(stops) and _stops(newest(stops, "changed_at"))
        row["mrr"] = 0 if row["paused"] else row["mrr"]
        row["term_started_at"] = row["term_started_at"] or row["started_at"]
        found.append(row)
    return found


def running(view: Mapping[str, list[Row]]) -> list[Row]:
    return [row for row in terms(view) if row["ended_at"] is None]


def paid_for(view: Mapping[str, list[Row]]) -> dict[str, tuple[bool, date | None, date | None]]:
    """By subscription: whether it ever had a price above 0, since when, and since when it has one no more."""
    found = {}
    for row in terms(view):
        changes = _changes(view, row)
        pauses = [change["changed_at"] for change in changes if change["kind"] == "pause"]
        steps = [
            change
            for change in changes
            if change["kind"] not in ("pause", "resume") and change["mrr_after"] is not None
        ]
        steps.sort(key=lambda each: (each["changed_at"], each["known_at"], each["landed_order"], each["source_row"]))
        dear = [step for step in steps if step["mrr_after"] > 0]
        began_free = bool(steps) and min([*pauses, steps[0]["changed_at"]]) == steps[0]["changed_at"]
        began_free = began_free and steps[0]["changed_at"] not in pauses
        began_free = began_free and _first(steps[0]["mrr_before"], steps[0]["mrr_after"]) == 0
        free_now = row["mrr"] == 0 and not row["paused"]
        freed = [step for step in steps if step["mrr_after"] == 0]
        if dear:
            freed = [step for step in freed if step["changed_at"] > dear[-1]["changed_at"]]
        found[row["subscription_id"]] = (
            not (free_now and (not steps or (began_free and not dear))),
            local_date(dear[0]["changed_at"]) if began_free and dear else None,
            local_date(freed[0]["changed_at"]) if free_now and freed else None,
        )
    return found


def _changes(view: Mapping[str, list[Row]], row: Row) -> list[Row]:
    changes = view.get("subscription_changes", [])
    return [change for change in changes if change["subscription_id"] == row["subscription_id"]]


def _no_price(change: Row, *, pause_pauses_mrr: bool) -> bool:
    return change["kind"] == "pause" and (not pause_pauses_mrr or change["mrr_after"] == 0)


def _stops(change: Row) -> bool:
    return change["kind"] == "pause" and not change["mrr_after"]


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
