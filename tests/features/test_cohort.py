"""Who is at risk."""

from __future__ import annotations

from typing import Any

from features.asof import as_of
from features.cohort import cohort
from tests.features.world_case import PARIS, SNAPSHOT, at, order, tables


def _ids(*rows: dict[str, Any], active_days: int | None = None) -> list[str]:
    world = as_of(tables(orders=rows), SNAPSHOT, zone=PARIS)
    return sorted(cohort(world, active_days=active_days).to_pyarrow()["customer_id"].to_pylist())


def test_customers_who_first_appear_after_the_snapshot_are_not_there() -> None:
    assert _ids(order("old", "2024-05-01"), order("new", "2024-06-01")) == ["old"]


def test_ordered_within_counts_days_back_to_the_first_of_them() -> None:
    rows = [order("in", "2024-05-02 00:00"), order("out", "2024-05-01 23:59")]
    assert _ids(*rows, active_days=30) == ["in"]
    assert _ids(*rows) == ["in", "out"]


def test_a_customer_with_nothing_but_cancelled_orders_or_credit_notes_never_ordered() -> None:
    rows = [order("c", "2024-05-01", cancelled_at=at("2024-05-02")), order("n", "2024-05-01", -5)]
    assert _ids(*rows) == []


def test_an_order_cancelled_later_still_counts_for_now() -> None:
    assert _ids(order("c", "2024-05-01", cancelled_at=at("2024-06-02"))) == ["c"]
