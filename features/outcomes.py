"""What happened after a snapshot. Only outcomes look past it, and they look from the end of their window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from features.aggregates import count, flag, real
from features.asof import AsOf, as_of
from features.orders import purchases
from features.subscription_periods import Endings, paying, subscription_periods


def window(snapshot_on: date, *, lead_days: int, horizon_days: int) -> tuple[date, date]:
    """First day of the outcome window, and the first day after it.

    >>> window(date(1998, 1, 1), lead_days=0, horizon_days=181)
    (datetime.date(1998, 1, 1), datetime.date(1998, 7, 1))
    """
    start = snapshot_on + timedelta(days=lead_days)
    return start, start + timedelta(days=horizon_days)


Kind = Literal["inactivity", "churn", "voluntary", "involuntary", "contraction", "expansion"]


@dataclass(frozen=True, kw_only=True)
class OutcomeKind:
    """What one kind of outcome is to all that ask: settings, models, money, texts.

    of_contracts: it happens to subscriptions, not to orders. main: scores may be of it; the others stand beside.
    revenue: what it does to a customer's: all is lost, or it becomes less or more. happens: who is predicted, as in
    "the probability of ...".
    """

    of_contracts: bool = True
    main: bool = False
    revenue: Literal["lost", "less", "more"]
    happens: str

    @property
    def is_gain(self) -> bool:
        """Nothing is lost by it, so that there is nothing for a play to keep."""
        return self.revenue == "more"


OUTCOMES: Mapping[Kind, OutcomeKind] = {
    "inactivity": OutcomeKind(of_contracts=False, main=True, revenue="lost", happens="placing no order"),
    "churn": OutcomeKind(main=True, revenue="lost", happens="having no paid subscription left"),
    "voluntary": OutcomeKind(revenue="lost", happens="leaving by choice"),
    "involuntary": OutcomeKind(revenue="lost", happens="leaving because payments failed"),
    "contraction": OutcomeKind(revenue="less", happens="staying and paying less"),
    "expansion": OutcomeKind(revenue="more", happens="staying and paying more"),
}
# What tells the one from the other is why a subscription ended: a reason recorded, or payments that failed.
BY_REASON: tuple[Kind, ...] = ("voluntary", "involuntary")
OF_CONTRACTS = tuple(kind for kind, each in OUTCOMES.items() if each.of_contracts)
FURTHER = tuple(kind for kind, each in OUTCOMES.items() if not each.main)
_DEARER = ("price", "discount_end")


def outcomes(
    tables: Mapping[str, ir.Table],
    cohort: ir.Table,
    snapshot_on: date,
    *,
    by_contract: bool,
    lead_days: int,
    horizon_days: int,
    complete_until: date,
    zone: ZoneInfo,
    endings: Endings,
    price_rise_is_expansion: bool = False,
) -> ir.Table | None:
    """One row per customer of the cohort, with a column per kind of outcome: 1 where it happened in the window, else 0.

    inactivity (where not by_contract, alone): no order stands in the window. churn: no subscription is paid for any
    more at its end, and the customer is not back within the grace period: involuntary where the last one ended because
    payments failed, otherwise voluntary; a move to a free plan is leaving, by choice. contraction, expansion: customers
    who are still there pay less, or more, than at the window's start; a higher price alone is expansion only if asked
    for. Null where a price is not known at the start or at the end: whether they pay more or less cannot be told.

    Beside them, for contracts, mrr_before and mrr_after: recurring revenue a month at the window's start and end, 0 of
    who is gone, null where a price is not known; and for all `treated`: 1 where a retention action was taken between
    the snapshot and the window's end, else 0.

    What counts is what was known when the window, and after it the grace period of contracts, had ended, so that the
    same snapshot always has the same outcome. None where that is after `complete_until`: the outcome is censored, for
    everybody alike. Customers bound by contract who were gone before the window began have none: there was nothing left
    to predict. Neither have those who pay nothing at its start (a free plan, not a pause): if they come to pay, that
    is new business and no expansion, as in retention figures.
    """
    start, end = window(snapshot_on, lead_days=lead_days, horizon_days=horizon_days)
    known = end + timedelta(days=endings.grace_days) if by_contract else end
    if known > complete_until:
        return None
    view_of = partial(as_of, tables, zone=zone, pause_pauses_mrr=endings.pause_pauses_mrr)
    now = view_of(known)
    if by_contract:
        then, later = view_of(start), view_of(end)
        found = _of_contracts(now, then, later, endings, price_rise_is_expansion=price_rise_is_expansion)
        found = cohort.inner_join(found, "customer_id")
    else:
        orders = purchases(now)
        back = orders.filter(orders.ordered_on >= start).select(back_id="customer_id").distinct()
        joined = cohort.left_join(back, cohort.customer_id == back.back_id)
        found = joined.select("customer_id", inactivity=flag(joined.back_id.isnull()))
    return _marked(found, now, snapshot_on, end)


def _of_contracts(now: AsOf, then: AsOf, later: AsOf, endings: Endings, *, price_rise_is_expansion: bool) -> ir.Table:
    """customer_id and a flag per kind, of every customer who pays when the window starts."""
    before, after = paying(now, then, endings), paying(now, later, endings)
    start = before.group_by("customer_id").agg(mrr_before=_known_sum(before))
    end = after.group_by(later_id=after.customer_id).agg(mrr_after=_known_sum(after))
    both = start.left_join(end, start.customer_id == end.later_id)
    ends = _last_end(subscription_periods(now, endings), then, later)
    both = both.left_join(ends, "customer_id").drop("customer_id_right")
    if price_rise_is_expansion or "subscription_changes" not in now:
        both = both.mutate(rise=ibis.literal(0))
    else:
        both = both.left_join(_rises(now, then, later), "customer_id").drop("customer_id_right")
    gone, failed = both.later_id.isnull(), ibis.coalesce(both.failed > 0, False)
    unknown = ~gone & (both.mrr_before.isnull() | both.mrr_after.isnull())
    # Of those who are gone mrr_after is null, and whatever is compared with it did not happen.
    less = both.mrr_after < both.mrr_before
    more = both.mrr_after - both.rise.fill_null(0) > both.mrr_before
    return both.select(
        "customer_id",
        churn=flag(gone),
        voluntary=flag(gone & ~failed),
        involuntary=flag(gone & failed),
        contraction=unknown.ifelse(ibis.null("int64"), flag(less)),
        expansion=unknown.ifelse(ibis.null("int64"), flag(more)),
        mrr_before=real(both.mrr_before),
        mrr_after=real(gone.ifelse(ibis.literal(0), both.mrr_after)),
    )


def _known_sum(subscriptions: ir.Table) -> ir.DecimalScalar:
    """The sum of a group's prices; null where one of them is not known."""
    return (count(subscriptions.mrr.isnull()) == 0).ifelse(subscriptions.mrr.sum(), ibis.null("decimal(38, 4)"))


