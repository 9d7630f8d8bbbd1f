"""What a query finds, without pandas: an engine's own `to_pyarrow` loads it, and a command that counts waits for it."""

from __future__ import annotations

from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa


def as_arrow(engine: Any, table: ir.Table) -> pa.Table:
    """The rows of a query, with the types of its columns."""
    if engine.name != "duckdb" or table.op().find(ops.InMemoryTable):  # such a table is handed over by the engine
        return engine.to_pyarrow(table)
    return engine.raw_sql(engine.compile(table)).to_arrow_table().cast(table.schema().to_pyarrow())
