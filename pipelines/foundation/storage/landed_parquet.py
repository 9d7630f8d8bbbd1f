"""Parquet files that are the same bytes whenever the same rows are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.contract import Table

GROUP_ROWS = 131_072
# A dictionary of a column in which nearly every value is another one costs more than all else of writing it; of times
# and numbers, differences are smaller than values.
_DICTIONARY_BYTES = 1 << 17
_IN_DIFFERENCES = (pa.int64(), pa.timestamp("us"), pa.date32())

_ARROW = {
    "string": pa.string(),
    "int64": pa.int64(),
    "decimal(18, 4)": pa.decimal128(18, 4),
    "boolean": pa.bool_(),
    "timestamp(6)": pa.timestamp("us"),
    "date": pa.date32(),
}

REJECTED_SCHEMA = pa.schema(
    [("source_row", pa.int64()), ("reason", pa.string()), ("source", pa.string()), ("raw_row", pa.string())]
)


def landed_schema(contract: Table) -> pa.Schema:
    """The columns of a contract's landed files, as Arrow types."""
    return pa.schema([(name, _ARROW[physical]) for name, physical in contract.landed.items()])


def write_parquet(place: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
    """Write rows in the order given and return how many there were.

    An engine hands rows over in batches of whatever size suits it that day; row groups are cut by count alone.
    """
    rows = 0
    with pq.ParquetWriter(
        place,
        schema,
        compression="zstd",
        use_dictionary=[field.name for field in schema if field.type == pa.string()],
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        column_encoding={field.name: "DELTA_BINARY_PACKED" for field in schema if field.type in _IN_DIFFERENCES},
    ) as writer:
        for group in _groups(_ahead(batches)):
            writer.write_table(group.cast(schema), row_group_size=GROUP_ROWS)
            rows += group.num_rows
    return rows


def _ahead(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, each made by another core while the one before it is written."""
    rest = iter(batches)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, rest, None)
        while (batch := coming.result()) is not None:
            coming = maker.submit(next, rest, None)
            yield batch


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        while rows >= GROUP_ROWS:
            table = pa.Table.from_batches(held)
            yield table.slice(0, GROUP_ROWS).combine_chunks()
            held, rows = table.slice(GROUP_ROWS).to_batches(), rows - GROUP_ROWS
    if rows:
        yield pa.Table.from_batches(held).combine_chunks()
