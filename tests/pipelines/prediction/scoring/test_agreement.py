from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalog import Indicator
from features.training_set import FAMILIES
from pipelines.prediction.scoring.agreement import CHANGES, DECIMALS, agrees

BY_NAME = {indicator.name: indicator for family in FAMILIES for indicator in family.indicators}
EVERY = [pytest.param(indicator, id=name) for name, indicator in BY_NAME.items()]
FIGURES = [pytest.param(each, id=name) for name, each in BY_NAME.items() if each.unit != "category"]
VALUES = (None, -2.0, 0.0, 1.0, 2.0)
USUAL = (None, 0.0, 1.0, 0.5)


def told(indicator: Indicator, value: float | None, *, contribution: float = 0.5, usual: float | None = None) -> bool:
    given_value = np.array([np.nan if value is None else value])
    (found,) = agrees(indicator, given_value, np.array([contribution]), usual=usual)
    return bool(found)


# Literal rows


@pytest.mark.parametrize(
    ("name", "value", "usual", "said"),
    [
        # Good news that a model took for a risk.
        ("onboarding_done_share", 1.0, None, False),
        ("onboarding_done_share", 1.0, 1.0, False),
        ("onboarding_done_share", 0.25, 0.75, True),
        ("nps_change", 5.0, None, False),
        ("nps_change", -5.0, None, True),
        ("incidents_change_{days}d", -3.0, -5.0, False),
        ("incidents_change_{days}d", 0.0, -5.0, False),
        ("incidents_change_{days}d", 2.0, 5.0, True),
        ("orders_change_{days}d", -3.0, -5.0, True),
        ("orders_change_{days}d", 3.0, 5.0, False),
        ("price_increase_since_renewal", -0.1, None, False),
        ("price_increase_since_renewal", 0.004, None, False),  # told as +0%
        ("price_increase_since_renewal", 0.08, None, True),
        ("support_contacts_over_usual_{days}d", 0.0, None, False),
        ("support_contacts_over_usual_{days}d", 1.04, 0.5, False),  # told as 1.0 times the usual number
        ("support_contacts_over_usual_{days}d", 1.5, 2.0, True),
        ("days_since_last_order_over_usual", 0.2, 0.1, False),
        ("days_since_last_order_over_usual", 4.0, 9.0, True),
        ("days_since_last_order_over_usual", None, 9.0, False),  # said by how often the customer came back
        ("median_days_between_orders", None, 9.0, False),
        ("days_since_last_order", None, 9.0, True),
        ("price_over_competitors", 0.95, 0.9, False),
        ("price_over_competitors", 1.2, 1.3, True),
        ("last_invoice_deviation", -3.0, -4.0, False),
        ("days_since_failed_payment", None, 20.0, False),  # "no payment ever failed"
        ("days_since_failed_payment", 3.0, 20.0, True),
        ("days_since_last_support_contact", None, 20.0, False),  # "never contacted support"
        ("last_nps", 9.0, 10.0, False),
        ("last_nps", 7.0, 10.0, False),
        ("last_nps", 6.0, 5.0, True),
        ("mean_csat_{days}d", 4.0, 5.0, False),
        ("support_mark_{days}d", 3.5, 3.0, True),
        # Nothing, told as a risk.
        ("incidents_{days}d", 0.0, 0.0, False),
        ("incidents_{days}d", 1.0, 0.0, True),
        ("incidents_{days}d", 1.0, 1.0, False),
        ("overdue_amount", 0.004, 0.0, False),  # told as 0.00
        ("overdue_days", 0.0, None, False),
        ("points_expiring", 0.0, None, False),
        ("points_expiring", 50.0, None, True),
        ("discounted_share_{days}d", 0.0, None, False),
        # What nobody knows.
        ("reversed_share_{days}d", None, 0.0, False),
        ("returned_lines_share_{days}d", None, 0.0, False),
        ("last_csat", None, None, False),
        ("card_expired", None, None, False),
        # Bad news.
        ("card_expired", 1.0, 1.0, True),
        ("card_expired", 0.0, 0.0, False),
        ("backup_payment_method", 0.0, 0.0, True),
        ("backup_payment_method", 1.0, 1.0, False),
        ("orders_{days}d", 0.0, 0.0, True),  # nobody can order less, however usual that is
        ("orders_{days}d", 1.0, 1.0, False),
        ("orders_{days}d", 1.0, 2.0, True),
        ("days_since_last_use", None, 3.0, True),
        ("days_since_last_use", 3.0, 3.4, False),
        ("days_since_last_use", 4.0, 3.4, True),
        ("days_since_last_reward", None, None, True),
        ("customer_age_days", 7.0, 700.0, True),  # either
        # So little that it is no risk, however little is usual.
        ("emails_{days}d", 1.0, 0.0, False),
        ("emails_{days}d", 2.0, 0.0, True),
        ("emails_{days}d", 2.0, 2.0, False),
        ("messages_{days}d", 1.0, None, False),
        ("messages_change_{days}d", 1.0, None, False),
        ("messages_change_{days}d", 2.0, None, True),
        ("country", 1.0, None, False),
        ("country", None, None, False),
    ],
)
def test_what_is_told_as_a_risk(name: str, value: float | None, usual: float | None, said: bool) -> None:
    assert told(BY_NAME[name], value, usual=usual) is said


