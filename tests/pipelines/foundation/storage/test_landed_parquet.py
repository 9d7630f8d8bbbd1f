from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.foundation.storage.landed_parquet import GROUP_ROWS, write_parquet


def test_row_groups_do_not_depend_on_the_batches_that_come(tmp_path: Path) -> None:
    rows = GROUP_ROWS * 2 + 5
    batch = pa.record_batch({"n": pa.array(range(rows)), "text": pa.array([f"C-{n:040}" for n in range(rows)])})
    for name, step in (("large", rows), ("small", 7001), ("exact", GROUP_ROWS)):
        pieces = [batch.slice(start, step) for start in range(0, rows, step)]
        assert write_parquet(tmp_path / name, pieces, batch.schema) == rows
    assert len({(tmp_path / name).read_bytes() for name in ("large", "small", "exact")}) == 1
    assert pq.ParquetFile(tmp_path / "small").metadata.num_row_groups == 3


def test_what_breaks_while_batches_are_made_is_raised_where_they_are_written(tmp_path: Path) -> None:
    def breaking() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"n": pa.array([1])})
        raise OSError("no more room")

    with pytest.raises(OSError, match="no more room"):
        write_parquet(tmp_path / "x", breaking(), pa.schema([("n", pa.int64())]))
