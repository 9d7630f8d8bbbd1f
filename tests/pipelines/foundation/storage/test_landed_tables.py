from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import ibis
import pytest

from features.errors import IntegrityError
from features.tables.orders import ORDERS
from pipelines.data.landing.ingest import landed_tables
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import (
    HEADER,
    ORDER_COLUMNS,
    ROW,
    UNNAMED,
    land,
    settings,
    source,
    statuses,
    table,
)


def test_the_newest_reading_of_a_content_holds(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("order_id,customer_id,ordered_at,net,gross\nA-1,C-1,2024-01-02,10,12\n")
    net = settings(source(columns=ORDER_COLUMNS | {"amount": "net"}))
    gross = settings(source(columns=ORDER_COLUMNS | {"amount": "gross"}))
    store = Store(tmp_path)
    for wanted, amount in ((net, 10), (gross, 12), (net, 10), (gross, 12)):
        assert statuses(store, wanted) == ["landed"]
        assert [row["amount"] for row in table(store)] == [amount]
        assert statuses(store, wanted) == ["unchanged"]


def test_another_time_zone_of_the_workspace_is_another_reading(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + ROW)
    store = Store(tmp_path)
    assert statuses(store, settings(source())) == ["landed"]
    assert statuses(store, settings(source(), time_zone="Europe/Paris")) == ["landed"]
    assert [row["ordered_at"] for row in table(store)] == [datetime(2024, 1, 1, 23)]


def test_a_copy_of_a_landed_file_adds_nothing(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(HEADER + ROW)
    store = Store(tmp_path)
    assert statuses(store, settings(source("*.csv", columns=UNNAMED))) == ["landed", "unchanged"]
    assert len(table(store)) == 1


def test_a_longer_file_replaces_a_shorter_one_of_the_same_path_where_rows_have_no_names(tmp_path: Path) -> None:
    store, wanted = Store(tmp_path), settings(source(columns=UNNAMED))
    for content in (HEADER + ROW, HEADER + ROW + ROW, HEADER + ROW):
        (tmp_path / "orders.csv").write_text(content)
        assert statuses(store, wanted) == ["landed"]
        assert len(table(store)) == content.count("A-1")
        assert statuses(store, wanted) == ["unchanged"]


def test_orders_with_numbers_stay_as_versions_and_the_latest_landed_comes_last(tmp_path: Path) -> None:
    store, wanted = Store(tmp_path), settings(source())
    for amount in ("1", "2", "1"):
        (tmp_path / "orders.csv").write_text(HEADER + f"A-1,C-1,2024-01-02,{amount}\n")
        assert statuses(store, wanted) == ["landed"]
        assert table(store)[-1]["amount"] == Decimal(amount)
    assert [row["landed_order"] for row in table(store)] == [0, 1, 2]  # a value that comes back arrives once more


def test_tables_without_files_are_absent_and_empty_ones_are_empty(tmp_path: Path) -> None:
    land(tmp_path, HEADER)
    tables = landed_tables(Store(tmp_path), ibis.duckdb.connect())
    assert list(tables) == ["orders"]
    assert tables["orders"].count().execute() == 0
    schema = {name: str(type_) for name, type_ in tables["orders"].schema().items()}
    assert schema == ORDERS.landed | {"landed_order": "int64"}


def test_a_table_that_was_handed_out_does_not_change(tmp_path: Path) -> None:
    connection = ibis.duckdb.connect()
    land(tmp_path, HEADER + ROW)
    before = landed_tables(Store(tmp_path), connection)["orders"]
    land(tmp_path, HEADER + "A-2,C,2024-01-02,1\n", path="more.csv")
    assert landed_tables(Store(tmp_path), connection)["orders"].count().execute() == 2
    assert before.count().execute() == 1


def test_files_that_no_source_names_any_longer_can_be_left_out(tmp_path: Path) -> None:
    land(tmp_path, HEADER + ROW, path="drop/2024/trial.csv")
    land(tmp_path, HEADER + "A-2,C,2024-01-02,1\n", path="drop/orders.csv")
    store = Store(tmp_path)
    (tmp_path / "drop/orders.csv").unlink()  # a file that was read may go
    assert len(table(store)) == 2
    for path, ids in (
        ("drop/*.csv", ["A-2"]),
        ("drop/**/*.csv", ["A-1", "A-2"]),
        ("drop/orders.csv", ["A-2"]),
        ("drop/[!a-n]*.csv", ["A-2"]),
        ("*/2024/trial.csv", ["A-1"]),
    ):
        assert [row["order_id"] for row in table(store, wanted=settings(source(path)))] == ids
    assert landed_tables(store, ibis.duckdb.connect(), settings=settings(source("*.csv"))) == {}


def test_a_file_landed_under_an_earlier_contract_is_refused(tmp_path: Path) -> None:
    land(tmp_path, HEADER + ROW)
    store = Store(tmp_path)
    (file,) = store.files("landed")
    content, older = (tmp_path / file.path).read_bytes(), dict(file.detail) | {"columns": {"order_id": "string"}}

    def rewrite(place: Path) -> None:
        place.write_bytes(content)

    store.put(file.path, rewrite, kind="landed", **older)
    with pytest.raises(
        IntegrityError, match=r"landed under an earlier contract of orders; put its source orders\.csv back"
    ):
        landed_tables(store, ibis.duckdb.connect())