def _last_end(table: ir.Table, then: AsOf, later: AsOf) -> ir.Table:
    """By customer: `failed`, how many of the subscriptions that ended last, one or several on one day, did so unpaid.

    Those that began within the window count, too, as they do in retention figures; what ended before it does not.
    """
    ended = table.filter(table.counted_until < later.today, table.counted_until >= then.today)
    last = ended.counted_until.max().over(ibis.window(group_by="customer_id"))
    ended = ended.mutate(failed=(ended.counted_until == last) & ended.involuntary)
    return ended.group_by("customer_id").agg(failed=count(ended.failed))


def _rises(now: AsOf, then: AsOf, later: AsOf) -> ir.Table:
    """By customer: by how much recurring revenue rose within the window through higher prices alone."""
    steps = now["subscription_changes"]
    within = (steps.changed_on >= then.today) & (steps.changed_on < later.today)
    steps = steps.filter(within, steps.kind.isin(_DEARER), steps.mrr_after > steps.mrr_before)
    return steps.group_by("customer_id").agg(rise=(steps.mrr_after - steps.mrr_before).sum())


def _marked(found: ir.Table, now: AsOf, snapshot_on: date, end: date) -> ir.Table:
    if "treatments" not in now:
        return found.mutate(treated=ibis.literal(0).cast("int64"))
    actions = now["treatments"]
    actions = actions.filter(actions.treated_on >= ibis.literal(snapshot_on), actions.treated_on < ibis.literal(end))
    treated = actions.select(treated_id="customer_id").distinct()
    joined = found.left_join(treated, found.customer_id == treated.treated_id)
    return joined.mutate(treated=flag(joined.treated_id.notnull())).drop("treated_id")
