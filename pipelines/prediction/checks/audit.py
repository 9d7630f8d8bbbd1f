"""`attrition audit`: does anything in this workspace know the future? Asked of the user's own data, by trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features import outcomes
from features.asof import AsOf, as_of
from features.cohort import cohort
from features.other_futures import CHANGES, other_future
from models import leaks
from models.matrix import ENTITY
from pipelines.data.snapshots.features import columns, features, labelled_frame
from pipelines.foundation.workspace.job import Job
from pipelines.foundation.workspace.prepared_queries import Reread
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.checks import audit_clocks
from pipelines.prediction.checks.audit_columns import known_columns
from pipelines.prediction.checks.finding import Finding

Floats = npt.NDArray[np.float64]

ENDS = 8  # days in the outcome's future at which it is asked who has left


def audit(job: Job) -> dict[str, Any]:
    """Every check; the document of it: {"as_of", "checked": {...}, "findings": [...]}."""
    workspace = job.workspace
    days = audit_days(workspace)
    with job.people.stage("audit", steps=len(CHANGES) * len(days) + 3) as step:
        findings = list(time_travel(workspace, days, progress=step))
        findings += audit_clocks.impossible(workspace.tables, workspace.engine)
        step("clocks of one row, and of rows that belong together")
        findings += as_of_today(workspace)
        step("values taken from today")
        findings += strong_columns(workspace)
        step("columns that are too strong alone")
    for finding in findings:
        place = f"{finding.table}.{finding.column}" if finding.table else finding.column
        job.people.say(f"  {finding.check}: {place}: {finding.evidence}. Remedy: {finding.remedy}")
    if not findings:
        job.people.say(f"  nothing found: {len(columns(workspace))} indicator columns cannot see the future")
    return {
        "as_of": str(workspace.as_of),
        "checked": {"snapshots": [str(day) for day in days], "indicators": len(columns(workspace))},
        "findings": [asdict(finding) | {"remedy": finding.remedy} for finding in findings],
    }


def audit_days(workspace: Workspace) -> list[date]:
    """The oldest and the newest training snapshot; without any, the day that scoring looks from."""
    days = workspace.training_days(workspace.as_of)
    return sorted({days[0], days[-1]}) if days else [workspace.as_of]


def time_travel(
    workspace: Workspace, days: list[date], *, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Columns that move when only what was not known at the snapshot is changed."""
    moved: dict[str, list[str]] = {}
    look = _looking(workspace)
    for day in days:
        before = look(workspace.tables, day)
        for change in CHANGES:
            after = look(other_future(workspace.tables, day, change, zone=workspace.settings.zone), day)
            for column in moved_columns(before, after):
                moved.setdefault(column, []).append(f"{change} at {day}")
            progress(f"{day} with later rows and values {change}")
    for column, where in moved.items():
        yield Finding("time_travel", None, column, f"it moves when rows and values known later are {', '.join(where)}")


def _looking(workspace: Workspace) -> Callable[[Mapping[str, ir.Table], date], pa.Table]:
    """Snapshots over other tables of the same columns; DuckDB's queries are translated for the first of them alone."""
    if workspace.settings.engine != "duckdb":
        return lambda tables, day: features(workspace, tables, day)
    reread = Reread(workspace.engine, workspace.tables, workspace.settings.spans, workspace.settings.zone)

    def look(tables: Mapping[str, ir.Table], day: date) -> pa.Table:
        reread.show(tables)
        return features(workspace, reread.tables, day, prepared=reread.prepared)

    return look


def moved_columns(before: pa.Table, after: pa.Table) -> list[str]:
    """Columns that differ in any value; the cohort itself where its customers differ."""
    if not before[ENTITY].equals(after[ENTITY]):
        return [ENTITY]
    return [name for name in before.column_names if not _same(before[name], after[name])]


def _same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    return bool(left.equals(right) or left.to_pandas().equals(right.to_pandas()))


