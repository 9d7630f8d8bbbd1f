"""Which indicators a snapshot has: those that its tables allow, over the spans that are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from features import training_set
from features.catalog import Lookbacks
from features.cohort import Cohort
from features.tables import TABLES
from pipelines.data.snapshots.definitions import Definition

SHOP = Definition(
    cohort=Cohort(kind="ever_ordered"),
    lookbacks=Lookbacks(lookback_days=(30, 90), horizon_days=60),
    time_zone="Europe/Paris",
    tables=("orders",),
    personal=False,
    pause_pauses_mrr=True,
)
EVERYTHING = replace(SHOP, tables=tuple(sorted(TABLES)), personal=True)


@pytest.mark.parametrize("says", [True, False])
def test_a_view_reads_pauses_as_its_definition_says(says: bool) -> None:
    assert replace(SHOP, pause_pauses_mrr=says).view({}, date(2024, 3, 1)).pause_pauses_mrr is says


def test_columns_are_those_that_the_tables_allow_family_by_family() -> None:
    assert [family.name for family in SHOP.families] == [
        family.name for family in training_set.families(("orders",), personal=False)
    ]
    assert "purchases" in [family.name for family in SHOP.families]
    assert "support" not in [family.name for family in SHOP.families]
    with_support = replace(SHOP, tables=("orders", "support_contacts"))
    assert set(SHOP.columns) < set(with_support.columns)
    assert [name for name in with_support.columns if name in SHOP.columns] == SHOP.columns
    assert len(set(EVERYTHING.columns)) == len(EVERYTHING.columns)


def test_indicators_with_a_lookback_have_a_column_for_each() -> None:
    counted = [name for name in SHOP.columns if name.startswith(("orders_30", "orders_90", "orders_365", "orders_{"))]
    assert counted == ["orders_30d", "orders_90d"]
    longer = replace(SHOP, lookbacks=Lookbacks(lookback_days=(30, 90, 365), horizon_days=60))
    assert set(longer.columns) - set(SHOP.columns) >= {"orders_365d"}
    assert all("365" in name for name in set(longer.columns) - set(SHOP.columns))


def test_who_somebody_is_counts_only_where_it_is_asked_for() -> None:
    impersonal = replace(EVERYTHING, personal=False)
    kept_back = set(EVERYTHING.columns) - set(impersonal.columns)
    told = {
        name
        for family in training_set.FAMILIES
        for indicator in family.indicators
        if indicator.personal
        for name in indicator.columns((30, 90))
    }
    assert kept_back == told
    assert kept_back


def test_categories_are_the_columns_of_text_in_the_order_of_the_columns() -> None:
    units = {
        name: indicator.unit
        for family in EVERYTHING.families
        for indicator in family.indicators
        for name in indicator.columns((30, 90))
    }
    assert EVERYTHING.categories == [name for name in EVERYTHING.columns if units[name] == "category"]
    assert "country" in EVERYTHING.categories
    assert [name for name in SHOP.categories if name not in SHOP.columns] == []


def test_the_zone_is_the_one_of_that_name() -> None:
    assert SHOP.zone == ZoneInfo("Europe/Paris")
