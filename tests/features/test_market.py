"""Market indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.market import FAMILY
from tests.features.world_case import at, differing, fact, family_of, subscription


def _line(product: str, ordered_at: str, price: float, quantity: float = 1, customer: str = "a") -> dict[str, Any]:
    more = {"order_id": ordered_at, "product_id": product, "quantity": quantity, "unit_price": price}
    return fact(customer, ordered_at=ordered_at, **more)


def _seen(item: str, observed_at: str, price: float, *, product: str | None = "tea", **more: Any) -> dict[str, Any]:
    """A price of a competitor's item such as "X tea", where X is the competitor."""
    row = {"competitor": item[0], "competitor_item": item, "product_id": product, "price": price}
    return fact(observed_at=observed_at, **row | more)


TEA = [_line("tea", "2024-05-01", 6)]


def _of(*prices: dict[str, Any], **uses: Any) -> Any:
    return family_of(FAMILY, "a", competitor_prices=prices, **(uses or {"order_lines": TEA})).loc["a"]


def test_price_last_paid_is_held_against_the_cheapest_price_last_seen() -> None:
    lines = [_line("tea", "2024-01-01", 9), *TEA, _line("tea", "2024-05-20", 2, quantity=-1)]
    row = _of(
        _seen("X tea", "2024-01-01", 3),
        _seen("X tea", "2024-05-20", 5),
        _seen("Y tea", "2024-05-01", 4.8),
        _seen("Y cup", "2024-05-01", 1, product="cup"),
        order_lines=lines,
    )
    assert not differing(row, price_over_competitors=1.25)


def test_plans_are_compared_by_seat_and_what_is_used_by_the_mean() -> None:
    row = _of(
        _seen("X tea", "2024-05-20", 4),
        _seen("Z small", "2024-05-20", 20, product=None, plan="basic"),
        _seen("Z large", "2024-05-20", 1, product=None, plan="large"),
        order_lines=TEA,
        subscriptions=[
            subscription("a", "1", seats=2, mrr=30),
            subscription("a", "2", plan="large", mrr=900, ended_at=at("2024-05-01")),
        ],
    )
    # 6 for tea of 4, and 15 a seat for a plan of 20.
    assert not differing(row, price_over_competitors=(1.5 + 0.75) / 2)


def test_product_bought_more_than_a_year_ago_is_no_longer_in_use() -> None:
    price = _seen("X tea", "2024-05-20", 3)
    assert not differing(_of(price, order_lines=[_line("tea", "2023-06-02", 6)]), price_over_competitors=2)
    assert not differing(_of(price, order_lines=[_line("tea", "2023-06-01", 6)]), price_over_competitors=None)


def test_cut_is_the_greatest_fall_since_the_lookback_began() -> None:
    row = _of(
        _seen("X tea", "2024-01-01", 20),
        _seen("X tea", "2024-05-01 23:59", 8),
        _seen("X tea", "2024-05-02 00:00", 4),
        _seen("X tea", "2024-05-20", 6),
        _seen("Y tea", "2024-04-01", 10),
        _seen("Y tea", "2024-05-10", 9),
        _seen("Z cup", "2024-04-01", 10, product="cup"),
        _seen("Z cup", "2024-05-10", 1, product="cup"),
    )
    # In 30 days from 8 to 6 and from 10 to 9; in 90 from 20 to 6; in 7 nothing moved.
    assert not differing(row, competitor_cut_7d=0, competitor_cut_30d=0.25, competitor_cut_90d=0.7)
    assert not differing(row, competitor_cut_365d=None)


def test_competitor_that_became_dearer_made_no_cut() -> None:
    assert not differing(_of(_seen("X tea", "2024-04-01", 5), _seen("X tea", "2024-05-20", 8)), competitor_cut_30d=0)


def test_new_are_equivalents_of_competitors_that_were_watched_before() -> None:
    row = _of(
        _seen("X other", "2024-01-01", 5, product=None),
        _seen("X tea", "2024-05-25 00:00", 5),
        _seen("X green tea", "2024-05-24 23:59", 5),
        _seen("X green tea", "2024-05-30", 4),
        _seen("X cup", "2024-05-30", 4, product="cup"),
        _seen("Y tea", "2024-05-20", 5),
    )
    # Y was not watched 30 days ago: whether its tea is new is not known.
    assert not differing(row, new_competitor_items_7d=1, new_competitor_items_30d=2, new_competitor_items_365d=0)


def test_price_seen_at_the_snapshot_instant_or_known_later_does_not_count() -> None:
    row = _of(
        _seen("X tea", "2024-01-01", 4),
        _seen("X tea", "2024-06-01 00:00", 1),
        _seen("X tea", "2024-05-20", 2, known_at="2024-06-01 00:00"),
        _seen("X new", "2024-05-20", 2, known_at="2024-06-01 00:00"),
    )
    assert not differing(row, price_over_competitors=1.5, competitor_cut_30d=0, new_competitor_items_30d=0)


def test_who_uses_nothing_with_an_equivalent_has_nothing_to_compare() -> None:
    row = _of(
        _seen("X tea", "2024-01-01", 4),
        _seen("X green tea", "2024-05-20", 2),
        order_lines=[_line("cup", "2024-05-01", 3), _line("tea", "2024-05-01", 3, customer="b")],
    )
    assert not differing(row, price_over_competitors=None, competitor_cut_30d=None, new_competitor_items_30d=0)
