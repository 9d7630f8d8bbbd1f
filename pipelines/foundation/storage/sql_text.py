"""Names and values as parts of SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime


def quoted(text: object) -> str:
    """Text, or what is written as text, as an SQL literal.

    >>> quoted("l'an")
    "'l''an'"
    """
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def identifiers(names: Iterable[str]) -> str:
    """Names with commas between them.

    >>> identifiers(["order_id", "amount"])
    '"order_id", "amount"'
    """
    return ", ".join(map(identifier, names))


# DuckDB takes a folder called amount=5 for a column, before that of the file.
NO_FOLDERS = "hive_partitioning = false"
NUMBERED = "file_row_number = true"
PARQUET = f"read_parquet(?, {NO_FOLDERS})"  # of a file that is handed over


def parquet(place: object, *options: str) -> str:
    """SQL of a Parquet file as it stands.

    >>> parquet("a.parquet")
    "read_parquet('a.parquet', hive_partitioning = false)"
    """
    return f"read_parquet({', '.join([quoted(place), *options, NO_FOLDERS])})"


def moment(at: datetime | None) -> str:
    """A moment without zone mark, or none, as an SQL literal."""
    return "NULL::TIMESTAMP" if at is None else f"TIMESTAMP '{at.isoformat(sep=' ')}'"
