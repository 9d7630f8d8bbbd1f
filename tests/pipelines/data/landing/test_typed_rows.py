from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataError
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import (
    HEADER,
    LANDED_ON,
    ORDER_COLUMNS,
    ROW,
    land,
    land_file,
    settings,
    source,
    table,
)

CUSTOMER_COLUMNS = {"customer_id": "id", "signed_up_at": "since", "country": "country"}


def test_a_row_that_repeats_another_goes_to_the_ledger(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + ROW + "A-2,C-1,2024-01-02,1\n" + " A-1 ,C-1,2024-1-2,11.7700\n" + ROW)
    assert landed.values("source_row") == [1, 2]
    assert landed.reasons == {3: "repeats row 1", 4: "repeats row 1"}


def test_a_row_that_repeats_another_is_found_in_a_file_that_ascends_otherwise(tmp_path: Path) -> None:
    rows = [f"{key},C-1,2024-01-02,1" for key in ("A-1", "A-2", "A-2", "A-3")]
    assert land(tmp_path, HEADER + "\n".join(rows)).reasons == {3: "repeats row 2"}


def test_one_key_with_two_values_refuses_the_file(tmp_path: Path) -> None:
    rows = ["B,C,2024-01-02,1", "A-17,C,2024-01-02,1", "A-17,C,2024-01-02,2", "B,C,2024-01-03,1", "B,C,2024-01-02,1"]
    with pytest.raises(DataError) as refused:
        land(tmp_path, HEADER + "\n".join(rows))
    assert str(refused.value) == (
        "2 orders appear twice in orders.csv with different values (first: rows 2 and 3), so which of them holds "
        "cannot be told; if they are lines of one order, their table is order_lines; if they are versions, map "
        "known_at: when each became known; otherwise correct them where the file comes from"
    )
    assert Store(tmp_path).files("landed") == []


def test_a_row_that_is_rejected_contradicts_nobody(tmp_path: Path) -> None:
    assert land(tmp_path, HEADER + ROW + "A-1,C-1,2024-01-02,x\n" + ROW).values("source_row") == [1]


def test_versions_that_became_known_at_different_times_all_land(tmp_path: Path) -> None:
    header, columns = "id,since,country,seen\n", CUSTOMER_COLUMNS | {"known_at": "seen"}
    rows = ["C,2024-01-01,FR,2024-01-01", "C,2024-01-01,DE,2024-03-01", "C,2024-01-01,DE,2024-03-01"]
    (tmp_path / "orders.csv").write_text(HEADER + ROW)
    (tmp_path / "customers.csv").write_text(header + "\n".join(rows))
    store = Store(tmp_path)
    customers = source("customers.csv", table="customers", columns=columns)
    ingest(store, settings(source(), customers), today=LANDED_ON)
    assert [(row["country"], row["known_at"]) for row in table(store, "customers")] == [
        ("FR", datetime(2024, 1, 1)),
        ("DE", datetime(2024, 3, 1)),
    ]
    (tmp_path / "customers.csv").write_text(header + "\n".join([*rows, "C,2024-01-01,IT,2024-03-01"]))
    with pytest.raises(DataError, match=r"1 customer appears twice .* rows 2 and 4\), so which .*; otherwise correct"):
        ingest(store, settings(source(), customers), today=LANDED_ON)


def test_lines_of_orders_have_no_key_and_may_repeat(tmp_path: Path) -> None:
    columns = {name: name for name in ("order_id", "customer_id", "ordered_at", "quantity", "unit_price")}
    landed = land(
        tmp_path, ",".join(columns) + "\n" + "A,C,2024-01-02,1,2.5\n" * 2, table="order_lines", columns=columns
    )
    assert landed.values("source_row", "quantity", "product_id") == [(1, Decimal(1), None), (2, Decimal(1), None)]


SUBSCRIPTION_COLUMNS = {
    "subscription_id": "id", "customer_id": "customer", "started_at": "started", "plan": "plan", "mrr": "mrr",
    "ended_at": "ended",
    "end_reason": "why",
}  # fmt: skip


def test_recurring_prices_are_read_as_systems_write_them_and_never_below_zero(tmp_path: Path) -> None:
    rows = """id,customer,started,plan,mrr,ended,why
y1,a,2024-01-01,year,166.66666666666666,,
y2,b,2024-01-01,year,8.333333333,,
n1,c,2024-01-10,free,0,,
n2,d,2024-01-10,Basic Plus,,,
n3,e,2024-01-10,basic,-5,,
n4,f,2024-01-10,basic,10,2024-02-01,Payment Failed
"""
    landed = land(tmp_path, rows, path="subs.csv", table="subscriptions", columns=SUBSCRIPTION_COLUMNS)
    assert landed.values("customer_id", "mrr", "plan", "end_reason") == [
        ("a", Decimal("166.6667"), "year", None),
        ("b", Decimal("8.3333"), "year", None),
        ("c", 0, "free", None),
        ("d", None, "Basic Plus", None),
        ("f", 10, "basic", "payment_failed"),
    ]
    assert landed.reasons == {5: "mrr '-5' is below 0"}


def test_changes_of_recurring_prices_are_never_below_zero(tmp_path: Path) -> None:
    columns = {
        name: name for name in ("subscription_id", "customer_id", "changed_at", "kind", "mrr_before", "mrr_after")
    }
    rows = """subscription_id,customer_id,changed_at,kind,mrr_before,mrr_after
s,a,2024-01-01,Discount Start,10,8.3333333333
s,a,2024-01-02,price,-1,10
s,a,2024-01-03,price,10,-0.5
"""
    landed = land(tmp_path, rows, path="changes.csv", table="subscription_changes", columns=columns)
    assert landed.values("kind", "mrr_after") == [("discount_start", Decimal("8.3333"))]
    assert landed.reasons == {2: "mrr_before '-1' is below 0", 3: "mrr_after '-0.5' is below 0"}


@pytest.mark.parametrize("kind", ["plain", "quoted", "careful", "parquet"])
def test_many_rows_are_numbered_as_they_stand_in_their_file(tmp_path: Path, kind: str) -> None:
    """Several threads read them at once; every 50,000th is rejected."""
    rows = range(1, 400_001)
    path = tmp_path / ("orders.parquet" if kind == "parquet" else "orders.csv")
    amounts = ["x" if row % 50_000 == 0 else str(row) for row in rows]
    if kind == "parquet":
        days = pa.repeat("2024-01-02", len(rows))
        ids, customers = list(map(str, rows)), [f"C-{row % 7}" for row in rows]
        names = list(ORDER_COLUMNS)
        pq.write_table(pa.table([ids, customers, days, amounts], names), path, row_group_size=30_000)
    else:
        mark = '"' if kind == "quoted" else ""
        lines = [f"{mark}{row}{mark},C-{row % 7},2024-01-02,{amounts[row - 1]}" for row in rows]
        blank = "\n" if kind == "careful" else ""
        path.write_text(blank + HEADER + "\n".join(lines))
    landed = land_file(tmp_path, path.name)
    assert list(landed.reasons) == list(range(50_000, 400_001, 50_000))
    assert landed.result.landed == len(rows) - 8
    assert all(row["source_row"] == int(row["order_id"]) == row["amount"] for row in landed.rows)
