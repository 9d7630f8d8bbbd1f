"""A query translated once and filled in for a day is the query of that day, for every group of indicators."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import ibis
import pyarrow as pa
import pytest

from features.asof import AsOf, as_of
from features.catalog import Group
from features.tables import TABLES
from features.training_set import families, part
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.workspace.compiled_queries import NO_DAY, CompiledQueries
from tests.features.world_case import PARIS, SPANS

GROUPS = [group for family in families(TABLES, personal=True) for group in family.groups]
TABLES_OF_NOBODY = {
    name: ibis.table(table.landed | {"landed_order": "int64"}, name=name) for name, table in TABLES.items()
}
COHORT = ibis.table({"customer_id": "string"}, name="cohort")
DAY = date(2024, 3, 31)  # its midnight lies in the month before, in UTC


@pytest.fixture(scope="module")
def compiled() -> CompiledQueries:
    return CompiledQueries(open_engine("duckdb"), PARIS)


@cache
def world_of(day: date) -> AsOf:
    return as_of(TABLES_OF_NOBODY, day, zone=PARIS)


def query(group: Group, day: date) -> Any:
    return part(group, world_of(day), COHORT, SPANS)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.indicators[0].name)
def test_a_filled_query_is_the_query_of_the_day(group: Group, compiled: CompiledQueries) -> None:
    made_once = compiled.engine.compile(query(group, NO_DAY))
    filled = compiled.filled(made_once, DAY)
    assert filled == compiled.engine.compile(query(group, DAY))
    assert filled != made_once
    assert str(NO_DAY.year) not in filled


def days(compiled: CompiledQueries, *offsets: int) -> Any:
    """A query that tells of days so many days after its own."""
    one = compiled.rows_of("one_row", pa.table({"n": [1]}))

    def make(day: date) -> Any:
        return one.mutate(**{f"d{offset}": ibis.literal(day + timedelta(days=offset)) for offset in offsets})

    return make


def test_every_day_that_is_told_of_moves_with_the_day(compiled: CompiledQueries) -> None:
    found = compiled.run("both", days(compiled, 0, 30), DAY, offsets=(30,)).to_pylist()
    again = compiled.run("both", days(compiled, 0, 30), date(2025, 1, 1), offsets=(30,)).to_pylist()
    assert found == [{"n": 1, "d0": DAY, "d30": date(2024, 4, 30)}]
    assert again == [{"n": 1, "d0": date(2025, 1, 1), "d30": date(2025, 1, 31)}]


def test_a_day_that_was_not_told_of_is_never_run(compiled: CompiledQueries) -> None:
    with pytest.raises(AssertionError, match="a query for 2024-03-31 tells of days that never were"):
        compiled.run("forgotten", days(compiled, 0, 30), DAY)


def test_a_query_that_does_not_depend_on_the_day_is_a_mistake(compiled: CompiledQueries) -> None:
    with pytest.raises(AssertionError, match="tells of no day"):
        compiled.run("none", days(compiled), DAY)


def test_a_query_is_translated_once(compiled: CompiledQueries) -> None:
    asked: list[date] = []

    def make(day: date) -> Any:
        asked.append(day)
        return days(compiled, 0)(day)

    for day in (DAY, date(2025, 1, 1)):
        compiled.run("once", make, day)
    assert asked == [NO_DAY]


def test_rows_under_a_name_are_the_newest_put_there(compiled: CompiledQueries) -> None:
    first = compiled.rows_of("named", pa.table({"n": [1]}))
    compiled.rows_of("named", pa.table({"n": [2, 3]}))
    assert compiled.engine.to_pyarrow(first.order_by("n")).to_pydict() == {"n": [2, 3]}
