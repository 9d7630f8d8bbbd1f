"""Nothing known at or after the snapshot moves a feature by a single bit."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.histories import changed, line_row, order_row, orders
from tests.features.world_case import Engine, landed

CUSTOMERS = 50  # histories in one world: each is a case of its own, all are compared together
WORLDS = 40


@pytest.fixture(scope="module")
def orders_engine() -> Engine:
    return Engine("orders")


@pytest.fixture(scope="module")
def lines_engine() -> Engine:
    return Engine("order_lines")


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


@settings(max_examples=WORLDS)
@given(seed=st.integers(0, 2**32))
def test_orders_known_later_change_no_byte_of_any_feature(orders_engine: Engine, seed: int) -> None:
    source = random.Random(seed)
    past, other = [], []
    for number in range(CUSTOMERS):
        customer = f"c{number}"
        rows = orders(source, customer)
        past += rows
        other += changed(source, rows, lambda s, c=customer: order_row(s, c, s.randint(0, 15)))
    before = orders_engine.run(orders=landed("orders", past))
    after = orders_engine.run(orders=landed("orders", other))
    assert before.num_rows > CUSTOMERS / 2
    assert _bytes(before) == _bytes(after)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_order_lines_known_later_change_no_byte_of_any_feature(lines_engine: Engine, seed: int) -> None:
    source = random.Random(seed)
    past, other = [], []
    for number in range(CUSTOMERS):
        customer = f"c{number}"
        rows = [line_row(source, customer) for _ in range(source.randint(0, 12))]
        past += rows
        other += changed(source, rows, lambda s, c=customer: line_row(s, c))
    before = lines_engine.run(order_lines=landed("order_lines", past))
    after = lines_engine.run(order_lines=landed("order_lines", other))
    assert before.num_rows > CUSTOMERS / 2
    assert _bytes(before) == _bytes(after)


def test_a_change_of_what_was_known_does_show(orders_engine: Engine) -> None:
    source = random.Random(1)
    rows = [row for number in range(5) for row in orders(source, f"c{number}")]
    before = orders_engine.run(orders=landed("orders", rows))
    known = next(
        row
        for row in rows
        if row["amount"] > 0 and "cancelled_at" not in row and row["known_at"] < row["ordered_at"].max
    )
    after = orders_engine.run(orders=landed("orders", [row for row in rows if row["order_id"] != known["order_id"]]))
    assert _bytes(before) != _bytes(after)
