"""Engagement indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.engagement import FAMILY
from tests.features.world_case import at, differing, fact, family_of, order


def _look(kind: str, moment: str, **more: Any) -> dict[str, Any]:
    return fact("a", kind=kind, viewed_at=moment, **more)


def _of(*views: dict[str, Any], **more: Any) -> Any:
    return family_of(FAMILY, "a", content_views=views, **more).loc["a"]


def test_content_is_counted_look_by_look_and_against_the_span_before() -> None:
    row = _of(
        _look("content", "2024-05-31 23:59"),
        _look("content", "2024-05-31 23:59"),
        _look("content", "2024-05-02 00:00"),
        _look("content", "2024-05-01 23:59"),
        _look("content", "2024-04-02 00:00"),
        _look("content", "2024-04-01 23:59"),
        _look("visit", "2024-05-20"),
    )
    assert not differing(row, content_views_7d=2, content_views_30d=3, content_views_90d=6)
    assert not differing(row, content_views_change_30d=1, content_views_change_7d=2)


def test_days_seen_are_counted_once_whatever_was_looked_at() -> None:
    row = _of(
        _look("content", "2024-05-30 08:00"),
        _look("visit", "2024-05-30 23:59"),
        _look("basket_left", "2024-05-31 00:00"),
        _look("wish_list", "2024-05-20"),
    )
    assert not differing(row, brand_days_7d=2, brand_days_30d=3, days_since_last_visit=1)


def test_visits_are_compared_with_the_span_before() -> None:
    row = _of(
        _look("visit", "2024-05-02 00:00"),
        _look("visit", "2024-05-01 23:59"),
        _look("visit", "2024-04-02 00:00"),
        _look("visit", "2024-04-01 23:59"),
        _look("content", "2024-05-20"),
    )
    assert not differing(row, visits_change_30d=-1, visits_change_7d=0)


def test_baskets_and_wishes_have_counts_of_their_own() -> None:
    row = _of(
        _look("basket_left", "2024-05-25 00:00"),
        _look("basket_left", "2024-05-24 23:59"),
        _look("wish_list", "2024-05-25 00:00"),
        _look("wish_list", "2024-05-25 00:00"),
        _look("wish_list", "2024-05-24 23:59"),
    )
    assert not differing(row, baskets_left_7d=1, baskets_left_30d=2, wish_list_adds_7d=2, wish_list_adds_30d=3)
    assert not differing(row, content_views_30d=0, visits_change_30d=0)


def test_visit_leads_to_an_order_when_one_stands_on_the_same_local_day() -> None:
    row = _of(
        _look("visit", "2024-05-30 10:00"),
        _look("visit", "2024-05-29 10:00"),
        _look("visit", "2024-05-29 12:00"),
        _look("visit", "2024-05-28 23:00"),
        _look("visit", "2024-05-20 10:00"),
        _look("content", "2024-05-27 10:00"),
        orders=[
            order("a", "2024-05-30 23:59"),
            order("a", "2024-05-29 00:00", -5),
            order("a", "2024-05-29 01:00", cancelled_at=at("2024-05-31")),
            order("b", "2024-05-20"),
        ],
    )
    assert not differing(row, visits_without_order_7d=2, visits_without_order_30d=3)


def test_order_cancelled_after_the_snapshot_still_stands_on_the_day_of_the_visit() -> None:
    cancelled_later = order("a", "2024-05-30", cancelled_at=at("2024-06-01"))
    assert _of(_look("visit", "2024-05-30 10:00"), orders=[cancelled_later])["visits_without_order_7d"] == 0


def test_look_at_the_snapshot_instant_or_known_later_is_not_counted() -> None:
    row = _of(
        _look("visit", "2024-06-01 00:00"),
        _look("content", "2024-05-30", known_at="2024-06-01 00:00"),
        _look("visit", "2024-05-10", known_at="2024-05-31 23:59"),
    )
    assert not differing(row, days_since_last_visit=22, brand_days_30d=1, content_views_30d=0, visits_change_30d=1)


def test_who_was_never_seen_has_no_last_visit_and_zeros() -> None:
    stranger = fact("b", kind="visit", viewed_at="2024-05-30")
    row = _of(stranger, orders=[order("a", "2024-05-30")])
    assert not differing(row, days_since_last_visit=None, brand_days_365d=0, content_views_365d=0)
    assert not differing(row, content_views_change_365d=0, visits_change_365d=0, visits_without_order_365d=0)
    assert not differing(row, baskets_left_365d=0, wish_list_adds_365d=0)


def test_without_orders_nothing_is_said_about_visits_without_one() -> None:
    assert "visits_without_order_7d" not in _of(_look("visit", "2024-05-30")).index
