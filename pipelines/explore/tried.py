"""An indicator of somebody's own, computed as those of the catalog are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from features.aggregates import per_customer
from features.asof import AsOf
from features.catalog import Lookbacks
from features.cohort import cohort
from features.errors import DataError
from models.matrix import ENTITY
from pipelines.data.snapshots.definitions import Definition
from pipelines.explore.frames import indexed, plain
from pipelines.foundation.own_indicators.expression import foreign
from pipelines.foundation.storage.as_arrow import as_arrow

Compute = Callable[[AsOf, ir.Table, Lookbacks], ir.Table]


def tried(
    compute: Compute, definition: Definition, tables: Mapping[str, ir.Table], engine: Any, day: date
) -> pd.DataFrame:
    """One row per customer at risk on a day, with what `compute` gives each; nothing known on that day is seen.

    Raises: DataError where it gives no such table, a customer several rows, or reads anything but the view of the day.
    """
    view = definition.view(tables, day)
    at_risk = cohort(view, definition.cohort)
    found = compute(view, at_risk, definition.lookbacks)
    if not isinstance(found, ir.Table) or ENTITY not in found.columns:
        raise DataError(f"what is tried has to give a table with {ENTITY}, and gave a {type(found).__name__} without")
    if told := foreign(found, view, at_risk):
        raise DataError("; ".join(told))
    rows = found.group_by(ENTITY).agg(rows=found.count())
    twice = as_arrow(engine, rows.filter(rows.rows > 1).count().as_table())
    if (number := twice.column(0)[0].as_py()) > 0:
        raise DataError(f"what is tried gives {number:,} customers several rows at {day}; it has to give each one")
    columns = [name for name in found.columns if name != ENTITY]
    table = per_customer(at_risk, found).select(ENTITY, *columns).order_by(ENTITY)
    return indexed(plain(as_arrow(engine, table)), day)
