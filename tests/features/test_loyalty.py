"""Loyalty indicators over literal rows, seen from 1 June 2024, Paris, with an outcome window that ends on 31 July."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from features.loyalty import FAMILY
from tests.features.oracles import loyalty as oracle
from tests.features.world_case import SNAPSHOT, SPANS, at, differing, fact, family_of


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
    row = _of(_move("earned", "2024-05-01", 10), _move("spent", "2024-05-01 23:00", 30))
    assert not differing(row, loyalty_points=0, points_expiring=0)


def test_what_was_spent_and_never_seen_earned_is_not_taken_off_what_is_earned_later() -> None:
    spent = _move("spent", "2024-05-01", 30)
    row = _of(spent, _move("earned", "2024-05-02", 10, expires_at="2024-06-10"), _move("earned", "2024-05-02", 79))
    assert not differing(row, loyalty_points=89, points_expiring=10)
    later = _move("spent", "2024-05-03", 19)
    assert not differing(_of(spent, _move("earned", "2024-05-02", 89), later), loyalty_points=70)
    told = _move("expired", "2024-05-01", 30)
    assert not differing(_of(told, _move("earned", "2024-05-02", 89)), loyalty_points=89)


def test_points_lapsed_before_they_could_be_spent_are_not_taken_off_what_is_earned_later() -> None:
    row = _of(
        _move("earned", "2023-01-01", 100, expires_at="2024-01-01"),
        _move("spent", "2024-04-01", 80),
        _move("earned", "2024-05-01", 50),
    )
    assert not differing(row, loyalty_points=50)


def test_points_are_earned_before_they_are_spent_on_one_day() -> None:
    row = _of(_move("spent", "2024-05-01 08:00", 30), _move("earned", "2024-05-01 20:00", 50))
    assert not differing(row, loyalty_points=20)


def test_points_that_lapsed_before_they_were_earned_never_were() -> None:
    assert not differing(_of(_move("earned", "2024-05-02", 50, expires_at="2024-05-01")), loyalty_points=0)


def test_points_that_have_lapsed_are_gone_though_no_row_says_so() -> None:
    row = _of(
        _move("earned", "2023-01-01", 100, expires_at="2024-05-31 23:59"),
        _move("earned", "2023-01-01", 20, expires_at="2024-06-01 00:00"),
        _move("earned", "2023-01-01", 3),
    )
    assert not differing(row, loyalty_points=23, points_expiring=20)


def test_points_that_lapsed_are_taken_off_once_though_a_row_says_so_too() -> None:
    row = _of(
        _move("earned", "2023-01-01", 100, expires_at="2024-01-01"),
        _move("expired", "2024-01-02", 100),
        _move("earned", "2023-01-01", 50, expires_at="2024-03-01"),
        _move("earned", "2023-06-01", 7),
    )
    assert not differing(row, loyalty_points=7)


def test_points_spent_before_they_lapsed_are_taken_off_once() -> None:
    row = _of(
        _move("earned", "2023-01-01", 100, expires_at="2024-01-01"),
        _move("spent", "2023-12-31", 80),
        _move("earned", "2023-06-01", 50, expires_at="2024-12-01"),
    )
    assert not differing(row, loyalty_points=50)


def test_points_spent_after_others_had_lapsed_are_of_those_that_had_not() -> None:
    row = _of(
        _move("earned", "2023-01-01", 100, expires_at="2024-01-01"),
        _move("earned", "2024-03-01", 100),
        _move("spent", "2024-04-01", 80),
    )
    assert not differing(row, loyalty_points=20)


def test_points_can_be_spent_on_the_day_on_which_they_lapse() -> None:
    kept = _move("earned", "2023-01-01", 50)
    lapsing = _move("earned", "2023-01-01", 100, expires_at="2024-01-02 00:00")
    assert not differing(_of(kept, lapsing, _move("spent", "2024-01-02 12:00", 80)), loyalty_points=50)
    assert not differing(_of(kept, lapsing, _move("spent", "2024-01-03 00:00", 30)), loyalty_points=20)


def _purse(customer: str, source: random.Random) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The moves of a purse that is emptied from its oldest points, day after day, and what it holds in the end.

    Points are valid for as long as the customer's others; whether rows tell of those that lapse differs by customer.
    """
    valid_days, told = source.choice([60, 180, 365]), source.random() < 0.5
    moves: list[dict[str, Any]] = []
    lots: dict[date, int] = {}  # by the day on which they lapse, which is in their order

    def move(kind: str, day: date, points: int, hour: int = 12, **more: Any) -> None:
        moves.append(fact(customer, kind=kind, points=points, moved_at=f"{day} {hour:02}:00", **more))

    for day in (SNAPSHOT - timedelta(days=days) for days in range(900, 0, -1)):
        lapsed = sum(lots.pop(lapses) for lapses in list(lots) if lapses < day)
        if lapsed and told:
            move("expired", day, lapsed, hour=3)
        chance = source.random()
        if chance < 0.02:
            lots[day + timedelta(days=valid_days)] = points = source.randint(1, 100)
            move("earned", day, points, expires_at=f"{day + timedelta(days=valid_days)} 09:00")
        elif chance < 0.04 and any(lots.values()):
            to_spend = source.randint(1, sum(lots.values()))
            move("spent", day, to_spend)
            for lapses, points in lots.items():
                lots[lapses] = points - min(points, to_spend)
                to_spend -= min(points, to_spend)
    left = {lapses: points for lapses, points in lots.items() if lapses >= SNAPSHOT}
    soon = SNAPSHOT + timedelta(days=SPANS.horizon_days)
    expiring = sum(points for lapses, points in left.items() if lapses < soon)
    return moves, {"loyalty_points": sum(left.values()), "points_expiring": expiring}


