"""Purchase indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

import math
from typing import Any

import pytest

from features.purchases import GROUP
from tests.features.world_case import at, differing, features_of, group_of, order, tables


def _of(*rows: dict[str, Any]) -> Any:
    return features_of(tables(orders=rows)).loc["a"]


def test_days_are_counted_by_the_local_calendar() -> None:
    assert _of(order("a", "2024-05-31 23:59"))["days_since_last_order"] == 1
    assert _of(order("a", "2024-05-31 00:00"))["days_since_last_order"] == 1
    assert _of(order("a", "2024-05-30 23:59"))["days_since_last_order"] == 2


def test_days_across_a_clock_change_are_whole() -> None:
    assert _of(order("a", "2024-03-30 23:30"))["days_since_last_order"] == 63


def test_a_lookback_starts_with_its_first_day_and_ends_before_the_snapshot() -> None:
    row = _of(order("a", "2024-05-25 00:00"), order("a", "2024-05-24 23:59"))
    assert (row["orders_7d"], row["orders_30d"]) == (1, 2)


def test_order_at_the_snapshot_instant_or_known_later_is_not_counted() -> None:
    later = order("a", "2024-05-30", known_at=at("2024-06-01 00:00"))
    row = _of(order("a", "2024-06-01 00:00"), later, order("a", "2024-05-02", 7))
    assert not differing(row, days_since_last_order=30, orders_30d=1, order_value_ever=7, last_order_value=7)


def test_days_with_orders_are_counted_once() -> None:
    row = _of(order("a", "2024-05-25 00:00"), order("a", "2024-05-25 23:59"), order("a", "2024-05-24 23:59"))
    assert not differing(row, order_days_7d=1, order_days_30d=2, orders_7d=2, repeat_order_days=1)


def test_customer_is_as_old_as_the_first_order() -> None:
    row = _of(order("a", "2024-01-01"), order("a", "2023-12-01", -5), order("a", "2024-05-02"))
    assert not differing(row, customer_age_days=152, days_first_to_last_order=122)
    assert not differing(_of(order("a", "2024-05-31")), customer_age_days=1, days_first_to_last_order=0)


def test_order_value_and_average_of_the_lookback() -> None:
    row = _of(order("a", "2024-05-20", "10.10"), order("a", "2024-05-21", "20.20"), order("a", "2023-01-01", 5))
    assert row["order_value_30d"] == 30.30
    assert row["average_order_value_30d"] == pytest.approx(15.15)
    assert row["order_value_ever"] == 35.30
    assert math.isnan(row["average_order_value_7d"])


def test_cents_add_up_exactly() -> None:
    rows = [order("a", "2024-05-20", "0.10", order_id=str(n)) for n in range(3)]
    assert _of(*rows)["order_value_30d"] == 0.3


def test_change_compares_with_the_span_before() -> None:
    row = _of(order("a", "2024-05-20", 7), order("a", "2024-04-20", 2), order("a", "2024-04-21", 4))
    assert (row["orders_change_30d"], row["order_value_change_30d"]) == (-1, 1)


def test_usual_interval_is_the_median_of_days_between_order_days() -> None:
    days = ["2024-01-01", "2024-01-11", "2024-01-11 18:00", "2024-01-31", "2024-05-02"]
    row = _of(*(order("a", day) for day in days))
    assert row["median_days_between_orders"] == 20  # of 10, 20 and 92
    assert row["days_since_last_order_over_usual"] == 1.5
    assert row["repeat_order_days"] == 3
    assert row["spread_days_between_orders"] == pytest.approx(44.7363, abs=1e-4)


def test_one_order_day_has_no_rhythm() -> None:
    row = _of(order("a", "2024-05-02"))
    assert row[["median_days_between_orders", "spread_days_between_orders"]].isna().all()
    assert math.isnan(row["days_since_last_order_over_usual"])


def test_credit_notes_count_as_reversals_not_as_orders() -> None:
    row = _of(order("a", "2024-05-20", 40), order("a", "2024-05-21", -10))
    assert (row["orders_30d"], row["reversals_30d"], row["reversed_value_30d"]) == (1, 1, 10)
    assert row["reversed_share_30d"] == 0.25


def test_cancelled_order_is_a_reversal_on_the_day_it_was_cancelled() -> None:
    row = _of(order("a", "2024-01-01", 40), order("a", "2024-01-02", 30, cancelled_at=at("2024-05-20")))
    assert (row["orders_365d"], row["reversals_30d"], row["reversed_value_30d"]) == (1, 1, 30)


def test_refund_without_an_amount_is_of_the_whole_order() -> None:
    row = _of(order("a", "2024-05-02", 40, refunded_at=at("2024-05-20")))
    assert (row["orders_30d"], row["reversed_value_30d"]) == (1, 40)


def test_last_order_value_is_that_of_the_last_order_and_not_of_its_day() -> None:
    row = _of(order("a", "2024-05-02", 40), order("a", "2024-05-20 08:00", 5), order("a", "2024-05-20 09:00", 6))
    assert row["last_order_value"] == 6


def test_orders_of_one_moment_are_one_since_they_cannot_be_told_apart() -> None:
    row = _of(order("a", "2024-05-02", 40), order("a", "2024-05-20", 5), order("a", "2024-05-20", 6))
    assert row["last_order_value"] == 11


def test_order_cancelled_or_refunded_after_the_snapshot_stands() -> None:
    row = _of(
        order("a", "2024-05-02", 40, cancelled_at=at("2024-06-01 00:00")),
        order("a", "2024-05-03", 30, refunded_at=at("2024-06-01 00:00"), refunded_amount=30),
    )
    assert not differing(row, orders_30d=2, order_value_30d=70, reversals_30d=0, reversed_value_30d=0)
    assert not differing(row, reversed_share_30d=0)


def test_reversals_are_of_the_days_they_were_made() -> None:
    row = _of(
        order("a", "2024-01-01", 40, refunded_at=at("2024-05-02 00:00"), refunded_amount=4),
        order("a", "2024-01-02", 30, refunded_at=at("2024-05-01 23:59"), refunded_amount=3),
        order("a", "2024-05-20", 16),
    )
    assert not differing(row, reversals_30d=1, reversed_value_30d=4, reversed_share_30d=0.25)
    assert not differing(row, reversals_90d=2, reversed_value_90d=7, reversed_share_7d=None)


def test_of_two_equal_orders_one_cancelled_is_half_of_the_value() -> None:
    row = _of(order("a", "2024-05-02", 40), order("a", "2024-05-03", 40, cancelled_at=at("2024-05-04")))
    assert not differing(row, reversed_share_30d=0.5)


def test_who_cancelled_everything_has_nothing_left_of_the_value() -> None:
    row = group_of(GROUP, ["a"], tables(orders=[order("a", "2024-05-03", 40, cancelled_at=at("2024-05-04"))])).loc["a"]
    assert not differing(row, orders_30d=0, order_value_30d=0, reversed_share_30d=1, reversed_share_7d=None)


def test_orders_of_long_ago_cancelled_now_may_exceed_what_was_ordered_since() -> None:
    row = _of(order("a", "2024-01-01", 40, cancelled_at=at("2024-05-04")), order("a", "2024-05-03", 10))
    assert not differing(row, reversed_share_30d=4, reversed_share_365d=0.8)


def test_of_orders_for_nothing_no_share_can_be_reversed() -> None:
    row = _of(order("a", "2024-05-03", 0), order("a", "2024-01-01", 40, cancelled_at=at("2024-05-04")))
    assert not differing(row, reversed_value_30d=40, reversed_share_30d=None)


def test_who_never_ordered_has_nulls_and_zeros() -> None:
    row = group_of(GROUP, ["a"], tables(orders=[order("b", "2024-05-20")])).loc["a"]
    assert not differing(row, days_since_last_order=None, days_since_last_order_over_usual=None)
    assert not differing(row, median_days_between_orders=None, spread_days_between_orders=None)
    assert not differing(row, customer_age_days=None, days_first_to_last_order=None, repeat_order_days=None)
    assert not differing(row, order_value_ever=None, last_order_value=None, average_order_value_365d=None)
    assert not differing(row, orders_365d=0, order_days_365d=0, order_value_365d=0, orders_change_365d=0)
    assert not differing(row, order_value_change_365d=0, reversals_365d=0, reversed_value_365d=0)
    assert not differing(row, reversed_share_365d=None)
