"""Quality indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.quality import FAMILY
from tests.features.world_case import at, differing, fact, family_of, subscription


def _line(customer: str, product: str | None, ordered_at: str, quantity: float = 1, **more: Any) -> dict[str, Any]:
    bought = {"order_id": ordered_at, "product_id": product, "quantity": quantity, "unit_price": 5}
    return fact(customer, ordered_at=ordered_at, **bought, **more)


def _incident(started_at: str, ended_at: str | None = None, **more: Any) -> dict[str, Any]:
    return fact(started_at=started_at, ended_at=ended_at, **more)


def _of(*lines: dict[str, Any], incidents: list[dict[str, Any]] | None = None) -> Any:
    more = {} if incidents is None else {"incidents": incidents}
    return family_of(FAMILY, "a", order_lines=lines, **more).loc["a"]


TEA = _line("a", "tea", "2023-09-01")


def test_lines_that_anybody_sent_back_are_held_against_those_ordered_whatever_they_hold() -> None:
    row = _of(
        TEA,
        _line("a", "cup", "2024-05-02 00:00"),
        _line("b", "tea", "2024-05-10", returned_at="2024-05-15"),
        _line("b", "tea", "2024-05-20", quantity=7),
        _line("c", "cup", "2024-05-31 23:59"),
        _line("b", "milk", "2024-05-10", returned_at="2024-05-12"),
        _line("b", None, "2024-05-10", returned_at="2024-05-12"),
        _line("b", "tea", "2024-05-15", quantity=-1),
        _line("b", "tea", "2024-05-01 23:59", returned_at="2024-05-30"),
        _line("c", "cup", "2024-04-02 00:00", returned_at="2024-04-03"),
        _line("c", "tea", "2024-04-05"),
        _line("c", "tea", "2024-04-01 23:59"),
    )
    assert not differing(row, product_return_rate_7d=0, product_return_rate_30d=0.25, product_return_rate_90d=3 / 8)
    assert not differing(row, product_return_rate_change_7d=0, product_return_rate_change_30d=0.25 - 2 / 3)


def test_line_sent_back_after_the_snapshot_is_kept() -> None:
    row = _of(TEA, _line("b", "tea", "2024-05-20", returned_at="2024-06-01 00:00"))
    assert not differing(row, product_return_rate_30d=0, product_return_rate_change_30d=None)


def test_products_that_nobody_ordered_lately_have_no_rate() -> None:
    row = _of(TEA, _line("b", "milk", "2024-05-20", returned_at="2024-05-21"))
    assert not differing(row, product_return_rate_90d=None, product_return_rate_365d=0)


def test_product_bought_more_than_a_year_ago_is_no_longer_in_use() -> None:
    others = _line("b", "tea", "2024-05-20", returned_at="2024-05-21")
    assert not differing(_of(others, _line("a", "tea", "2023-06-02")), product_return_rate_30d=1)
    assert not differing(_of(others, _line("a", "tea", "2023-06-01")), product_return_rate_30d=None)


def test_incidents_touch_who_uses_the_product_and_everybody_where_none_is_named() -> None:
    incidents = [
        _incident("2024-05-02 00:00", "2024-05-02 02:30", product_id="tea"),
        _incident("2024-05-31 23:00", "2024-05-31 23:30"),
        _incident("2024-05-20", "2024-05-21", product_id="milk"),
        _incident("2024-05-01 23:59", "2024-05-02 12:59", product_id="tea"),
        _incident("2024-04-02 00:00", "2024-04-02 01:00"),
        _incident("2024-04-03", "2024-04-03 01:00"),
        _incident("2024-04-01 23:59", "2024-04-02 00:59"),
    ]
    row = _of(TEA, incidents=incidents)
    assert not differing(row, incidents_7d=1, incidents_30d=2, incidents_90d=6, incidents_change_30d=-1)
    assert not differing(row, incident_hours_7d=0.5, incident_hours_30d=3.0, incident_hours_90d=19.0)


def test_incident_that_names_a_product_and_a_plan_touches_once_who_uses_both() -> None:
    row = family_of(
        FAMILY,
        "a",
        "b",
        "c",
        order_lines=[TEA],
        subscriptions=[subscription("a"), subscription("b"), subscription("c", ended_at=at("2024-05-19"))],
        incidents=[_incident("2024-05-20 10:00", "2024-05-20 12:00", product_id="tea", plan="basic")],
    )
    assert not differing(row.loc["a"], incidents_30d=1, incident_hours_30d=2)
    assert not differing(row.loc["b"], incidents_30d=1, incident_hours_30d=2)
    assert not differing(row.loc["c"], incidents_30d=0, incident_hours_30d=0)


def test_incident_that_ended_after_the_snapshot_has_no_hours_yet() -> None:
    going_on = [_incident("2024-05-31 20:00", "2024-06-01 00:00"), _incident("2024-05-30 20:00")]
    assert not differing(_of(TEA, incidents=going_on), incidents_7d=2, incident_hours_7d=0)


def test_line_or_incident_at_the_snapshot_instant_is_not_known() -> None:
    incidents = [_incident("2024-06-01 00:00"), _incident("2024-05-20", known_at="2024-06-01 00:00")]
    row = _of(TEA, _line("b", "tea", "2024-06-01 00:00"), incidents=incidents)
    assert not differing(row, product_return_rate_30d=None, incidents_30d=0)


def test_who_uses_nothing_has_no_rate_and_zeros() -> None:
    row = _of(_line("b", "tea", "2024-05-20"), incidents=[_incident("2024-05-20", "2024-05-21", product_id="tea")])
    assert not differing(row, product_return_rate_365d=None, product_return_rate_change_365d=None)
    assert not differing(row, incidents_365d=0, incidents_change_365d=0, incident_hours_365d=0)
