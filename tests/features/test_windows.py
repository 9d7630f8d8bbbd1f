"""Measures of an event table over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import pytest

from features.asof import as_of
from features.windows import Measure, Windows, measured, together
from tests.features.world_case import PARIS, SNAPSHOT, fact, tables

USED = Windows(
    "usage",
    (
        Measure(name="last", of="last_day"),
        Measure(name="days", of="days", before=True),
        Measure(name="uses", of="rows", before=True),
        Measure(name="exports", of="rows", column="feature", value="export"),
        Measure(name="failed", of="rows", column="errors"),
        Measure(name="amount", of="sum", column="quantity", empty=1, before=True),
        Measure(name="people", of="values", column="seat_id"),
    ),
)


def _use(used_at: str, **more: Any) -> dict[str, Any]:
    return fact("a", used_at=used_at, **more)


def _of(*uses: dict[str, Any], windows: Windows = USED, customer: str = "a") -> dict[str, Any]:
    view = as_of(tables(usage=uses), SNAPSHOT, zone=PARIS)
    cohort = ibis.memtable([{"customer_id": customer}])
    found: dict[str, Any] = measured(view, windows, cohort, (7, 30)).to_pyarrow().to_pylist()[0]
    return found


def test_spans_are_the_local_days_before_the_snapshot_and_as_many_before_these() -> None:
    row = _of(
        _use("2024-05-31 23:59"),
        _use("2024-05-25 00:00"),
        _use("2024-05-25 23:59"),
        _use("2024-05-24 23:59"),
        _use("2024-05-18 00:00"),
        _use("2024-05-17 23:59"),
    )
    assert (row["days_7d"], row["days_7d_before"], row["days_30d"], row["days_30d_before"]) == (2, 2, 5, 0)
    assert (row["uses_7d"], row["uses_7d_before"], row["uses_30d"]) == (3, 2, 6)
    assert row["last"] == date(2024, 5, 31)


def test_rows_are_counted_where_a_column_is_above_zero_or_is_a_value() -> None:
    row = _of(_use("2024-05-30", errors=2, feature="export"), _use("2024-05-30", errors=0, feature="import"))
    assert (row["failed_7d"], row["exports_7d"], row["uses_7d"]) == (1, 1, 2)
    row = _of(_use("2024-05-30"))
    assert (row["failed_7d"], row["exports_7d"], row["uses_7d"]) == (0, 0, 1)


def test_a_sum_is_exact_and_an_empty_value_adds_what_is_declared() -> None:
    row = _of(_use("2024-05-30", quantity="0.1"), _use("2024-05-30", quantity="0.2"), _use("2024-05-20"))
    assert (str(row["amount_7d"]), str(row["amount_30d"]), str(row["amount_7d_before"])) == (
        "0.3000",
        "1.3000",
        "1.0000",
    )


def test_a_value_counts_once_and_only_where_there_is_one() -> None:
    row = _of(
        _use("2024-05-10", seat_id="ann"), _use("2024-05-30", seat_id="ann"), _use("2024-05-20", seat_id="bob"),
        _use("2024-05-30"),
    )  # fmt: skip
    assert (row["people_7d"], row["people_30d"]) == (1, 2)


def test_who_has_no_row_has_zeros_and_no_last_day() -> None:
    row = _of(_use("2024-05-30"), customer="b")
    assert row.pop("last") is None
    assert row.pop("customer_id") == "b"
    assert set(row.values()) == {0}


def test_what_was_computed_is_taken_as_it_is() -> None:
    view = as_of(tables(usage=[_use("2024-05-30")]), SNAPSHOT, zone=PARIS)
    given = ibis.memtable([{"customer_id": "a", "uses_7d": 5, "uses_30d": 6, "other": 1}])
    windows = Windows("usage", (Measure(name="uses", of="rows"),))
    object.__setattr__(view, "computed", {"usage": given})
    found = measured(view, windows, ibis.memtable([{"customer_id": "a"}]), (7, 30))
    assert found.to_pyarrow().to_pylist() == [{"customer_id": "a", "uses_7d": 5, "uses_30d": 6}]


def test_declarations_of_a_table_come_together_and_a_name_stands_for_one_thing() -> None:
    uses, seats = Measure(name="uses", of="rows"), Measure(name="people", of="values", column="seat_id")
    found = together([Windows("usage", (uses,)), Windows("usage", (uses, seats))])
    assert found == {"usage": Windows("usage", (uses, seats))}
    other = Measure(name="uses", of="days")
    with pytest.raises(ValueError, match="two measures of usage are called uses"):
        together([Windows("usage", (uses,)), Windows("usage", (other,))])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"of": "sum"}, "sum needs a column"),
        ({"of": "days", "column": "feature"}, "days has no column"),
        ({"of": "values", "column": "feature", "before": True}, "not measured over the span before"),
    ],
)
def test_a_measure_that_cannot_be_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Measure(name="uses", **wrong)
