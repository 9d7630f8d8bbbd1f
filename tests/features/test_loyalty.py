"""Loyalty indicators over literal rows, seen from 1 June 2024, Paris, with an outcome window that ends on 31 July."""

from __future__ import annotations

from typing import Any

from features.loyalty import FAMILY
from tests.features.world_case import differing, fact, family_of


def _move(kind: str, moved_at: str, points: float | str | None = None, **more: Any) -> dict[str, Any]:
    return fact("a", kind=kind, moved_at=moved_at, points=points, **more)


def _of(*moves: dict[str, Any]) -> Any:
    return family_of(FAMILY, "a", loyalty=moves).loc["a"]


def test_member_is_who_joined_and_has_not_left_since() -> None:
    joined, left = _move("joined", "2023-01-01"), _move("left", "2024-05-01")
    assert not differing(_of(joined, _move("earned", "2024-05-01", 10)), loyalty_member=1)
    assert not differing(_of(joined, left), loyalty_member=0)
    assert not differing(_of(joined, left, _move("joined", "2024-05-31 23:59")), loyalty_member=1)
    assert not differing(_of(_move("earned", "2024-05-01", 10)), loyalty_member=0)


def test_who_left_at_the_snapshot_instant_is_still_a_member() -> None:
    row = _of(_move("joined", "2023-01-01"), _move("left", "2024-06-01 00:00"))
    assert not differing(row, loyalty_member=1)


def test_points_left_are_those_earned_less_those_spent_and_expired() -> None:
    row = _of(
        _move("earned", "2023-01-01", 100),
        _move("earned", "2024-05-31 23:59", "20.5"),
        _move("spent", "2024-01-01", 30),
        _move("expired", "2024-02-01", 40),
        _move("reward", "2024-02-02", 7),
        _move("earned", "2024-03-01"),
        _move("earned", "2024-06-01 00:00", 1000),
    )
    assert not differing(row, loyalty_points=50.5, points_expiring=0)


def test_more_points_spent_than_were_seen_earned_leave_none() -> None:
    row = _of(
        _move("spent", "2024-05-01", 30),
        _move("earned", "2024-05-02", 10, expires_at="2024-06-10"),
    )
    assert not differing(row, loyalty_points=0, points_expiring=0)


def test_points_about_to_expire_do_so_before_the_horizon_ends() -> None:
    row = _of(
        _move("earned", "2023-01-01", 1, expires_at="2024-05-31 23:59"),
        _move("earned", "2023-01-01", 2, expires_at="2024-06-01 00:00"),
        _move("earned", "2023-01-01", 4, expires_at="2024-07-30 23:59"),
        _move("earned", "2023-01-01", 8, expires_at="2024-07-31 00:00"),
        _move("earned", "2023-01-01", 16),
    )
    assert not differing(row, points_expiring=6)


def test_points_about_to_expire_are_at_most_those_that_are_left() -> None:
    row = _of(_move("earned", "2023-01-01", 50, expires_at="2024-06-20"), _move("spent", "2024-01-01", 45))
    assert not differing(row, loyalty_points=5, points_expiring=5)


def test_rewards_are_counted_and_the_last_one_dated() -> None:
    row = _of(
        _move("reward", "2024-05-25 00:00"),
        _move("reward", "2024-05-24 23:59"),
        _move("reward", "2023-06-01 23:59"),
        _move("earned", "2024-05-30", 10),
        _move("reward", "2024-06-01 00:00"),
        _move("reward", "2024-05-30", known_at="2024-06-01 00:00"),
    )
    assert not differing(row, days_since_last_reward=7, rewards_7d=1, rewards_30d=2, rewards_365d=2)


def test_who_is_not_in_the_programme_has_zeros_and_no_reward() -> None:
    row = family_of(FAMILY, "a", loyalty=[fact("b", kind="reward", moved_at="2024-05-20")]).loc["a"]
    assert not differing(row, loyalty_member=0, loyalty_points=0, points_expiring=0)
    assert not differing(row, days_since_last_reward=None, rewards_365d=0)
