"""The loyalty indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, exact, newest
from tests.features.world_case import LOOKBACKS, SPANS


def expected(world: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {
        customer: _one([row for row in world["loyalty"] if row["customer_id"] == customer]) for customer in customers
    }


def _one(moves: list[Row]) -> Row:
    def points(*kinds: str) -> float:
        return float(sum(exact(row["points"] or 0) for row in moves if row["kind"] in kinds))

    balance = max(points("earned") - points("spent", "expired"), 0.0)
    lapsing = float(
        sum(
            exact(row["points"] or 0)
            for row in moves
            if row["kind"] == "earned" and row["expires_at"] and 0 <= -age(row["expires_at"]) < SPANS.horizon_days
        )
    )
    member = [row for row in moves if row["kind"] in ("joined", "left")]
    rewards = [age(row["moved_at"]) for row in moves if row["kind"] == "reward"]
    return {
        "loyalty_member": int(bool(member) and newest(member, "moved_at")["kind"] == "joined"),
        "loyalty_points": balance,
        "points_expiring": min(balance, lapsing),
        "days_since_last_reward": min(rewards, default=None),
    } | {f"rewards_{span}d": sum(old <= span for old in rewards) for span in LOOKBACKS}
