"""Where rows are typed: a DuckDB in memory that spills beside the workspace, and knows the clocks of the source."""

from __future__ import annotations

from pathlib import Path

import duckdb
from duckdb.func import PythonUDFType

from pipelines.data.landing.local_time import zone_clock
from pipelines.foundation.storage.spilling import spilling


def workbench(scratch: Path, *, source_zone: str, workspace_zone: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that spills into `scratch`, with the clocks of the source and of the workspace."""
    connection = spilling(scratch)
    connection.execute("SET TimeZone = 'UTC'")  # how rejected moments are shown must not depend on the machine
    connection.execute("SET memory_limit = '1500MB'")  # 2 GiB with what is held beside it, of any file
    connection.execute("SET preserve_insertion_order = true")  # where a row stands is its number
    source, workspace = zone_clock(source_zone), zone_clock(workspace_zone)
    # Macros: what they are handed stands in them many times over, so it must be the name of a column.
    for name, clock in (("source_to_utc", source), ("workspace_to_utc", workspace)):
        rare = f"rare_{name}"
        connection.create_function(rare, clock.to_utc, ["TIMESTAMP"], "TIMESTAMP", type=PythonUDFType.ARROW)
        connection.execute(f"CREATE MACRO {name}(moment) AS {clock.to_utc_sql('moment', rarely=f'{rare}(moment)')}")
    connection.create_function("rare_day", workspace.days, ["TIMESTAMP"], "DATE", type=PythonUDFType.ARROW)
    connection.execute(f"CREATE MACRO local_day(moment) AS {workspace.days_sql('moment', rarely='rare_day(moment)')}")
    return connection
