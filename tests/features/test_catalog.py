"""Catalog and code say the same."""

from __future__ import annotations

import re

import pytest

from features.catalog import Family, Indicator
from features.training_set import FAMILIES
from tests.features.world_case import LOOKBACKS, at, features_of, tables

LINE = {
    "customer_id": "a",
    "order_id": "1",
    "ordered_at": at("2024-05-01"),
    "product_id": "tea",
    "quantity": 1,
    "unit_price": 2,
}
EVERY = [(family, indicator) for family in FAMILIES for indicator in family.indicators]


def test_what_is_computed_is_what_is_declared_in_that_order() -> None:
    declared = [name for family in FAMILIES for name in family.columns(LOOKBACKS)]
    assert list(features_of(tables(order_lines=[LINE])).columns) == declared
    assert len(set(declared)) == len(declared)


@pytest.mark.parametrize(("family", "indicator"), EVERY, ids=[indicator.name for _, indicator in EVERY])
def test_each_indicator_can_be_said_in_both_languages(family: Family, indicator: Indicator) -> None:
    assert indicator.reason in family.reasons
    allowed = {"value", "days"} | set(family.columns(LOOKBACKS))
    for text in (indicator.en, indicator.fr, indicator.en_null, indicator.fr_null):
        assert set(re.findall(r"\{(\w+)", text)) <= allowed
    assert bool(indicator.en_null) == bool(indicator.fr_null)
    # A null that can occur needs words of its own: a figure that is not there cannot be said.
    assert bool(indicator.en_null) != indicator.null.startswith("never")
    assert ("{days}" in indicator.name) == indicator.per_lookback
