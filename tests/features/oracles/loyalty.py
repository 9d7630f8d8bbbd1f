"""The loyalty indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tests.features.oracles.known import Row, age, exact, newest
from tests.features.world_case import LOOKBACKS, SPANS


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {
        customer: _one([row for row in view["loyalty"] if row["customer_id"] == customer]) for customer in customers
    }


def _one(moves: list[Row]) -> Row:
    left = _left(moves)
    member = [row for row in moves if row["kind"] in ("joined", "left")]
    rewards = [age(row["moved_at"]) for row in moves if row["kind"] == "reward"]
    return {
        "loyalty_member": int(bool(member) and newest(member, "moved_at")["kind"] == "joined"),
        "loyalty_points": float(left),
        "points_expiring": float(max(left - _earned(moves, lasting_at=-SPANS.horizon_days), Decimal(0))),
        "days_since_last_reward": min(rewards, default=None),
    } | {f"rewards_{span}d": sum(old <= span for old in rewards) for span in LOOKBACKS}


def _left(moves: list[Row]) -> Decimal:
    """The least that any day leaves: what had not lapsed by it, less what was spent from it on; never below 0."""
    days = {age(row["moved_at"]) for row in moves} | {age(row["expires_at"]) for row in moves if row["expires_at"]}
    held = [_earned(moves, lasting_at=day) - _gone(moves, "spent", from_day=day) for day in days | {0} if day >= 0]
    balance = sum((_points(row) for row in moves if row["kind"] == "earned"), Decimal(0)) - _gone(
        moves, "spent", "expired"
    )
    return max(min(balance, *held), Decimal(0))


def _points(row: Row) -> Decimal:
    return exact(row["points"] or 0)


def _earned(moves: list[Row], *, lasting_at: int) -> Decimal:
    """Points of whenever that do not lapse before a day, which is given as its age."""
    lots = (row for row in moves if row["kind"] == "earned")
    lasting = (row for row in lots if row["expires_at"] is None or age(row["expires_at"]) <= lasting_at)
    return sum((_points(row) for row in lasting), Decimal(0))


def _gone(moves: list[Row], *kinds: str, from_day: int | None = None) -> Decimal:
    rows = (row for row in moves if row["kind"] in kinds)
    return sum((_points(row) for row in rows if from_day is None or age(row["moved_at"]) <= from_day), Decimal(0))
