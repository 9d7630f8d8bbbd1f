"""First days, buyers of a month and signup cohorts over literal rows, Paris."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.asof import as_of
from features.retention import active, buyers, first_days, kept, ordered_again, visits
from tests.features.world_case import PARIS, at, order, tables

NOW = date(2024, 8, 1)


def customer_periods(*rows: tuple[str, str, str | None]) -> ir.Table:
    """Customer, the day it begins and the last day on which it counts."""
    days = [(who, date.fromisoformat(begins), until and date.fromisoformat(until)) for who, begins, until in rows]
    columns: dict[str, Any] = {
        "customer_id": pa.array([who for who, _, _ in days], pa.string()),
        "paid_from": pa.array([begins for _, begins, _ in days], pa.date32()),
        "counted_until": pa.array([until for _, _, until in days], pa.date32()),
    }
    return ibis.memtable(pa.table(columns))


def firsts(*rows: tuple[str, str, str | None]) -> dict[str, date]:
    return {row["customer_id"]: row["first_on"] for row in first_days(customer_periods(*rows)).to_pyarrow().to_pylist()}


def curve(*rows: tuple[str, str, str | None], months: int = 3, by_quarter: bool = False) -> dict[str, list[int]]:
    """Cohort to customers, and how many of them are kept from 0 months on."""
    table = customer_periods(*rows)
    found: dict[str, list[int]] = {}
    points = kept(table, first_days(table), months=months, by_quarter=by_quarter).order_by("cohort_on", "months_since")
    for row in points.to_pyarrow().to_pylist():
        found.setdefault(str(row["cohort_on"]), [row["customers"]]).append(row["retained"])
    return found


def test_the_first_day_is_that_of_the_first_stretch_that_counted() -> None:
    found = firsts(("a", "2024-03-01", "2024-03-10"), ("a", "2024-01-05", "2024-01-06"), ("b", "2024-02-02", None))
    assert found == {"a": date(2024, 1, 5), "b": date(2024, 2, 2)}


def test_a_stretch_over_on_its_first_day_never_counted() -> None:
    assert firsts(("a", "2024-01-05", "2024-01-05")) == {}


def test_a_cohort_is_seen_at_the_midnight_that_ends_the_day_months_after_the_first() -> None:
    # Until the 5th of February: gone at the midnight that ends it, there at the one before.
    assert curve(("a", "2024-01-05", "2024-02-05")) == {"2024-01-01": [1, 1, 0, 0, 0]}
    assert curve(("a", "2024-01-05", "2024-02-06")) == {"2024-01-01": [1, 1, 1, 0, 0]}


def test_a_month_too_short_for_the_day_is_seen_on_its_last() -> None:
    assert curve(("a", "2024-01-31", "2024-02-29")) == {"2024-01-01": [1, 1, 0, 0, 0]}
    assert curve(("a", "2024-01-31", "2024-03-01")) == {"2024-01-01": [1, 1, 1, 0, 0]}


def test_months_go_on_over_the_end_of_a_year() -> None:
    assert curve(("a", "2023-11-15", "2024-01-16")) == {"2023-11-01": [1, 1, 1, 1, 0]}


def test_who_comes_back_counts_again_and_once() -> None:
    rows = [("a", "2024-01-05", "2024-01-20"), ("a", "2024-03-01", None), ("a", "2024-03-02", None)]
    assert curve(*rows) == {"2024-01-01": [1, 1, 0, 1, 1]}


def test_cohorts_are_months_or_quarters_of_the_first_day() -> None:
    rows = [("a", "2024-01-01", None), ("b", "2024-03-31", "2024-04-02"), ("c", "2024-04-01", None)]
    assert curve(*rows, months=1) == {"2024-01-01": [1, 1, 1], "2024-03-01": [1, 1, 0], "2024-04-01": [1, 1, 1]}
    assert curve(*rows, months=1, by_quarter=True) == {"2024-01-01": [2, 2, 1], "2024-04-01": [1, 1, 1]}


def test_buyers_of_a_month_and_who_had_bought_before_it() -> None:
    orders = [
        order("old", "2024-01-10"),
        order("old", "2024-05-31 23:59"),
        order("old", "2024-05-02"),
        order("twice", "2024-05-01 00:00"),
        order("twice", "2024-05-20"),
        order("later", "2024-06-01 00:00"),
        order("cancelled", "2024-05-10", cancelled_at=at("2024-05-11")),
        order("credit", "2024-05-10", -5),
    ]
    seen = visits(as_of(tables(orders=orders), NOW, zone=PARIS), active_days=10)
    days = {"start_on": [date(2024, 5, 1)], "end_on": [date(2024, 6, 1)]}
    periods = ibis.memtable(pa.table({name: pa.array(values, pa.date32()) for name, values in days.items()}))
    rows = buyers(seen, first_days(seen), periods).to_pyarrow().to_pylist()
    assert {row["customer_id"]: row["bought_before"] for row in rows} == {"old": True, "twice": False}
    assert len(rows) == 2


def counted(periods: ir.Table) -> list[tuple[str, ...]]:
    rows = periods.select("customer_id", "paid_from", "counted_until").order_by("customer_id", "paid_from")
    return [tuple(str(value) for value in row.values()) for row in rows.to_pyarrow().to_pylist()]


def test_who_ordered_on_a_second_day_counts_from_then_on_and_who_did_twice_on_one_day_does_not() -> None:
    rows = [
        ("A", "2024-01-05", "2025-01-05"),
        ("A", "2024-03-01", "2025-03-01"),
        ("A", "2024-02-07", "2025-02-07"),
        ("B", "2024-01-05", "2025-01-05"),
        ("B", "2024-01-05", "2025-01-05"),
    ]
    table = customer_periods(*rows)
    assert counted(ordered_again(table, first_days(table))) == [("A", "2024-02-07", "None")]


def test_an_order_counts_as_active_for_so_many_days_from_its_own_on() -> None:
    table = customer_periods(("A", "2024-01-05", "2025-01-05"), ("A", "2024-06-01", None))
    assert counted(active(table, days=90)) == [("A", "2024-01-05", "2024-04-04"), ("A", "2024-06-01", "2024-08-30")]
