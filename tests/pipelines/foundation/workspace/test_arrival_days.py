from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import pytest

from features.tables import TABLES
from pipelines.foundation.workspace.arrival_days import arrival_days

FIRST, LATER = date(2024, 1, 5), date(2024, 3, 7)


@pytest.mark.parametrize(
    ("table", "rows", "found"),
    [
        # A credit note is of its own day, and tells of an order of long before.
        ("orders", {"ordered_on": [FIRST, LATER], "amount": [5.0, -5.0]}, [FIRST]),
        ("orders", {"ordered_on": [FIRST, LATER], "amount": [5.0, 0.0]}, [FIRST, LATER]),
        ("order_lines", {"ordered_on": [FIRST, LATER, LATER], "quantity": [1.0, -1.0, None]}, [FIRST, LATER]),
        ("invoices", {"issued_on": [FIRST, LATER], "amount": [5.0, -5.0]}, [FIRST]),
        # Contracts, cards and steps of an introduction tell by their ends, too.
        (
            "payment_methods",
            {"added_on": [FIRST, FIRST], "removed_on": [LATER, None]},
            [FIRST, FIRST, LATER],
        ),
        ("onboarding_steps", {"assigned_on": [FIRST], "completed_on": [LATER]}, [FIRST, LATER]),
    ],
)
def test_the_days_that_tell_how_far_a_table_reaches(table: str, rows: dict[str, list[Any]], found: list[date]) -> None:
    days = arrival_days(ibis.memtable(rows, schema={name: _kind(name) for name in rows}), TABLES[table])
    assert sorted(ibis.duckdb.connect().to_pyarrow(days)["day"].to_pylist()) == found


def _kind(name: str) -> str:
    return "date" if name.endswith("_on") else "decimal(18, 4)"


def test_only_what_lasts_tells_by_its_ends() -> None:
    assert [name for name, table in TABLES.items() if table.lasts] == [
        "subscriptions",
        "payment_methods",
        "onboarding_steps",
    ]
    assert [name for name, table in TABLES.items() if table.credit] == ["orders", "order_lines", "invoices"]
    assert all(table.reach_clocks == [table.happened_at] for table in TABLES.values() if not table.lasts)
