"""Snapshots on disk: each computed once, named by a hash of what it was computed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features import outcomes
from features.asof import as_of, instant
from features.catalog import Family
from features.cohort import cohort
from features.training_set import families, part
from models.matrix import ENTITY, LABEL, Matrix, matrix, stack
from pipelines.foundation.storage.fingerprint import code_version, fingerprint
from pipelines.foundation.storage.store import StoredFile
from pipelines.foundation.workspace.prepared_queries import Prepared, PreparedOutcomes
from pipelines.foundation.workspace.workspace import Workspace


def families_here(workspace: Workspace) -> list[Family]:
    """The indicator families that this workspace's tables allow."""
    return families(workspace.tables, personal=workspace.settings.age_and_gender)


def columns(workspace: Workspace) -> list[str]:
    """Every indicator column that this workspace's tables allow, in the order of the catalog."""
    return [name for family in families_here(workspace) for name in family.columns(workspace.settings.lookback_days)]


def categories(workspace: Workspace) -> list[str]:
    """Those of `columns` that hold text."""
    return [
        name
        for family in families_here(workspace)
        for indicator in family.indicators
        if indicator.unit == "category"
        for name in indicator.columns(workspace.settings.lookback_days)
    ]


def feature_file(workspace: Workspace, day: date) -> StoredFile:
    """The stored features of a snapshot, computed unless they are there. Training and scoring both come here."""
    path = f"snapshots/{day}-{_features_key(workspace, day)}.parquet"
    found = workspace.store.present(path)
    if found is not None:
        return found
    prepared = workspace.prepared if workspace.settings.engine == "duckdb" else None
    computed = features(workspace, workspace.tables, day, prepared=prepared)
    return _write(workspace, computed, path, kind="snapshot", day=day)


def features(
    workspace: Workspace, tables: Mapping[str, ir.Table], day: date, *, prepared: Prepared | None = None
) -> pa.Table:
    """Every indicator of a day's cohort as `training_set.snapshot` defines it, run group by group.

    prepared: the same tables' queries, translated already.
    """
    settings, engine = workspace.settings, workspace.engine
    world = as_of(tables, day, zone=settings.zone)
    found = at_risk = engine.to_pyarrow(cohort(world, settings.at_risk).order_by(ENTITY))
    customers = ibis.memtable(at_risk)
    for family in families_here(workspace):
        for group in family.groups:
            if prepared:
                columns = prepared.columns(group, day, at_risk)
            else:
                columns = engine.to_pyarrow(part(group, world, customers, settings.spans))
            if not columns[ENTITY].equals(found[ENTITY]):
                raise AssertionError(f"{family.name} lost customers at {day}")
            for name in columns.column_names[1:]:
                found = found.append_column(name, columns[name])
    return found


def outcome_file(workspace: Workspace, day: date) -> StoredFile | None:
    """The stored outcomes of a snapshot's cohort; None where they are censored."""
    settings = workspace.settings
    known = day + timedelta(days=settings.maturity_days)
    if known > workspace.complete_until:
        return None
    key = fingerprint(
        {
            "seen": _features_key(workspace, known),
            "window": [settings.outcome.lead_days, settings.outcome.horizon_days],
            **settings.contracts.model_dump(),
        }
    )
    path = f"outcomes/{day}-{key}.parquet"
    found = workspace.store.present(path)
    if found is not None:
        return found
    if settings.engine == "duckdb":
        rows = _prepared_outcomes(workspace).at(day)
    else:
        rows = workspace.engine.to_pyarrow(_outcomes(workspace, day))
    return _write(workspace, rows, path, kind="outcome", day=day)


def _prepared_outcomes(workspace: Workspace) -> PreparedOutcomes:
    """Made once a workspace, and shared by all its outcomes."""
    if "outcomes" not in workspace.prepared_others:
        settings = workspace.settings
        start, end = settings.outcome.lead_days, settings.outcome.lead_days + settings.outcome.horizon_days
        workspace.prepared_others["outcomes"] = PreparedOutcomes(
            workspace.engine,
            lambda day: _outcomes(workspace, day),
            (start, end, settings.maturity_days),
            settings.zone,
        )
    return workspace.prepared_others["outcomes"]


def _outcomes(workspace: Workspace, day: date) -> ir.Table:
    settings = workspace.settings
    world = as_of(workspace.tables, day, zone=settings.zone)
    table = outcomes.outcomes(
        workspace.tables,
        cohort(world, settings.at_risk),
        day,
        by_contract=workspace.by_contract,
        lead_days=settings.outcome.lead_days,
        horizon_days=settings.outcome.horizon_days,
        complete_until=workspace.complete_until,
        zone=settings.zone,
        endings=settings.endings,
        price_rise_is_expansion=settings.contracts.price_rise_is_expansion,
    )
    if table is None:
        raise AssertionError(f"the outcomes of {day} are censored")
    return table.order_by(ENTITY)


def feature_frame(workspace: Workspace, day: date) -> pd.DataFrame:
    """One row per customer at risk, sorted by customer_id, with every indicator."""
    return _read(workspace.store.verified(feature_file(workspace, day)))


def labelled_frame(workspace: Workspace, day: date) -> pd.DataFrame | None:
    """Those of them who have an outcome, with `happened` (0 or 1); None where it is censored."""
    labels = outcome_frame(workspace, day)
    if labels is None:
        return None
    labels = labels[[ENTITY, workspace.settings.outcome.kind]].set_axis([ENTITY, LABEL], axis=1)
    return feature_frame(workspace, day).merge(labels, on=ENTITY, how="inner", validate="one_to_one")


def outcome_frame(workspace: Workspace, day: date) -> pd.DataFrame | None:
    """One row per customer with an outcome: customer_id, a column per kind, treated (0 or 1); None where censored."""
    stored = outcome_file(workspace, day)
    return None if stored is None else _read(workspace.store.verified(stored))


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
    # A buying rhythm says nothing of those who stay by contract.
    started = settings.training.start_model and not workspace.by_contract
    horizon = settings.outcome.horizon_days if started else None
    return matrix(
        frame,
        day,
        columns=columns(workspace),
        categories=categories(workspace),
        start_horizon_days=horizon,
    )


def _features_key(workspace: Workspace, day: date) -> str:
    """What the view of a day depends on. Files of which nothing was known by then do not touch it."""
    settings = workspace.settings
    cut = instant(day, zone=settings.zone).isoformat()
    parts = {
        "landed": [
            stored.sha256
            for stored in workspace.landed
            if stored.detail["first_known_at"] is not None and stored.detail["first_known_at"] < cut
        ],
        "cohort": settings.cohort.model_dump(),
        "horizon_days": settings.spans.horizon_days,
        "lookback_days": settings.lookback_days,
        "time_zone": settings.time_zone,
        "age_and_gender": settings.age_and_gender,
        "tables": sorted(workspace.tables),
        **({"refusals": workspace.refusals.fingerprint} if workspace.refusals else {}),
    }
    return fingerprint(parts | {"definitions": code_version("features")})


def _write(workspace: Workspace, rows: pa.Table, path: str, *, kind: str, day: date) -> StoredFile:
    def write(place: Path) -> None:
        pq.write_table(rows, place, compression="zstd")

    return workspace.store.put(path, write, kind=kind, day=str(day), rows=rows.num_rows)


def _read(place: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(place).to_pandas()
    return frame
