"""Product indicators over literal order lines, and orders that are made of lines."""

from __future__ import annotations

import math
from typing import Any

from features.products import GROUP
from tests.features.world_case import at, differing, fact, features_of, group_of, order, tables


def _line(number: str, moment: str, product: str | None, quantity: float, price: float, **more: Any) -> dict[str, Any]:
    bought = {"order_id": number, "product_id": product, "quantity": quantity, "unit_price": price}
    return fact("a", ordered_at=moment, **bought, **more)


LINES = [
    _line("1", "2024-05-01", "tea", 2, 3.5),
    _line("1", "2024-05-01", "cup", 1, 4),
    _line("2", "2024-05-30", "tea", 6, 3),
    _line("c2", "2024-05-31", "tea", -1, 3),
]


def _of(*rows: dict[str, Any]) -> Any:
    return features_of(tables(order_lines=rows)).loc["a"]


def test_lines_of_one_order_are_one_order() -> None:
    row = _of(*LINES)
    assert (row["orders_90d"], row["order_value_90d"]) == (2, 29)
    assert (row["reversals_30d"], row["reversed_value_30d"]) == (1, 3)


def test_what_an_order_took_back_later_is_a_credit_note_of_its_day() -> None:
    """Under the order's own number; a voucher below zero on the order's day is a part of it."""
    bought = [_line("1", "2024-05-01", "tea", 2, 10), _line("1", "2024-05-01 13:00", None, -1, 4)]
    back = [_line("1", "2024-05-20", "tea", -1, 10), _line("1", "2024-05-25", "tea", -1, 3)]
    row = _of(*bought, *back)
    assert (row["orders_90d"], row["order_value_90d"], row["last_order_value"]) == (1, 16, 16)
    assert (row["reversals_30d"], row["reversed_value_30d"], row["days_since_last_order"]) == (2, 13, 31)


def test_variety_counts_products_once() -> None:
    row = _of(*LINES)
    assert (row["products_ever"], row["products_7d"], row["products_365d"]) == (2, 1, 2)
    assert row["reordered_products_share"] == 0.5


def test_size_is_per_order_and_leaves_credit_notes_out() -> None:
    row = _of(*LINES)
    assert (row["lines_per_order"], row["pieces_per_order"], row["price_per_piece"]) == (1.5, 4.5, 29 / 9)


def test_lines_without_a_product_have_no_variety() -> None:
    row = _of(_line("1", "2024-05-01", None, 2, 3))
    assert row["products_ever"] == 0
    assert math.isnan(row["reordered_products_share"])


def test_kinds_of_products_are_counted_once_and_only_where_recorded() -> None:
    row = _of(
        _line("1", "2024-05-25 00:00", "tea", 1, 3, category="drinks"),
        _line("2", "2024-05-30", "coffee", 1, 3, category="drinks"),
        _line("2", "2024-05-30", "gift", 1, 3),
        _line("3", "2024-05-24 23:59", "cup", 1, 3, category="dishes"),
        _line("4", "2024-05-30", "lamp", -1, 3, category="light"),
    )
    assert not differing(row, categories_7d=1, categories_30d=2, products_7d=3, products_30d=4)


def test_share_bought_on_discount_is_of_the_value_paid() -> None:
    row = _of(
        _line("1", "2024-05-25 00:00", "tea", 2, 3, discount="0.5"),
        _line("2", "2024-05-30", "cup", 3, 4, discount=0),
        _line("2", "2024-05-30", "cup", 1, 6),
        _line("3", "2024-05-24 23:59", "tea", 1, 24, discount=1),
    )
    assert not differing(row, discounted_share_7d=0.25, discounted_share_30d=30 / 48)


def test_what_was_ordered_for_nothing_has_no_share_on_discount() -> None:
    row = _of(_line("1", "2024-05-30", "tea", 1, 0, discount=3))
    assert not differing(row, discounted_share_7d=None, returned_lines_share_7d=0)


def test_share_sent_back_is_of_the_lines_ordered_in_the_lookback() -> None:
    row = _of(
        _line("1", "2024-05-25 00:00", "tea", 1, 3, returned_at=at("2024-05-28")),
        _line("2", "2024-05-30", "cup", 9, 4),
        _line("2", "2024-05-30", "lamp", 1, 4, returned_at=at("2024-06-01 00:00")),
        _line("2", "2024-05-30", "rug", 1, 4),
        _line("3", "2024-05-24 23:59", "tea", 1, 3, returned_at=at("2024-05-30")),
    )
    assert not differing(row, returned_lines_share_7d=0.25, returned_lines_share_30d=0.4)


def test_line_at_the_snapshot_instant_or_known_later_is_not_counted() -> None:
    row = _of(
        _line("1", "2024-06-01 00:00", "tea", 1, 3),
        _line("2", "2024-05-30", "cup", 1, 3, known_at=at("2024-06-01 00:00")),
        _line("3", "2024-05-20", "rug", 2, 5),
    )
    assert not differing(row, products_ever=1, lines_per_order=1, pieces_per_order=2, price_per_piece=5)


def test_who_has_orders_but_no_lines_has_nulls_and_zeros() -> None:
    row = group_of(GROUP, ["b"], tables(order_lines=LINES)).loc["b"]
    assert not differing(row, products_ever=None, reordered_products_share=None, lines_per_order=None)
    assert not differing(row, pieces_per_order=None, price_per_piece=None, discounted_share_365d=None)
    assert not differing(row, returned_lines_share_365d=None, products_365d=0, categories_365d=0)


def test_without_lines_the_indicators_are_absent() -> None:
    assert "products_ever" not in features_of(tables(orders=[order("a", "2024-05-01")])).columns
