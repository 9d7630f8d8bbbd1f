"""Where rows are typed: a DuckDB in memory that spills beside the workspace, and knows the clocks of the source."""

from __future__ import annotations

from pathlib import Path

import duckdb
from duckdb.func import PythonUDFType

from pipelines.data.landing.local_time import zone_clock


def workbench(scratch: Path, *, source_zone: str, workspace_zone: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that spills into `scratch`, with the clocks of the source and of the workspace."""
    connection = duckdb.connect(
        config={
            "temp_directory": str(scratch),
            "memory_limit": "2GB",  # a file may be larger than memory, and the machine is not ours alone
            "autoinstall_known_extensions": "false",  # nothing is fetched from the network
            "preserve_insertion_order": "false",  # every result is sorted by us
        }
    )
    connection.execute("SET TimeZone = 'UTC'")  # how rejected moments are shown must not depend on the machine
    connection.create_function(
        "local_to_utc", zone_clock(source_zone).to_utc, ["TIMESTAMP"], "TIMESTAMP", type=PythonUDFType.ARROW
    )
    connection.create_function(
        "local_day", zone_clock(workspace_zone).days, ["TIMESTAMP"], "DATE", type=PythonUDFType.ARROW
    )
    return connection
