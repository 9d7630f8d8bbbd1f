"""Loyalty: membership, points, and rewards."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, flag, newest, per_customer, real, within
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
        told_by=("loyalty.kind=joined",),
        en="member of the loyalty programme",
        fr="membre du programme de fidélité",
        en_no="not a member of the loyalty programme",
        fr_no="n'est pas membre du programme de fidélité",
    ),
    Indicator(
        name="loyalty_points",
        reason="loyalty_points",
        unit="count",
        direction="lower",
        null="never: 0 where no points are left",
        told_by=("loyalty.kind=earned", "loyalty.points"),
        en="{value|loyalty point|loyalty points}",
        fr="{value|point de fidélité|points de fidélité}",
    ),
    Indicator(
        name="points_expiring",
        reason="loyalty_points",
        unit="count",
        direction="either",
        null="never: 0 where no points are about to expire",
        told_by=("loyalty.kind=earned", "loyalty.points", "loyalty.expires_at"),
        en="{value|loyalty point|loyalty points} about to expire",
        fr="{value|point de fidélité|points de fidélité} sur le point d'expirer",
    ),
    Indicator(
        name="days_since_last_reward",
        reason="rewards",
        unit="days",
        direction="higher",
        null="never got a reward",
        told_by=("loyalty.kind=reward",),
        en="last reward {value} ago",
        fr="dernière récompense il y a {value}",
        en_null="no reward so far",
        fr_null="aucune récompense jusqu'ici",
        null_is_risk=True,
    ),
    Indicator(
        name="rewards_{days}d",
        reason="rewards",
        unit="count",
        direction="lower",
        null="never: 0 where no reward was handed out",
        told_by=("loyalty.kind=reward",),
        en="{value|reward|rewards} in the last {days} days",
        fr="{value|récompense|récompenses} ces {days} derniers jours",
        per_lookback=True,
    ),
)


# Older than any day of an export: where nothing was spent before, the purse begins with it.
_FIRST_DAY = 1_000_000


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

    The balance is a running one that never goes below 0. Points spent that were never seen earned (where the export
    begins later than the programme) clear the purse on their day, and are not taken off what is earned later. Within a
    day points are earned first, then spent, and what lapses on it lapses at its end, whether a row says so or not. Of
    the points in the purse those that lapse first are taken to be spent first; where points are earned later that
    lapse sooner, they are taken to have been. Rows of kind expired take nothing off twice.

    So points left are the most that any beginning leaves, of those days on which something was earned after something
    had been spent or had expired: of it, the least of all earned since less all spent and expired since; and, for each
    later day on which points were spent, and today, those earned since the beginning that had not lapsed by then less
    those spent from then on.
    """
    moves = view["loyalty"]
    moves = moves.mutate(
        points=moves.points.fill_null(0),
        age=view.days_since(moves.moved_on),
        lapsed=view.days_since(moves.expires_on),  # days ago, below 0 in the days to come
    )
    days = _days(moves)
    held = _held(moves, days, horizon_days=lookbacks.horizon_days)
    least = held.group_by("customer_id", "begin").agg(
        held=_exact(held.held.min(where=held.until_age >= 0)), lasting=_exact(held.held.min())
    )
    joined = _earned_less_gone(days).inner_join(least, ["customer_id", "begin"])
    none = _exact(ibis.literal(0))
    joined = joined.mutate(
        left=ibis.greatest(ibis.least(joined.since, joined.held), none),
        lasting=ibis.greatest(ibis.least(joined.since, joined.lasting), none),
    )
    found = joined.group_by("customer_id").agg(left=joined.left.max(), lasting=joined.lasting.max())
    return found.select(
        "customer_id", loyalty_points=real(found.left), points_expiring=real(found.left - found.lasting)
    )


def _days(moves: ir.Table) -> ir.Table:
    """By customer and age of a day with moves: points earned less those gone, those spent, and the beginning before it.

    begin: the age of the last earlier day on which points were spent or expired: whatever is earned until the next such
    day can be taken as one, since a purse is only ever emptied on one of them.
    """
    earned, spent = moves.kind == "earned", moves.kind == "spent"
    gone = spent | (moves.kind == "expired")
    moves = moves.mutate(
        earned=earned.ifelse(moves.points, 0),
        gone=gone.ifelse(moves.points, 0),
        spent=spent.ifelse(moves.points, 0),
        spending=spent.ifelse(1, 0),
        going=gone.ifelse(1, 0),
    )
    days = moves.group_by("customer_id", "age").agg(
        moved=moves.earned.sum() - moves.gone.sum(),
        spent=moves.spent.sum(),
        spending=moves.spending.max(),
        going=moves.going.max(),
    )
    going_age = (days.going == 1).ifelse(days.age, ibis.null(days.age.type()))
    earlier = going_age.min().over(
        ibis.window(group_by="customer_id", order_by=days.age.desc(), preceding=(None, 1), following=None)
    )
    return days.mutate(begin=earlier.fill_null(_FIRST_DAY))


def _earned_less_gone(days: ir.Table) -> ir.Table:
    """By customer and beginning: all points earned since less all spent and expired since."""
    since = days.group_by("customer_id", "begin").agg(moved=days.moved.sum())
    return since.select("customer_id", "begin", since=_exact(_running(since.moved, "customer_id", by=since.begin)))


def _held(moves: ir.Table, days: ir.Table, *, horizon_days: int) -> ir.Table:
    """By customer, beginning and a later day (its age, `until_age`): points left of those earned since.

    held: points earned since the beginning that had not lapsed by the other day, less those spent from then on. The
    later days are those of spending, today (0), and the end of the horizon (below 0).
    """
    # What had lapsed before it was earned never was in the purse.
    lots = moves.filter(moves.kind == "earned", ibis.coalesce(moves.lapsed <= moves.age, True))
    lots = lots.inner_join(days.select("customer_id", "age", "begin"), ["customer_id", "age"])
    lots = lots.group_by("customer_id", "begin", "lapsed").agg(points=lots.points.sum())
    spent = days.filter(days.spending == 1)
    spent = spent.select(
        "customer_id", until_age="age", spent=_exact(_running(spent.spent, "customer_id", by=spent.age))
    )
    nothing = _exact(ibis.literal(0))
    customers = lots.select("customer_id").distinct()
    ends = [
        customers.select("customer_id", until_age=ibis.literal(age).cast(spent.until_age.type()), spent=nothing)
        for age in (0, -horizon_days)
    ]
    pairs = lots.inner_join(ibis.union(spent, *ends), "customer_id")
    lasts = ibis.coalesce(pairs.lapsed <= pairs.until_age, True)
    pairs = pairs.mutate(valid=lasts.ifelse(pairs.points, 0))
    held = pairs.group_by("customer_id", "begin", "until_age", "spent").agg(valid=pairs.valid.sum())
    since = _running(held.valid, "customer_id", "until_age", by=held.begin)
    held = held.mutate(held=_exact(since) - held.spent)
    return held.filter(held.until_age < held.begin).select("customer_id", "begin", "until_age", "held")


def _running(points: ir.NumericColumn, *groups: str, by: ir.IntegerColumn) -> ir.NumericColumn:
    """The sum from the youngest day to each."""
    return points.sum().over(ibis.cumulative_window(group_by=groups, order_by=by))


def _exact(points: ir.NumericValue) -> ir.DecimalValue:
    return points.cast("decimal(38, 4)")


FAMILY = Family(
    name="loyalty",
    reasons=REASONS,
    groups=(Group(needs=("loyalty",), indicators=INDICATORS, compute=compute),),
)
