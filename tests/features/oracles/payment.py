"""The payment indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, newest, own
from tests.features.oracles.vantage import here, lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {
        customer: _methods(mine["payment_methods"]) | _attempts(mine["payments"])
        for customer, mine in own(view, customers).items()
    }


def _methods(rows: list[Row]) -> Row:
    there = [row for row in rows if row["removed_at"] is None]
    defaults = [row for row in there if row["is_default"] is not False]
    if not defaults:
        unknown = ("days_until_card_expires", "card_expired", "card_expires_before_horizon", "backup_payment_method")
        return dict.fromkeys(unknown)
    default = newest(defaults, "added_at")
    left = None if default["expires_at"] is None else -age(default["expires_at"])
    others = [row for row in there if row["method_id"] != default["method_id"]]
    return {
        "days_until_card_expires": None if left is None else max(left, 0),
        "card_expired": int(left is not None and left < 0),
        "card_expires_before_horizon": int(left is not None and left < here().horizon_days),
        "backup_payment_method": int(any(row["expires_at"] is None or age(row["expires_at"]) < 0 for row in others)),
    }


def _attempts(rows: list[Row]) -> Row:
    rows = sorted(rows, key=lambda r: (r["attempted_at"], r["known_at"], r["landed_order"], r["source_row"]))
    failed = [row for row in rows if not row["succeeded"]]
    streak = 0
    for row in reversed(rows):
        if row["succeeded"]:
            break
        streak += 1
    last_kind = failed[-1]["failure_kind"] if failed else None
    last_of_each = {row["invoice_id"]: row for row in rows}.values()
    waiting = any(not row["succeeded"] and row["retry_at"] and age(row["retry_at"]) <= 0 for row in last_of_each)
    result: Row = {
        "payment_failure_streak": streak,
        "last_failure_hard": None if last_kind is None else int(last_kind == "hard"),
        "payment_retries_running": int(waiting),
        "days_since_failed_payment": min((age(row["attempted_at"]) for row in failed), default=None),
    }
    for span in lookbacks():
        for kind in ("hard", "soft"):
            result[f"{kind}_failures_{span}d"] = sum(
                row["failure_kind"] == kind and age(row["attempted_at"]) <= span for row in failed
            )
    return result
