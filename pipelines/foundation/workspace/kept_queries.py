"""Queries in SQL that this machine keeps, so that no other process translates them again.

Each is named by all that a translation depends on (`key_of`). Nothing of any customer stands in them: the days are
filled in when a query runs, and of queries whose text a workspace decides, none is kept (`CompiledQueries.run`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from pipelines.foundation.storage import machine_cache
from pipelines.foundation.storage.fingerprint import fingerprint

Translated = tuple[str, pa.Schema]

FOLDER = "queries"
MOST = 32 << 20  # bytes of all of them: one takes some thousands


def key_of(*given: object, tables: Mapping[str, ir.Table], by: tuple[str, ...]) -> str:
    """All that a translation depends on, as one hash.

    given: what `fingerprint` takes. tables: those that a query may read, by their names in the engine. by: modules
    whose code writes it; what they import counts, as do the versions of libraries and our own translation.
    """
    columns = tuple((name, repr(tables[name].op().namespace), repr(tables[name].schema())) for name in sorted(tables))
    return fingerprint(
        *given, columns, repr(ibis.options.sql), by=(*by, "pipelines.foundation.workspace.compiled_queries")
    )


def read(key: str) -> Translated | None:
    """None where it is not kept, or not as it was written."""
    kept = machine_cache.read(f"{FOLDER}/{key}")
    if kept is None:
        return None
    told = json.loads(kept)
    return told["sql"], pa.ipc.read_schema(pa.BufferReader(base64.b64decode(told["schema"])))


def write(key: str, found: Translated) -> None:
    """Keep it, where that is possible."""
    sql, schema = found
    told = {"sql": sql, "schema": base64.b64encode(schema.serialize().to_pybytes()).decode()}
    machine_cache.write(f"{FOLDER}/{key}", json.dumps(told).encode())
    if key.endswith("0"):  # one in sixteen: to look at all of them takes as long as to write some
        machine_cache.bound(FOLDER, MOST)