def as_of_today(workspace: Workspace) -> Iterator[Finding]:
    """Values that behave as if they had been read today, at the oldest training snapshot."""
    days = workspace.training_days(workspace.as_of)
    left = departures(workspace, days[0]) if days else None
    if left is not None:
        for name in workspace.tables:
            yield from table_of_today(workspace, name, days[0], days[-1], left)


def table_of_today(workspace: Workspace, name: str, first: date, last: date, left: pd.DataFrame) -> Iterator[Finding]:
    """The same for one table. left: as from `departures` for `first`; last: a later snapshot to compare values with."""
    customers = list(left.index)
    now = known_columns(workspace, name, first, customers)
    later = known_columns(workspace, name, last, customers)
    if now is None or later is None:
        return
    after, tenure = (left[column].to_numpy(np.float64) for column in ("days", "tenure"))
    found = list(leaks.as_of_today(now, (~np.isnan(after)).astype(np.float64)))
    shared = [column for column in now.columns if column in later.columns]
    found += leaks.counters(now[shared], later[shared], after, tenure)
    for suspicion in found:
        yield Finding(suspicion.check, name, suspicion.column, suspicion.evidence)


def strong_columns(workspace: Workspace) -> Iterator[Finding]:
    """Indicators that predict the outcome of the newest matured snapshot on their own."""
    days = workspace.training_days(workspace.as_of)
    frame = labelled_frame(workspace, days[-1]) if days else None
    if frame is None or not len(frame):
        return
    labels = frame["happened"].to_numpy(np.float64)
    for suspicion in leaks.strong_alone(frame[columns(workspace)], labels):
        yield Finding(suspicion.check, None, suspicion.column, suspicion.evidence)


def departures(workspace: Workspace, day: date) -> pd.DataFrame | None:
    """By customer of a day's cohort: days until they had left (NaN: not by the end of the data), and tenure in days.

    None where the data end too soon after the day.
    """
    settings = workspace.settings
    horizon = settings.outcome.horizon_days
    span = (workspace.complete_until - day).days - horizon
    if span < horizon:
        return None
    world = as_of(workspace.tables, day, zone=settings.zone)
    customers = cohort(world, settings.at_risk)
    found: pd.DataFrame | None = None
    for number in reversed(range(ENDS)):
        lead = span * number // (ENDS - 1)
        gone = _gone(workspace, customers, day, lead_days=lead, horizon_days=horizon)
        # From the last end backwards: who had left by an end and stayed away is counted from the first such end.
        days = pd.Series(np.where(gone, float(lead + horizon), np.nan), index=gone.index)
        if found is None:
            found = pd.DataFrame({"days": days})
        else:
            found["days"] = days.where(days.notna() & found["days"].notna(), found["days"])
    if found is None:
        return None
    return found.assign(tenure=_tenure(workspace, world, found.index))


def _gone(workspace: Workspace, customers: ir.Table, day: date, *, lead_days: int, horizon_days: int) -> pd.Series:
    settings = workspace.settings
    if workspace.by_contract:  # who has no subscription at the end has left, whenever that was
        lead_days, horizon_days = 0, lead_days + horizon_days
    table = outcomes.outcomes(
        workspace.tables,
        customers,
        day,
        by_contract=workspace.by_contract,
        lead_days=lead_days,
        horizon_days=horizon_days,
        complete_until=date.max,  # the last days are looked at as far as they are known
        zone=settings.zone,
        endings=settings.endings,
    )
    if table is None:
        raise AssertionError("a window within the data cannot be censored")
    frame = workspace.engine.to_pyarrow(table.order_by(ENTITY)).to_pandas().set_index(ENTITY)
    return pd.Series(frame[settings.outcome.kind] == 1)


def _tenure(workspace: Workspace, world: AsOf, customers: pd.Index) -> npt.NDArray[np.float64]:
    table, day = ("subscriptions", "started_on") if workspace.by_contract else ("orders", "ordered_on")
    if table not in world:
        table = "order_lines"
    first = world[table].group_by(ENTITY).agg(tenure=world.days_since(world[table][day]).max())
    frame = workspace.engine.to_pyarrow(first).to_pandas().set_index(ENTITY)
    return np.asarray(frame["tenure"].reindex(customers), dtype=np.float64)
