"""A DuckDB of its own that needs little memory; apart from `engine`, whose libraries take seconds to import."""

from __future__ import annotations

from pathlib import Path

import duckdb


def spilling(folder: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory, apart from any engine's, that spills into a folder: a file may be larger than memory.

    folder: None where no row is read, only what columns there are.
    """
    return duckdb.connect(
        config={
            "temp_directory": str(folder or ""),
            "memory_limit": "2GB",  # the machine is not ours alone
            "autoinstall_known_extensions": "false",  # nothing is fetched from the network
            "preserve_insertion_order": "false",  # every result is sorted by us
        }
    )
