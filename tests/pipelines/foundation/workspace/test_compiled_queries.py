"""A query translated once and filled in for a day is the query of that day, for every group of indicators."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import pytest

from features.asof import instant, known_at
from features.catalog import Group
from features.tables import TABLES
from features.training_set import families, part
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.workspace.prepared_queries import NO_DAY, NO_MOMENT, fill
from tests.features.world_case import PARIS, SPANS

GROUPS = [group for family in families(TABLES, personal=True) for group in family.groups]
TABLES_OF_NOBODY = {
    name: ibis.table(table.landed | {"landed_order": "int64"}, name=name) for name, table in TABLES.items()
}
COHORT = ibis.table({"customer_id": "string"}, name="cohort")
DAY = date(2024, 3, 31)  # its midnight lies in the month before, in UTC


@pytest.fixture(scope="module")
def engine() -> Any:
    return open_engine("duckdb")


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.indicators[0].name)
def test_a_filled_query_is_the_query_of_the_day(group: Group, engine: Any) -> None:
    nowhere = known_at(TABLES_OF_NOBODY, NO_DAY, NO_MOMENT)
    then = known_at(TABLES_OF_NOBODY, DAY, instant(DAY, zone=PARIS))
    made_once = engine.compile(part(group, nowhere, COHORT, SPANS))
    filled = fill(made_once, DAY, instant(DAY, zone=PARIS), engine)
    assert filled == engine.compile(part(group, then, COHORT, SPANS))
    assert filled != made_once
    assert str(NO_DAY.year) not in filled
