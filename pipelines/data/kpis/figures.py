"""Retention of customers and of revenue by calendar month and segment: the document that command and report share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import ibis.expr.types as ir

from features import retention, retention_rates, revenue
from features.aggregates import count
from features.segments import ALL, UNKNOWN
from pipelines.data.kpis.cohorts import cohorts
from pipelines.data.kpis.ground import Ground, periods
from pipelines.data.kpis.words import definitions

COUNTS = ("customers_start", "new", "reactivated", "lost", "voluntary_lost", "involuntary_lost", "customers_end")
MONEY = ("mrr_start", *revenue.MOVES, "mrr_end")
# What is not told by the end of a month alone: who came and went within it, and of whom no price is known.
BETWEEN = ("new_and_lost", "mrr_new_and_lost")
UNPRICED = ("customers_unpriced", *revenue.LEARNED)
# Null where nothing tells why customers left.
BY_REASON = ("voluntary_lost", "involuntary_lost")
# Null where the other kind of company has nothing to say.
OF_CONTRACTS = (
    *MONEY, *BETWEEN, *UNPRICED, "grr", "nrr", "net_negative_churn", "expansion_share", *BY_REASON
)  # fmt: skip
OF_SHOPS = ("buyers", "repeat_buyers", "repeat_rate")

_NOTHING: dict[str, Any] = dict.fromkeys((*COUNTS, *MONEY, *BETWEEN, *UNPRICED, *OF_SHOPS), 0)


def figures(
    ground: Ground, *, months: int | None = None, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Full months from the first with a customer to the last that the data cover; the newest `months` of them.

    Who left and why as far as is known on the workspace's day, prices as they were known at each month's ends.
    Raises: AssertionError where the figures of a month do not lead from its start to its end.
    """
    settings = ground.workspace.settings
    days = ground.month_starts
    wanted = days if months is None else days[-months - 1 :]
    return {
        "as_of": str(ground.workspace.as_of),
        "currency": settings.currency,
        "by": ground.by,
        "months": list(_months(ground, wanted, progress)),
        "cohorts": cohorts(ground),
        "definitions": definitions(settings),
    }


def _months(ground: Ground, days: list[date], progress: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """One row per month and segment; a segment to which nobody belonged in a month has none."""
    if len(days) < 2:
        return
    totals = _totals(ground, days, progress)
    for start, end in pairwise(days):
        mine = {segment: row for (day, segment), row in totals.items() if day == start}
        if ground.by is None:
            mine.setdefault(ALL, _NOTHING)
        for segment in sorted(mine, key=lambda name: (name == UNKNOWN, name)):
            yield _month(ground, start, end, segment, mine[segment])


def _totals(
    ground: Ground, days: list[date], progress: Callable[[str], None]
) -> dict[tuple[date, str], dict[str, Any]]:
    """By the month's first day and segment: everything that is counted and added up."""
    months = periods(days)
    there = ground.there(days, progress)
    moved = revenue.movements(there, months, ground.customer_periods, ground.first, ground.priced)
    found = ground.rows(revenue.totals(_with_segment(moved, ground)))
    if not ground.by_contract:
        bought = _with_segment(retention.buyers(ground.customer_periods, ground.first, months), ground)
        grouped = bought.group_by("start_on", "segment")
        found += ground.rows(grouped.agg(buyers=bought.count(), repeat_buyers=count(bought.bought_before)))
    totals: dict[tuple[date, str], dict[str, Any]] = {}
    for row in found:
        place = row["start_on"], row["segment"]
        totals[place] = totals.get(place, _NOTHING) | row
    return totals


def _with_segment(table: ir.Table, ground: Ground) -> ir.Table:
    if ground.by == "plan":
        return table.mutate(segment=table.plan)
    joined = table.left_join(ground.segments, "customer_id").drop("customer_id_right")
    return joined.mutate(segment=joined.segment.fill_null(UNKNOWN))


def _month(ground: Ground, start: date, end: date, segment: str, totals: dict[str, Any]) -> dict[str, Any]:
    month = f"{start:%Y-%m}"
    retention_rates.check(totals, of=f"{month} {segment}")
    amounts = (*MONEY, "mrr_new_and_lost", *revenue.LEARNED)
    row = {
        "month": month,
        "segment": segment,
        "provisional": end + ground.grace > ground.until,
        **{name: totals[name] for name in (*COUNTS, "new_and_lost", "customers_unpriced", *OF_SHOPS[:2])},
        **{name: float(totals[name]) for name in amounts},
        **retention_rates.of_customers(totals),
        **retention_rates.of_revenue(totals),
        "repeat_rate": retention_rates.percent(totals["repeat_buyers"], totals["buyers"]),
    }
    if not ground.tells_why(end):
        row |= dict.fromkeys(BY_REASON)
    if ground.by_contract and _nothing_known(totals):
        row |= dict.fromkeys((*amounts, "grr", "nrr", "net_negative_churn", "expansion_share"))
    return row | dict.fromkeys(OF_SHOPS if ground.by_contract else OF_CONTRACTS)


def _nothing_known(totals: dict[str, Any]) -> bool:
    """Whether there were customers, and not one price of theirs was known: then revenue is unknown, and not 0."""
    there = totals["customers_start"] + totals["new"]
    return 0 < there <= totals["customers_unpriced"] and not any(totals[name] for name in MONEY)


def why_untold(months: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there are months, of customers bound by contract, of which nothing tells why customers left."""
    return any(row["voluntary_lost"] is None and row["customers_unpriced"] is not None for row in months)
