"""What computes indicators: DuckDB in this process, or Spark. The expressions are the same."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq
from ibis.util import gen_name

from features.errors import SettingsError
from pipelines.foundation.settings.engine import Engine
from pipelines.foundation.storage.shared_place import SharedPlace
from pipelines.foundation.storage.sql_text import NO_FOLDERS, identifier, identifiers, moment, quoted

LEAST_MEMORY = 1 << 30  # bytes; beyond its bound DuckDB spills to disk, so that a snapshot of any size fits


def open_engine(asked: Engine | str, *, scratch: Path | None = None, memory: int = LEAST_MEMORY) -> Any:
    """An Ibis connection that counts in UTC.

    asked: what the settings say, or the kind alone. scratch: folder for what does not fit into memory, made when it is
    needed. memory: bytes that DuckDB may take.

    Raises: SettingsError where Spark is not installed or does not start.
    """
    engine = Engine.model_validate(asked)
    if engine.kind == "duckdb":
        return _duckdb(scratch, max(LEAST_MEMORY, memory))
    return _spark(engine, Path(mkdtemp(prefix="attrition-")) if scratch is None else scratch)


def parquet_table(
    engine: Any, places: Sequence[Path], columns: Sequence[str], *, state_from: Sequence[datetime | None] | None = None
) -> ir.Table:
    """Parquet files under each other, with `landed_order` (int64): the position of a row's file in `places`.

    state_from: a moment per file, for a column of that name where the file has none; None: there is no such column.
    """
    if engine.name == "duckdb":
        return _listed(engine, places, columns, state_from)
    parts = []
    for number, place in enumerate(places):
        table = engine.read_parquet(str(place))
        more: dict[str, ir.Value] = {"landed_order": ibis.literal(number, type="int64")}
        if state_from is not None:
            told = ibis.literal(state_from[number], type="timestamp(6)")
            more["state_from"] = table["state_from"] if "state_from" in table.columns else told
        parts.append(table.select(*columns, **more))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _listed(
    engine: Any, places: Sequence[Path], columns: Sequence[str], state_from: Sequence[datetime | None] | None
) -> ir.Table:
    """The same of DuckDB, which opens a list of files in a tenth of the time of a query for each.

    Files of one list are alike: those that have state_from are another.
    """
    lists: dict[bool, list[int]] = {}
    for number, place in enumerate(places):
        lists.setdefault(state_from is not None and "state_from" in pq.read_schema(place).names, []).append(number)
    parts = []
    for has_state, numbers in lists.items():
        files = ", ".join(quoted(str(places[number])) for number in numbers)
        taken = [identifiers(columns), f"{numbers}[file_index::BIGINT + 1]::BIGINT AS landed_order"]
        if state_from is not None:
            told = f"[{', '.join(moment(state_from[number]) for number in numbers)}][file_index::BIGINT + 1]"
            taken.append("state_from" if has_state else f"{told} AS state_from")
        parts.append(f"SELECT {', '.join(taken)} FROM read_parquet([{files}], {NO_FOLDERS})")  # noqa: S608 - quoted
    name = gen_name("landed")
    engine.raw_sql(f"CREATE TEMP VIEW {identifier(name)} AS {' UNION ALL '.join(parts)}")
    return engine.table(name)


def _duckdb(scratch: Path | None, memory: int) -> Any:
    engine = ibis.duckdb.connect(**({} if scratch is None else {"temp_directory": str(scratch)}))
    engine.raw_sql("SET TimeZone = 'UTC'")
    engine.raw_sql(f"SET memory_limit = '{memory} B'")
    with suppress(duckdb.InvalidInputException):  # a notebook without ipywidgets has no bar, and none to turn off
        engine.raw_sql("SET enable_progress_bar = false")
    return engine


def _spark(asked: Engine, scratch: Path) -> Any:
    try:
        from pipelines.foundation.storage.workers import open_workers
    except ImportError:
        raise SettingsError(
            'engine.kind = "spark" needs Spark: install it with `pip install "attrition[spark]"` and Java 17, or set '
            'engine.kind = "duckdb"'
        ) from None
    if asked.shared is None:  # in this process Spark sees what we see
        return open_workers(asked, SharedPlace(str(scratch), Path("/")))
    return open_workers(asked, SharedPlace.of(asked.shared))
