"""Loyalty: membership, points, and rewards."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, exact_total, flag, newest, per_customer, real, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks

REASONS = {
    "loyalty_membership": ("loyalty programme", "programme de fidélité"),
    "loyalty_points": ("loyalty points", "points de fidélité"),
    "rewards": ("rewards", "récompenses"),
}

INDICATORS = (
    Indicator(
        name="loyalty_member",
        reason="loyalty_membership",
        unit="flag",
        direction="lower",
        null="never: 0 for who is no member",
        en="member of the loyalty programme",
        fr="membre du programme de fidélité",
        en_no="no member of the loyalty programme",
        fr_no="pas membre du programme de fidélité",
    ),
    Indicator(
        name="loyalty_points",
        reason="loyalty_points",
        unit="count",
        direction="lower",
        null="never: 0 where no points are left",
        en="{value|loyalty point|loyalty points}",
        fr="{value|point de fidélité|points de fidélité}",
    ),
    Indicator(
        name="points_expiring",
        reason="loyalty_points",
        unit="count",
        direction="either",
        null="never: 0 where no points are about to expire",
        en="{value|loyalty point|loyalty points} about to expire",
        fr="{value|point de fidélité|points de fidélité} sur le point d'expirer",
    ),
    Indicator(
        name="days_since_last_reward",
        reason="rewards",
        unit="days",
        direction="higher",
        null="never got a reward",
        en="last reward {value} ago",
        fr="dernière récompense il y a {value}",
        en_null="no reward so far",
        fr_null="aucune récompense jusqu'ici",
    ),
    Indicator(
        name="rewards_{days}d",
        reason="rewards",
        unit="count",
        direction="lower",
        null="never: 0 where no reward was handed out",
        en="{value|reward|rewards} in the last {days} days",
        fr="{value|récompense|récompenses} ces {days} derniers jours",
        per_lookback=True,
    ),
)


def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Every indicator above."""
    moves = view["loyalty"]
    age, rewarded = view.days_since(moves.moved_on), moves.kind == "reward"
    columns: dict[str, ir.Value] = {"days_since_last_reward": age.min(where=rewarded)}
    columns |= {f"rewards_{days}d": count(rewarded & within(age, days)) for days in lookbacks.lookback_days}
    member = newest(moves.filter(moves.kind.isin(("joined", "left"))), "moved_at")
    member = member.select("customer_id", loyalty_member=flag(member.kind == "joined"))
    return per_customer(cohort, moves.group_by("customer_id").agg(**columns), _points(view, lookbacks), member)


def _points(view: AsOf, lookbacks: Lookbacks) -> ir.Table:
    """Points left, and those of them that lapse before the horizon ends.

    Points are gone once their day has passed, whether a row says so or not. Those that lapse first are taken to be
    spent first, so that what is left is the least of: all earned less all spent and expired; and, for each day, those
    earned that had not lapsed by then less those spent from then on. Nothing is taken off twice.
    """
    moves = view["loyalty"]
    moves = moves.mutate(points=moves.points.fill_null(0))
    earned, spent = moves.kind == "earned", moves.kind == "spent"
    lapsed = view.days_since(moves.expires_on).fill_null(0)  # days ago, below 0 in the days to come
    lasts = earned & (moves.expires_on.isnull() | (lapsed <= -lookbacks.horizon_days))
    moved = earned.ifelse(moves.points, spent.ifelse(-moves.points, 0))
    gone = moves.kind.isin(("spent", "expired"))
    sums = moves.group_by("customer_id").agg(
        balance=_exact(exact_total(moves.points, earned) - exact_total(moves.points, gone)),
        valid=_exact(exact_total(moves.points, earned & (lapsed <= 0))),
        lasting=_exact(exact_total(moves.points, lasts)),
    )
    days_ago = earned.ifelse(ibis.greatest(lapsed, 0), view.days_since(moves.moved_on))
    days = moves.select("customer_id", days_ago=days_ago, moved=moved)
    days = days.group_by("customer_id", "days_ago").agg(moved=days.moved.sum())
    held = days.moved.sum().over(ibis.cumulative_window(group_by="customer_id", order_by="days_ago"))
    days = days.mutate(held=held)
    found = per_customer(sums, days.group_by("customer_id").agg(least_held=_exact(days.held.min())))
    # Where the export begins later than the programme, more may have been spent than was seen earned.
    none = _exact(ibis.literal(0))
    left = ibis.greatest(ibis.least(found.balance, found.valid, found.least_held), none)
    expiring = ibis.greatest(left - found.lasting, none)
    return found.select("customer_id", loyalty_points=real(left), points_expiring=real(expiring))


def _exact(points: ir.NumericValue) -> ir.DecimalValue:
    return points.cast("decimal(38, 4)")


FAMILY = Family(
    name="loyalty",
    reasons=REASONS,
    groups=(Group(needs=("loyalty",), indicators=INDICATORS, compute=compute),),
)
