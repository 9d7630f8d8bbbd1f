"""The columns of an answer as a database describes them before it gives a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from pipelines.data.sources.database.columns import BOOLEAN, CLOCK, DAY, FLOAT, MOMENT, TEXT, WHOLE

_NUMBER = pa.decimal128(38, 4)  # what is told of a decimal before its values are known
_BYTES = pa.binary()

# Numbers of PostgreSQL's catalogue. What is not here is text, or is refused once it comes.
_POSTGRESQL = {
    16: BOOLEAN, 17: _BYTES, 20: WHOLE, 21: WHOLE, 23: WHOLE, 26: WHOLE, 700: FLOAT, 701: FLOAT, 1082: DAY,
    1114: CLOCK, 1184: MOMENT, 1700: _NUMBER,
}  # fmt: skip
_TIMESTAMP, _DATE, _DATETIME, _BIT, _TINY = 7, 10, 12, 16, 1
_MYSQL = {
    0: _NUMBER, _TINY: WHOLE, 2: WHOLE, 3: WHOLE, 4: FLOAT, 5: FLOAT, _TIMESTAMP: MOMENT, 8: WHOLE, 9: WHOLE,
    _DATE: DAY, _DATETIME: CLOCK, 13: WHOLE, _BIT: WHOLE, 246: _NUMBER,
}  # fmt: skip


@dataclass(frozen=True)
class Described:
    """A column. type: as it is declared; null where nothing is. made: makes a driver's values ours, where need be."""

    name: str
    type: pa.DataType
    made: Callable[[Sequence[Any]], list[Any]] | None = None


def described(description: Sequence[Sequence[Any]], system: str) -> list[Described]:
    """The columns of a cursor's description."""
    return [_column(str(column[0]), column[1], system) for column in description]


def _column(name: str, code: Any, system: str) -> Described:
    if system == "postgresql":
        return Described(name, _POSTGRESQL.get(code, TEXT))
    if system == "mysql":
        made = {_TIMESTAMP: _moments, _DATE: _days, _DATETIME: _days, _BIT: _bits}.get(code)
        return Described(name, _MYSQL.get(code, TEXT), made)
    return Described(name, pa.null())


def _days(values: Sequence[Any]) -> list[Any]:
    """MySQL writes 0000-00-00 where there is no day; its driver hands it over as text."""
    return [value if isinstance(value, date) else None for value in values]


def _moments(values: Sequence[Any]) -> list[Any]:
    """A TIMESTAMP of MySQL is a moment, asked for in UTC."""
    return [value.replace(tzinfo=UTC) if isinstance(value, datetime) else None for value in values]


def _bits(values: Sequence[Any]) -> list[Any]:
    return [int.from_bytes(value, "big") if isinstance(value, bytes) else value for value in values]
