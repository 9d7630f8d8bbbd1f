"""Loyalty: membership, points, and rewards."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Spans
from features.figures import count, exact_total, flag, newest, per_customer, real, within

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


def compute(world: AsOf, cohort: ir.Table, spans: Spans) -> ir.Table:
    """Every indicator above. Points about to expire are at most the balance: which were spent first is not known."""
    moves = world["loyalty"]
    age, rewarded = world.days_since(moves.moved_on), moves.kind == "reward"
    points, earned = moves.points.fill_null(0), moves.kind == "earned"
    balance = exact_total(points, earned) - exact_total(points, moves.kind.isin(("spent", "expired")))
    days_left = 0 - world.days_since(moves.expires_on)
    expiring = exact_total(points, earned & (days_left >= 0) & (days_left < spans.horizon_days))
    # Where the export begins later than the programme, more may have been spent than was seen earned.
    left = ibis.greatest(real(balance), 0.0)
    columns: dict[str, ir.Value] = {
        "loyalty_points": left,
        "points_expiring": ibis.least(left, real(expiring)),
        "days_since_last_reward": age.min(where=rewarded),
    }
    columns |= {f"rewards_{days}d": count(rewarded & within(age, days)) for days in spans.lookback_days}
    member = newest(moves.filter(moves.kind.isin(("joined", "left"))), "moved_at")
    member = member.select("customer_id", loyalty_member=flag(member.kind == "joined"))
    return per_customer(cohort, moves.group_by("customer_id").agg(**columns), member)


FAMILY = Family(
    name="loyalty",
    reasons=REASONS,
    groups=(Group(needs=("loyalty",), indicators=INDICATORS, compute=compute),),
)
