"""Segments of customers over literal rows, Paris."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import pyarrow as pa
import pytest

from features.asof import as_of
from features.segments import CHOICES, segments
from tests.features.world_case import PARIS, fact, tables

NOW = date(2024, 8, 1)
FIRST = ibis.memtable(
    pa.table(
        {
            "customer_id": ["a", "b", "c"],
            "first_on": pa.array([date(2024, 1, 5), date(2024, 2, 1), date(2024, 3, 31)], pa.date32()),
        }
    )
)
CUSTOMERS = [
    fact("a", signed_up_at="2023-12-31 23:59", country="FR", acquisition_channel="web", value_tier="gold"),
    fact("b", signed_up_at="2024-01-31", country="BE"),
    fact("b", signed_up_at="2024-01-31", country="CH", acquisition_channel="fair", known_at=None) | {"landed_order": 1},
    fact("d", signed_up_at="2024-01-01", country="IT"),
]


def of(by: str | None, *customers: dict[str, Any]) -> dict[str, str]:
    known = as_of(tables(customers=customers) if customers else {}, NOW, zone=PARIS)
    rows = segments(known, FIRST, by).to_pyarrow().to_pylist()
    assert len(rows) == 3
    return {row["customer_id"]: row["segment"] for row in rows}


@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        ("country", {"a": "FR", "b": "CH", "c": ""}),
        ("channel", {"a": "web", "b": "fair", "c": ""}),
        ("value_tier", {"a": "gold", "b": "", "c": ""}),
        ("signup_cohort", {"a": "2023-12", "b": "2024-01", "c": "2024-03"}),
        ("plan", {"a": "all", "b": "all", "c": "all"}),
        (None, {"a": "all", "b": "all", "c": "all"}),
    ],
)
def test_a_customer_belongs_to_what_was_known_last(by: str | None, wanted: dict[str, str]) -> None:
    assert of(by, *CUSTOMERS) == wanted


def test_without_a_table_of_customers_the_first_day_makes_the_cohort() -> None:
    assert of("signup_cohort") == {"a": "2024-01", "b": "2024-02", "c": "2024-03"}


def test_every_choice_is_tried() -> None:
    assert set(CHOICES) == {"country", "plan", "channel", "signup_cohort", "value_tier"}
