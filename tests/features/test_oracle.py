"""Every indicator equals its plain-Python definition on random histories of every table."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalog import Family
from features.tables import TABLES
from features.training_set import families
from tests.features.histories import random_world
from tests.features.oracles import (
    billing,
    engagement,
    loyalty,
    market,
    messages,
    payment,
    profile,
    purchases,
    quality,
    satisfaction,
    subscription,
    support,
    usage,
)
from tests.features.oracles.known import known_world, same
from tests.features.test_no_look_ahead import tables_of
from tests.features.world_case import LOOKBACKS, engine_of, landed

Oracle = Callable[[Mapping[str, list[dict[str, Any]]], Sequence[str]], dict[str, dict[str, Any]]]

CUSTOMERS = [f"c{number}" for number in range(50)]
WORLDS = 10
FAMILIES = families(TABLES, personal=True)
ORACLES: dict[str, Oracle] = {
    module.__name__.rpartition(".")[2]: module.expected
    for module in (
        billing,
        engagement,
        loyalty,
        market,
        messages,
        payment,
        profile,
        purchases,
        quality,
        satisfaction,
        subscription,
        support,
        usage,
    )
}


def test_every_family_has_an_oracle() -> None:
    assert sorted(ORACLES) == sorted(family.name for family in FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_indicator_is_what_its_definition_says(family: Family) -> None:
    _compare(family, tables_of(family))


@pytest.mark.parametrize(
    "family", [each for each in FAMILIES if "orders" in tables_of(each)], ids=lambda each: each.name
)
def test_orders_that_are_made_of_lines_say_the_same(family: Family) -> None:
    _compare(family, [name for name in tables_of(family) if name != "orders"])


def _compare(family: Family, names: list[str]) -> None:
    here = next(each for each in families(names, personal=True) if each.name == family.name)
    engine = engine_of(here, *names)

    @settings(max_examples=WORLDS)
    @given(seed=st.integers(0, 2**32))
    def equal(seed: int) -> None:
        world = random_world(random.Random(seed), names, CUSTOMERS)
        tables = {name: landed(name, rows) for name, rows in world.items()}
        found = engine.run(everybody=pa.table({"customer_id": CUSTOMERS}), **tables).to_pylist()
        wanted = ORACLES[family.name](known_world(world), CUSTOMERS)
        for row in found:
            definition = wanted[row["customer_id"]]
            assert sorted(definition) == sorted(here.columns(LOOKBACKS))
            wrong = {name: (row[name], value) for name, value in definition.items() if not same(row[name], value)}
            assert not wrong, f"{row['customer_id']}: found and wanted {wrong}"

    equal()