def test_points_are_those_of_a_purse_that_is_emptied_from_its_oldest() -> None:
    source = random.Random(5)
    purses = {f"c{number}": _purse(f"c{number}", source) for number in range(200)}
    found = family_of(FAMILY, *purses, loyalty=[move for moves, _ in purses.values() for move in moves])
    assert sum(wanted["points_expiring"] > 0 for _, wanted in purses.values()) > 20
    for customer, (_, wanted) in purses.items():
        assert not differing(found.loc[customer], **wanted)


@settings(max_examples=60)
@given(
    valid_days=st.sampled_from([5, 30, 90, None]),
    told=st.booleans(),
    days=st.lists(
        st.tuples(st.sampled_from(["earned", "spent"]), st.integers(1, 120), st.integers(1, 100)), max_size=14
    ),
)
def test_points_are_those_of_a_purse_kept_day_by_day(
    valid_days: int | None, *, told: bool, days: list[tuple[str, int, int]]
) -> None:
    """Of an export that begins at any time, so that points are spent that were never seen earned.

    told: rows of kind expired tell of what lapses.
    """
    moves = []
    for kind, age, points in days:
        lapses = {} if valid_days is None or kind == "spent" else {"expires_at": at(f"{_in(valid_days - age)} 09:00")}
        moves.append(_move(kind, f"{_in(-age)} 12:00", points, **lapses))
    if told and valid_days is not None:
        moves += _told(moves, valid_days)
    lots = oracle.purse(moves)
    soon = {lapses: points for lapses, points in lots.items() if lapses is not None and lapses > -SPANS.horizon_days}
    assert not differing(
        _of(*moves), loyalty_points=float(sum(lots.values())), points_expiring=float(sum(soon.values()))
    )


def _in(days: int) -> date:
    return SNAPSHOT + timedelta(days=days)


def _told(moves: list[dict[str, Any]], valid_days: int) -> list[dict[str, Any]]:
    """A row for what lapses each day, dated the day after: what the purse of that day says."""
    found: list[dict[str, Any]] = []
    for age in range(120 - valid_days, 0, -1):
        cut = at(f"{_in(-age)}")
        lapsing = oracle.purse_on([row for row in moves if row["moved_at"] < cut], age=age).get(age + 1)
        if lapsing:
            found.append(_move("expired", f"{_in(-age)} 03:00", str(lapsing)))
    return found


def test_points_that_lapse_first_are_spent_first() -> None:
    row = _of(
        _move("earned", "2023-01-01", 50, expires_at="2024-06-20"),
        _move("earned", "2023-01-01", 100),
        _move("spent", "2024-01-01", 45),
    )
    assert not differing(row, loyalty_points=105, points_expiring=5)


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
