"""Product indicators over literal order lines, and orders that are made of lines."""

from __future__ import annotations

import math
from typing import Any

from tests.features.world_case import at, features_of, tables


def _line(order: str, moment: str, product: str | None, quantity: float, price: float) -> dict[str, Any]:
    return {
        "customer_id": "a",
        "order_id": order,
        "ordered_at": at(moment),
        "product_id": product,
        "quantity": quantity,
        "unit_price": price,
    }


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


def test_without_lines_the_indicators_are_absent() -> None:
    from tests.features.world_case import order

    assert "products_ever" not in features_of(tables(orders=[order("a", "2024-05-01")])).columns
