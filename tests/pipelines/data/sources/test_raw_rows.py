"""How wide a file may be."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataError
from features.tables import TABLES
from pipelines.data.sources.csv_rows import csv_rows
from pipelines.data.sources.parquet_rows import parquet_rows
from tests.pipelines.foundation.workspace.test_workspace import ORDERS

MOST = 2_000
ROW = {"order_id": "1", "customer_id": "ann", "ordered_at": "2024-05-01 12:00", "amount": "10"}


def rows_of(folder: Path, kind: str, columns: int) -> int:
    """How many rows are read of a file with so many columns."""
    wide = ROW | {f"x{number}": "y" for number in range(columns - len(ROW))}
    place = folder / f"orders.{kind}"
    if kind == "csv":
        place.write_text(f"{','.join(wide)}\n{','.join(wide.values())}\n", encoding="utf-8")
        return csv_rows(place, ORDERS, TABLES["orders"], scratch=folder).count
    table = pa.table({name: pa.array([10.0] if name == "amount" else [value]) for name, value in wide.items()})
    pq.write_table(table, place)
    return parquet_rows(place, ORDERS, TABLES["orders"]).count


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_with_more_columns_than_are_read_is_refused_before_its_rows_are_looked_at(
    tmp_path: Path, kind: str
) -> None:
    assert rows_of(tmp_path, kind, MOST) == 1
    for columns in (MOST + 1, 100_000):
        with pytest.raises(DataError) as refused:
            rows_of(tmp_path, kind, columns)
        assert str(refused.value) == (
            f"orders.{kind} has {columns:,} columns, and files of more than 2,000 are not read; "
            "export those that its source maps"
        )
