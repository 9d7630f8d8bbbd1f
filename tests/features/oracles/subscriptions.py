"""Subscriptions in plain Python, with what the last known change made of them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.features.oracles.known import Row, newest


def terms(view: Mapping[str, list[Row]]) -> list[Row]:
    found = []
    for subscription in view["subscriptions"]:
        row = dict(subscription)
        for name, value in (("plan", "plan"), ("seats", "seats"), ("mrr", "mrr_after")):
            changes = [
                change
                for change in view.get("subscription_changes", [])
                if change["subscription_id"] == row["subscription_id"] and change[value] is not None
            ]
            if changes and (last := newest(changes, "changed_at"))["known_at"] >= subscription["known_at"]:
                row[name] = last[value]
        row["term_started_at"] = row["term_started_at"] or row["started_at"]
        found.append(row)
    return found


def running(view: Mapping[str, list[Row]]) -> list[Row]:
    return [row for row in terms(view) if row["ended_at"] is None]
