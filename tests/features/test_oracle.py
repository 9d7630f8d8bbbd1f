"""Every purchase and product indicator equals its plain-Python definition on random histories."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from features import products, purchases
from tests.features.histories import line_row, orders
from tests.features.oracle import expected, expected_products, same
from tests.features.world_case import LOOKBACKS, Engine, landed

HISTORIES = 50
WORLDS = 10
ORDERS, LINES = Engine("orders"), Engine("order_lines")


@settings(max_examples=WORLDS)
@given(seed=st.integers(0, 2**32))
def test_each_purchase_indicator_is_what_its_definition_says(seed: int) -> None:
    source = random.Random(seed)
    rows = [row for number in range(HISTORIES) for row in orders(source, f"c{number}")]
    found = {row["customer_id"]: row for row in ORDERS.run(orders=landed("orders", rows)).to_pylist()}
    wanted = expected(rows)
    assert found.keys() == wanted.keys()
    for customer, values in wanted.items():
        wrong = {
            name: (found[customer][name], value)
            for name, value in values.items()
            if not same(found[customer][name], value)
        }
        assert not wrong, f"{customer}: {wrong}"


@settings(max_examples=WORLDS)
@given(seed=st.integers(0, 2**32))
def test_each_product_indicator_is_what_its_definition_says(seed: int) -> None:
    source = random.Random(seed)
    rows = [line_row(source, f"c{n}") for n in range(HISTORIES) for _ in range(source.randint(0, 12))]
    found = {row["customer_id"]: row for row in LINES.run(order_lines=landed("order_lines", rows)).to_pylist()}
    wanted = expected_products(rows)
    assert found.keys() <= wanted.keys()  # a customer whose orders add up to a credit note is not at risk
    assert len(found) > HISTORIES / 2
    for customer, row in found.items():
        wrong = {name: (row[name], value) for name, value in wanted[customer].items() if not same(row[name], value)}
        assert not wrong, f"{customer}: {wrong}"


def test_the_oracle_knows_every_purchase_indicator() -> None:
    source = random.Random(3)
    one = next(iter(expected([row for number in range(9) for row in orders(source, f"c{number}")]).values()))
    assert sorted(one) == sorted(purchases.FAMILY.columns(LOOKBACKS))
    lines = [line_row(source, "c") for _ in range(99)]
    assert sorted(expected_products(lines)["c"]) == sorted(products.FAMILY.columns(LOOKBACKS))
