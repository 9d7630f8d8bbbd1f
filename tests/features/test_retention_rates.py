"""Retention, attrition and revenue kept, from totals whose percentages are worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from features.retention_rates import check, of_customers, of_revenue, percent

NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "customers_start", "new", "lost", "customers_end", "mrr_start", "mrr_new", "mrr_reactivation", "mrr_expansion",
        "mrr_contraction", "mrr_churned", "mrr_end",
    ),
    0,
)  # fmt: skip
MONTH = NOTHING | {
    "customers_start": 8,
    "new": 2,
    "lost": 1,
    "customers_end": 9,
    "mrr_start": Decimal("200.00"),
    "mrr_new": Decimal("30.00"),
    "mrr_reactivation": Decimal("10.00"),
    "mrr_expansion": Decimal("60.00"),
    "mrr_contraction": Decimal("15.50"),
    "mrr_churned": Decimal("24.50"),
    "mrr_end": Decimal("260.00"),
}


def test_customers_kept_and_lost() -> None:
    assert of_customers(MONTH) == {
        "retention_rate": 87.5,  # (9 - 2) / 8
        "attrition_rate": 12.5,  # 1 / 8
        "attrition_rate_of_total": 10.0,  # 1 / (8 + 2)
    }


def test_revenue_kept() -> None:
    assert of_revenue(MONTH) == {
        "grr": 80.0,  # (200 - 40) / 200
        "nrr": 110.0,  # (200 + 60 - 40) / 200
        "net_negative_churn": True,
        "expansion_share": 60.0,  # 60 of 100
    }


def test_expansion_that_only_makes_up_for_what_is_lost_is_no_net_negative_churn() -> None:
    assert of_revenue(MONTH | {"mrr_expansion": Decimal("40.00")})["net_negative_churn"] is False
    assert of_revenue(MONTH | {"mrr_expansion": Decimal("40.01")})["net_negative_churn"] is True


def test_nothing_to_divide_by_is_null_and_not_zero() -> None:
    assert set(of_customers(NOTHING).values()) == {None}
    assert of_revenue(NOTHING) == {"grr": None, "nrr": None, "net_negative_churn": False, "expansion_share": None}
    assert of_customers(NOTHING | {"new": 3, "customers_end": 3})["attrition_rate_of_total"] == 0


def test_who_came_and_went_within_the_month_is_in_no_rate_but_that_of_the_total() -> None:
    passing = MONTH | {
        "new": 5,
        "lost": 4,
        "new_and_lost": 3,
        "mrr_new": Decimal("90.00"),
        "mrr_churned": Decimal("84.50"),
        "mrr_new_and_lost": Decimal("60.00"),
    }
    check(passing, of="May")
    assert of_customers(passing) == of_customers(MONTH) | {"attrition_rate_of_total": 30.77}  # 4 / (8 + 5)
    assert of_revenue(passing) == of_revenue(MONTH) | {"expansion_share": 37.5}  # 60 of 160


def test_revenue_that_became_unknown_is_left_out_of_what_is_kept() -> None:
    learned = MONTH | {"mrr_start": Decimal("300.00"), "mrr_became_unknown": Decimal("100.00")}
    learned |= {"mrr_became_known": Decimal("5.00"), "mrr_end": Decimal("265.00")}
    check(learned, of="May")
    assert of_revenue(learned) == of_revenue(MONTH)
    with pytest.raises(AssertionError, match="May: revenue at the start and its movements make"):
        check(learned | {"mrr_became_known": Decimal("5.01")}, of="May")


def test_halves_are_rounded_up() -> None:
    assert percent(1, 800) == 0.13  # 0.125


def test_totals_that_lead_from_start_to_end_pass() -> None:
    check(MONTH, of="May")
    check(NOTHING, of="May")


@pytest.mark.parametrize("name", [name for name in NOTHING if name.startswith("mrr")])
def test_a_cent_that_is_missing_is_told(name: str) -> None:
    with pytest.raises(AssertionError, match="May: revenue at the start and its movements make"):
        check(MONTH | {name: MONTH[name] + Decimal("0.01")}, of="May")


@pytest.mark.parametrize("name", ["customers_start", "new", "lost", "customers_end"])
def test_a_customer_who_is_missing_is_told(name: str) -> None:
    with pytest.raises(AssertionError, match="May: customers at the start, new and lost make"):
        check(MONTH | {name: MONTH[name] + 1}, of="May")