# Every indicator


@pytest.mark.parametrize("indicator", EVERY)
@pytest.mark.parametrize("contribution", [0.0, -0.5])
def test_what_raises_no_risk_is_never_told(indicator: Indicator, contribution: float) -> None:
    for value in VALUES:
        for usual in USUAL:
            assert not told(indicator, value, contribution=contribution, usual=usual)


@pytest.mark.parametrize("indicator", EVERY)
def test_an_empty_value_is_told_only_where_the_catalog_calls_it_a_risk(indicator: Indicator) -> None:
    for usual in USUAL:
        assert told(indicator, None, usual=usual) is indicator.null_is_risk
    if indicator.null_is_risk:
        assert indicator.en_null, "a risk needs words"
        assert indicator.unit != "category"


@pytest.mark.parametrize("indicator", EVERY)
def test_the_best_value_is_never_told(indicator: Indicator) -> None:
    best = {"higher": 0.0, "lower": 1.0}.get(indicator.direction)
    if best is None or (best and indicator.unit not in {"share", "flag"}):
        return  # of how much is best there is no end
    for usual in (None, 0.0, 0.5, 1.0):
        assert not told(indicator, best, usual=usual)


@pytest.mark.parametrize("indicator", EVERY)
def test_a_change_for_the_better_is_never_told_and_one_for_the_worse_is(indicator: Indicator) -> None:
    if indicator.unit not in CHANGES:
        return
    assert indicator.direction != "either"
    worse = 1.0 if indicator.direction == "higher" else -1.0
    for usual in (None, -5.0, 0.0, 5.0):
        assert not told(indicator, 0.0, usual=usual)
        assert not told(indicator, -2 * worse, usual=usual)
        assert told(indicator, 2 * worse, usual=usual)


@pytest.mark.parametrize("indicator", EVERY)
def test_less_than_nothing_of_what_should_be_little_is_never_told(indicator: Indicator) -> None:
    if indicator.direction == "higher" and indicator.unit not in CHANGES:
        for usual in (None, -5.0, 0.0, 5.0):
            assert not told(indicator, -2.0, usual=usual)


@pytest.mark.parametrize("indicator", FIGURES)
@settings(max_examples=20)
@given(low=st.floats(-50, 50), more=st.floats(0, 50), usual=st.none() | st.floats(-5, 50))
def test_a_worse_value_is_told_where_a_better_one_is(
    indicator: Indicator, low: float, more: float, usual: float | None
) -> None:
    if indicator.direction == "either" or indicator.unit == "flag":
        return
    better, worse = (low, low + more) if indicator.direction == "higher" else (low + more, low)
    assert told(indicator, worse, usual=usual) or not told(indicator, better, usual=usual)


@pytest.mark.parametrize("indicator", FIGURES)
@settings(max_examples=20)
@given(usual=st.floats(1, 50))
def test_what_is_usual_is_not_told(indicator: Indicator, usual: float) -> None:
    if indicator.direction != "either" and indicator.unit not in CHANGES | {"flag"} and indicator.neutral is None:
        assert not told(indicator, usual, usual=usual)


def test_each_of_many_customers_is_judged_alone() -> None:
    values, parts = np.array([0.0, 1.0, 2.0, np.nan, 2.0]), np.array([1.0, 1.0, 1.0, 1.0, -1.0])
    found = agrees(BY_NAME["incidents_{days}d"], values, parts, usual=1.0)
    assert found.tolist() == [False, False, True, False, False]


def test_every_unit_of_figures_has_its_digits() -> None:
    assert {each.unit for each in BY_NAME.values()} <= {*DECIMALS, "category"}
