"""Every purchase indicator equals its plain-Python definition on random histories."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import purchases
from tests.features.histories import orders
from tests.features.oracle import expected, same
from tests.features.world_case import LOOKBACKS, Engine, landed

HISTORIES = 50
WORLDS = 10


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("orders")


@settings(max_examples=WORLDS)
@given(seed=st.integers(0, 2**32))
def test_each_purchase_indicator_is_what_its_definition_says(engine: Engine, seed: int) -> None:
    source = random.Random(seed)
    rows = [row for number in range(HISTORIES) for row in orders(source, f"c{number}")]
    found = {row["customer_id"]: row for row in engine.run(orders=landed("orders", rows)).to_pylist()}
    wanted = expected(rows)
    assert found.keys() == wanted.keys()
    for customer, values in wanted.items():
        wrong = {
            name: (found[customer][name], value)
            for name, value in values.items()
            if not same(found[customer][name], value)
        }
        assert not wrong, f"{customer}: {wrong}"


def test_the_oracle_knows_every_purchase_indicator() -> None:
    source = random.Random(3)
    one = next(iter(expected([row for number in range(9) for row in orders(source, f"c{number}")]).values()))
    assert sorted(one) == sorted(purchases.FAMILY.columns(LOOKBACKS))
