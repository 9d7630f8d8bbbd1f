"""Retention curves: of those who became customers in one month or quarter, how many still are, month after month."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir
import numpy as np

from features import retention
from features.retention_rates import percent
from models.curves import wilson
from pipelines.data.kpis.ground import Ground, following

MOST_MONTHS = 24  # beyond, cohorts are quarters: that many curves can still be read


def cohorts(ground: Ground, periods: ir.Table | None = None) -> list[dict[str, Any]]:
    """One row per signup cohort and months since, where that is long enough ago for everybody in it.

    periods: customer_id, paid_from and counted_until of what is counted instead of being a customer.

    Matured: the last day of the cohort lies so many months and the grace period back.
    """
    full_months = len(ground.month_starts) - 1
    if full_months < 1:
        return []
    by_quarter = full_months > MOST_MONTHS
    rows = ground.rows(
        retention.kept(
            ground.retained_periods if periods is None else periods,
            ground.first,
            months=full_months,
            by_quarter=by_quarter,
        ).order_by("cohort_on", "months_since")
    )
    matured = [row for row in rows if _final_on(row, by_quarter=by_quarter) + ground.grace <= ground.until]
    low, high = wilson(_column(matured, "retained"), _column(matured, "customers"))
    return [
        {
            "cohort": _name(row["cohort_on"], by_quarter=by_quarter),
            "months_since": row["months_since"],
            "customers": row["customers"],
            "retained": row["retained"],
            "rate": percent(row["retained"], row["customers"]),
            "low": round(float(low[place]) * 100, 2),
            "high": round(float(high[place]) * 100, 2),
        }
        for place, row in enumerate(matured)
    ]


def ordered_again(ground: Ground) -> list[dict[str, Any]]:
    """The same of a shop: `retained` are those who had ordered on another day by then."""
    return cohorts(ground, retention.ordered_again(ground.customer_periods, ground.first))


def active(ground: Ground, *, days: int) -> list[dict[str, Any]]:
    """The same of a shop: `retained` are those who had ordered within so many days before."""
    return cohorts(ground, retention.active(ground.customer_periods, days=days))


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of a month that is too short for it.

    >>> months_later(date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _final_on(row: dict[str, Any], *, by_quarter: bool) -> date:
    """The midnight that ends the day at which the last of a cohort is looked at."""
    last = following(months_later(row["cohort_on"], 2 if by_quarter else 0)) - timedelta(days=1)
    return months_later(last, row["months_since"]) + timedelta(days=1)


def _name(day: date, *, by_quarter: bool) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}" if by_quarter else f"{day:%Y-%m}"


def _column(rows: list[dict[str, Any]], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([row[name] for row in rows], dtype=np.float64)
