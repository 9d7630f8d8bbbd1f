"""One snapshot, one row per customer at risk."""

from __future__ import annotations

from tests.features.world_case import features_of, order, tables


def test_one_row_per_customer_at_risk_sorted_by_id() -> None:
    rows = [order("b", "2024-05-01"), order("a", "2024-05-02"), order("a", "2024-05-03"), order("c", "2024-06-02")]
    assert list(features_of(tables(orders=rows)).index) == ["a", "b"]


def test_nobody_at_risk_is_an_empty_table_with_every_column() -> None:
    frame = features_of(tables(orders=[order("a", "2024-06-02")]))
    assert len(frame) == 0
    assert "orders_7d" in frame.columns
