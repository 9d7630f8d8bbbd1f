"""Catalog and code say the same."""

from __future__ import annotations

import ast
from pathlib import Path

import ibis
import pytest

from features.asof import as_of
from features.catalog import Family, Group
from features.tables import TABLES
from features.training_set import FAMILIES, families, part
from pipelines.foundation.own_indicators.rules import empty_view, faults, table_faults
from tests.features.world_case import LOOKBACKS, PARIS, SNAPSHOT, SPANS

NAMES = [
    "purchases",
    "engagement",
    "support",
    "billing",
    "payment",
    "satisfaction",
    "usage",
    "messages",
    "market",
    "quality",
    "loyalty",
    "subscription",
    "profile",
]
GROUPS = [group for family in FAMILIES for group in family.groups]
UNBOUND = empty_view(tuple(TABLES))


def test_families_are_those_that_customers_show_signs_in() -> None:
    assert [family.name for family in FAMILIES] == NAMES


def test_there_are_at_least_100_columns_and_no_name_twice() -> None:
    columns = [name for family in FAMILIES for name in family.columns(LOOKBACKS)]
    assert len(columns) >= 100
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.indicators[0].name)
def test_what_is_computed_is_what_is_declared(group: Group) -> None:
    view = as_of(UNBOUND, SNAPSHOT, zone=PARIS)
    computed = part(group, view, ibis.table({"customer_id": "string"}, name="everybody"), SPANS)
    assert table_faults(group, computed, SPANS) == []
    assert list(computed.schema()) == ["customer_id", *group.columns(LOOKBACKS)]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_entry_is_what_the_catalog_asks_of_everybodys(family: Family) -> None:
    """Names, reason codes, units, words in both languages, tables and columns: the rules that own indicators obey."""
    assert faults([family], SPANS, beside=[each for each in FAMILIES if each is not family]) == []


def test_a_reason_code_belongs_to_one_family() -> None:
    codes = [code for family in FAMILIES for code in family.reasons]
    assert len(codes) == len(set(codes))


def test_who_somebody_is_counts_only_where_settings_say_so() -> None:
    personal = {name for family in families(TABLES, personal=True) for name in family.columns(LOOKBACKS)}
    usual = {name for family in families(TABLES) for name in family.columns(LOOKBACKS)}
    assert personal - usual == {"age_years", "gender"}


def test_without_its_tables_a_group_is_absent_and_the_rest_is_there() -> None:
    found = families(["orders", "usage"])
    assert [family.name for family in found] == ["purchases", "usage"]
    assert "seats_used_share_30d" not in found[1].columns(LOOKBACKS)
    assert "products_ever" not in found[0].columns(LOOKBACKS)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_indicator_has_a_literal_value_in_the_tests_of_its_module(family: Family) -> None:
    modules = {group.compute.__module__.rpartition(".")[2] for group in family.groups}
    asserted = {name for module in modules for name in _asserted(Path(__file__).with_name(f"test_{module}.py"))}
    missing = [each.name for each in family.indicators if asserted.isdisjoint(each.columns(LOOKBACKS))]
    assert not missing, f"write a literal row and its value for {missing}"


def _asserted(path: Path) -> set[str]:
    """Columns that the asserts of a test file look up, or hold against a value in `differing`."""
    asserts = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Assert)]
    parts = [part for node in asserts for part in ast.walk(node)]
    looked_up = {
        text.value
        for part in parts
        if isinstance(part, ast.Subscript)
        for text in ast.walk(part.slice)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }
    calls = [part for part in parts if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)]
    held = {each.arg for call in calls if ast.unparse(call.func) == "differing" for each in call.keywords if each.arg}
    return looked_up | held
