"""What the totals of a period say in percent: retention, attrition, and how much of the revenue is kept."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Totals = Mapping[str, Any]
_HUNDREDTH = Decimal("0.01")


def check(totals: Totals, of: str) -> None:
    """Raises AssertionError where what moved does not lead from the start to the end. of: whose totals they are.

    Of totals, those that are not told are 0: who came and went within the period (`new_and_lost`, `mrr_new_and_lost`),
    and revenue that became known or unknown.
    """
    customers = totals["customers_start"] + totals["new"] - totals["lost"]
    if customers != totals["customers_end"]:
        raise AssertionError(
            f"{of}: customers at the start, new and lost make {customers}, not {totals['customers_end']}"
        )
    gained = totals["mrr_new"] + totals["mrr_reactivation"] + totals["mrr_expansion"]
    learned = totals.get("mrr_became_known", 0) - totals.get("mrr_became_unknown", 0)
    revenue = totals["mrr_start"] + gained + learned - totals["mrr_contraction"] - totals["mrr_churned"]
    if revenue != totals["mrr_end"]:
        raise AssertionError(f"{of}: revenue at the start and its movements make {revenue}, not {totals['mrr_end']}")


def of_customers(totals: Totals) -> dict[str, float | None]:
    """The retention rate, and the attrition rate of those at the start and of those and the new ones together.

    Who came and went within the period was not there at the start: among the new and the lost, and only in the last.
    """
    start, new, lost, passed = totals["customers_start"], totals["new"], totals["lost"], totals.get("new_and_lost", 0)
    return {
        "retention_rate": percent(totals["customers_end"] - (new - passed), start),
        "attrition_rate": percent(lost - passed, start),
        "attrition_rate_of_total": percent(lost, start + new),
    }


def of_revenue(totals: Totals) -> dict[str, float | bool | None]:
    """GRR (without expansion), NRR (without new and reactivated revenue), net negative churn, expansion share.

    Of the revenue at the start alone: without what came and went, and without what became unknown.
    """
    start = totals["mrr_start"] - totals.get("mrr_became_unknown", 0)
    expansion = totals["mrr_expansion"]
    lost = totals["mrr_contraction"] + totals["mrr_churned"] - totals.get("mrr_new_and_lost", 0)
    gained = totals["mrr_new"] + totals["mrr_reactivation"] + expansion
    return {
        "grr": percent(start - lost, start),
        "nrr": percent(start + expansion - lost, start),
        "net_negative_churn": bool(expansion > lost),
        "expansion_share": percent(expansion, gained),
    }


def percent(part: Decimal | int, whole: Decimal | int) -> float | None:
    """To two decimals; None where there is nothing to divide by.

    >>> percent(1, 3), percent(1, 0)
    (33.33, None)
    """
    if not whole:
        return None
    return float((Decimal(part) * 100 / Decimal(whole)).quantize(_HUNDREDTH, ROUND_HALF_UP))
