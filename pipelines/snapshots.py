"""Snapshots on disk: each computed once, named by a hash of what it was computed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd
import pyarrow.parquet as pq

from features import outcomes
from features.asof import as_of
from features.catalog import Family
from features.cohort import cohort
from features.training_set import families, snapshot
from models.matrix import ENTITY, Matrix, matrix, stack
from pipelines.store import StoredFile
from pipelines.workspace import Workspace, code_version, fingerprint


def families_here(workspace: Workspace) -> list[Family]:
    """The indicator families that this workspace's tables allow."""
    return families(workspace.tables)


def columns(workspace: Workspace) -> list[str]:
    """Every indicator column that this workspace's tables allow, in the order of the catalog."""
    return [name for family in families_here(workspace) for name in family.columns(workspace.settings.lookback_days)]


def feature_file(workspace: Workspace, day: date) -> StoredFile:
    """The stored features of a snapshot, computed unless they are there. Training and scoring both come here."""
    path = f"snapshots/{day}-{_features_key(workspace)}.parquet"
    found = workspace.store.present(path)
    if found is not None:
        return found
    settings = workspace.settings
    table = snapshot(
        workspace.tables,
        day,
        active_days=_active_days(workspace),
        lookback_days=settings.lookback_days,
        zone=settings.zone,
    )
    return _write(workspace, table, path, kind="snapshot", day=day)


def outcome_file(workspace: Workspace, day: date) -> StoredFile | None:
    """The stored outcomes of a snapshot's cohort; None where they are censored."""
    settings = workspace.settings
    wanted = {"outcome": settings.outcome.model_dump(), "complete_until": workspace.complete_until}
    path = f"outcomes/{day}-{fingerprint({'features': _features_key(workspace), **wanted})}.parquet"
    found = workspace.store.present(path)
    if found is not None:
        return found
    world = as_of(workspace.tables, day, zone=settings.zone)
    table = outcomes.inactivity(
        workspace.tables,
        cohort(world, active_days=_active_days(workspace)),
        day,
        lead_days=settings.outcome.lead_days,
        horizon_days=settings.outcome.horizon_days,
        complete_until=workspace.complete_until,
        zone=settings.zone,
    )
    if table is None:
        return None
    return _write(workspace, table.order_by(ENTITY), path, kind="outcome", day=day)


def feature_frame(workspace: Workspace, day: date) -> pd.DataFrame:
    """One row per customer at risk, sorted by customer_id, with every indicator."""
    return _read(workspace.store.verified(feature_file(workspace, day)))


def labelled_frame(workspace: Workspace, day: date) -> pd.DataFrame | None:
    """The same with `churned`; None where the outcome is censored."""
    stored = outcome_file(workspace, day)
    if stored is None:
        return None
    labels = _read(workspace.store.verified(stored))
    return feature_frame(workspace, day).merge(labels, on=ENTITY, how="left", validate="one_to_one")


def training_matrix(
    workspace: Workspace, days: Sequence[date], *, progress: Callable[[str], None] = lambda _: None
) -> Matrix | None:
    """Matured snapshots under each other; None where there is none. Censored snapshots never get here."""
    parts = []
    for day in days:
        frame = labelled_frame(workspace, day)
        if frame is not None and len(frame):
            parts.append(as_matrix(workspace, frame, day))
        progress(f"snapshot of {day}")
    return stack(parts) if parts else None


def as_matrix(workspace: Workspace, frame: pd.DataFrame, day: date) -> Matrix:
    """A snapshot's frame as the model reads it, with the start model of that snapshot."""
    settings = workspace.settings
    horizon = settings.outcome.horizon_days if settings.training.start_model else None
    return matrix(frame, day, columns=columns(workspace), start_horizon_days=horizon)


def _active_days(workspace: Workspace) -> int | None:
    plan = workspace.settings.cohort
    return plan.active_days if plan.kind == "ordered_within" else None


def _features_key(workspace: Workspace) -> str:
    settings = workspace.settings
    parts = {
        "landed": [stored.sha256 for stored in workspace.store.files("landed")],
        "cohort": settings.cohort.model_dump(),
        "lookback_days": settings.lookback_days,
        "time_zone": settings.time_zone,
    }
    return fingerprint(parts | {"definitions": code_version("features")})


def _write(workspace: Workspace, table: ir.Table, path: str, *, kind: str, day: date) -> StoredFile:
    rows = workspace.engine.to_pyarrow(table)

    def write(place: Path) -> None:
        pq.write_table(rows, place, compression="zstd")

    return workspace.store.put(path, write, kind=kind, day=str(day), rows=rows.num_rows)


def _read(place: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(place).to_pandas()
    return frame
