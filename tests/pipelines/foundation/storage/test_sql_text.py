from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.storage.landed_tables import landed_tables
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import HEADER, LANDED_ON, ORDER_COLUMNS, settings, source
from tests.pipelines.data.sources.query.query_case import COLUMNS, query_source

PIPELINES = Path(__file__).parent.parent.parent.parent.parent / "pipelines"
FOLDER = "amount=5"


@pytest.mark.parametrize("kind", ["csv", "parquet", "query of csv", "query of parquet", "query of json"])
def test_a_folder_that_is_called_as_a_column_is_not_taken_for_it(tmp_path: Path, kind: str) -> None:
    root = tmp_path / FOLDER / "customer_id=X"
    (root / FOLDER).mkdir(parents=True)
    row = {"order_id": "A-1", "customer_id": "C", "ordered_at": "2024-01-02", "amount": "1.5"}
    (root / FOLDER / "o.csv").write_text(HEADER + ",".join(row.values()) + "\n")
    (root / FOLDER / "o.json").write_text(json.dumps([row]))
    pq.write_table(pa.Table.from_pylist([row]), root / FOLDER / "o.parquet")
    wanted: Source
    if kind.startswith("query"):
        wanted = query_source(f"SELECT {COLUMNS} FROM '{FOLDER}/o.{kind.rpartition(' ')[2]}'")
    else:
        wanted = source(f"{FOLDER}/o.{kind}", columns={name: name for name in row} if kind != "csv" else ORDER_COLUMNS)
    asked = settings(wanted)
    (result,) = ingest(Store(root), asked, today=LANDED_ON)
    assert (result.landed, result.rejected) == (1, 0)
    engine = ibis.duckdb.connect()
    (orders,) = landed_tables(Store(root), engine, settings=asked).values()
    assert engine.to_pyarrow(orders.select("customer_id", "amount")).to_pylist() == [
        {"customer_id": "C", "amount": Decimal("1.5000")}
    ]


def test_no_parquet_file_is_opened_with_its_folders_as_columns() -> None:
    opened = [
        (place.relative_to(PIPELINES).as_posix(), call)
        for place in PIPELINES.rglob("*.py")
        for call in re.findall(r"(?<![.\w])(?<!def )read_parquet\(.*", place.read_text(encoding="utf-8"))
    ]
    assert [each for each in opened if "NO_FOLDERS" not in each[1] and "hive_partitioning = false" not in each[1]] == []
