"""The cut: what is gone, what is null, and where a day begins."""

from __future__ import annotations

import random
from datetime import date, datetime
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest

from features.asof import as_of, instant
from features.tables import TABLES
from features.training_set import families
from tests.features.histories import random_world
from tests.features.test_no_look_ahead import tables_of
from tests.features.world_case import PARIS, SNAPSHOT, at, engine_of, fact, landed, order, tables


def _seen(*rows: dict[str, object], day: date = SNAPSHOT) -> list[dict[str, object]]:
    view = as_of(tables(orders=rows), day, zone=PARIS)
    return view["orders"].order_by("order_id").to_pyarrow().to_pylist()


def test_order_at_the_snapshot_instant_is_not_known() -> None:
    assert [row["order_id"] for row in _seen(order("a", "2024-06-01 00:00", order_id="at"))] == []


def test_order_of_the_last_microsecond_before_is_known() -> None:
    assert len(_seen(order("a", "2024-05-31 23:59:59.999999"))) == 1


def test_order_known_late_is_not_there_until_it_is_known() -> None:
    late = order("a", "2024-05-01", known_at=at("2024-06-02"))
    assert _seen(late) == []
    assert len(_seen(late, day=date(2024, 6, 3))) == 1


def test_nothing_is_known_before_it_happened() -> None:
    rows = landed("orders", [order("a", "2024-06-10")])
    early = pa.array([at("2024-05-01")], pa.timestamp("us"))
    forged = rows.set_column(rows.schema.get_field_index("known_at"), "known_at", early)
    view = as_of({"orders": ibis.memtable(forged)}, SNAPSHOT, zone=PARIS)
    assert view["orders"].count().to_pyarrow().as_py() == 0


def test_cancellation_after_the_snapshot_is_not_seen_in_either_of_its_columns() -> None:
    (row,) = _seen(order("a", "2024-05-01", cancelled_at=at("2024-06-01")))
    assert (row["cancelled_at"], row["cancelled_on"]) == (None, None)


def test_cancellation_before_the_snapshot_is_seen() -> None:
    (row,) = _seen(order("a", "2024-05-01", cancelled_at=at("2024-05-31 23:59")))
    assert row["cancelled_on"] == date(2024, 5, 31)


def test_refunded_amount_is_known_when_the_refund_is() -> None:
    later = order("a", "2024-05-01", refunded_at=at("2024-06-02"), refunded_amount=4)
    (row,) = _seen(later)
    assert row["refunded_amount"] is None
    (row,) = _seen(later, day=date(2024, 6, 3))
    assert row["refunded_amount"] == 4


def test_of_two_versions_the_one_known_by_then_holds() -> None:
    first = order("a", "2024-05-01", 10, order_id="o")
    second = order("a", "2024-05-01", 99, order_id="o", known_at=at("2024-06-05"))
    assert [row["amount"] for row in _seen(first, second)] == [10]
    assert [row["amount"] for row in _seen(second, first, day=date(2024, 6, 6))] == [99]


def test_of_two_versions_known_at_one_moment_the_one_landed_later_holds() -> None:
    rows = [order("a", "2024-05-01", amount, order_id="o", landed_order=n) for n, amount in ((1, 20), (0, 10))]
    assert [row["amount"] for row in _seen(*rows)] == [20]


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (date(2024, 3, 31), datetime(2024, 3, 30, 23)),  # clocks go forward on this day, after its midnight
        (date(2024, 4, 1), datetime(2024, 3, 31, 22)),
        (date(2024, 10, 27), datetime(2024, 10, 26, 22)),  # clocks go back
        (date(2024, 10, 28), datetime(2024, 10, 27, 23)),
    ],
)
def test_a_day_begins_at_local_midnight_on_both_sides_of_a_clock_change(day: date, utc: datetime) -> None:
    assert instant(day, zone=PARIS) == utc


def test_where_midnight_does_not_exist_the_day_begins_with_its_first_moment() -> None:
    # Santiago skips from 23:59:59 to 01:00 on this day.
    assert instant(date(2024, 9, 8), zone=ZoneInfo("America/Santiago")) == datetime(2024, 9, 8, 4)


# Values as of the export

STATE = [(table.name, column.name) for table in TABLES.values() for column in table.columns if column.state]


@pytest.mark.parametrize(("table", "column"), STATE)
def test_of_a_value_as_of_the_export_its_contract_names_every_indicator(table: str, column: str) -> None:
    customers = [f"c{number}" for number in range(80)]
    everybody, moved = pa.table({"customer_id": customers}), set[str]()
    for family in families(TABLES, personal=True):
        names = tables_of(family)
        if table not in names:
            continue
        engine = engine_of(family, *names)
        world = random_world(random.Random(1), names, customers)
        other = world | {table: [row | {column: None} for row in world[table]]}
        one, two = (
            engine.run(everybody=everybody, **{name: landed(name, rows) for name, rows in each.items()})
            for each in (world, other)
        )
        moved |= {name for name in one.column_names if not one[name].equals(two[name])}
    assert moved == set(TABLES[table].column(column).state)


def test_a_value_as_of_the_export_is_null_before_it_and_a_row_that_ended_is_gone() -> None:
    rows = landed("customers", [fact("A", signed_up_at="2024-01-01", value_tier="gold")])
    seen = ibis.memtable(rows.append_column("state_from", pa.array([at("2024-05-01")], pa.timestamp("us"))))
    told = [as_of({"customers": seen}, day, zone=PARIS)["customers"] for day in (date(2024, 5, 1), date(2024, 5, 2))]
    assert [table.value_tier.to_pyarrow().to_pylist() for table in told] == [[None], ["gold"]]
    ends = ibis.memtable(rows.append_column("known_until", pa.array([at("2024-05-01")], pa.timestamp("us"))))
    told = [as_of({"customers": ends}, day, zone=PARIS)["customers"] for day in (date(2024, 5, 1), date(2024, 5, 2))]
    assert [table.count().to_pyarrow().as_py() for table in told] == [1, 0]
