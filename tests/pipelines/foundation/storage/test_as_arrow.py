"""What a query finds, whichever way its rows are handed over."""

from __future__ import annotations

from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.foundation.storage.as_arrow import as_arrow
from pipelines.foundation.storage.engine import open_engine


def test_rows_of_files_of_memory_and_of_both_have_the_types_of_the_query(tmp_path: Path) -> None:
    rows = pa.table({"name": ["a", "b", "b"], "n": pa.array([1, 2, 3], pa.int32())})
    pq.write_table(rows, tmp_path / "rows.parquet")
    engine = open_engine("duckdb")
    stored, held = engine.read_parquet(str(tmp_path / "rows.parquet")), ibis.memtable(rows)
    for table in (stored, held, stored.semi_join(held, "name")):
        asked = table.group_by("name").agg(sum=table.n.sum(), times=table.count()).order_by("name")
        found = as_arrow(engine, asked)
        assert found.to_pylist() == [{"name": "a", "sum": 1, "times": 1}, {"name": "b", "sum": 5, "times": 2}]
        assert found.schema.types == [pa.string(), pa.int64(), pa.int64()]
        assert found.equals(engine.to_pyarrow(asked))
