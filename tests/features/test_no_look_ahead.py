"""Nothing known at or after the snapshot moves a feature by a single bit: every family, both clocks, all tables."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalog import Family
from features.tables import TABLES
from features.training_set import families
from tests.features.histories import changed_world, random_world
from tests.features.world_case import Engine, engine_of, landed

CUSTOMERS = [f"c{number}" for number in range(50)]  # histories in one world: each is a case, all are compared together
FAMILIES = families(TABLES, personal=True)
WORLDS = -(-10_500 // (len(CUSTOMERS) * len(FAMILIES)))  # over all families, more than 10,000 cases
EVERYBODY = pa.table({"customer_id": CUSTOMERS})


def tables_of(family: Family) -> list[str]:
    return sorted({name for group in family.groups for need in group.needs for name in need.split("|")})


def as_bytes(table: pa.Table) -> bytes:
    """As a snapshot is stored; in memory, what lies under a null is chance."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _run(engine: Engine, view: dict[str, list[dict[str, object]]]) -> pa.Table:
    return engine.run(everybody=EVERYBODY, **{name: landed(name, rows) for name, rows in view.items()})


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_becomes_known_later_changes_no_byte(family: Family) -> None:
    names = tables_of(family)
    engine = engine_of(family, *names)

    @settings(max_examples=WORLDS)
    @given(seed=st.integers(0, 2**32))
    def changes_nothing(seed: int) -> None:
        source = random.Random(seed)
        view = random_world(source, names, CUSTOMERS)
        before = _run(engine, view)
        after = _run(engine, changed_world(source, view, CUSTOMERS))
        assert before.num_rows == len(CUSTOMERS)
        assert _moved(before, after) == []
        assert as_bytes(before) == as_bytes(after)

    changes_nothing()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_was_known_does_show(family: Family) -> None:
    names, source = tables_of(family), random.Random(1)
    engine = engine_of(family, *names)
    first, *others = [_run(engine, random_world(source, names, CUSTOMERS)) for _ in range(5)]
    moved = {name for other in others for name in _moved(first, other)}
    assert sorted(moved) == sorted(family.columns((7, 30, 90, 365)))


def test_the_cohorts_cannot_see_later_either() -> None:
    kinds: dict[Literal["ever_ordered", "subscribed"], list[str]] = {
        "ever_ordered": ["orders"],
        "subscribed": ["subscriptions", "subscription_changes"],
    }
    for kind, names in kinds.items():
        engine = Engine(*names, families=[], at_risk=kind)
        for seed in range(20):
            source = random.Random(seed)
            view = random_world(source, names, CUSTOMERS)
            before = _run(engine, view)
            assert 0 < before.num_rows < len(CUSTOMERS)
            assert as_bytes(before) == as_bytes(_run(engine, changed_world(source, view, CUSTOMERS)))


def _moved(before: pa.Table, after: pa.Table) -> Sequence[str]:
    same = {name for name in before.column_names if before[name].equals(after[name])}
    return [name for name in before.column_names if name not in same]
