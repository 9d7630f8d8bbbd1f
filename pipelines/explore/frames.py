"""Rows as pandas frames, indexed by customer and day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.types as pt

from features.errors import DataError, did_you_mean
from models.frames import SNAPSHOT, as_frame
from models.matrix import ENTITY, Matrix
from pipelines.explore.looked_at import LookedAt
from pipelines.foundation.storage.as_arrow import as_arrow

Day = date | str


class LandedTables(Mapping[str, pd.DataFrame]):
    """The tables of a workspace by name, each read when it is asked for."""

    def __init__(self, workspace: LookedAt) -> None:
        self._workspace = workspace

    def __getitem__(self, name: str) -> pd.DataFrame:
        tables = self._workspace.tables
        if name not in tables:
            raise KeyError(f"no {name} have landed.{did_you_mean(name, tables)} There are {', '.join(sorted(tables))}")
        inner = ("landed_order", "known_until", "state_from")
        table = tables[name]
        return plain(as_arrow(self._workspace.engine, table.drop(*(each for each in inner if each in table.columns))))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._workspace.tables))

    def __len__(self) -> int:
        return len(self._workspace.tables)

    def __repr__(self) -> str:
        return f"tables: {', '.join(self)} (docs/tables.md)"


def plain(table: pa.Table) -> pd.DataFrame:
    """Decimals as float64: pandas has none, and money is exact in it to the cent up to ten trillion."""
    for place, field in enumerate(table.schema):
        if pt.is_decimal(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.float64()))
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def framed(rows: Matrix) -> pd.DataFrame:
    """The rows of a matrix as `ChurnClassifier` reads them, indexed by customer and snapshot."""
    days = pd.to_datetime([date.fromordinal(day) for day in rows.snapshots.tolist()])
    return as_frame(rows).set_index(pd.MultiIndex.from_arrays([rows.customers, days], names=[ENTITY, SNAPSHOT]))


def indexed(frame: pd.DataFrame, day: date) -> pd.DataFrame:
    """A frame of one snapshot, indexed likewise."""
    return frame.assign(**{SNAPSHOT: pd.Timestamp(day)}).set_index([ENTITY, SNAPSHOT])


def as_day(day: Day) -> date:
    """A day as a date. Raises: DataError where the text is none."""
    if isinstance(day, datetime):
        return day.date()
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise DataError(f"'{day}' is no day; write it as 2025-06-01") from None
