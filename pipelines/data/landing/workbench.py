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
    connection.create_function(
        "local_to_utc", zone_clock(source_zone).to_utc, ["TIMESTAMP"], "TIMESTAMP", type=PythonUDFType.ARROW
    )
    connection.create_function(
        "local_day", zone_clock(workspace_zone).days, ["TIMESTAMP"], "DATE", type=PythonUDFType.ARROW
    )
    return connection
