from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataError, SettingsError
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.privacy import Privacy
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import HEADER, LANDED_ON, ROW, land, settings, source, statuses, table


def test_a_pattern_reads_its_files_by_name_and_none_of_ours(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / "drop" / name).mkdir(parents=True)
        (tmp_path / "drop" / name / "orders.parquet").write_bytes(b"")
        pq.write_table(
            pa.table({"order_id": [name], "customer_id": ["C"], "ordered_at": [date(2024, 1, 2)], "amount": [1]}),
            tmp_path / "drop" / name / "orders.parquet",
        )
    store, wanted = Store(tmp_path), settings(source("**/*.parquet"))
    assert [result.path for result in ingest(store, wanted, today=LANDED_ON)] == [
        "drop/a/orders.parquet",
        "drop/b/orders.parquet",
    ]
    assert statuses(store, wanted) == ["unchanged", "unchanged"]


def test_names_with_brackets_are_taken_as_they_are(tmp_path: Path) -> None:
    for place in ("shop [1]/orders[2024]*.csv", "shop [1]/orders2*.csv"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(HEADER + f"{place[-9:-5]},C-1,2024-01-02,1\n")
    store = Store(tmp_path / "shop [1]")
    ingest(store, settings(source("orders[2024]*.csv")), today=LANDED_ON)
    assert [row["order_id"] for row in table(store)] == ["024]"]


def test_a_source_without_a_file_is_an_error_before_anything_lands(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + ROW)
    store = Store(tmp_path)
    with pytest.raises(
        DataError, match=re.escape(f"no file matches 'more/*.csv' in {tmp_path} (source of table orders)")
    ):
        ingest(store, settings(source(), source("more/*.csv")), today=LANDED_ON)
    assert store.files("landed") == []


def test_a_link_that_leads_out_of_the_workspace_is_refused_and_one_within_is_read(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "secret.csv").write_text(HEADER + ROW)
    (tmp_path / "shop/out.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "shop/real.csv").write_text(HEADER + ROW)
    (tmp_path / "shop/within.csv").symlink_to("real.csv")
    store = Store(tmp_path / "shop")
    with pytest.raises(SettingsError, match=r"out\.csv \(a source of table orders\) is a link that leads out of"):
        ingest(store, settings(source("*.csv")), today=LANDED_ON)
    assert store.files("landed") == []
    assert statuses(store, settings(source("within.csv"))) == ["landed"]


def test_the_lists_of_the_settings_are_no_sources(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + ROW)
    (tmp_path / "objections.csv").write_text("customer_id\n")
    plan = Privacy(objections="objections.csv")
    assert statuses(Store(tmp_path), settings(source("*.csv")).model_copy(update={"privacy": plan})) == ["landed"]


def test_an_ending_that_tells_no_format_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"orders.dat: its ending does not tell a format; set format"):
        land(tmp_path, HEADER + ROW, path="orders.dat")
    assert land(tmp_path, HEADER + ROW, path="orders.dat", format="csv").values("order_id") == ["A-1"]


def test_two_sources_that_read_one_file_differently_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + ROW)
    (tmp_path / "b.csv").write_text(HEADER + ROW)
    with pytest.raises(DataError, match=r"a\.csv and b\.csv hold the same bytes, but two sources"):
        ingest(Store(tmp_path), settings(source("a.csv"), source("b.csv", date_format="%Y-%d-%m")), today=LANDED_ON)
