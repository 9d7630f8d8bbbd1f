"""A query translated once and filled in for a day is the query of that day, for every group of indicators."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pytest

import features
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


@cache
def words_of_features() -> set[str]:
    """Every text that the code of the features holds."""
    trees = (ast.parse(place.read_bytes()) for place in Path(features.__file__).parent.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = {str(node.value) for node in nodes}
    return texts | set("".join(texts))  # some are lists of signs


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.indicators[0].name)
def test_every_text_in_a_query_is_one_of_our_code(group: Group) -> None:
    """Machines keep these queries (`kept_queries`), and nothing of a customer may stand in them."""
    texts = query(group, NO_DAY).op().find(lambda node: isinstance(node, ops.Literal) and node.dtype.is_string())
    found = {node.value for node in texts if node.value is not None}
    assert {text.removesuffix(":") for text in found} <= words_of_features()  # "plan:" is written before a plan


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


def asked_of(compiled: CompiledQueries, over: dict[str, Any], name: str) -> tuple[list[date], Any]:
    """For which days a query was made, and what it gives."""
    asked: list[date] = []
    table = compiled.over(over)["orders"]

    def make(day: date) -> Any:
        asked.append(day)
        return table.mutate(day=ibis.literal(day))

    return asked, compiled.run(name, make, DAY).to_pylist()


def test_what_one_engine_translated_serves_the_next_with_its_own_rows() -> None:
    one, other = (CompiledQueries(open_engine("duckdb"), PARIS) for _ in range(2))
    first = asked_of(one, {"orders": pa.table({"n": [1]})}, "shared")
    second = asked_of(other, {"orders": pa.table({"n": [2]})}, "shared")
    assert first == ([NO_DAY], [{"n": 1, "day": DAY}])
    assert second == ([], [{"n": 2, "day": DAY}])


@pytest.mark.parametrize(
    ("rows", "zone"), [({"n": ["a"]}, PARIS), ({"n": [1], "m": [1]}, PARIS), ({"n": [1]}, ZoneInfo("Asia/Tokyo"))]
)
def test_other_columns_and_other_midnights_are_translated_anew(rows: dict[str, Any], zone: ZoneInfo) -> None:
    asked_of(CompiledQueries(open_engine("duckdb"), PARIS), {"orders": pa.table({"n": [1]})}, "others")
    asked, found = asked_of(CompiledQueries(open_engine("duckdb"), zone), {"orders": pa.table(rows)}, "others")
    assert asked == [NO_DAY]
    assert found == [{name: values[0] for name, values in rows.items()} | {"day": DAY}]


def test_a_query_that_reads_what_one_engine_alone_has_stays_there() -> None:
    for number in (1, 2):
        compiled = CompiledQueries(open_engine("duckdb"), PARIS)
        own = compiled.engine.create_table("of_one_engine", pa.table({"n": [number]}))

        def make(day: date, own: Any = own) -> Any:
            return own.mutate(day=ibis.literal(day))

        for _ in range(2):
            assert compiled.run("of one engine", make, DAY).to_pylist() == [{"n": number, "day": DAY}]


def test_the_same_rows_are_put_under_their_name_once(
    compiled: CompiledQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pa.table({"n": [1]})
    named = compiled.rows_of("kept", rows)
    monkeypatch.setattr(compiled.engine, "create_table", lambda *_, **__: pytest.fail("they were there"))
    assert compiled.rows_of("kept", rows) is named
