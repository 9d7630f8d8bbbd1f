"""The landed columns of a table by customer, as they were known at a snapshot: what an audit looks at."""

from __future__ import annotations

from datetime import date

import pandas as pd

from features.aggregates import newest
from features.asof import as_of
from features.contract import local_day
from features.tables import TABLES
from models.matrix import ENTITY
from pipelines.data.snapshots.snapshot import Snapshots


def known_columns(snapshots: Snapshots, table: str, day: date, customers: list[str]) -> pd.DataFrame | None:
    """One row per customer asked for: columns of the table's newest row that was known; times as days from then.

    None where the table names no customers. Ids, links and columns that are wholly empty are left out.
    """
    contract = TABLES[table]
    names = [column.name for column in contract.columns]
    if ENTITY not in names:
        return None
    view = as_of({table: snapshots.tables[table]}, day, zone=snapshots.definition.zone)
    rows = newest(view[table], contract.happened_at)
    columns = {
        column.name: view.days_since(rows[local_day(column.name)]) if column.kind == "timestamp" else rows[column.name]
        for column in contract.columns
        if column.name != ENTITY and column.name not in contract.key and not column.name.endswith("_id")
    }
    frame = snapshots.engine.to_pyarrow(rows.select(ENTITY, **columns)).to_pandas().set_index(ENTITY)
    for column in contract.columns:
        if column.name in frame and column.kind in ("money", "number", "integer", "boolean", "timestamp"):
            frame[column.name] = pd.to_numeric(frame[column.name], errors="coerce").astype("float64")
    asked: pd.DataFrame = frame.reindex(customers)
    return asked[[name for name in asked.columns if asked[name].notna().any()]]
