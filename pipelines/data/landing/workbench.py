"""Where rows are typed: a DuckDB in memory that spills beside the workspace, and knows the clocks of the source."""

from __future__ import annotations

from functools import lru_cache
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
    for name, zone in (("source_to_utc", source_zone), ("workspace_to_utc", workspace_zone)):
        to_utc = zone_clock(zone).to_utc
        connection.create_function(f"rare_{name}", to_utc, ["TIMESTAMP"], "TIMESTAMP", type=PythonUDFType.ARROW)
        connection.execute(_to_utc_macro(name, zone))
    days = zone_clock(workspace_zone).days
    connection.create_function("rare_local_day", days, ["TIMESTAMP"], "DATE", type=PythonUDFType.ARROW)
    connection.execute(_local_day_macro(workspace_zone))
    return connection


# Macros: what they are handed stands in them many times over, so it must be the name of a column. Their texts are long,
# and each of hundreds of files needs them.


@lru_cache(maxsize=16)
def _to_utc_macro(name: str, zone: str) -> str:
    return f"CREATE MACRO {name}(moment) AS {zone_clock(zone).to_utc_sql('moment', rarely=f'rare_{name}(moment)')}"


@lru_cache(maxsize=16)
def _local_day_macro(zone: str) -> str:
    return f"CREATE MACRO local_day(moment) AS {zone_clock(zone).days_sql('moment', rarely='rare_local_day(moment)')}"
