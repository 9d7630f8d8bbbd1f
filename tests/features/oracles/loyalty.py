"""The loyalty indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tests.features.oracles import known
from tests.features.oracles.known import Row, age, exact, newest, own
from tests.features.oracles.vantage import here, lookbacks

ZERO = Decimal(0)


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {customer: _one(mine["loyalty"]) for customer, mine in own(view, customers).items()}


def _one(moves: list[Row]) -> Row:
    left, lasting = most_left(moves, until=0), most_left(moves, until=-here().horizon_days)
    member = [row for row in moves if row["kind"] in ("joined", "left")]
    rewards = [age(row["moved_at"]) for row in moves if row["kind"] == "reward"]
    return {
        "loyalty_member": int(bool(member) and newest(member, "moved_at")["kind"] == "joined"),
        "loyalty_points": float(left),
        "points_expiring": float(left - lasting),
        "days_since_last_reward": min(rewards, default=None),
    } | {f"rewards_{span}d": sum(old <= span for old in rewards) for span in lookbacks()}


def purse(moves: list[Row]) -> dict[int | None, Decimal]:
    """Points in the purse at the snapshot, by the age of the day on which they lapse."""
    lots = purse_on(moves, age=0)
    return {lapses: points for lapses, points in lots.items() if lapses is None or lapses <= 0}


def purse_on(moves: list[Row], *, age: int) -> dict[int | None, Decimal]:
    """The purse as the day of that age begins, kept day by day: what lapsed the day before is still in it.

    On each day what lapsed the day before is gone, then points are earned, then spent, then those of rows that tell of
    lapsing are taken off, unless they tell of what had gone by itself. Never below 0.
    """
    lots: dict[int | None, Decimal] = {}
    untold = ZERO

    def take(points: Decimal) -> None:
        for lapses in sorted(lots, key=lambda each: -each if each is not None else 10**9):
            taken = min(lots[lapses], points)
            lots[lapses] -= taken
            points -= taken

    for day in range(max((known.age(row["moved_at"]) for row in moves), default=age), age, -1):
        untold += sum((lots.pop(lapses) for lapses in list(lots) if lapses is not None and lapses > day), ZERO)
        today = [row for row in moves if known.age(row["moved_at"]) == day]
        for row in _of(today, "earned"):
            lapses = known.age(row["expires_at"]) if row.get("expires_at") else None
            if lapses is None or lapses <= day:
                lots[lapses] = lots.get(lapses, ZERO) + _points(row)
        take(_sum(_of(today, "spent")))
        told = _sum(_of(today, "expired"))
        take(told - min(told, untold))
        untold -= min(told, untold)
    return lots


def most_left(moves: list[Row], *, until: int) -> Decimal:
    """What is left on a day, given as its age (0 or less): the most that any day of earning leaves, never below 0.

    The same as `purse` where points lapse in the order in which they are earned, and rows tell of lapsing truly.
    """
    begins = {age(row["moved_at"]) for row in _of(moves, "earned")}
    return max((_left(moves, begin, until) for begin in begins), default=ZERO).max(ZERO)


def _left(moves: list[Row], begin: int, until: int) -> Decimal:
    moves = [row for row in moves if age(row["moved_at"]) <= begin]
    earned, spent = _of(moves, "earned"), _of(moves, "spent")
    lots = [(row, age(row["expires_at"]) if row["expires_at"] else None) for row in earned]
    lots = [(row, lapses) for row, lapses in lots if lapses is None or lapses <= age(row["moved_at"])]

    def held(day: int) -> Decimal:
        lasting = _sum([row for row, lapses in lots if lapses is None or lapses <= day])
        return lasting - _sum([row for row in spent if age(row["moved_at"]) <= day])

    days = {age(row["moved_at"]) for row in spent} | {0, until}
    return min(_sum(earned) - _sum(spent) - _sum(_of(moves, "expired")), *map(held, days))


def _of(moves: list[Row], kind: str) -> list[Row]:
    return [row for row in moves if row["kind"] == kind]


def _sum(rows: list[Row]) -> Decimal:
    return sum(map(_points, rows), ZERO)


def _points(row: Row) -> Decimal:
    return exact(row["points"] or 0)
